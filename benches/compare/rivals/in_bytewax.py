"""The workloads in Bytewax: its own windows, and a stateful operator in Python where it has none (`bytewax_states.py`).

One worker in one process: the operators are Python, and worker threads would share one interpreter lock.
"""

import importlib.metadata
import math
from bisect import bisect_right
from collections import defaultdict
from datetime import datetime, timedelta, timezone

import bytewax.operators as op
import bytewax.operators.windowing as windowing
from bytewax.dataflow import Dataflow
from bytewax.testing import run_main
from bytewax_ends import AddUp, Replaced, Rows
from bytewax_ends import read as read_file
from bytewax_states import Linked, Repaired, mean_of_merchant, newest_of_user, told_of_user, windows_of_user
from timed import GAP_MS, WINDOWS, Arguments, Clock

arguments = Arguments()
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
COUNTS = [f"count_{name}" for name in WINDOWS]
MOMENTS = [f"{moment}_{name}" for name in WINDOWS for moment in ("sum", "mean", "stddev", "min", "max")]


def read(name, *columns):
    """The batches of an input, each as tuples of these columns."""
    return read_file(arguments.parquet(name), *columns)


def of_users(flow, windows_of_user):
    """The rows of a stateful operator over each user's payments."""
    batches = read("payments", "user", "at_ms", "id", "amount")
    rows = op.input("payments", flow, Rows([(str(user), tuple(row)) for user, *row in batch] for batch in batches))
    return op.stateful_batch("windows", rows, windows_of_user)


def rolling(flow):
    found = of_users(flow, lambda _: windows_of_user())
    return op.map("row", found, lambda found: found[1]), AddUp(COUNTS, MOMENTS)


def corrections(flow):
    found = of_users(flow, lambda _: Repaired())
    return op.map("row", found, lambda found: found[1]), AddUp(COUNTS, MOMENTS)


def upsert(flow):
    return of_users(flow, lambda _: windows_of_user()), Replaced(COUNTS, MOMENTS)


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


def asof(flow):
    rows = op.input("both", flow, Rows(payments_and_labels()))
    found = op.stateful_batch("newest", rows, lambda _: newest_of_user())
    return op.map("row", found, lambda found: found[1]), AddUp(["matched", "found"], ["amount"])


def point_in_time(flow):
    rows = op.input("both", flow, Rows(payments_and_labels()))
    found = op.stateful_batch("windows", rows, lambda _: told_of_user())
    names = [[f"{moment}_{name}" for name in WINDOWS] for moment in ("count", "sum")]
    return op.map("row", found, lambda found: found[1]), AddUp(*names)


def lookup(flow):
    users = {user: known for batch in read("users", "user", "bound", "risk") for user, *known in batch}
    rows = op.input("payments", flow, Rows(read("payments", "id", "user")))
    return op.map("user", rows, lambda row: (row[0] % 97 + 1, *users[row[1]])), AddUp(["bound"], ["risk"])


def components(flow):
    # One key: who hangs together with whom may depend on every link.
    rows = op.input("links", flow, Rows([("", row) for row in batch] for batch in read("links", "a", "b", "change")))
    found = op.stateful_batch("components", rows, lambda _: Linked())
    return op.map("row", found, lambda found: found[1]), AddUp(["label"], [])


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
