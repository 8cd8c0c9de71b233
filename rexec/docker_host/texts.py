"""The words for each error code of the Docker host: a message for the user, a hint for the operator.

Pages, the API and `rexec doctor` all take them from here.
"""

from __future__ import annotations

from typing import Final

_DOWN: Final = "The machine that runs the containers cannot be reached."
_TRUST: Final = "The machine that runs the containers and Rexec do not trust each other."
_MATERIAL: Final = "Rexec's own certificates cannot be used."

TEXTS: Final[dict[str, tuple[str, str]]] = {
    # Unreachable
    "docker_refused": (
        _DOWN,
        "Nothing listens at DOCKER_HOST: is the VM up, does dockerd run, is the port 2376?",
    ),
    "docker_dns": (
        _DOWN,
        "The name in DOCKER_HOST has no address: check it for typing errors, or use the VM's IP.",
    ),
    "docker_timeout": (
        "The machine that runs the containers did not answer in time.",
        "Packets vanish or dockerd hangs: check the VM's firewall, its load and `journalctl -u docker`.",
    ),
    "docker_closed": (
        "The connection to the machine that runs the containers was lost.",
        "dockerd restarted, or something in between closed the connection: see `journalctl -u docker`.",
    ),
    "docker_no_route": (
        _DOWN,
        "There is no way to DOCKER_HOST from here: check the VM's address and the network.",
    ),
    "docker_no_socket": (
        _DOWN,
        "The socket in DOCKER_HOST is not there: start dockerd, or mend the path.",
    ),
    "docker_permission": (
        _DOWN,
        "Rexec may not open the socket in DOCKER_HOST: add its user to the group docker.",
    ),
    # TLS, the server's side
    "tls_wrong_ca": (
        _TRUST,
        "DOCKER_CA_CERT did not sign the server's certificate: copy the ca.pem of the set-up that made it.",
    ),
    "tls_hostname": (
        _TRUST,
        "The server's certificate is for another name than DOCKER_HOST: make it again with this address.",
    ),
    "tls_server_expired": (
        _TRUST,
        "The server's certificate has expired: run setup.sh --rotate-server on the VM; containers go on.",
    ),
    "tls_server_not_yet_valid": (
        _TRUST,
        "The server's certificate is not valid yet: check the clocks of both machines.",
    ),
    "tls_ca_expired": (_TRUST, "The CA in DOCKER_CA_CERT has expired: make all certificates again."),
    "tls_server_invalid": (
        _TRUST,
        "The server's certificate is not fit for its use: make it again with scripts/setup-docker-tls.sh.",
    ),
    "tls_plain_http": (
        _TRUST,
        "The port in DOCKER_HOST speaks plain HTTP: turn TLS on in the daemon, or use its TLS port 2376.",
    ),
    "tls_required": (_TRUST, "The daemon wants TLS: set DOCKER_TLS_VERIFY=1 and the three certificates."),
    "tls_version": (_TRUST, "The two sides share no TLS version: Rexec needs TLS 1.2 or newer."),
    "tls_handshake": (_TRUST, "The TLS handshake failed: see the detail in the log."),
    # TLS, the client's side
    "tls_client_refused": (
        _TRUST,
        "The daemon refused our client certificate: its --tlscacert has to have signed DOCKER_CLIENT_CERT.",
    ),
    "tls_client_expired": (
        _TRUST,
        "DOCKER_CLIENT_CERT has expired: run setup.sh --rotate-client on the VM and paste what it prints.",
    ),
    "tls_client_not_yet_valid": (
        _TRUST,
        "DOCKER_CLIENT_CERT is not valid yet: check the clocks of both machines.",
    ),
    "tls_client_missing": (
        _TRUST,
        "The daemon wants a client certificate: set DOCKER_CLIENT_CERT and DOCKER_CLIENT_KEY.",
    ),
    "tls_client_other_ca": (
        _TRUST,
        "DOCKER_CLIENT_CERT was signed by another CA than DOCKER_CA_CERT: take all three from one set-up.",
    ),
    # TLS, what we were given
    "tls_key_mismatch": (
        _MATERIAL,
        "DOCKER_CLIENT_KEY does not belong to DOCKER_CLIENT_CERT: copy both again.",
    ),
    "tls_key_encrypted": (_MATERIAL, "DOCKER_CLIENT_KEY is encrypted: store it without a passphrase."),
    "tls_bad_pem": (_MATERIAL, "A certificate or key is not readable PEM: copy the whole file."),
    "tls_missing": (
        _MATERIAL,
        "DOCKER_CA_CERT is missing: set it, or DOCKER_CERT_PATH to a folder with ca.pem.",
    ),
    # The daemon's answers
    "docker_not_found": (
        "It no longer exists on the machine that runs the containers.",
        "The daemon answered 404.",
    ),
    "docker_conflict": ("Its present state does not allow that.", "The daemon answered 409."),
    "docker_name_taken": (
        "That name is already in use on the machine.",
        "Another object of the daemon has this name.",
    ),
    "docker_not_running": ("The container is not running.", "The daemon wants it running for this request."),
    "docker_busy": ("Something else is still under way on it.", "The daemon answered 409; this passes."),
    "docker_error": (
        "The machine that runs the containers reported an error.",
        "See `journalctl -u docker` there.",
    ),
    "docker_exec_timeout": (
        "A command in the container did not end in time.",
        "The container may be overloaded.",
    ),
    "docker_protocol": (
        "The machine that runs the containers gave an answer that makes no sense.",
        "What listens at DOCKER_HOST may not be a Docker daemon.",
    ),
    "docker_rejected": (
        "The machine that runs the containers refused the request.",
        "The daemon's version or settings do not allow it: see the detail in the log.",
    ),
    "docker_version": (
        "The machine that runs the containers refused the request.",
        "The daemon is too old or too new for this Rexec: it needs Docker engine 20.10 or newer.",
    ),
    "docker_no_subnet": (
        "The machine that runs the containers has no network left for it.",
        "Every address range that Rexec tries is taken: remove unused Docker networks.",
    ),
    # Images
    "image_error": ("The image could not be fetched.", "See the detail in the log."),
    "image_not_found": (
        "This image does not exist.",
        "Check its name and tag in the catalogue and on the registry.",
    ),
    "registry_refused": (
        "The registry does not give out this image: it is private, or does not exist.",
        "Rexec pulls without a log-in: use a public image, or load it on the VM.",
    ),
    "registry_unreachable": (
        "The image registry cannot be reached.",
        "The VM cannot talk to the registry: check its network and DNS.",
    ),
    "registry_busy": (
        "The image registry asks for fewer requests.",
        "Its rate limit is reached: wait, or load the image on the VM.",
    ),
    "pull_timeout": (
        "Fetching the image took too long.",
        "The registry or the VM's network is slow; try again.",
    ),
    "no_space": (
        "The machine that runs the containers has no disk space left.",
        "Free space on the VM: `docker system df` shows where it went.",
    ),
}
