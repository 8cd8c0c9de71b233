"""Doing things at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from rexec.accounts import passwords


@pytest.fixture
def together(monkeypatch):
    """Runs functions in threads of their own; each waits, its password hashed, until all have come as far."""

    def run(functions):
        barrier = Barrier(len(functions))
        real = passwords.hash_password

        def hash_password(password):
            hashed = real(password)
            barrier.wait(30)
            return hashed

        monkeypatch.setattr(passwords, "hash_password", hash_password)
        with ThreadPoolExecutor(len(functions)) as threads:
            results = [future.result(60) for future in [threads.submit(function) for function in functions]]
        monkeypatch.setattr(passwords, "hash_password", real)
        return results

    return run
