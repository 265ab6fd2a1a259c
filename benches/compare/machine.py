"""What the machine is, and how busy others kept it while we measured."""

import datetime
import os
import platform
import resource
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
# Others' share of the machine up to which a run counts as undisturbed: a few per cent are always there.
QUIET_CORES = 0.15


def busy_s():
    """CPU seconds that all programs of the machine have used."""
    with open("/proc/stat") as file:
        ticks = [int(tick) for tick in file.readline().split()[1:]]
    idle = ticks[3] + ticks[4]
    # Guests are counted within user time.
    return (sum(ticks[:8]) - idle) / TICKS


def ours_s():
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


class Watch:
    """From its making on: what others used of the machine."""

    def __init__(self):
        self.began, self.busy_s, self.ours_s = time.monotonic(), busy_s(), ours_s()
        self.load = os.getloadavg()[0]

    def facts(self, command, root):
        seconds = time.monotonic() - self.began
        others = max(0.0, busy_s() - self.busy_s - (ours_s() - self.ours_s)) / seconds
        quiet = others <= QUIET_CORES
        cpu = said("/proc/cpuinfo", "model name").split(":", 1)[1].strip()
        memory_kib = int(said("/proc/meminfo", "MemTotal").split()[1])
        cores = os.cpu_count()
        date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        return {
            "date": date,
            "cpu": cpu,
            "cores": cores,
            "command": f"`{command}`, {date}, {seconds / 60:.0f} min",
            "machine": f"{cores} cores, {cpu}",
            "memory": f"{memory_kib / 2**20:.0f} GiB",
            "system": f"Linux {platform.release()}",
            "load": f"load average {self.load:.1f} at the start; other programs kept {others:.2f} cores busy meanwhile",
            "quiet": "on a quiet machine"
            if quiet
            else f"**on a busy machine** (other programs took {others:.1f} cores)",
            "commit": subprocess.run(
                ["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True
            ).stdout.strip(),
        }


def said(path, name):
    with open(path) as file:
        return next((line for line in file if line.startswith(name)), f"{name}: unknown")
