"""The workloads in Bytewax: its own windows, and a stateful operator in Python where it has none.

It has no rolling window per row and no join as of a time. `InOrder` is what one would write: it keeps a key's rows
until the key's newest row is an hour ahead, and hands them on in the order of their time.

One worker in one process: the operators are Python, and worker threads would share one interpreter lock.
"""

import importlib.metadata
import math
from bisect import bisect_right
from collections import defaultdict, deque
from datetime import datetime, timedelta, timezone
from heapq import heappop, heappush

import bytewax.operators as op
import bytewax.operators.windowing as windowing
import numpy
import pyarrow.parquet
from bytewax.dataflow import Dataflow
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main
from timed import DAY_MS, GAP_MS, HOUR_MS, WINDOWS, Arguments, Clock

arguments = Arguments()
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
BATCH_ROWS = 4_096


class Rows(DynamicSource, StatelessSourcePartition):
    """Some batches of rows, read by the one worker."""

    def __init__(self, batches):
        self.batches = batches

    def build(self, step_id, worker_index, worker_count):
        return self

    def next_batch(self):
        # The end of the batches is told by the same exception that Bytewax waits for.
        return next(self.batches)


class AddUp(DynamicSink, StatelessSinkPartition):
    """Adds up columns, each row by its weight, which is the first column."""

    def __init__(self, whole, real):
        self.names, self.whole = [*whole, *real], len(whole)
        self.rows, self.sums = 0, numpy.zeros(len(self.names))

    def build(self, step_id, worker_index, worker_count):
        return self

    def write_batch(self, items):
        weight, *columns = zip(*items)
        self.rows += len(items)
        self.sums += numpy.array(columns, dtype=float) @ numpy.array(weight, dtype=float)

    def digest(self):
        # Whole numbers stay below 2^53, so that a float counts them exactly.
        sums = [int(sum) if place < self.whole else float(sum) for place, sum in enumerate(self.sums)]
        return {"rows": self.rows, **dict(zip(self.names, sums))}


def read(name, *columns):
    """The batches of a file, each as tuples of these columns."""
    file = pyarrow.parquet.ParquetFile(arguments.parquet(name))
    for batch in file.iter_batches(BATCH_ROWS, columns=list(columns)):
        yield list(zip(*(batch.column(column).to_pylist() for column in columns)))


class InOrder(StatefulBatchLogic):
    """A key's rows, which begin with their time, handed to `step` in the order of their time."""

    def __init__(self, step):
        self.step, self.waiting, self.newest = step, [], -math.inf

    def on_batch(self, values):
        for value in values:
            heappush(self.waiting, value)
            self.newest = max(self.newest, value[0])
        return self.until(self.newest - HOUR_MS), StatefulBatchLogic.RETAIN

    def on_eof(self):
        return self.until(math.inf), StatefulBatchLogic.RETAIN

    def until(self, at_ms):
        found = []
        while self.waiting and self.waiting[0][0] <= at_ms:
            row = self.step(heappop(self.waiting))
            if row is not None:
                found.append(row)
        return found

    def snapshot(self):
        # Asked for even where nothing will be recovered: no state is written, which spares Bytewax the work.
        return None


class Trailing:
    """Count and sum of the rows in the last so many milliseconds, in cents, which Python adds exactly."""

    def __init__(self, width_ms):
        self.width_ms, self.rows, self.sum = width_ms, deque(), 0

    def add(self, at_ms, cents):
        self.rows.append((at_ms, cents))
        self.sum += cents
        self.until(at_ms)

    def until(self, at_ms):
        while self.rows and self.rows[0][0] < at_ms - self.width_ms:
            self.sum -= self.rows.popleft()[1]


class Rolling:
    """The moments of the rows in the last so many milliseconds, in cents, which Python adds exactly."""

    def __init__(self, width_ms):
        self.width_ms = width_ms
        self.rows, self.lowest, self.highest = deque(), deque(), deque()
        self.sum = self.squares = 0

    def add(self, at_ms, cents):
        row, from_ms = (at_ms, cents), at_ms - self.width_ms
        rows, lowest, highest = self.rows, self.lowest, self.highest
        rows.append(row)
        self.sum += cents
        self.squares += cents * cents
        while rows[0][0] < from_ms:
            gone = rows.popleft()[1]
            self.sum -= gone
            self.squares -= gone * gone
        while lowest and lowest[-1][1] >= cents:
            lowest.pop()
        lowest.append(row)
        while lowest[0][0] < from_ms:
            lowest.popleft()
        while highest and highest[-1][1] <= cents:
            highest.pop()
        highest.append(row)
        while highest[0][0] < from_ms:
            highest.popleft()

    def moments(self):
        n = len(self.rows)
        stddev = math.sqrt((n * self.squares - self.sum * self.sum) / (n * (n - 1))) if n > 1 else 0.0
        return self.sum / 100, self.sum / n / 100, stddev / 100, self.lowest[0][1] / 100, self.highest[0][1] / 100


def windows_of_user():
    windows = [Rolling(width_ms) for width_ms in WINDOWS.values()]

    def step(row):
        at_ms, id, amount = row
        cents = round(amount * 100)
        for window in windows:
            window.add(at_ms, cents)
        counts = [len(window.rows) for window in windows]
        return (id % 97 + 1, *counts, *(number for window in windows for number in window.moments()))

    return InOrder(step)


def rolling(flow):
    batches = read("payments", "user", "at_ms", "id", "amount")
    rows = op.input("payments", flow, Rows([(str(user), tuple(row)) for user, *row in batch] for batch in batches))
    found = op.stateful_batch("windows", rows, lambda _: windows_of_user())
    moments = [f"{moment}_{name}" for name in WINDOWS for moment in ("sum", "mean", "stddev", "min", "max")]
    return op.map("row", found, lambda found: found[1]), AddUp([f"count_{name}" for name in WINDOWS], moments)


def fold(rows, windower, zero, add, merge=lambda a, b: [x + y for x, y in zip(a, b)]):
    """Bytewax's own windows of a key; it waits for two hours, since it counts the seconds that pass as event time."""
    clock = windowing.EventClock(
        ts_getter=lambda row: EPOCH + timedelta(milliseconds=row[0]), wait_for_system_duration=timedelta(hours=2)
    )
    return windowing.fold_window("windows", rows, clock, windower, zero, add, merge).down


def tumbling_of(width):
    return windowing.TumblingWindower(length=width, align_to=EPOCH)


def spent(flow):
    """The payments by user, as time and amount."""
    batches = read("payments", "user", "at_ms", "amount")
    rows = Rows([(str(user), (at, amount)) for user, at, amount in batch] for batch in batches)
    return op.input("payments", flow, rows)


def tumbling(flow):
    return counted(flow, tumbling_of(timedelta(minutes=5)))


def hopping(flow):
    hour = timedelta(hours=1)
    return counted(flow, windowing.SlidingWindower(length=6 * hour, offset=hour, align_to=EPOCH))


def counted(flow, windower):
    """Count and sum per user and window."""
    windows = fold(spent(flow), windower, lambda: (0, 0.0), lambda sums, row: (sums[0] + 1, sums[1] + row[1]))

    def row(found):
        user, (start, (count, sum)) = found
        return ((int(user) + start) % 97 + 1, count, sum)

    return op.map("row", windows, row), AddUp(["count"], ["sum"])


def session(flow):
    def merge(a, b):
        return (a[0] + b[0], a[1] + b[1], min(a[2], b[2]), max(a[3], b[3]))

    def add(session, row):
        (count, sum, first, last), (at_ms, amount) = session, row
        return (count + 1, sum + amount, at_ms if at_ms < first else first, at_ms if at_ms > last else last)

    windower = windowing.SessionWindower(gap=timedelta(milliseconds=GAP_MS))
    windows = fold(spent(flow), windower, lambda: (0, 0.0, math.inf, -math.inf), add, merge)

    def row(found):
        user, (_, (count, sum, first, last)) = found
        return ((int(user) + first) % 97 + 1, count, last - first, sum)

    return op.map("row", windows, row), AddUp(["count", "span"], ["sum"])


def payments_and_labels():
    """Both files as one stream: a label comes with the first payment that is newer."""
    labels = (label for batch in read("labels", "user", "at_ms", "id") for label in batch)
    label = next(labels, None)
    newest = -math.inf
    for batch in read("payments", "user", "at_ms", "id", "amount"):
        rows = []
        for user, at_ms, id, amount in batch:
            newest = max(newest, at_ms)
            while label and label[1] < newest:
                rows.append((str(label[0]), (label[1], True, label[2], 0.0)))
                label = next(labels, None)
            rows.append((str(user), (at_ms, False, id, amount)))
        yield rows
    yield [(str(user), (at_ms, True, id, 0.0)) for user, at_ms, id in ([label] if label else []) + list(labels)]


def newest_of_user():
    newest = None

    def step(row):
        nonlocal newest
        _, is_label, id, amount = row
        if not is_label:
            newest = (id, amount)
            return None
        weight = id % 97 + 1
        return (1, 1, newest[0] * weight, newest[1] * weight) if newest else (1, 0, 0, 0)

    return InOrder(step)


def asof(flow):
    rows = op.input("both", flow, Rows(payments_and_labels()))
    found = op.stateful_batch("newest", rows, lambda _: newest_of_user())
    return op.map("row", found, lambda found: found[1]), AddUp(["matched", "found"], ["amount"])


def told_of_user():
    windows = [Trailing(width_ms) for width_ms in WINDOWS.values()]

    def step(row):
        at_ms, is_label, id, amount = row
        if not is_label:
            cents = round(amount * 100)
            for window in windows:
                window.add(at_ms, cents)
            return None
        for window in windows:
            window.until(at_ms)
        counts = [len(window.rows) for window in windows]
        return (id % 97 + 1, *counts, *(window.sum / 100 for window in windows))

    return InOrder(step)


def point_in_time(flow):
    rows = op.input("both", flow, Rows(payments_and_labels()))
    found = op.stateful_batch("windows", rows, lambda _: told_of_user())
    names = [[f"{moment}_{name}" for name in WINDOWS] for moment in ("count", "sum")]
    return op.map("row", found, lambda found: found[1]), AddUp(*names)


def lookup(flow):
    users = {user: known for batch in read("users", "user", "bound", "risk") for user, *known in batch}
    rows = op.input("payments", flow, Rows(read("payments", "id", "user")))
    return op.map("user", rows, lambda row: (row[0] % 97 + 1, *users[row[1]])), AddUp(["bound"], ["risk"])


def drift(flow):
    edges, counts = arguments.baseline()
    shares = [count / sum(counts) for count in counts]
    batches = read("payments", "country", "at_ms", "amount")
    rows = op.input(
        "payments", flow, Rows([(str(key), (at, amount)) for key, at, amount in batch] for batch in batches)
    )

    def add(tallies, row):
        tallies[bisect_right(edges, row[1])] += 1
        return tallies

    def judge(found):
        country, (hour, tallies) = found
        n = sum(tallies)
        parts = ((tally / n, share) for tally, share in zip(tallies, shares))
        psi = sum((a - e) * math.log((a + 1e-4) / (e + 1e-4)) for a, e in parts)
        return ((hour + int(country)) % 97 + 1, n, psi)

    windows = fold(rows, tumbling_of(timedelta(hours=1)), lambda: [0] * 10, add)
    return op.map("judge", windows, judge), AddUp(["count"], ["psi"])


def mean_of_merchant():
    window = deque()
    total = 0

    def step(row):
        nonlocal total
        at_ms, id, amount, risk = row
        cents = round(amount * 100)
        window.append((at_ms, cents))
        total += cents
        while window[0][0] < at_ms - DAY_MS:
            total -= window.popleft()[1]
        return (id % 97 + 1, risk, total / len(window) / 100)

    return InOrder(step)


def dimension(flow):
    history = defaultdict(lambda: ([], []))
    for batch in read("merchants", "merchant", "from_ms", "risk"):
        for merchant, from_ms, risk in batch:
            history[merchant][0].append(from_ms)
            history[merchant][1].append(risk)

    def look_up(row):
        merchant, at_ms, id, amount = row
        began, risks = history[merchant]
        return str(merchant), (at_ms, id, amount, risks[bisect_right(began, at_ms) - 1])

    rows = op.input("payments", flow, Rows(read("payments", "merchant", "at_ms", "id", "amount")))
    found = op.stateful_batch("24 h", op.map("risk", rows, look_up), lambda _: mean_of_merchant())
    return op.map("row", found, lambda found: found[1]), AddUp([], ["risk", "mean"])


def main():
    describe = arguments.chosen(globals())
    flow = Dataflow("compare")
    clock = Clock()
    rows, sink = describe(flow)
    op.output("digest", rows, sink)
    run_main(flow)
    clock.stop(sink.digest(), importlib.metadata.version("bytewax"))


if __name__ == "__main__":
    main()
