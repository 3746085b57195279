"""Data policies: who says where the files of a session go. docs/how-to/data-policy.md shows how to write one."""

from .config import SavingConfig
from .policy import DataPolicy

__all__ = ["DataPolicy", "SavingConfig"]
