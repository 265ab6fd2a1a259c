"""Runs one program once, within bounds, and says what it printed or why there is nothing to say."""

import ctypes
import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass

import settings

POLL_S = 0.1
# Seconds that a program's children have to end after it, such as Flink's virtual machine.
LINGER_S = 10
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Run:
    """What one run came to: either `why` there is no answer, or all the rest."""

    why: str = ""
    seconds: float = 0.0
    cpu_s: float = 0.0
    peak_mib: float = 0.0
    digest: dict | None = None
    version: str = ""
    # From the program's start to its end: interpreter, imports and virtual machine included.
    program_s: float = 0.0


def tree(pid):
    """A process and all its descendants, with the memory that each has now."""
    found, todo = {}, [pid]
    while todo:
        pid = todo.pop()
        try:
            with open(f"/proc/{pid}/status") as file:
                found[pid] = sum(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children") as file:
                    todo += [int(child) for child in file.read().split()]
        except OSError:
            continue
    return found


def adopt_orphans():
    """Makes what a program leaves behind a child of ours: it is waited for, and its CPU time is counted as ours."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap():
    """Waits for what a program has left behind, and ends what lingers: the next run shall find the machine free."""
    until = time.monotonic() + LINGER_S
    while True:
        try:
            waited, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if waited == 0 and time.monotonic() > until:
            for pid in [pid for pid in tree(os.getpid()) if pid != os.getpid()]:
                os.kill(pid, signal.SIGKILL)
        if waited == 0:
            time.sleep(POLL_S)


def end(process):
    """Ends a program and what it has started, by their ids."""
    for pid in tree(process.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


def bounded(process, limit_s):
    """Waits for a program; why it was ended, where it was."""
    began = time.monotonic()
    while process.poll() is None:
        if time.monotonic() - began > limit_s:
            end(process)
            return f"over {limit_s} s"
        if sum(tree(process.pid).values()) > settings.LIMIT_MIB:
            end(process)
            return f"over {settings.LIMIT_MIB // 1024} GiB"
        time.sleep(POLL_S)
    return ""


def run(command, limit_s):
    """Runs a program and reads the line of JSON that it prints last."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if command[0].endswith("python"):
        # Flink's client starts a Python of its own.
        environment["PYFLINK_CLIENT_EXECUTABLE"] = command[0]
    with tempfile.TemporaryFile("w+") as said:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, env=environment, text=True
        )
        try:
            why = bounded(process, limit_s)
        except BaseException:
            end(process)
            raise
        program_s = time.monotonic() - began
        reap()
        said.seek(0)
        lines = said.read().splitlines()
    if why:
        return Run(why=why)
    results = [line for line in lines if line.startswith("{")]
    if process.returncode != 0 or not results:
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return Run(why=f"failed: {last[:200]}")
    return Run(program_s=program_s, **json.loads(results[-1]))
