"""PEM text as it arrives from an environment variable, made into what OpenSSL reads."""

from __future__ import annotations

from typing import Final

from rexec.docker_host.errors import DockerTLSError

QUOTES: Final = "\"'"


def normalise(text: str, variable: str) -> str:
    """Undo what dashboards do to PEM text: literal backslash-n, CRLF, surrounding blanks and quotes.

    Args:
        text: The value as it arrived.
        variable: Its name, for the hint. The value itself is never shown.

    Raises:
        DockerTLSError: `tls_bad_pem`, nothing in it looks like PEM.
    """
    cleaned = text.strip().strip(QUOTES).strip()
    cleaned = cleaned.replace("\\r", "").replace("\\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    cleaned = "\n".join(line.strip() for line in cleaned.split("\n") if line.strip())
    if "-----BEGIN " not in cleaned or "-----END " not in cleaned:
        raise DockerTLSError(
            code="tls_bad_pem",
            hint=f"{variable} is not PEM: copy the whole file, with its BEGIN and END lines.",
        )
    return cleaned + "\n"
