"""The progress of a pull: what each layer says, summed up, and a look aside while the registry is silent."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator
from typing import Any, cast

from rexec.docker_host import DockerHost, PullProgress

MOST_LAYERS = 60
DONE = ("Pull complete", "Already exists")
LOOK_ASIDE_S = 0.5


class PullTally:
    """Adds up the lines of a pull.

    A layer's size is known only when its download begins, so the total grows at first.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._layers: dict[str, dict[str, Any]] = {}

    def take(self, line: PullProgress) -> None:
        """Note one line of the daemon's answer."""
        if not line.layer or line.status.startswith("Pulling from"):
            return
        layer = self._layers.setdefault(
            line.layer, {"id": line.layer, "status": "", "current": 0, "total": 0}
        )
        layer["status"] = line.status
        if line.status == "Downloading" and line.total:
            layer["total"] = max(layer["total"], line.total)
            layer["current"] = min(line.current or 0, layer["total"])
        elif line.status in DONE or line.status in {"Download complete", "Verifying Checksum", "Extracting"}:
            layer["current"] = layer["total"]

    def facts(self) -> dict[str, Any]:
        """What is stored and shown: bytes, layers, seconds."""
        layers = list(self._layers.values())
        return {
            "stage": "pulling",
            "current": sum(layer["current"] for layer in layers),
            "total": sum(layer["total"] for layer in layers),
            "layers_done": sum(layer["status"] in DONE for layer in layers),
            "layers_total": len(layers),
            "layers": layers[:MOST_LAYERS],
            "seconds": round(time.monotonic() - self._began, 1),
        }


class PatientPull:
    """The lines of a pull, with None now and then while none comes, so that its reader can give up.

    A thread of its own waits for the Docker host. Once the reader has closed the iterator, it closes the pull
    at the next line, or when the silence has lasted too long.

    Args:
        host: The Docker host.
        reference: The image.
        deadline_s: For the whole pull, in seconds.
    """

    def __init__(self, host: DockerHost, reference: str, deadline_s: float) -> None:
        self._lines = cast("Generator[PullProgress]", host.pull_image(reference, deadline_s))
        self._queue: queue.SimpleQueue[PullProgress | Exception | None] = queue.SimpleQueue()
        self._given_up = threading.Event()
        threading.Thread(target=self._read, name="pull", daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self._lines:
                if self._given_up.is_set():
                    return
                self._queue.put(line)
            self._queue.put(None)
        except Exception as error:  # noqa: BLE001 - raised again where the lines are read
            self._queue.put(error)
        finally:
            # This is what ends the pull on the Docker host.
            self._lines.close()

    def __iter__(self) -> Generator[PullProgress | None]:
        """Each line as it comes, and None when none came for half a second.

        Raises:
            DockerHostError: As the Docker host's client raised it.
        """
        try:
            while True:
                try:
                    item = self._queue.get(timeout=LOOK_ASIDE_S)
                except queue.Empty:
                    yield None
                    continue
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self._given_up.set()
