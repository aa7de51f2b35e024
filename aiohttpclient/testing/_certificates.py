"""Certificates for servers on this machine, good and bad, from an authority that exists only in this process."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:
    from typing import TypeAlias

Certificate: TypeAlias = Literal["good", "expired", "wrong host", "unknown"]
"""What a server shows: one that clients accept; one that was good until yesterday; one for another host; one from an
authority that clients do not know."""

KINDS: Final[tuple[str, ...]] = get_args(Certificate)

NAMES: Final = ("localhost", "127.0.0.1", "::1")
"""What a good certificate is for."""

WRONG_NAME: Final = "elsewhere.test"
"""What the certificate for another host is for; the name is reserved (RFC 6761)."""


@cache
def _authority(name: str) -> Any:
    try:
        import trustme
    except ImportError as error:
        raise ImportError(
            "LoopbackServer(tls=True) makes its certificates with trustme, which is not installed: "
            "`pip install trustme`, or give an ssl.SSLContext as tls"
        ) from error
    return trustme.CA(organization_name=name)


def authority_pem() -> bytes:
    """The certificate of the authority, for clients that want it as a file.

    :raises ImportError: trustme is not installed
    """
    pem: bytes = _authority("aiohttpclient.testing").cert_pem.bytes()
    return pem


def client_context() -> ssl.SSLContext:
    """A new context of a client that trusts the authority and nobody else, and checks names."""
    return ssl.create_default_context(cadata=authority_pem().decode())


@cache
def server_context(certificate: Certificate) -> ssl.SSLContext:
    """The context of a server that shows such a certificate.

    :raises ValueError: there is no such kind
    :raises ImportError: trustme is not installed
    """
    if certificate not in KINDS:
        raise ValueError(f"there is no certificate {certificate!r}: it is one of {', '.join(map(repr, KINDS))}")
    names: tuple[str, ...] = NAMES
    options: dict[str, datetime] = {}
    authority = "aiohttpclient.testing"
    if certificate == "expired":
        now = datetime.now(UTC)
        options = {"not_before": now - timedelta(days=30), "not_after": now - timedelta(days=1)}
    elif certificate == "wrong host":
        names = (WRONG_NAME,)
    elif certificate == "unknown":
        authority = "an authority that nobody knows"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _authority(authority).issue_cert(*names, **options).configure_cert(context)
    return context
