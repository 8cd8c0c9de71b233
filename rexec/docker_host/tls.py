"""What proves who we are to the daemon, checked before any connection, and the SSLContext made of it."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from rexec import pem
from rexec.config import DockerSettings
from rexec.docker_host.certificates import was_signed_by
from rexec.docker_host.errors import DockerTLSError

ALPN: Final = ("http/1.1",)


class _SharedContext(ssl.SSLContext):
    """What the connections of all threads are made with, and so does not change after it was made.

    urllib3 sets the protocols anew for each connection, and OpenSSL copies them for another one without
    Python's lock: now and then it copies what was freed already. The daemon refuses that, or we crash.
    Source: https://github.com/python/cpython/issues/141012
    """

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Nothing: they are set once, before there is any connection."""

    def speak(self, alpn_protocols: Iterable[str]) -> None:
        """Set the protocols that are offered; before there is any connection."""
        super().set_alpn_protocols(alpn_protocols)


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
        cert = _piece(settings.client_cert, "DOCKER_CLIENT_CERT", settings.cert_path)
        key = _piece(settings.client_key, "DOCKER_CLIENT_KEY", settings.cert_path)
        if ca is None:
            raise DockerTLSError(code="tls_missing")
        if (cert is None) != (key is None):
            missing = "DOCKER_CLIENT_CERT" if cert is None else "DOCKER_CLIENT_KEY"
            raise DockerTLSError(code="tls_missing", hint=f"{missing} is missing: the two belong together.")
        return cls(ca=ca, cert=_paired(cert, key), key=key)

    def authorities(self) -> list[x509.Certificate]:
        """The certificates in `ca`."""
        return x509.load_pem_x509_certificates(self.ca.encode())

    def client_certificate(self) -> x509.Certificate | None:
        """Our own certificate."""
        return self._chain()[0] if self.cert else None

    def _chain(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(self.cert.encode()) if self.cert else []

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
        if defect is None and certificate is not None and not self.signed_by_ours():
            return "tls_client_other_ca"
        return defect or "tls_client_refused"

    def authority_expired(self, now: datetime | None = None) -> bool:
        """Whether every CA we were given has expired."""
        moment = now or datetime.now(UTC)
        return all(moment > authority.not_valid_after_utc for authority in self.authorities())

    def signed_by_ours(self) -> bool:
        """Whether one of our authorities, or of the certificates beside ours, signed our certificate."""
        return any(
            was_signed_by(certificate, authority)
            for certificate in self._chain()[:1]
            for authority in [*self.authorities(), *self._chain()[1:]]
        )

    def context(self) -> ssl.SSLContext:
        """A context that verifies the daemon and presents our certificate.

        OpenSSL wants the certificate and key as files: they exist, readable by us alone, only while it reads
        them, so that neither a crash nor a forked child leaves a key behind.

        Raises:
            DockerTLSError: `tls_bad_pem`, OpenSSL reads them otherwise than the check did.
        """
        context = _SharedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.speak(ALPN)
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
    """One of the three, clean; None where there is none.

    Raises:
        DockerTLSError: With the code and the words of the fault.
    """
    place = pem.Place(variable, folder=text is None)
    try:
        if text is None:
            if folder is None or not (folder / place.file).exists():
                return None
            text = pem.read(folder, variable)
        parse = pem.private_key if variable == pem.KEY_VARIABLE else pem.certificates
        return parse(text, place)
    except pem.PemFault as fault:
        raise DockerTLSError(code=fault.code, hint=fault.message) from fault


def _paired(cert: str | None, key: str | None) -> str | None:
    if cert is None or key is None:
        return None
    try:
        return pem.pair(cert, key)
    except pem.PemFault as fault:
        raise DockerTLSError(code=fault.code, hint=fault.message) from fault


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
