"""The certificates of the servers over TLS: a leaf, one intermediate authority, and a root that clients trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trustme

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "origin.test"
"""The name in each certificate."""

RSA: Final = "RSA-2048"
ECDSA: Final = "ECDSA P-256"

KINDS: Final = {RSA: trustme.KeyType.RSA, ECDSA: trustme.KeyType.ECDSA}
"""The kinds of keys that sites have, for all the certificates of a chain."""


class Certificates:
    """New certificates in files of ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.authority = directory / "authority.pem"
        with self.authority.open("wb") as file:
            for kind, key_type in KINDS.items():
                root = trustme.CA(key_type=key_type)
                leaf = root.create_child_ca(key_type=key_type).issue_cert(NAME, key_type=key_type)
                leaf.private_key_and_cert_chain_pem.write_to_path(self.of(kind))
                file.write(root.cert_pem.bytes())

    def of(self, kind: str) -> Path:
        """The PEM file with key and chain of one of :data:`KINDS`."""
        return self._directory / f"{kind.replace(' ', '-')}.pem"
