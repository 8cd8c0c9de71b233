"""A mutual TLS handshake with P-256 keys against one with RSA-4096 keys, both on loopback in one run.

    .venv/bin/python bench/handshake.py [--rounds 200]

A handshake counts from connecting until the server's first byte, which it sends once it has checked the
client's certificate. Both kinds take turns, so that the machine's mood is in both.
"""

from __future__ import annotations

import argparse
import ipaddress
import socket
import ssl
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
ADDRESS = "127.0.0.1"
PATIENCE_S = 10.0


def new_key(kind: str) -> Key:
    """A key of one of the two kinds."""
    return (
        ec.generate_private_key(ec.SECP256R1()) if kind == "P-256" else rsa.generate_private_key(65537, 4096)
    )


def certificate(name: str, key: Key, issuer: str, issuer_key: Key) -> x509.Certificate:
    """A certificate for a day; one that signs itself is a CA."""
    now, is_ca = datetime.now(UTC), name == issuer
    builder = x509.CertificateBuilder(
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(hours=1),
        not_valid_after=now + timedelta(days=1),
    ).add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    if not is_ca:
        addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(ADDRESS))])
        builder = builder.add_extension(addresses, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def write(folder: Path, name: str, key: Key, made: x509.Certificate) -> None:
    """Leave certificate and key as the files that a context loads."""
    pem = serialization.Encoding.PEM
    (folder / f"{name}.pem").write_bytes(made.public_bytes(pem))
    plain = serialization.PrivateFormat.PKCS8
    (folder / f"{name}.key").write_bytes(key.private_bytes(pem, plain, serialization.NoEncryption()))


def contexts(folder: Path, kind: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What the server and the client talk with; each wants the other's certificate."""
    ca_key = new_key(kind)
    write(folder, "ca", ca_key, certificate("ca", ca_key, "ca", ca_key))
    for name in ("server", "client"):
        key = new_key(kind)
        write(folder, name, key, certificate(name, key, "ca", ca_key))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name, context in (("server", server), ("client", client)):
        context.load_verify_locations(folder / "ca.pem")
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        context.verify_mode = ssl.CERT_REQUIRED
    return server, client


def answer(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Greet each caller after the handshake, until the listener is closed."""
    while True:
        try:
            raw, _ = listener.accept()
        except OSError:
            return
        with raw, context.wrap_socket(raw, server_side=True) as sock:
            sock.sendall(b".")


def handshake(port: int, context: ssl.SSLContext) -> float:
    """Milliseconds until the server has accepted us."""
    began = time.perf_counter()
    with (
        socket.create_connection((ADDRESS, port), PATIENCE_S) as raw,
        context.wrap_socket(raw, server_hostname=ADDRESS) as sock,
    ):
        assert sock.recv(1) == b"."
        return (time.perf_counter() - began) * 1000


def main() -> None:
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="handshakes of each kind")
    rounds = parser.parse_args().rounds
    ends: dict[str, tuple[socket.socket, ssl.SSLContext]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("P-256", "RSA-4096"):
            place = Path(folder) / kind
            place.mkdir()
            server, client = contexts(place, kind)
            listener = socket.create_server((ADDRESS, 0))
            threading.Thread(target=answer, args=(listener, server), daemon=True).start()
            ends[kind] = (listener, client)
    took: dict[str, list[float]] = {kind: [] for kind in ends}
    for _ in range(rounds):
        for kind, (listener, client) in ends.items():
            took[kind].append(handshake(listener.getsockname()[1], client))
    medians = {kind: statistics.median(times) for kind, times in took.items()}
    for kind, median in medians.items():
        print(f"{kind:9} {median:6.2f} ms, median of {rounds}")
    print(f"P-256 / RSA-4096: {medians['P-256'] / medians['RSA-4096']:.2f}")


if __name__ == "__main__":
    main()
