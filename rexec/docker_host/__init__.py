"""Everything that speaks to the Docker daemon: certificates, client, errors, terminal streams, events.

Knows neither Flask nor the database; takes its settings as arguments. `DockerHost` is the way in.
"""

from rexec.docker_host.certificates import CertificateFacts, certificate_facts
from rexec.docker_host.client import DockerHost
from rexec.docker_host.endpoint import is_cut_off, is_near
from rexec.docker_host.events import EventStream
from rexec.docker_host.handshake import Handshake
from rexec.docker_host.hijack import DETACH_KEYS, HijackedStream
from rexec.docker_host.images import ImageInfo, PullProgress
from rexec.docker_host.spec import ContainerSpec, NetworkSpec
from rexec.docker_host.usage import ContainerUsage

__all__ = [
    "DETACH_KEYS",
    "CertificateFacts",
    "ContainerSpec",
    "ContainerUsage",
    "DockerHost",
    "EventStream",
    "Handshake",
    "HijackedStream",
    "ImageInfo",
    "NetworkSpec",
    "PullProgress",
    "certificate_facts",
    "is_cut_off",
    "is_near",
]
