"""docker-py's low-level client, for one daemon: its own pool, no environment, a version that is set later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from docker import APIClient
from docker.auth import AuthConfig
from docker.utils.proxy import ProxyConfig

if TYPE_CHECKING:
    from requests import Response
    from requests.adapters import HTTPAdapter


class EngineClient(APIClient):
    """A client that does what its arguments say, whatever the environment and ~/.docker/config.json contain.

    Args:
        base_url: Where every request goes.
        adapter: What sends it.
        version: To begin with, so that the constructor does not ask the daemon.
        deadlines: Seconds to connect, and seconds of silence within an answer.
    """

    def __init__(
        self, base_url: str, adapter: HTTPAdapter, *, version: str, deadlines: tuple[float, float]
    ) -> None:
        super().__init__(base_url=base_url, version=version)
        self.trust_env = False
        # The daemon never redirects; whoever does so in its place must not send us elsewhere.
        self.max_redirects = 0
        self.deadlines = deadlines
        self.timeout = deadlines  # type: ignore[assignment]  # requests takes both; the stub knows one
        self._general_configs: dict[str, Any] = {}
        self._auth_configs = AuthConfig({})
        self._proxy_configs = ProxyConfig()
        self.adapters.clear()
        self.mount(base_url, adapter)

    @property
    def negotiated_version(self) -> str:
        """The API version in every path."""
        return self._version

    @negotiated_version.setter
    def negotiated_version(self, version: str) -> None:
        self._version = version

    def ask(  # noqa: PLR0913  # one request is described by this much
        self,
        method: str,
        path: str,
        *parts: str,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        stream: bool = False,
        silence_s: float | None = None,
    ) -> Response:
        """Send a request that docker-py has no method for, or only one that gets deadlines wrong.

        Args:
            method: GET, POST.
            path: With a `{0}` for each part.
            parts: Quoted into the path.
            params: The query.
            body: Sent as JSON.
            stream: Leave the answer's body unread.
            silence_s: Another deadline for silence within the answer.

        Raises:
            requests.RequestException: For `translate`.
        """
        connect, silence = self.deadlines
        url: str = self._url(path, *parts)  # type: ignore[attr-defined]  # missing in the stub
        timeout = (connect, silence if silence_s is None else silence_s)
        return self.request(method, url, params=params, json=body, stream=stream, timeout=timeout)

    def checked(self, answer: Response) -> Response:
        """The answer, if it is a good one.

        Raises:
            docker.errors.APIError: For `translate`.
        """
        self._raise_for_status(answer)  # type: ignore[attr-defined]  # missing in the stub
        return answer
