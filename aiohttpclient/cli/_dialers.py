"""Where connections lead, where somebody said so; and where a load may go."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..net import StreamProtocol, TCPDialer, Tell

OWN_4: Final = tuple(
    map(
        IPv4Network,
        (
            "10.0.0.0/8",  # private (RFC 1918)
            "127.0.0.0/8",  # loopback (RFC 1122)
            "172.16.0.0/12",  # private (RFC 1918)
            "192.168.0.0/16",  # private (RFC 1918)
        ),
    )
)

OWN_6: Final = tuple(
    map(
        IPv6Network,
        (
            "::1/128",  # loopback (RFC 4291)
            "fc00::/7",  # unique local (RFC 4193)
            "fe80::/10",  # link-local (RFC 4291): a neighbour in one's own network
        ),
    )
)
"""Addresses that nobody else's machine has. Link-local IPv4 is not among them: there the services of clouds are."""


class FixedDialer:
    """Another dialer, which is told other addresses for some hosts, as with ``curl --resolve``.

    :param below: connects
    :param addresses: by host (in lower case) and port
    """

    def __init__(self, below: TCPDialer, addresses: Mapping[tuple[str, int], str]) -> None:
        self._below = below
        self._addresses = addresses

    async def dial(self, host: str, port: int, tell: Tell | None = None) -> StreamProtocol:
        """Connect; see :class:`TCPDialer` for what is raised."""
        return await self._below.dial(self._addresses.get((host.lower(), port), host), port, tell)

    def close(self) -> None:
        """Let the threads of the dialer below go."""
        self._below.close()


def own_only(address: IPv4Address | IPv6Address) -> bool:
    """True for an address of this machine, or of a private network; for ``TCPDialer(allow=own_only)``."""
    networks: tuple[IPv4Network | IPv6Network, ...] = OWN_4 if isinstance(address, IPv4Address) else OWN_6
    return any(address in network for network in networks)
