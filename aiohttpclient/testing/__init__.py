"""For tests of programs that use this library: connections in memory, and time that passes when a test says so.

Nothing here is imported by ``import aiohttpclient``.
"""

from ._clock import VirtualClock, virtual_time
from ._loop import VirtualTimeLoop
from ._memory import MemoryDialer

__all__ = ["MemoryDialer", "VirtualClock", "VirtualTimeLoop", "virtual_time"]
