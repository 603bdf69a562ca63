"""A certificate for this machine, made at start, and the file of the authority behind it."""

import shutil
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import trustme


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server on this machine serves https with; clients are told of `authority`, a file."""

    context: ssl.SSLContext
    authority: Path

    @classmethod
    def make(cls) -> Self:
        """Make an authority and a certificate of its; the keys stay in memory."""
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
        file = Path(tempfile.mkdtemp(prefix="localcloud-")) / "ca.pem"
        authority.cert_pem.write_to_path(str(file))
        return cls(context=context, authority=file)

    def discard(self) -> None:
        """Remove the authority's file."""
        shutil.rmtree(self.authority.parent, ignore_errors=True)
