"""What a certificate says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from rexec.docker_host.errors import DockerTLSError

SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class CertificateFacts:
    """The part of a certificate that people ask about.

    Args:
        name: The subject's common name, or the whole subject where it has none.
        issuer: The same of the one who signed it.
        not_before: Start of its validity, aware, UTC.
        not_after: End of its validity, aware, UTC.
        names: DNS names and IP addresses that it is for.
        is_ca: Whether it may sign others.
        key: Kind and size of its key, as "EC secp256r1" or "RSA 4096".
        fingerprint: SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` writes it.
    """

    name: str
    issuer: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    is_ca: bool
    key: str
    fingerprint: str

    def days_left(self, now: datetime) -> int:
        """Whole days until it ends, rounded down; negative once it has."""
        return int((self.not_after - now).total_seconds() // SECONDS_A_DAY)


def certificate_facts(data: bytes | str) -> CertificateFacts:
    """Read a certificate.

    Args:
        data: DER bytes, or PEM as bytes or text; of several the first counts.

    Raises:
        DockerTLSError: `tls_bad_pem`, it is not a certificate.
    """
    raw = data.encode() if isinstance(data, str) else data
    try:
        load = x509.load_pem_x509_certificate if b"-----BEGIN" in raw else x509.load_der_x509_certificate
        certificate = load(raw)
    except ValueError as error:
        raise DockerTLSError(code="tls_bad_pem", detail=str(error)) from error
    return facts_of(certificate)


def facts_of(certificate: x509.Certificate) -> CertificateFacts:
    """The facts of a certificate that is already read."""
    return CertificateFacts(
        name=_name(certificate.subject),
        issuer=_name(certificate.issuer),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        names=_alternative_names(certificate),
        is_ca=_is_ca(certificate),
        key=_key(certificate.public_key()),
        fingerprint=certificate.fingerprint(SHA256()).hex(":").upper(),
    )


def was_signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether an authority issued a certificate, by its name and its signature."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _key(key: CertificatePublicKeyTypes) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.removeprefix("_").removesuffix("PublicKey")


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def _alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (
        *extension.get_values_for_type(x509.DNSName),
        *(str(address) for address in extension.get_values_for_type(x509.IPAddress)),
    )


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
