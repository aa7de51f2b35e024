"""Markers for arguments where None already means something."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Default(Enum):
    """The type of :data:`DEFAULT`; an Enum of one member, so that type checkers can narrow ``x is DEFAULT``."""

    DEFAULT = "default"

    def __repr__(self) -> str:
        return "<default>"


DEFAULT: Final = Default.DEFAULT
"""An argument was not given: use the documented default."""
