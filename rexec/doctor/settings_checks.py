"""Looks at the settings, and at each PEM before anybody connects with it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from rexec import pem
from rexec.billing import plans
from rexec.config import is_loopback
from rexec.containers import catalogue
from rexec.docker_host.certificates import facts_of
from rexec.docker_host.errors import DockerTLSError
from rexec.doctor.checks import Finding, failed, of_line, ok, skipped, warning
from rexec.doctor.errors import Unwell
from rexec.errors import ConfigError
from rexec.health.certificates import Expiry

if TYPE_CHECKING:
    from rexec.doctor.deployment import Deployment

NO_TLS = "The connection to the daemon is not TLS."
MISMATCH = "tls_key_mismatch"


def settings(deployment: Deployment) -> list[Finding]:
    """Every problem of the settings but those of the PEMs, which have checks of their own."""
    found = [
        of_line(problem.line) for problem in deployment.reading.problems if problem.variable not in pem.FILES
    ]
    found += [of_line(line) for line in _operator_files(deployment)]
    return found + _missing_in_public(deployment) or [ok("Every variable that is set can be used.")]


def _operator_files(deployment: Deployment) -> list[str]:
    lines: list[str] = []
    files = ((plans.load, "PLANS_FILE", "plans_file"), (catalogue.load, "IMAGES_FILE", "images_file"))
    for load, variable, field in files:
        if deployment.reading.wrong(variable):
            continue
        try:
            load(getattr(deployment.settings, field))
        except ConfigError as error:
            lines += error.problems
    return lines


def _missing_in_public(deployment: Deployment) -> list[Finding]:
    """What a service with a VM of its own lacks to be reached from outside; a private one may do without."""
    host = deployment.settings.docker.host
    if deployment.reading.wrong("DOCKER_HOST") or not host.startswith("tcp://"):
        return []
    if is_loopback(urlsplit(host).hostname or ""):
        return []
    return [
        of_line(problem.line, "warning")
        for problem in deployment.public.problems
        if problem.code == "missing"
        and problem not in deployment.reading.problems
        and problem.variable not in pem.FILES
    ]


def certificate(variable: str, deployment: Deployment) -> Finding:
    """Whether a variable holds certificates.

    Args:
        variable: DOCKER_CA_CERT or DOCKER_CLIENT_CERT.
        deployment: Where it belongs.
    """
    wrong = _wrong(variable, deployment)
    if wrong is not None:
        return wrong
    text, place = _text(variable, deployment)
    found = x509.load_pem_x509_certificates(pem.certificates(text, place).encode())
    names = ", ".join(facts_of(one).name for one in found)
    return ok(f"{len(found)} certificate{'s' if len(found) > 1 else ''}: {names}.")


def key(deployment: Deployment) -> Finding:
    """Whether DOCKER_CLIENT_KEY holds a private key."""
    wrong = _wrong(pem.KEY_VARIABLE, deployment)
    if wrong is not None:
        return wrong
    text, place = _text(pem.KEY_VARIABLE, deployment)
    loaded = load_pem_private_key(pem.private_key(text, place).encode(), password=None)
    if isinstance(loaded, ec.EllipticCurvePrivateKey):
        return ok(f"A private key on the curve {loaded.curve.name}.")
    if isinstance(loaded, rsa.RSAPrivateKey):
        return ok(f"An RSA private key of {loaded.key_size} bits.")
    return ok("A private key.")


def _wrong(variable: str, deployment: Deployment) -> Finding | None:
    if not deployment.settings.docker.uses_tls and not deployment.reading.wrong(variable):
        return skipped(NO_TLS)
    for problem in deployment.reading.wrong(variable):
        if problem.code != MISMATCH:
            return of_line(problem.line)
    return None


def _text(variable: str, deployment: Deployment) -> tuple[str, pem.Place]:
    """What a variable holds, or the file that stands for it.

    Raises:
        PemFault: The file is not there any more.
    """
    docker = deployment.settings.docker
    given = {
        "DOCKER_CA_CERT": docker.ca_cert,
        "DOCKER_CLIENT_CERT": docker.client_cert,
        "DOCKER_CLIENT_KEY": docker.client_key,
    }[variable]
    if given is None and docker.cert_path is not None:
        return pem.read(docker.cert_path, variable), pem.Place(variable, folder=True)
    return given or "", pem.Place(variable)


def pair(deployment: Deployment) -> Finding:
    """Whether key and certificate belong together."""
    if not deployment.settings.docker.uses_tls:
        return skipped(NO_TLS)
    if any(problem.code == MISMATCH for problem in deployment.reading.problems):
        return failed(DockerTLSError(code=MISMATCH))
    return ok("DOCKER_CLIENT_KEY belongs to DOCKER_CLIENT_CERT.")


def chain(deployment: Deployment) -> Finding:
    """Whether the CA signed our certificate."""
    if not deployment.settings.docker.uses_tls:
        return skipped(NO_TLS)
    if not deployment.material.signed_by_ours():
        # A daemon may trust another CA for its clients than the one that signed for it: it will say.
        error = DockerTLSError(code="tls_client_other_ca")
        return warning(f"DOCKER_CA_CERT did not sign DOCKER_CLIENT_CERT. ({error.code})", error.hint)
    return ok("DOCKER_CA_CERT signed DOCKER_CLIENT_CERT.")


def dates(deployment: Deployment) -> Finding:
    """Whether our certificates are valid today, and for how long."""
    if not deployment.settings.docker.uses_tls:
        return skipped(NO_TLS)
    material, now = deployment.material, deployment.now
    if material.authority_expired(now):
        return failed(DockerTLSError(code="tls_ca_expired"))
    defect = material.defect(now)
    if defect is not None:
        return failed(DockerTLSError(code=defect))
    client = material.client_certificate()
    ends = {"ca": min(one.not_valid_after_utc for one in material.authorities())}
    if client is not None:
        ends["client"] = client.not_valid_after_utc
    return how_long({name: Expiry(name, end) for name, end in ends.items()}, deployment)


def how_long(expiries: dict[str, Expiry], deployment: Deployment) -> Finding:
    """Whether certificates last long enough to look away.

    Args:
        expiries: By name.
        deployment: Knows the time.
    """
    sentences = [sentence for one in expiries.values() if (sentence := one.sentence(deployment.now))]
    if sentences:
        hint = "Make a new one on the VM with setup.sh (--rotate-client, --rotate-server)."
        return warning(f"{'; '.join(sentences)}.", hint)
    last = ", ".join(f"{name} until {one.not_after:%Y-%m-%d}" for name, one in expiries.items())
    return ok(f"Valid: {last}.")


def usages(deployment: Deployment) -> Finding:
    """Whether each certificate may be used as it is; what says nothing about its use may be used for all."""
    if not deployment.settings.docker.uses_tls:
        return skipped(NO_TLS)
    client = deployment.material.client_certificate()
    if not all(_may_sign(authority) for authority in deployment.material.authorities()):
        return failed(Unwell("tls_ca_cannot_sign"))
    if client is not None and facts_of(client).is_ca:
        return failed(Unwell("tls_client_is_a_ca"))
    if client is not None and not _is_for_clients(client):
        return failed(Unwell("tls_client_not_a_client"))
    return ok("The CA may sign, and our certificate is for clients.")


def _may_sign(authority: x509.Certificate) -> bool:
    extensions = authority.extensions
    try:
        if not extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
    except x509.ExtensionNotFound:
        # Version 1 has no extensions; whoever signed himself then is a CA.
        return authority.subject == authority.issuer
    try:
        return extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def _is_for_clients(certificate: x509.Certificate) -> bool:
    try:
        uses = list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return True
    return bool({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(uses))
