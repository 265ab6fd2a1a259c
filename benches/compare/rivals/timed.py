"""What every program of a rival shares: its arguments, the clock, and the one line of JSON that it prints.

    program.py FOLDER WORKLOAD THREADS  ─▶  {"seconds": …, "cpu_s": …, "peak_mib": …, "digest": {…}, "version": …}

The clock starts when everything is imported and started that can be before the first row is read, and stops when the
last row of the answer has been added up. CPU seconds and peak memory are those of the process and its children, such
as Flink's virtual machine. CPU counts from the clock's start, memory from the program's.
"""

import json
import os
import sys
import time

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
# The widths of the rolling windows. A window is [at − width, at]: closed at both ends.
WINDOWS = {"1h": HOUR_MS, "24h": DAY_MS, "7d": 7 * DAY_MS}
# Payments of a user with at most this between them are of one session.
GAP_MS = 1_800_000
TICKS = os.sysconf("SC_CLK_TCK")


class Arguments:
    """What a program is asked for."""

    def __init__(self):
        self.folder = os.path.abspath(sys.argv[1])
        self.workload = sys.argv[2]
        self.threads = int(sys.argv[3])

    def chosen(self, functions):
        """The one of a program's functions that is named as the workload."""
        return functions[self.workload]

    def parquet(self, name):
        return f"{self.folder}/{name}/{name}.parquet"

    def baseline(self):
        """The nine inner edges of the bins [a, b), and the training rows in each of the ten."""
        with open(f"{self.folder}/baseline.json") as file:
            baseline = json.load(file)["baselines"][0]
        return baseline["breakpoints"][1:-1], baseline["counts"]


class Clock:
    """Runs from its making to `stop`."""

    def __init__(self):
        self.children_cpu_s = children_cpu_s()
        self.own_cpu_s = time.process_time()
        self.began = time.perf_counter()

    def stop(self, digest, version):
        seconds = time.perf_counter() - self.began
        cpu_s = time.process_time() - self.own_cpu_s + children_cpu_s() - self.children_cpu_s
        line = {"seconds": seconds, "cpu_s": cpu_s, "peak_mib": peak_mib(), "digest": digest, "version": version}
        print(json.dumps(line), flush=True)


def children():
    """The ids of all descendants that still run."""
    found, todo = [], [os.getpid()]
    while todo:
        pid = todo.pop()
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children") as file:
                    todo += [int(child) for child in file.read().split()]
        except OSError:
            continue
        found.append(pid)
    return found[1:]


def children_cpu_s():
    ticks = 0
    for pid in children():
        try:
            with open(f"/proc/{pid}/stat") as file:
                # The name, in parentheses, may hold anything; user and system time are the 14th and 15th field.
                fields = file.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return ticks / TICKS


def peak_mib():
    kib = 0
    for pid in [os.getpid(), *children()]:
        try:
            with open(f"/proc/{pid}/status") as file:
                kib += sum(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        except OSError:
            continue
    return kib / 1024
