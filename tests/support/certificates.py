"""Certificates made in memory, good ones and every kind of bad one."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM text."""

    cert: str
    key: str

    def encrypted_key(self, passphrase: bytes = b"secret") -> str:
        """The key behind a passphrase."""
        key = load_pem_private_key(self.key.encode(), None)
        kind = PrivateFormat.PKCS8
        return key.private_bytes(Encoding.PEM, kind, BestAvailableEncryption(passphrase)).decode()

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Put both into a folder, as servers want them."""
        paths = folder / f"{name}-cert.pem", folder / f"{name}-key.pem"
        for path, text in zip(paths, (self.cert, self.key), strict=True):
            path.write_text(text, encoding="ascii")
        return paths


class Authority:
    """A certificate authority."""

    def __init__(
        self,
        name: str = "Test CA",
        *,
        starts: timedelta = -DAY,
        ends: timedelta = 30 * DAY,
        key_usage: bool = True,
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(self.name, self.name, self.key, starts, ends)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        if key_usage:
            builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        self.cert = builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM).decode()

    @classmethod
    def of_files(cls, cert: Path, key: Path) -> Authority:
        """An authority that a set-up script made."""
        authority = cls.__new__(cls)
        authority.cert = cert.read_text(encoding="ascii")
        authority.key = load_pem_private_key(key.read_bytes(), None)
        authority.name = x509.load_pem_x509_certificate(authority.cert.encode()).subject
        return authority

    def issue(
        self,
        *hosts: str,
        name: str = "",
        starts: timedelta = -DAY,
        ends: timedelta = 10 * DAY,
        key_usage: bool = True,
    ) -> Pair:
        """A certificate for these hosts, or for a client where there are none."""
        key = ec.generate_private_key(ec.SECP256R1())
        common = name or (hosts[0] if hosts else "client")
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
        builder = _builder(subject, self.name, key, starts, ends)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(map(_host, hosts)), critical=False)
        if key_usage:
            use = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
            builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
            builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        certificate = builder.sign(self.key, SHA256())
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return Pair(certificate.public_bytes(Encoding.PEM).decode(), text)


def _builder(subject, issuer, key, starts, ends):
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + starts)
        .not_valid_after(now + ends)
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
