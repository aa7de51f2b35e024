"""Where requests go, and what every request says because of it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from .._url import host_field, target_authority, without_userinfo
from ..wire import field_line

if TYPE_CHECKING:
    from ._request import FieldBlock

ACCEPT_ENCODING = field_line("Accept-Encoding", "identity")
"""What ``http.client`` sends: nothing is decoded at this level."""


BLOCKS = 4
"""Blocks that are kept joined for one origin: a client has one, and another for each type of body that it sends."""


ORIGINS = 256
"""Origins that connections share: most programs have a few, and open many connections to each."""


class Origin:
    """Scheme, host and port (RFC 9110 section 4.3.1), with the field lines that follow from them, made once.

    ``extra`` are lines that every request has besides: what a forwarding proxy wants to see.
    """

    __slots__ = ("_extra", "_host", "_usual", "_with_block", "authority", "scheme")

    def __init__(self, scheme: str, host: str, port: int, default_port: int, extra: bytes = b"") -> None:
        self.scheme = scheme
        self.authority = host_field(host, port, default_port)
        self._host = field_line("Host", self.authority)
        self._extra = extra
        self._usual = self._host + ACCEPT_ENCODING + extra
        self._with_block: dict[FieldBlock, bytes] = {}

    def own_fields(self, target: str, skip_host: bool, skip_accept_encoding: bool) -> bytes:
        """The field lines that are added to a request: Host (an absolute-form target's own) and Accept-Encoding."""
        host = self._host
        if target.startswith("http") and (authority := target_authority(target)):
            host = field_line("Host", authority)
        elif not (skip_host or skip_accept_encoding):
            return self._usual
        return (b"" if skip_host else host) + (b"" if skip_accept_encoding else ACCEPT_ENCODING) + self._extra

    def with_block(self, target: str, block: FieldBlock) -> bytes:
        """The same with the lines of ``block`` behind them; joined once, since an origin sees few blocks."""
        lines = self._with_block.get(block)
        if lines is None or target.startswith("http"):
            skips = block.plan.has_host, block.plan.has_accept_encoding
            if target.startswith("http"):
                return self.own_fields(target, *skips) + block.lines
            if len(self._with_block) >= BLOCKS:
                self._with_block.clear()
            lines = self._with_block[block] = self.own_fields("/", *skips) + block.lines
        return lines

    def full_url(self, target: str) -> str:
        """The URL that ``target`` asks for, for responses and errors to name."""
        if target.startswith("/"):
            return f"{self.scheme}://{self.authority}{target}"
        return f"{self.scheme}://{self.authority}" if target == "*" else without_userinfo(target)


shared_origin = lru_cache(ORIGINS)(Origin)
"""An :class:`Origin` for all connections that lead there: nothing of it changes."""
