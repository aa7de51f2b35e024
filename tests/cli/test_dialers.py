"""Dialers of the command line."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from aiohttpclient.cli._dialers import FixedDialer, own_only
from aiohttpclient.net import TCPDialer
from aiohttpclient.testing import LoopbackServer


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("172.31.0.1", True),
        ("192.168.1.1", True),
        ("::1", True),
        ("fd00::1", True),
        ("fe80::1", True),
        ("172.32.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("8.8.8.8", False),
        ("2001:4860::1", False),
        ("64:ff9b::7f00:1", False),
    ],
)
def test_own_only(address: str, own: bool) -> None:
    """Loopback and private networks are one's own; whatever else leads elsewhere, or to services of a cloud."""
    assert own_only(ip_address(address)) is own


async def test_fixed_dialer() -> None:
    """A host and port that were told another address are connected to there, in whatever case they are written."""
    async with LoopbackServer() as server:
        dialer = FixedDialer(TCPDialer(), {("example.test", server.port): "127.0.0.1"})
        stream = await dialer.dial("Example.TEST", server.port)
        assert stream.transport.get_extra_info("peername")[:2] == ("127.0.0.1", server.port)
        await stream.aborted()
        dialer.close()
