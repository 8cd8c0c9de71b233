"""PEM text as it arrives from an environment variable, made into what OpenSSL reads.

Dashboards turn newlines into blanks or into backslash-n, add quotes, or want base64 of the whole. All of that
is undone where it leaves no doubt; otherwise a fault says which variable is wrong and how, never what it
holds.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from rexec.errors import RexecError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

FILES: Final = {"DOCKER_CA_CERT": "ca.pem", "DOCKER_CLIENT_CERT": "cert.pem", "DOCKER_CLIENT_KEY": "key.pem"}
"""The variables that hold PEM, and what the Docker CLI calls the same in DOCKER_CERT_PATH."""
KEY_VARIABLE: Final = "DOCKER_CLIENT_KEY"
MISMATCH: Final = "DOCKER_CLIENT_KEY does not belong to DOCKER_CLIENT_CERT: copy both again."

_BLOCK: Final = re.compile(r"-----BEGIN +([A-Z0-9 ]+?) *-----(.*?)-----END +\1 *-----", re.DOTALL)
_EDGE: Final = re.compile(r"-----(?:BEGIN|END)\b")
_ESCAPE: Final = re.compile(r"\\+[rnt]")
_INVISIBLE: Final = dict.fromkeys(map(ord, "\ufeff\u200b\u2060"))
_QUOTES: Final = "\"'`\u201c\u201d\u2018\u2019"
_PATH: Final = re.compile(r"[\w./~-]*\.(?:pem|crt|cer|key)|[A-Za-z]:\\\S*|(?:/[\w.~-]+){2,}/?")
_CERTIFICATES: Final = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_KEYS: Final = frozenset({"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"})
_ENCRYPTED: Final = "ENCRYPTED PRIVATE KEY"
_OTHERS: Final = {
    "CERTIFICATE REQUEST": "a certificate request",
    "NEW CERTIFICATE REQUEST": "a certificate request",
    "PUBLIC KEY": "a public key",
    "RSA PUBLIC KEY": "a public key",
    "OPENSSH PRIVATE KEY": "an SSH key",
    "TRUSTED CERTIFICATE": "a certificate in OpenSSL's own form",
    "X509 CRL": "a revocation list",
}
_LINE: Final = 64
_WRAPPINGS: Final = 2
"""How often base64 may have been put around it."""


class PemFault(RexecError):
    """A variable whose PEM cannot be used.

    Args:
        line: Which variable, what is wrong with it, the mend; never the value.
        code: `tls_missing`, `tls_bad_pem`, `tls_key_encrypted` or `tls_key_mismatch`.
    """

    def __init__(self, line: str, code: str = "tls_bad_pem") -> None:
        super().__init__(line, code=code)


@dataclass(frozen=True)
class Place:
    """Where a piece of PEM comes from.

    Args:
        variable: The variable, also where a folder stands for it.
        folder: Whether its text is a file in DOCKER_CERT_PATH.
    """

    variable: str
    folder: bool = False

    @property
    def file(self) -> str:
        """The file of the set-up that belongs there."""
        return FILES[self.variable]

    def __str__(self) -> str:
        return f"{self.file} in DOCKER_CERT_PATH" if self.folder else self.variable

    def fault(self, what: str, mend: str | None = None, code: str = "tls_bad_pem") -> PemFault:
        """The fault of this place.

        Args:
            what: Follows the place's name.
            mend: What to do; to copy the file again where left out.
            code: See `PemFault`.
        """
        whole = f"copy the whole of {self.file} again, with its BEGIN and END lines"
        return PemFault(f"{self} {what}: {mend or whole}.", code)


def read(folder: Path, variable: str) -> str:
    """The text of a file of DOCKER_CERT_PATH.

    Args:
        folder: Where the three files are.
        variable: What the file stands for.

    Raises:
        PemFault: `tls_missing`, it is not there or cannot be read.
    """
    place = Place(variable, folder=True)
    try:
        return (folder / place.file).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise place.fault("is missing", "copy it there", "tls_missing") from None
    except (OSError, UnicodeDecodeError):
        raise place.fault("cannot be read", "check its owner and mode", "tls_missing") from None


def certificates(text: str, place: Place) -> str:
    """The certificates in a text, as clean PEM, in their order; keys and prose beside them are left out.

    Args:
        text: As it arrived.
        place: For the fault.

    Raises:
        PemFault: `tls_bad_pem`, there is none in it, or one of them cannot be read.
    """
    blocks = _blocks(text, place)
    found = [body for label, body in blocks if label in _CERTIFICATES]
    if not found:
        raise _another_kind(blocks, place, "a certificate")
    clean = "".join(_armour("CERTIFICATE", body, place) for body in found)
    try:
        x509.load_pem_x509_certificates(clean.encode())
    except ValueError:
        raise place.fault("holds a certificate that cannot be read") from None
    return clean


def private_key(text: str, place: Place) -> str:
    """The one private key in a text, as clean PEM; certificates beside it are left out.

    Args:
        text: As it arrived.
        place: For the fault.

    Raises:
        PemFault: `tls_key_encrypted`; `tls_bad_pem`, there is no key in it, or several, or it cannot be read.
    """
    blocks = _blocks(text, place)
    if any(label == _ENCRYPTED or (label in _KEYS and "ENCRYPTED" in body) for label, body in blocks):
        raise place.fault("is encrypted", "store it without a passphrase", "tls_key_encrypted")
    found = {_armour(label, body, place) for label, body in blocks if label in _KEYS}
    if not found:
        raise _another_kind(blocks, place, "a private key")
    if len(found) > 1:
        raise place.fault("holds several private keys", "keep the one that belongs to DOCKER_CLIENT_CERT")
    clean = found.pop()
    try:
        load_pem_private_key(clean.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise place.fault("holds a private key that cannot be read") from None
    return clean


def pair(certificate: str, key: str) -> str:
    """The client's certificates, the one that belongs to the key first, as OpenSSL wants them.

    Args:
        certificate: One or more, clean.
        key: Clean.

    Raises:
        PemFault: `tls_key_mismatch`, none of them belongs to the key.
    """
    public = _public(load_pem_private_key(key.encode(), password=None))
    found = x509.load_pem_x509_certificates(certificate.encode())
    ours = [one for one in found if _public_of(one) == public]
    if not ours:
        raise PemFault(MISMATCH, "tls_key_mismatch")
    ordered = [ours[0], *(one for one in found if one not in ours)]
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in ordered)


def _public(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _public_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _blocks(text: str, place: Place) -> list[tuple[str, str]]:
    """Label and body of each block.

    Raises:
        PemFault: There is none, or a block lacks its begin or its end.
    """
    plain = _unwrapped(text, _WRAPPINGS)
    if not plain.strip(_QUOTES + " "):
        raise place.fault("is empty", f"set it to the contents of {place.file}")
    blocks = [(label, body) for label, body in _BLOCK.findall(plain)]
    if _EDGE.search(_BLOCK.sub(" ", plain)):
        raise place.fault("is truncated")
    if not blocks and _PATH.fullmatch(text.strip().strip(_QUOTES)):
        file = f"set it to the contents of {place.file}, or {place.variable}_FILE to the path"
        raise place.fault("holds a path where the text itself belongs", file)
    if not blocks:
        raise place.fault("is not PEM")
    return blocks


def _unwrapped(text: str, wrappings: int) -> str:
    """The text without escapes, line ends and base64 around it: words with single blanks between them."""
    plain = " ".join(_ESCAPE.sub(" ", text.translate(_INVISIBLE)).split())
    if wrappings == 0 or _EDGE.search(plain):
        return plain
    inside = _unwrapped(_decoded(plain.replace(" ", "").strip(_QUOTES)), wrappings - 1)
    return inside if _EDGE.search(inside) else plain


def _decoded(text: str) -> str:
    """What base64, also a truncated or a URL-safe one, has inside; nothing where that is no text."""
    letters = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return _bytes(letters).decode("utf-8")
    except ValueError:
        return ""


def _bytes(letters: str) -> bytes:
    """Base64 without its padding; a last letter that no byte begins with is left out.

    Raises:
        binascii.Error: It is not base64.
    """
    whole = letters[:-1] if len(letters) % 4 == 1 else letters
    return base64.b64decode(whole + "=" * (-len(whole) % 4), validate=True)


def _armour(label: str, body: str, place: Place) -> str:
    """A block as OpenSSL writes it.

    Raises:
        PemFault: The body is not base64, or ends before the structure in it does.
    """
    try:
        der = _bytes(body.replace(" ", "").rstrip("="))
    except binascii.Error:
        raise place.fault("is damaged inside") from None
    if _ends_early(der):
        raise place.fault("is truncated")
    encoded = base64.b64encode(der).decode()
    lines = [encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _ends_early(der: bytes) -> bool:
    """Whether a DER sequence says that it is longer than it is (ITU-T X.690, 8.1.3)."""
    sequence, short, long_form = 0x30, 2, 0x80
    if len(der) < short:
        return True
    if der[0] != sequence:
        return False
    if der[1] < long_form:
        return len(der) < short + der[1]
    count = der[1] - long_form
    return len(der) < short + count + int.from_bytes(der[short : short + count], "big")


def _another_kind(blocks: list[tuple[str, str]], place: Place, wanted: str) -> PemFault:
    labels = {label for label, _ in blocks}
    if labels & _CERTIFICATES:
        found = "a certificate"
    elif labels & (_KEYS | {_ENCRYPTED}):
        found = "a private key"
    else:
        found = next((_OTHERS[label] for label in sorted(labels & set(_OTHERS))), "something else")
    return place.fault(f"holds {found} where {wanted} belongs", f"set it to the contents of {place.file}")
