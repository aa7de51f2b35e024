"""What the kernel says about the memory of this process (Linux). All sizes in bytes."""

from __future__ import annotations

import re
from pathlib import Path


def resident() -> int:
    """The memory of the process that is in RAM now (``VmRSS`` of proc(5))."""
    return _status("VmRSS")


def peak() -> int:
    """The highest :func:`resident` since the process began, or since :func:`reset_peak` (``VmHWM``)."""
    return _status("VmHWM")


def reset_peak() -> None:
    """Makes :func:`peak` begin again at the present size: proc(5), ``/proc/pid/clear_refs``, the value 5."""
    Path("/proc/self/clear_refs").write_text("5")


def private() -> int:
    """The memory that no other process shares: what the machine would gain if this process ended."""
    text = Path("/proc/self/smaps_rollup").read_text()
    return sum(int(kib) << 10 for kib in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+) kB", text, re.MULTILINE))


def _status(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"this system does not tell {name} in /proc/self/status")
    return int(found[1]) << 10
