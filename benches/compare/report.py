"""RESULTS.md: a short table, which the README quotes, and beneath it everything that was measured."""

import os
import re

from settings import ENGINES, LARGE, LIMIT_MIB, LIMIT_S, SMALL, THALWEG, WORKLOADS

BEGIN, END = "<!-- quoted from benches/compare/RESULTS.md by benches/compare/run -->", "<!-- end of the quotation -->"


def number(value):
    """As many digits as three runs can tell."""
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2 if value >= 0.0995 else 3
    return f"{value:,.{digits}f}"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(head, rows):
    return "\n".join([row(head), row(["---", *["---:"] * (len(head) - 1)]), *map(row, rows)])


class Report:
    """Writes what a campaign has found, on which machine, in whose words."""

    def __init__(self, campaign, machine):
        self.campaign, self.machine = campaign, machine
        self.names = [engine.name for engine in ENGINES if engine in campaign.engines]
        self.sizes = list(dict.fromkeys(size for size, _, _ in campaign.cells))

    def cell(self, size, workload, name):
        return self.campaign.cells.get((size, workload, name))

    def short(self):
        """Seconds of every engine at one size: what the README shows."""
        size = SMALL if SMALL in self.sizes else self.sizes[-1]
        rows = []
        for workload in self.workloads(size):
            cells = [self.cell(size, workload, name) for name in self.names]
            times = [cell.median("seconds") for cell in cells if cell.shown()]
            best = min(times, default=0)
            said = [self.time(cell, best) for cell in cells]
            rows.append([workload, *said])
        return table([f"s for {size.said()}", *self.names], rows)

    def time(self, cell, best):
        if not cell.shown():
            return cell.why.split(":")[0] if cell.why.startswith("failed") else cell.why
        median = cell.median("seconds")
        return f"**{number(median)}**" if median == best else number(median)

    def workloads(self, size):
        return [workload for workload in WORKLOADS if (size, workload, self.names[0]) in self.campaign.cells]

    def whole(self, size):
        """Everything that was measured at one size."""
        rows = []
        for workload in self.workloads(size):
            ours = self.cell(size, workload, THALWEG)
            for name in self.names:
                cell = self.cell(size, workload, name)
                if cell is None:
                    continue
                if not cell.shown():
                    rows.append([f"{workload}, {name}", cell.why, "", "", "", "", ""])
                    continue
                seconds = sorted(run.seconds for run in cell.runs)
                times = cell.median("seconds") / ours.median("seconds") if ours and ours.shown() else None
                rows.append(
                    [
                        f"{workload}, {name}",
                        number(cell.median("seconds")),
                        f"{number(seconds[0])} … {number(seconds[-1])}",
                        number(times) if times else "",
                        number(cell.median("cpu_s")),
                        f"{cell.median('peak_mib'):,.0f}",
                        number(cell.median("program_s")),
                    ]
                )
        head = ["", "seconds", "least … most", "× Thalweg", "CPU s", "peak MiB", "whole program, s"]
        return table(head, rows)

    def further(self):
        """What a million payments more take: the difference of two sizes, in which start-up cancels."""
        millions = (LARGE.payments - SMALL.payments) / 1e6
        rows = []
        for workload in self.workloads(LARGE):
            said = []
            for name in self.names:
                small, large = self.cell(SMALL, workload, name), self.cell(LARGE, workload, name)
                if not (small and large and small.shown() and large.shown()):
                    said.append("–")
                    continue
                seconds, cpu_s = ((large.median(what) - small.median(what)) / millions for what in ("seconds", "cpu_s"))
                said.append(f"{number(max(seconds, 0))} ({number(max(cpu_s, 0))})")
            rows.append([workload, *said])
        return table(["s (CPU s)", *self.names], rows)

    def faster(self):
        """Where another engine needs less time than Thalweg."""
        lines = []
        for size in self.sizes:
            for workload in self.workloads(size):
                ours = self.cell(size, workload, THALWEG)
                for name in self.names:
                    cell = self.cell(size, workload, name)
                    if name == THALWEG or not (cell and cell.shown() and ours.shown()):
                        continue
                    theirs_s, ours_s = cell.median("seconds"), ours.median("seconds")
                    if theirs_s < ours_s:
                        times = number(ours_s / theirs_s)
                        lines.append(f"- {workload}, {size.name}: {name}, {times} times as fast.")
        return "\n".join(lines) or "Nowhere in this run."

    def others(self):
        lines = []
        for (size, workload, name), cell in self.campaign.others().items():
            what, found, expected = cell.other[0]
            lines.append(f"- {workload}, {size.name}, {name}: `{what}` is {found}, and {expected} was expected.")
        return "\n".join(lines)

    def agreed(self):
        """How many answers stand behind the times, and how many did not agree."""
        shown = sum(cell.shown() for cell in self.campaign.cells.values())
        others = len(self.campaign.others())
        return f"answers: behind each of {shown} times all runs agree with the reference; {others or 'no'} others"

    def engines(self):
        rows = []
        for engine in self.campaign.engines:
            versions = {
                run.version
                for (_, _, name), cell in self.campaign.cells.items()
                if name == engine.name
                for run in cell.runs
            }
            version = ", ".join(sorted(versions)) or self.campaign.missing.get(engine.name, "–")
            if engine.name == THALWEG:
                version += f" ({self.machine['commit']})"
            rows.append(f"| {engine.name} | {version} | {engine.way} |")
        return "\n".join(["| engine | version | how it works here |", "|---|---|---|", *rows])

    def remarks(self):
        found = [(engine, engine.remarks | engine.lacks) for engine in self.campaign.engines]
        return "\n".join(
            f"- {e.name}, {workload}: {said}." for e, remarks in found for workload, said in remarks.items()
        )

    def quotation(self):
        machine = self.machine
        line = (
            f"Medians of {self.campaign.runs} runs on {machine['cores']} cores ({machine['cpu']}), {machine['date']}, "
            f"{machine['quiet']}."
        )
        return f"{self.short()}\n\n{line}"

    def text(self):
        machine, parts = self.machine, []
        parts.append(
            "# Results\n\nWritten by `benches/compare/run`; [README.md](README.md) says what is compared and how."
        )
        parts.append(self.quotation())
        facts = [f"{name}: {machine[name]}" for name in ("command", "machine", "memory", "system", "load")]
        parts.append("\n".join(f"- {fact}" for fact in [*facts, self.agreed()]))
        parts.append(
            "Lower is better. The clock runs from before the file is opened until the answer is added up. "
            f"A run is ended after {LIMIT_S} s or above {LIMIT_MIB // 1024} GiB. Batch engines compute the answer "
            "once, and would compute it all again for the next row; continuous ones keep it up to date."
        )
        parts.append(self.engines())
        parts.append("\n".join(f"- **{name}**: {WORKLOADS[name]}." for name in WORKLOADS))
        if self.remarks():
            parts.append("What an engine does not bring by itself:\n\n" + self.remarks())
        if self.campaign.others():
            parts.append("## Other answers\n\n" + self.others())
        parts.append("## Where others are faster\n\n" + self.faster())
        for size in self.sizes:
            parts.append(f"## {size.name.capitalize()}: {size.said()}\n\n{self.whole(size)}")
        if SMALL in self.sizes and LARGE in self.sizes:
            text = "From the small to the large size: start-up is in both, and cancels."
            parts.append(f"## A million payments more\n\n{text}\n\n{self.further()}")
        return "\n\n".join(parts) + "\n"


def write(report, here, root):
    """RESULTS.md, and the README's quotation of it."""
    with open(os.path.join(here, "RESULTS.md"), "w") as file:
        file.write(report.text())
    readme = os.path.join(root, "README.md")
    with open(readme) as file:
        text = file.read()
    quoted = f"{BEGIN}\n{report.quotation()}\n{END}"
    with open(readme, "w") as file:
        file.write(re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: quoted, text, flags=re.DOTALL))
