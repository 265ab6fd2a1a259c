"""The workloads in DuckDB: one SQL statement each, over the Parquet files, computed once and whole."""

import duckdb
from timed import GAP_MS, HOUR_MS, WINDOWS, Arguments, Clock

arguments = Arguments()
NAMES = ("payments", "labels", "merchants", "users", "links")
PAYMENTS, LABELS, MERCHANTS, USERS, LINKS = (f"'{arguments.parquet(name)}'" for name in NAMES)


MOMENTS = ("count", "sum", "mean", "stddev", "min", "max")


def moments(name, over):
    """The moments of the windows of this name, over the rows that are in them."""
    return [
        f"count(*) {over} AS count_{name}",
        f"sum(amount) {over} AS sum_{name}",
        f"avg(amount) {over} AS mean_{name}",
        f"coalesce(stddev_samp(amount) {over}, 0) AS stddev_{name}",
        f"min(amount) {over} AS min_{name}",
        f"max(amount) {over} AS max_{name}",
    ]


def added_up():
    """The number of rows, and the sums of all moments, each row by its weight."""
    return ["count(*) AS rows", *(f"sum({m}_{name} * w) AS {m}_{name}" for name in WINDOWS for m in MOMENTS)]


def rolling():
    found, windows = [], []
    for name, width_ms in WINDOWS.items():
        found += moments(name, f"OVER w_{name}")
        windows.append(
            f"w_{name} AS (PARTITION BY user ORDER BY at_ms RANGE BETWEEN {width_ms} PRECEDING AND CURRENT ROW)"
        )
    return f"""
        SELECT {", ".join(added_up())}
        FROM (SELECT id % 97 + 1 AS w, {", ".join(found)} FROM {PAYMENTS} WINDOW {", ".join(windows)})"""


# What is computed once has nothing to repair.
corrections = rolling


def upsert():
    found = []
    for name, width_ms in WINDOWS.items():
        found += moments(name, f"FILTER (at_ms >= as_of - {width_ms})")
    return f"""
        WITH newest AS (SELECT user, max(at_ms) AS as_of FROM {PAYMENTS} GROUP BY user)
        SELECT {", ".join(added_up())}
        FROM (SELECT user % 97 + 1 AS w, {", ".join(found)}
              FROM {PAYMENTS} JOIN newest USING (user) WHERE at_ms >= as_of - {max(WINDOWS.values())} GROUP BY user)"""


def components():
    # A node takes the least label of its neighbours until none has a lesser one; only changed ones are looked at again.
    return f"""
        WITH RECURSIVE
            edges AS (SELECT a, b FROM {LINKS} GROUP BY a, b HAVING sum(change) > 0),
            ways AS MATERIALIZED (SELECT a, b FROM edges UNION ALL SELECT b, a FROM edges),
            labels(node, label) USING KEY (node, min(label)) AS (
                SELECT a, least(a, min(b)) FROM ways GROUP BY a
                UNION
                SELECT ways.b, labels.label FROM labels JOIN ways ON ways.a = labels.node)
        SELECT count(*) AS rows, sum(label * (node % 97 + 1))::BIGINT AS label FROM labels"""


def tumbling():
    return f"""
        SELECT count(*) AS rows, sum(n * ((user + start) % 97 + 1)) AS count, sum(s * ((user + start) % 97 + 1)) AS sum
        FROM (SELECT user, at_ms // 300000 AS start, count(*) AS n, sum(amount) AS s FROM {PAYMENTS} GROUP BY ALL)"""


def hopping():
    # Hours first, of which each is a part of six windows.
    return f"""
        WITH hours AS (SELECT user, at_ms // {HOUR_MS} AS hour, count(*) AS n, sum(amount) AS s
                       FROM {PAYMENTS} GROUP BY ALL),
             windows AS (SELECT user, hour - back AS start, sum(n)::BIGINT AS n, sum(s) AS s
                         FROM hours, range(6) parts(back) GROUP BY ALL)
        SELECT count(*) AS rows, sum(n * ((user + start) % 97 + 1))::BIGINT AS count,
               sum(s * ((user + start) % 97 + 1)) AS sum
        FROM windows"""


def session():
    return f"""
        WITH marked AS (SELECT user, at_ms, amount, coalesce(at_ms - lag(at_ms) OVER w > {GAP_MS}, true) AS is_first
                        FROM {PAYMENTS} WINDOW w AS (PARTITION BY user ORDER BY at_ms)),
             numbered AS (SELECT user, at_ms, amount, count(*) FILTER (is_first) OVER w AS number
                          FROM marked WINDOW w AS (PARTITION BY user ORDER BY at_ms ROWS UNBOUNDED PRECEDING)),
             sessions AS (SELECT (user + min(at_ms)) % 97 + 1 AS w, count(*) AS n, sum(amount) AS s,
                                 max(at_ms) - min(at_ms) AS span
                          FROM numbered GROUP BY user, number)
        SELECT count(*) AS rows, sum(n * w)::BIGINT AS count, sum(span * w)::BIGINT AS span, sum(s * w) AS sum
        FROM sessions"""


def point_in_time():
    # Labels and payments side by side: a label has no amount, which counts for nothing.
    digest, moments, windows = ["count(*) AS rows"], [], []
    for name, width_ms in WINDOWS.items():
        moments += [
            f"count(amount) OVER w_{name} AS count_{name}",
            f"coalesce(sum(amount) OVER w_{name}, 0) AS sum_{name}",
        ]
        windows.append(
            f"w_{name} AS (PARTITION BY user ORDER BY at_ms RANGE BETWEEN {width_ms} PRECEDING AND CURRENT ROW)"
        )
        digest += [f"sum(count_{name} * w)::BIGINT AS count_{name}", f"sum(sum_{name} * w) AS sum_{name}"]
    return f"""
        WITH rows AS (SELECT user, at_ms, amount, NULL AS label FROM {PAYMENTS}
                      UNION ALL SELECT user, at_ms, NULL, id FROM {LABELS})
        SELECT {", ".join(digest)}
        FROM (SELECT label, label % 97 + 1 AS w, {", ".join(moments)} FROM rows WINDOW {", ".join(windows)})
        WHERE label IS NOT NULL"""


def lookup():
    return f"""
        SELECT count(*) AS rows, sum(u.bound * (p.id % 97 + 1))::BIGINT AS bound, sum(u.risk * (p.id % 97 + 1)) AS risk
        FROM {PAYMENTS} p JOIN {USERS} u ON p.user = u.user"""


def asof():
    return f"""
        SELECT count(*) AS rows, count(p.id) AS matched,
               sum(p.id * (l.id % 97 + 1)) AS found, sum(p.amount * (l.id % 97 + 1)) AS amount
        FROM {LABELS} l ASOF LEFT JOIN {PAYMENTS} p ON l.user = p.user AND l.at_ms >= p.at_ms"""


def drift():
    edges, counts = arguments.baseline()
    bins = " + ".join(f"(amount >= {edge!r})::INT" for edge in edges)
    tallies = ", ".join(f"count(*) FILTER (bin = {bin}) AS c{bin}" for bin in range(10))
    shares = [(f"(c{bin} / n)", f"{count / sum(counts)!r}") for bin, count in enumerate(counts)]
    psi = " + ".join(f"({a} - {e}) * ln(({a} + 1e-4) / ({e} + 1e-4))" for a, e in shares)
    return f"""
        SELECT count(*) AS rows, sum(n * w)::BIGINT AS count, sum(psi * w) AS psi FROM (
            SELECT n, (hour + country) % 97 + 1 AS w, {psi} AS psi FROM (
                SELECT at_ms // {HOUR_MS} AS hour, country, count(*) AS n, {tallies}
                FROM (SELECT at_ms, country, {bins} AS bin FROM {PAYMENTS}) GROUP BY hour, country))"""


def dimension():
    return f"""
        SELECT count(*) AS rows, sum(m.risk * w) AS risk, sum(p.mean * w) AS mean
        FROM (SELECT id % 97 + 1 AS w, merchant, at_ms, avg(amount) OVER
                (PARTITION BY merchant ORDER BY at_ms RANGE BETWEEN 86400000 PRECEDING AND CURRENT ROW) AS mean
              FROM {PAYMENTS}) p
        ASOF JOIN {MERCHANTS} m ON p.merchant = m.merchant AND p.at_ms >= m.from_ms"""


def main():
    statement = arguments.chosen(globals())()
    connection = duckdb.connect()
    connection.execute(f"SET threads = {arguments.threads}")
    connection.execute("SET enable_progress_bar = false")
    clock = Clock()
    found = connection.execute(statement)
    names = [column[0] for column in found.description]
    digest = dict(zip(names, found.fetchone()))
    clock.stop(
        {name: value if isinstance(value, int) else float(value) for name, value in digest.items()}, duckdb.__version__
    )


if __name__ == "__main__":
    main()
