"""A certificate authority for tests, and TLS contexts that are right, or wrong in exactly one way.

Keys are made once a session, in milliseconds (elliptic curves); use the fixture ``tls``.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import trustme

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("localhost", "127.0.0.1", "::1")
"""What a good certificate is for."""

WRONG_NAME = "elsewhere.test"
"""What the certificate of ``wrong_host`` is for."""


class CertificateFiles(NamedTuple):
    """Two PEM files, as ``AsyncHTTPSConnection`` takes them."""

    key_file: Path
    cert_file: Path


class TlsKit:
    """One authority, and contexts made with it. Each context is made when first asked for, and kept."""

    def __init__(self) -> None:
        self.authority = trustme.CA(organization_name="aiohttpclient tests")
        self._stranger = trustme.CA(organization_name="nobody knows this one")

    # -- servers

    @cached_property
    def good(self) -> ssl.SSLContext:
        """A server whose certificate is for :data:`NAMES`, and from the authority."""
        return _server(self.authority.issue_cert(*NAMES))

    @cached_property
    def wrong_host(self) -> ssl.SSLContext:
        """A server whose certificate is for another host."""
        return _server(self.authority.issue_cert(WRONG_NAME))

    @cached_property
    def unknown_authority(self) -> ssl.SSLContext:
        """A server whose certificate is from an authority that clients do not know."""
        return _server(self._stranger.issue_cert(*NAMES))

    @cached_property
    def expired(self) -> ssl.SSLContext:
        """A server whose certificate was good until yesterday."""
        now = datetime.now(UTC)
        past = now - timedelta(days=30), now - timedelta(days=1)
        return _server(self.authority.issue_cert(*NAMES, not_before=past[0], not_after=past[1]))

    @cached_property
    def wants_client_certificate(self) -> ssl.SSLContext:
        """A good server that ends the handshake with clients that show no certificate of the authority.

        TLS 1.2, where the client learns of it in its own handshake. In TLS 1.3 its handshake is over by then, and the
        refusal comes in place of the response (RFC 8446 section 4.4.2.4): see ``wants_client_certificate_late``.
        """
        context = self._demanding()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    @cached_property
    def wants_client_certificate_late(self) -> ssl.SSLContext:
        """The same over TLS 1.3: a client without a certificate is refused after its handshake."""
        context = self._demanding()
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context

    def _demanding(self) -> ssl.SSLContext:
        context = _server(self.authority.issue_cert(*NAMES))
        context.verify_mode = ssl.CERT_REQUIRED
        self.authority.configure_trust(context)
        return context

    # -- clients

    @cached_property
    def client(self) -> ssl.SSLContext:
        """A client that trusts the authority and nobody else, and checks names."""
        return self.new_client()

    def new_client(self) -> ssl.SSLContext:
        """Another such client, for a test that changes its context.

        Told of an authority, the standard library does not load those of the system, which would take 30 milliseconds.
        """
        return ssl.create_default_context(cadata=self.authority.cert_pem.bytes().decode())

    # -- files

    def client_certificate(self, folder: Path) -> CertificateFiles:
        """A certificate for a client and its key, written into ``folder``."""
        leaf = self.authority.issue_cert("client@example.test")
        files = CertificateFiles(folder / "client.key", folder / "client.pem")
        leaf.private_key_pem.write_to_path(str(files.key_file))
        for blob in leaf.cert_chain_pems:
            blob.write_to_path(str(files.cert_file), append=True)
        return files

    def server_certificate(self, folder: Path) -> CertificateFiles:
        """A good server's certificate and its key, written into ``folder`` for a server that wants files."""
        leaf = self.authority.issue_cert(*NAMES)
        files = CertificateFiles(folder / "server.key", folder / "server.pem")
        leaf.private_key_pem.write_to_path(str(files.key_file))
        for blob in leaf.cert_chain_pems:
            blob.write_to_path(str(files.cert_file), append=True)
        return files

    def authority_file(self, folder: Path) -> Path:
        """The authority's own certificate, written into ``folder``."""
        path = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(path))
        return path


def _server(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    leaf.configure_cert(context)
    return context
