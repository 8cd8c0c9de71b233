"""The progress of a pull: what each layer says, summed up."""

from __future__ import annotations

import time
from typing import Any

from rexec.docker_host import PullProgress

MOST_LAYERS = 60
DONE = ("Pull complete", "Already exists")


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
