"""What proves who we are to the daemon, checked before any connection, and the SSLContext made of it."""

from __future__ import annotations

import os
import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from rexec.config import DockerSettings
from rexec.docker_host.errors import DockerTLSError
from rexec.docker_host.pem import normalise

FILES: Final = {"DOCKER_CA_CERT": "ca.pem", "DOCKER_CLIENT_CERT": "cert.pem", "DOCKER_CLIENT_KEY": "key.pem"}


@dataclass(frozen=True)
class TLSMaterial:
    """A CA, and a client certificate with its key, as PEM text.

    Args:
        ca: The authorities that may have signed the server's certificate.
        cert: Ours, followed by intermediates where there are any; None where the daemon asks for none.
        key: Its private key.
    """

    ca: str = field(repr=False)
    cert: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: DockerSettings) -> TLSMaterial:
        """Collect it from the settings' texts, and from the folder for what has no text.

        Raises:
            DockerTLSError: `tls_missing`, `tls_bad_pem`, `tls_key_encrypted` or `tls_key_mismatch`.
        """
        ca = _piece(settings.ca_cert, "DOCKER_CA_CERT", settings.cert_path)
        if ca is None:
            raise DockerTLSError(code="tls_missing")
        material = cls(
            ca=ca,
            cert=_piece(settings.client_cert, "DOCKER_CLIENT_CERT", settings.cert_path),
            key=_piece(settings.client_key, "DOCKER_CLIENT_KEY", settings.cert_path),
        )
        material.check()
        return material

    def check(self) -> None:
        """Find what no connection is needed to find.

        Raises:
            DockerTLSError: `tls_bad_pem`, `tls_key_encrypted`, `tls_key_mismatch` or `tls_missing`.
        """
        self.authorities()
        certificate = self.client_certificate()
        if certificate is None and self.key is None:
            return
        if certificate is None or self.key is None:
            missing = "DOCKER_CLIENT_CERT" if certificate is None else "DOCKER_CLIENT_KEY"
            raise DockerTLSError(code="tls_missing", hint=f"{missing} is missing: the two belong together.")
        if _public(_load_key(self.key)) != certificate.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        ):
            raise DockerTLSError(code="tls_key_mismatch")

    def authorities(self) -> list[x509.Certificate]:
        """The certificates in `ca`.

        Raises:
            DockerTLSError: `tls_bad_pem`.
        """
        return _load_certificates(self.ca, "DOCKER_CA_CERT")

    def client_certificate(self) -> x509.Certificate | None:
        """Our own certificate.

        Raises:
            DockerTLSError: `tls_bad_pem`.
        """
        return _load_certificates(self.cert, "DOCKER_CLIENT_CERT")[0] if self.cert else None

    def defect(self, now: datetime | None = None) -> str | None:
        """The code of what is certainly wrong with our certificate, as a daemon sees it, or None.

        Args:
            now: Aware; the present moment where None.
        """
        moment = now or datetime.now(UTC)
        certificate = self.client_certificate()
        if certificate is None:
            return "tls_client_missing"
        if moment > certificate.not_valid_after_utc:
            return "tls_client_expired"
        if moment < certificate.not_valid_before_utc:
            return "tls_client_not_yet_valid"
        return None

    def refusal(self, now: datetime | None = None) -> str:
        """The code of the likeliest reason why a daemon refused our certificate.

        All refusals look alike on the wire (a `bad certificate` alert), so our own files have to tell.
        """
        defect = self.defect(now)
        certificate = self.client_certificate()
        if defect is None and certificate is not None and not self._signed_by_ours(certificate):
            return "tls_client_other_ca"
        return defect or "tls_client_refused"

    def authority_expired(self, now: datetime | None = None) -> bool:
        """Whether every CA we were given has expired."""
        moment = now or datetime.now(UTC)
        return all(moment > authority.not_valid_after_utc for authority in self.authorities())

    def _signed_by_ours(self, certificate: x509.Certificate) -> bool:
        chain = _load_certificates(self.cert, "DOCKER_CLIENT_CERT")[1:] if self.cert else []
        return any(_signed(certificate, authority) for authority in [*self.authorities(), *chain])

    def context(self) -> ssl.SSLContext:
        """A context that verifies the daemon and presents our certificate.

        OpenSSL wants the certificate and key as files: they exist, readable by us alone, only while it reads
        them, so that neither a crash nor a forked child leaves a key behind.

        Raises:
            DockerTLSError: `tls_bad_pem`, OpenSSL reads them otherwise than the check did.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Strict since Python 3.13; certificates made by other set-ups often carry no key usage.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        try:
            context.load_verify_locations(cadata=self.ca)
            if self.cert and self.key:
                with tempfile.TemporaryDirectory(prefix="rexec-tls-") as folder:
                    cert, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
                    _write_private(cert, self.cert)
                    _write_private(key, self.key)
                    # A passphrase prompt would stop the process for ever; the check refused encrypted keys.
                    context.load_cert_chain(cert, key, password="")
        except ssl.SSLError as error:
            raise DockerTLSError(code="tls_bad_pem", detail=str(error)) from error
        return context


def anonymous_context() -> ssl.SSLContext:
    """A context that verifies nothing and presents no credential.

    Only for reading the dates of a certificate that the verifying handshake refused; no request is ever sent
    over it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _piece(text: str | None, variable: str, folder: Path | None) -> str | None:
    if text is None and folder is not None:
        path = folder / FILES[variable]
        try:
            text = path.read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            hint = f"{FILES[variable]} in DOCKER_CERT_PATH cannot be read: check its owner and mode."
            raise DockerTLSError(code="tls_missing", hint=hint) from error
    return normalise(text, variable) if text else None


def _load_certificates(text: str, variable: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise DockerTLSError(
            code="tls_bad_pem", hint=f"{variable} holds no readable certificate: copy the whole file."
        ) from error


def _load_key(text: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(text.encode(), password=None)
    except TypeError as error:
        raise DockerTLSError(code="tls_key_encrypted") from error
    except ValueError as error:
        raise DockerTLSError(
            code="tls_bad_pem", hint="DOCKER_CLIENT_KEY holds no readable private key: copy the whole file."
        ) from error


def _public(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
