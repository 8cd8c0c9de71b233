"""A signal stops a process whatever its main thread is at."""

import subprocess
import sys

IN_THE_MIDST_OF_A_WAIT = """
import os, signal
from rexec.stopping import stop_event

stop = stop_event()
with stop._cond:
    os.kill(os.getpid(), signal.{name})
    sum(range(100_000))
raise SystemExit(0 if stop.wait(10) else 1)
"""


def test_sigterm_stops_a_process_whose_main_thread_just_began_to_wait():
    code = IN_THE_MIDST_OF_A_WAIT.format(name="SIGTERM")
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0


def test_sigint_does_too():
    code = IN_THE_MIDST_OF_A_WAIT.format(name="SIGINT")
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0
