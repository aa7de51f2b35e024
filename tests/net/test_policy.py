"""``net/_policy.py``."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttpclient.net import public_only
from aiohttpclient.net._policy import carried
from tests.support.cases import for_each

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",  # before and after each range that is refused
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2001:200::",  # after protocol assignments
    "2001:db7:ffff::",
    "2001:db9::",
    "2a00::1",
    "2a00::1:5efe:a00:1",  # not ISATAP: its identifiers begin with 0000:5efe or 0200:5efe
    "3ffe:ffff::1",
    "3fff:1000::",
    # carrying a public address
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
    "2001:0:808:808::f7f7:f7f7",
    "2a00::200:5efe:808:808",
]

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "100::1",  # discard
    "1fff:ffff::1",
    "2001:1::1",
    "2001:2::1",  # benchmarks
    "2001:10::1",  # ORCHID
    "2001:20::1",
    "2001:db8::1",
    "3fff::1",
    "3fff:fff:ffff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff:ffff::1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    # carrying an address that is not public, or in a form that is never on the public Internet
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "::127.0.0.1",
    "::10.0.0.1",
    "::8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::a00:1",
    "64:ff9b:1::8.8.8.8",
    "64:ff9b:1:ffff::1",
    "64:ff9b:0:0:1::808:808",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2002:a9fe:a9fe::1",
    "2002:c0a8:101::1",
    "2001:0:a00:1::f7f7:f7f7",  # Teredo: a private server
    "2001:0:808:808::f5ff:fffe",  # a private client, 10.0.0.1
    "2a00::200:5efe:a00:1",
    "2a00:0:0:0:0:5efe:7f00:1",
    "2002:808:808::200:5efe:a00:1",
]


@for_each(PUBLIC)
def test_public(address: str) -> None:
    """An address of the public Internet may be connected to."""
    assert public_only(ip_address(address))


@for_each(NOT_PUBLIC)
def test_not_public(address: str) -> None:
    """Everything else may not, in whatever form it comes."""
    assert not public_only(ip_address(address))


@for_each(each for each in PUBLIC + NOT_PUBLIC if ":" not in each)
def test_ipv4_in_every_form(address: str) -> None:
    """An IPv4 address inside an IPv6 address is judged as it is outside."""
    inside = IPv4Address(address)
    number = int(inside)
    forms = [
        0xFFFF << 32 | number,
        0x64FF9B << 96 | number,
        0x2002 << 112 | number << 80 | 1,
        0x20010000 << 96 | number << 64 | 0xF7F7F7F7,
        0x20010000 << 96 | 0x08080808 << 64 | number ^ 0xFFFFFFFF,
        0x2A00 << 112 | 0x5EFE << 32 | number,
        0x2A00 << 112 | 0x02005EFE << 32 | number,
    ]
    for form in map(IPv6Address, forms):
        assert inside in carried(form), form
        assert public_only(form) is public_only(inside), form


def test_carries_nothing() -> None:
    """An ordinary IPv6 address carries no other."""
    assert carried(IPv6Address("2001:4860:4860::8888")) == []
