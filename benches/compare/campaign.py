"""All runs, in their order: of each workload every engine in turn, then every engine again.

    size ─ workload ─ run 1: Thalweg, DuckDB, …  run 2: Thalweg, DuckDB, …  ─▶ Cell per size, workload and engine

So a disturbance of the machine meets all of them. Every answer is compared with DuckDB's, in which no streaming engine
has a part; where DuckDB has none, with that of the next engine that has one and is not ours.
"""

import os
import statistics
from dataclasses import dataclass, field

import install
import measure
from agree import differences
from settings import HERE, LARGE, LEAST, LIMIT_S, SMALL, THALWEG, TINY

REFERENCE = "DuckDB"
LACKS = "has none"
BEFORE = {TINY: LEAST, SMALL: TINY, LARGE: SMALL}
# Of a size that is not for all, the name of what an engine says is.
FOR = {LEAST: "slowest", TINY: "slow"}


@dataclass
class Cell:
    """What an engine's runs of a workload at a size came to."""

    runs: list = field(default_factory=list)
    # Why there is no time: not tried, ended, failed, or another answer.
    why: str = ""
    # What differs from the reference: (name, found, expected).
    other: list = field(default_factory=list)

    def median(self, what):
        return statistics.median(getattr(run, what) for run in self.runs)

    def shown(self):
        return bool(self.runs) and not self.why


class Campaign:
    """Runs programs and keeps what they came to, by (size, workload, engine name)."""

    def __init__(self, engines, missing, thalweg, threads, runs):
        self.engines, self.missing, self.thalweg = engines, missing, thalweg
        self.threads, self.runs = threads, runs
        self.cells = {}

    def size(self, size, workloads):
        folder = install.data(size)
        warm(folder)
        for workload in workloads:
            engines = [engine for engine in self.engines if self.wanted(engine, size, workload)]
            if engines:
                self.workload(size, folder, workload, engines)

    def wanted(self, engine, size, workload):
        """Whether an engine is run; small sizes are for the slow, and those that every table has."""
        if size not in FOR:
            return True
        slow = [other.name for other in self.engines if workload in getattr(other, FOR[size])]
        return bool(slow) and engine.name in (THALWEG, REFERENCE, *slow)

    def workload(self, size, folder, workload, engines):
        cells = {engine.name: Cell(why=self.not_tried(engine, size, workload)) for engine in engines}
        self.cells.update({(size, workload, name): cell for name, cell in cells.items()})
        for number in range(self.runs):
            for engine in engines:
                cell = cells[engine.name]
                if cell.why:
                    continue
                run = measure.run(self.command(engine, folder, workload), LIMIT_S)
                cell.why = run.why
                if not run.why:
                    cell.runs.append(run)
                print(f"{size.name} {workload} {number + 1}/{self.runs} {engine.name}: {run.why or 'ran'}", flush=True)
        self.compare(cells)
        # No time is shown before the answers were compared.
        times = [f"{name} {cell.median('seconds'):.3f} s" for name, cell in cells.items() if cell.shown()]
        print(f"{size.name} {workload}: {', '.join(times) or 'no answer'}", flush=True)

    def command(self, engine, folder, workload):
        program = [self.thalweg] if engine.name == THALWEG else None
        program = program or [install.python_of(engine), "-B", os.path.join(HERE, "rivals", engine.program)]
        return [*program, folder, workload, str(self.threads)]

    def not_tried(self, engine, size, workload):
        """Why an engine is not run at all, judged by what it took for a tenth of the rows."""
        if engine.name in self.missing:
            return "not installed"
        if workload in engine.lacks:
            return LACKS
        before = self.cells.get((BEFORE.get(size), workload, engine.name))
        if before is None or before.other:
            return ""
        if before.why.startswith("not tried"):
            return before.why.replace("a hundredth", "a thousandth").replace("a tenth", "a hundredth")
        if before.why:
            return f"not tried: {before.why} for a tenth of the rows"
        median_s = before.median("seconds")
        if 10 * (median_s - engine.starts_s) + engine.starts_s > LIMIT_S:
            return f"not tried: {median_s:.0f} s for a tenth of the rows"
        return ""

    def compare(self, cells):
        """Marks every engine of which any run has come to another answer than the reference."""
        shown = [name for name, cell in cells.items() if cell.shown()]
        reference = next((name for name in [REFERENCE, *shown] if name in shown and name != THALWEG), None)
        if reference is None:
            return
        expected = cells[reference].runs[0].digest
        for cell in cells.values():
            found = [difference for run in cell.runs for difference in differences(run.digest, expected)]
            if found:
                cell.why, cell.other = "other answer", found
                print(f"  other answer than {reference}: {found[0]}", flush=True)

    def others(self):
        """All cells with another answer."""
        return {place: cell for place, cell in self.cells.items() if cell.other}


def warm(folder):
    """Reads the input once, so that every program finds it in memory."""
    for place, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(place, name), "rb") as file:
                while file.read(1 << 20):
                    pass
