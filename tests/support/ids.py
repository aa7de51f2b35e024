"""Names of parameters that are the same in every process, as tests that run side by side need them."""

from __future__ import annotations

import re


def stable(value: object) -> str:
    """The repr of ``value``, without the addresses that some have in it."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
