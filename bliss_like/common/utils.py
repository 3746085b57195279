"""`bliss.common.utils`: methods of controllers that axes have, too."""

from bliss_like.controllers.motor import object_method

__all__ = ["object_method"]
