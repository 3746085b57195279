"""`bliss.common.utils`: methods of controllers that axes have, too, and properties that a prompt may read."""

from bliss_like.controllers.motor import object_method

autocomplete_property = property
"""Completion at the prompt asks no property for its value, so this is a plain one."""

__all__ = ["autocomplete_property", "object_method"]
