"""Where the Docker daemon is and what proves who we are to it, read from the environment and checked."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rexec import pem
from rexec.environment import Reader

DOCKER_MENDS: Final = {
    "DOCKER_HOST": "set it to tcp://YOUR_VM_IP:2376",
    "DOCKER_TLS_VERIFY": "set it to 1",
    "DOCKER_CA_CERT": "set it to the contents of ca.pem",
    "DOCKER_CLIENT_CERT": "set it to the contents of cert.pem",
    "DOCKER_CLIENT_KEY": "set it to the contents of key.pem",
}
"""What to do about a variable of the guide that is missing."""


def is_loopback(host: str) -> bool:
    """Say whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class DockerSettings:
    """Where the Docker daemon is, and what proves who we are to it.

    Certificates come as PEM texts, or as a folder with ca.pem, cert.pem and key.pem as the Docker CLI has it.
    """

    host: str
    tls_verify: bool = False
    ca_cert: str | None = field(default=None, repr=False)
    client_cert: str | None = field(default=None, repr=False)
    client_key: str | None = field(default=None, repr=False)
    cert_path: Path | None = None

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is mutual TLS."""
        return self.host.startswith("tcp://") and self.tls_verify


def read_docker(reader: Reader) -> DockerSettings:
    """The daemon's address and credentials, with what is wrong with them noted.

    Args:
        reader: Of the environment.
    """
    host = reader.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    verify = reader.flag("DOCKER_TLS_VERIFY")
    cert_path = reader.get("DOCKER_CERT_PATH")
    pems = {name: reader.get(name) for name in pem.FILES}
    if host.startswith("tcp://"):
        _check_tcp(reader, host, verify=verify)
        if verify:
            pems = _pems(reader, pems, Path(cert_path) if cert_path else None)
    elif not host.startswith("unix:///"):
        reader.problem(
            "DOCKER_HOST", "DOCKER_HOST is not understood: use tcp://YOUR_VM_IP:2376 or unix:///PATH."
        )
    return DockerSettings(
        host=host,
        tls_verify=verify,
        ca_cert=pems["DOCKER_CA_CERT"],
        client_cert=pems["DOCKER_CLIENT_CERT"],
        client_key=pems["DOCKER_CLIENT_KEY"],
        cert_path=Path(cert_path) if cert_path else None,
    )


def _check_tcp(reader: Reader, host: str, *, verify: bool) -> None:
    try:
        parts = urlsplit(host)
        usable = bool(parts.hostname and parts.port)
    except ValueError:
        usable = False
    if not usable:
        reader.problem("DOCKER_HOST", "DOCKER_HOST lacks a host or a port: use tcp://YOUR_VM_IP:2376.")
    elif not verify and not is_loopback(parts.hostname or ""):
        reader.problem(
            "DOCKER_TLS_VERIFY",
            "DOCKER_TLS_VERIFY is not 1 while DOCKER_HOST is another machine: set it to 1, "
            "because a Docker daemon without TLS belongs to whoever finds it.",
        )


def _pems(reader: Reader, texts: dict[str, str | None], folder: Path | None) -> dict[str, str | None]:
    """The PEM texts of the variables, clean as far as they can be; those of the folder are only checked.

    Whether a certificate has expired does not matter here: pages have to work, and to say so.
    """
    clean: dict[str, str] = {}
    for name, text in texts.items():
        place = pem.Place(name, folder=text is None and folder is not None)
        try:
            if text is None and folder is None:
                reader.require(name, DOCKER_MENDS[name])
                continue
            piece = text if text is not None or folder is None else pem.read(folder, name)
            parse = pem.private_key if name == pem.KEY_VARIABLE else pem.certificates
            clean[name] = parse(piece or "", place)
        except pem.PemFault as fault:
            reader.problem(name, fault.message, fault.code)
    try:
        if {"DOCKER_CLIENT_CERT", pem.KEY_VARIABLE} <= clean.keys():
            pem.pair(clean["DOCKER_CLIENT_CERT"], clean[pem.KEY_VARIABLE])
    except pem.PemFault as fault:
        reader.problem(pem.KEY_VARIABLE, fault.message, fault.code)
    return {name: text and clean.get(name, text) for name, text in texts.items()}
