"""The workloads in Pathway, in its static mode: the Parquet files, read through pandas, as one batch.

Its own readers of Parquet, those of Delta and Iceberg, want a licence key. A column must not be called `id`.

Pathway has no window that ends at each row of a key: a rolling window is a join of the payments with themselves, over
all pairs within the width, and a group-by over the pairs.
"""

import importlib.metadata
import math
import os

from timed import GAP_MS, HOUR_MS, WINDOWS, Arguments, Clock

arguments = Arguments()
# Read when Pathway is imported.
os.environ["PATHWAY_THREADS"] = str(arguments.threads)

import pandas  # noqa: E402
import pathway as pw  # noqa: E402

reduce = pw.reducers


def read(name, *columns):
    frame = pandas.read_parquet(arguments.parquet(name), columns=list(columns))
    return pw.debug.table_from_pandas(frame.rename(columns={"id": "number"}))


def pairs(payments, key, width_ms):
    """Each payment with all of the same key in the window that it ends."""
    others = payments.copy()
    window = pw.temporal.interval(-width_ms, 0)
    return payments.interval_join(
        others, payments.at_ms, others.at_ms, window, getattr(payments, key) == getattr(others, key)
    ).select(number=payments.number, amount=others.amount)


def weighed(table, weight, **columns):
    """The sum of every column, each row by its weight."""
    return table.reduce(**{name: reduce.sum(column * weight) for name, column in columns.items()})


def sums(amount):
    """What is reduced of the amounts of a window."""
    return {
        "n": reduce.count(),
        "total": reduce.sum(amount),
        "squares": reduce.sum(amount * amount),
        "low": reduce.min(amount),
        "high": reduce.max(amount),
    }


def moments(name, windows):
    """The moments of the windows of this name, from their sums."""
    # The sum of the squared deviations, which the rounding of two large sums may leave below zero.
    deviations = windows.squares - windows.total * windows.total / windows.n
    several = (windows.n > 1) & (deviations > 0.0)
    variance = pw.if_else(several, deviations, 0.0) / pw.if_else(several, windows.n - 1, 1)
    found = {
        "count": windows.n,
        "sum": windows.total,
        "mean": windows.total / windows.n,
        "stddev": variance**0.5,
        "min": windows.low,
        "max": windows.high,
    }
    return {f"{moment}_{name}": column for moment, column in found.items()}


def rolling():
    payments = read("payments", "id", "at_ms", "user", "amount")
    digests = [payments.reduce(rows=reduce.count())]
    for name, width_ms in WINDOWS.items():
        joined = pairs(payments, "user", width_ms)
        windows = joined.groupby(joined.number).reduce(joined.number, **sums(joined.amount))
        digests.append(weighed(windows, windows.number % 97 + 1, **moments(name, windows)))
    return digests


# A join and a group-by are kept up to date: in its streaming mode these same rows would be repaired.
corrections = rolling


def upsert():
    payments = read("payments", "at_ms", "user", "amount")
    newest = payments.groupby(payments.user).reduce(payments.user, as_of=reduce.max(payments.at_ms))
    aged = payments.join(newest, payments.user == newest.user).select(
        payments.user, payments.amount, age=newest.as_of - payments.at_ms
    )
    digests = [newest.reduce(rows=reduce.count())]
    for name, width_ms in WINDOWS.items():
        inside = aged.filter(aged.age <= width_ms)
        windows = inside.groupby(inside.user).reduce(inside.user, **sums(inside.amount))
        digests.append(weighed(windows, windows.user % 97 + 1, **moments(name, windows)))
    return digests


def components():
    links = read("links", "a", "b", "change")
    kept = links.groupby(links.a, links.b).reduce(links.a, links.b, n=reduce.sum(links.change))
    kept = kept.filter(kept.n > 0)
    ways = kept.select(kept.a, kept.b).concat_reindex(kept.select(a=kept.b, b=kept.a))
    nodes = ways.groupby(ways.a).reduce(node=ways.a, label=ways.a)
    # A node is its own neighbour: so the least label near it is never above its own.
    ways = ways.concat_reindex(nodes.select(a=nodes.node, b=nodes.node))

    def step(labels, ways):
        near = ways.join(labels, ways.b == labels.node).select(ways.a, labels.label)
        least = near.groupby(near.a).reduce(node=near.a, label=reduce.min(near.label))
        return {"labels": least.with_universe_of(labels)}

    labels = pw.iterate(step, labels=nodes, ways=ways).labels
    return [labels.reduce(rows=reduce.count()), weighed(labels, labels.node % 97 + 1, label=labels.label)]


def counted(window, unit_ms):
    """Count and sum per user and window, whose starts are counted in so many milliseconds."""
    payments = read("payments", "at_ms", "user", "amount")
    windows = payments.windowby(payments.at_ms, window=window, instance=payments.user).reduce(
        user=pw.this._pw_instance,
        start=pw.this._pw_window_start // unit_ms,
        n=reduce.count(),
        total=reduce.sum(pw.this.amount),
    )
    weight = (windows.user + windows.start) % 97 + 1
    return [windows.reduce(rows=reduce.count()), weighed(windows, weight, count=windows.n, sum=windows.total)]


def tumbling():
    return counted(pw.temporal.tumbling(300_000), 300_000)


def hopping():
    return counted(pw.temporal.sliding(hop=HOUR_MS, duration=6 * HOUR_MS), HOUR_MS)


def session():
    payments = read("payments", "at_ms", "user", "amount")
    # Rows are of one session where less than the gap lies between them.
    window = pw.temporal.session(max_gap=GAP_MS + 1)
    windows = payments.windowby(payments.at_ms, window=window, instance=payments.user).reduce(
        user=pw.this._pw_instance,
        first=reduce.min(pw.this.at_ms),
        last=reduce.max(pw.this.at_ms),
        n=reduce.count(),
        total=reduce.sum(pw.this.amount),
    )
    weight, span = (windows.user + windows.first) % 97 + 1, windows.last - windows.first
    return [
        windows.reduce(rows=reduce.count()),
        weighed(windows, weight, count=windows.n, span=span, sum=windows.total),
    ]


def point_in_time():
    payments = read("payments", "at_ms", "user", "amount")
    labels = read("labels", "id", "at_ms", "user")
    # The widest window holds the others.
    window = pw.temporal.interval(-max(WINDOWS.values()), 0)
    joined = labels.interval_join(payments, labels.at_ms, payments.at_ms, window, labels.user == payments.user).select(
        labels.number, payments.amount, age=labels.at_ms - payments.at_ms
    )
    columns = {}
    for name, width_ms in WINDOWS.items():
        inside = joined.age <= width_ms
        columns[f"count_{name}"] = reduce.sum(pw.cast(int, inside))
        columns[f"sum_{name}"] = reduce.sum(pw.if_else(inside, joined.amount, 0.0))
    told = joined.groupby(joined.number).reduce(joined.number, **columns)
    # A label whose user has not paid owes nothing, and has no row there.
    return [
        labels.reduce(rows=reduce.count()),
        weighed(told, told.number % 97 + 1, **{name: told[name] for name in columns}),
    ]


def lookup():
    payments, users = read("payments", "id", "user"), read("users", "user", "bound", "risk")
    joined = payments.join(users, payments.user == users.user).select(payments.number, users.bound, users.risk)
    weight = joined.number % 97 + 1
    return [joined.reduce(rows=reduce.count()), weighed(joined, weight, bound=joined.bound, risk=joined.risk)]


def asof():
    payments = read("payments", "id", "at_ms", "user", "amount")
    labels = read("labels", "id", "at_ms", "user")
    joined = labels.asof_join(
        payments, labels.at_ms, payments.at_ms, labels.user == payments.user, how=pw.JoinMode.LEFT
    ).select(weight=labels.number % 97 + 1, found=payments.number, amount=payments.amount)
    matched = joined.filter(joined.found.is_not_none())
    found, amount = pw.unwrap(matched.found), pw.unwrap(matched.amount)
    return [
        joined.reduce(rows=reduce.count()),
        matched.reduce(matched=reduce.count()),
        weighed(matched, matched.weight, found=found, amount=amount),
    ]


def drift():
    edges, counts = arguments.baseline()
    bounds = list(zip([-math.inf, *edges], [*edges, math.inf]))
    shares = [count / sum(counts) for count in counts]

    def psi(*tallies):
        rows = sum(tallies)
        found = [tally / rows for tally in tallies]
        return sum((a - e) * math.log((a + 1e-4) / (e + 1e-4)) for a, e in zip(found, shares))

    payments = read("payments", "at_ms", "country", "amount")
    rows = payments.select(
        payments.country,
        hour=payments.at_ms // HOUR_MS,
        **{
            f"c{bin}": pw.cast(int, (payments.amount >= low) & (payments.amount < high))
            for bin, (low, high) in enumerate(bounds)
        },
    )
    tallies = {f"c{bin}": reduce.sum(rows[f"c{bin}"]) for bin in range(10)}
    windows = rows.groupby(rows.hour, rows.country).reduce(rows.hour, rows.country, n=reduce.count(), **tallies)
    judged = windows.select(
        windows.n,
        weight=(windows.hour + windows.country) % 97 + 1,
        psi=pw.apply_with_type(psi, float, *[windows[f"c{bin}"] for bin in range(10)]),
    )
    return [judged.reduce(rows=reduce.count()), weighed(judged, judged.weight, count=judged.n, psi=judged.psi)]


def dimension():
    payments = read("payments", "id", "at_ms", "merchant", "amount")
    merchants = read("merchants", "merchant", "from_ms", "risk")
    risks = payments.asof_join(
        merchants, payments.at_ms, merchants.from_ms, payments.merchant == merchants.merchant, how=pw.JoinMode.LEFT
    ).select(number=payments.number, risk=pw.unwrap(merchants.risk))
    joined = pairs(payments, "merchant", 86_400_000)
    day = joined.groupby(joined.number).reduce(joined.number, mean=reduce.avg(joined.amount))
    both = risks.join(day, risks.number == day.number).select(risks.number, risks.risk, day.mean)
    return [both.reduce(rows=reduce.count()), weighed(both, both.number % 97 + 1, risk=both.risk, mean=both.mean)]


def main():
    graph = arguments.chosen(globals())
    digest = {}

    def note(key, row, time, is_addition):
        if is_addition:
            digest.update(row)

    # The files are read when the graph is described.
    clock = Clock()
    for table in graph():
        pw.io.subscribe(table, on_change=note)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    clock.stop(digest, importlib.metadata.version("pathway"))


if __name__ == "__main__":
    main()
