"""A port on loopback whose packets are really lost: nobody is told, and nothing is acknowledged."""

from __future__ import annotations

import os
import subprocess

IPTABLES = "/usr/sbin/iptables"


class PacketLoss:
    """Drops what goes to a port of 127.0.0.1 and what comes from it, as a dead network does.

    A relay that falls silent still acknowledges what it is sent, so that it is no test of TCP's own patience.

    Args:
        port: Of the test's own, since on a machine without a network for each process others share the rules.
    """

    def __init__(self, port: int) -> None:
        # Dropped where they arrive: where they leave, the sender would be told.
        self._rules = [
            ("INPUT", "-i", "lo", "-p", "tcp", side, str(port), "-j", "DROP")
            for side in ("--dport", "--sport")
        ]
        self._begun: list[tuple[str, ...]] = []

    def begin(self) -> None:
        """Lose every packet from now on."""
        for rule in self._rules:
            self._begun.append(rule)
            _iptables("-I", rule)

    def end(self) -> None:
        """Let packets pass again; those that were lost are sent again by whoever still waits."""
        while self._begun:
            _iptables("-D", self._begun.pop())


def _iptables(verb: str, rule: tuple[str, ...]) -> None:
    sudo = () if os.geteuid() == 0 else ("sudo", "-n")
    subprocess.run([*sudo, IPTABLES, "-w", verb, *rule], check=True, timeout=30)
