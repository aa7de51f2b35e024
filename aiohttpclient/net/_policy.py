"""Where connections may go: a ready-made policy against server-side request forgery.

A policy is a function of one address, for ``TCPDialer(allow=...)``. It is asked about what a name stands for, after the
look-up and about the very addresses that are connected to: no spelling of a URL, no redirect, and no name server that
answers differently the second time gets around it.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

# Lists of our own, from the IANA registries of special-purpose addresses (RFC 6890): what ``ipaddress`` thinks of
# ``is_global`` and ``is_private`` changed between Python 3.11 and 3.13, and within 3.11.

NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host on this network: Linux connects to itself (RFC 791)
            "10.0.0.0/8",  # private (RFC 1918)
            "100.64.0.0/10",  # shared with customers of a provider (RFC 6598); metadata of Alibaba Cloud
            "127.0.0.0/8",  # loopback (RFC 1122)
            "168.63.129.16/32",  # the platform's own services in every network of Azure; public by form only
            "169.254.0.0/16",  # link-local (RFC 3927); metadata of most clouds
            "172.16.0.0/12",  # private (RFC 1918)
            "192.0.0.0/24",  # protocol assignments (RFC 6890); metadata of Oracle Cloud
            "192.0.2.0/24",  # documentation (RFC 5737)
            "192.88.99.0/24",  # relays of 6to4, given up (RFC 7526)
            "192.168.0.0/16",  # private (RFC 1918)
            "198.18.0.0/15",  # benchmarks (RFC 2544)
            "198.51.100.0/24",  # documentation (RFC 5737)
            "203.0.113.0/24",  # documentation (RFC 5737)
            "224.0.0.0/4",  # multicast (RFC 5771)
            "240.0.0.0/4",  # reserved (RFC 1112), and broadcast
        ),
    )
)

PUBLIC_6 = IPv6Network("2000::/3")
"""All global unicast that was ever given out (RFC 4291 section 2.4). Outside are loopback, link-local, site-local,
unique local, multicast, and whatever comes."""

NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments (RFC 2928): benchmarks, ORCHID; Teredo is looked at before
            "2001:db8::/32",  # documentation (RFC 3849)
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)

NAT64 = IPv6Network("64:ff9b::/96")
"""The well-known prefix of NAT64 (RFC 6052). Where a network has no IPv4, the whole IPv4 Internet is in it. The prefix
for local use, 64:ff9b:1::/48 (RFC 8215), is not public: where in it the IPv4 address stands is not known, and reaching
private ones is what it is for."""

ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""The upper half of the interface identifiers that carry an IPv4 address in the lower (RFC 5214 section 6.1)."""


def public_only(address: IPv4Address | IPv6Address) -> bool:
    """True for an address of the public Internet; for ``TCPDialer(allow=public_only)``.

    Refused are private, shared, loopback, link-local, site-local, unique local, multicast, benchmark, documentation,
    unspecified and reserved addresses, and the addresses at which clouds offer credentials to their machines. An IPv6
    address that leads to an IPv4 address, in whatever way, is refused when that is.

    What it does not promise: a public address may still belong to a service that trusts this machine.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_4)
    if not all(map(public_only, carried(address))):
        return False
    if address.ipv4_mapped is not None or address.teredo is not None or address in NAT64:
        return True
    return address in PUBLIC_6 and not any(address in network for network in NOT_PUBLIC_6)


def carried(address: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses inside ``address``: where a packet to it may end up."""
    found = list(address.teredo or ())  # 2001::/32: the server and the client (RFC 4380 section 4)
    if address.sixtofour is not None:  # 2002::/16 (RFC 3056 section 2)
        found.append(address.sixtofour)
    number = int(address)
    if address.ipv4_mapped is not None or address in NAT64 or (number >> 32) & 0xFFFF_FFFF in ISATAP:
        found.append(IPv4Address(number & 0xFFFF_FFFF))
    return found
