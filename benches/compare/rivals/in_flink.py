"""The workloads in Apache Flink: streaming SQL over the Parquet files, watermark an hour behind the newest payment.

Flink begins its cluster when the statement is executed, and compiles its loops while it runs them: both are within the
clock, as they are for whoever runs one job. What is left of them at larger sizes is in the table of further events.
"""

import importlib.metadata

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment
from timed import WINDOWS, Arguments, Clock

arguments = Arguments()
MOMENTS = ("count", "sum", "mean", "stddev", "min", "max")
INTERVALS = {"1h": "INTERVAL '1' HOUR", "24h": "INTERVAL '24' HOUR", "7d": "INTERVAL '7' DAY"}
assert INTERVALS.keys() == WINDOWS.keys()

SETTINGS = {
    "parallelism.default": arguments.threads,
    "taskmanager.numberOfTaskSlots": arguments.threads,
    # Without these every row is copied between operators, and every row updates the sums at the end.
    "pipeline.object-reuse": "true",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "1 h",
    "table.exec.mini-batch.size": "50000",
    "table.local-time-zone": "UTC",
    "state.backend.type": "hashmap",
    "taskmanager.memory.process.size": "6g",
    "taskmanager.memory.managed.size": "64m",
}


def table(name, columns, at_ms, lateness):
    """A Parquet file as a stream with event time."""
    return f"""
        CREATE TABLE {name} ({columns}, moment AS TO_TIMESTAMP_LTZ({at_ms}, 3),
                             WATERMARK FOR moment AS moment - {lateness})
        WITH ('connector' = 'filesystem', 'format' = 'parquet', 'path' = 'file://{arguments.parquet(name)}')"""


HOUR, NONE = "INTERVAL '1' HOUR", "INTERVAL '0' SECOND"
PAYMENTS = "id BIGINT, at_ms BIGINT, `user` BIGINT, merchant BIGINT, country BIGINT, amount DOUBLE"


def versioned(name, columns, at_ms, lateness, key):
    """A stream as a table that knows, of each key, which row was the newest as of any moment.

    The usual view, the first by ROW_NUMBER of each key, leaves out what arrives after a newer row: a primary key
    does not.
    """
    return table(name, f"{columns}, PRIMARY KEY (`{key}`) NOT ENFORCED", at_ms, lateness)


NAMES = [f"{moment}_{name}" for name in INTERVALS for moment in MOMENTS]


def moments(name, amount, over):
    """The moments of the windows of this name."""
    # The variance is the difference of two large sums and may come out below zero, of which STDDEV_SAMP would make NaN.
    found = {
        "count": f"COUNT({amount}) {over}",
        "sum": f"SUM({amount}) {over}",
        "mean": f"AVG({amount}) {over}",
        "stddev": f"SQRT(GREATEST(VAR_SAMP({amount}) {over}, 0E0))",
        "min": f"MIN({amount}) {over}",
        "max": f"MAX({amount}) {over}",
    }
    return ", ".join(f"{found[moment]} AS {moment}_{name}" for moment in MOMENTS)


def added_up(about):
    """The number of rows, and the sums of all moments, each row by its weight."""
    sums = (f"SUM(COALESCE({name}, 0) * ({about} % 97 + 1)) AS {name}" for name in NAMES)
    return ", ".join(["COUNT(*) AS `rows`", *sums])


def windows():
    """The payments, each with all of its windows."""
    # A SELECT may have one window: so they are nested, and what the inner ones found is carried through.
    rows, found = "payments", ""
    for name, interval in INTERVALS.items():
        rows = f"""(
            SELECT id, `user`, amount, moment{found}, {moments(name, "amount", "OVER w")} FROM {rows}
            WINDOW w AS (PARTITION BY `user` ORDER BY moment RANGE BETWEEN {interval} PRECEDING AND CURRENT ROW))"""
        found += "".join(f", {moment}_{name}" for moment in MOMENTS)
    return rows


def rolling():
    return [table("payments", PAYMENTS, "at_ms", HOUR)], f"SELECT {added_up('id')} FROM {windows()}"


def corrections():
    # A window per row waits for the watermark. A join within an interval does not, and what is grouped of it is
    # repaired by pairs that come late.
    found = [
        moments(name, "q.amount", f"FILTER (WHERE q.at_ms >= p.at_ms - {width_ms})")
        for name, width_ms in WINDOWS.items()
    ]
    return (
        [table("payments", PAYMENTS, "at_ms", HOUR)],
        f"""
        SELECT {added_up("id")} FROM (
            SELECT p.id, {", ".join(found)} FROM payments p, payments q
            WHERE p.`user` = q.`user` AND q.moment BETWEEN p.moment - {INTERVALS["7d"]} AND p.moment GROUP BY p.id)""",
    )


def upsert():
    # Of the windows per row the newest of each user.
    return (
        [table("payments", PAYMENTS, "at_ms", HOUR)],
        f"""
        SELECT {added_up("`user`")} FROM (
            SELECT *, ROW_NUMBER() OVER (PARTITION BY `user` ORDER BY moment DESC) AS place FROM {windows()})
        WHERE place = 1""",
    )


def tumbling():
    weight = "((`user` + start_ms / 300000) % 97 + 1)"
    return (
        [table("payments", PAYMENTS, "at_ms", HOUR)],
        f"""
        SELECT COUNT(*) AS `rows`, SUM(n * {weight}) AS `count`, SUM(s * {weight}) AS `sum` FROM (
            SELECT `user`, MIN(at_ms) / 300000 * 300000 AS start_ms, COUNT(*) AS n, SUM(amount) AS s
            FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(moment), INTERVAL '5' MINUTES))
            GROUP BY `user`, window_start, window_end)""",
    )


def hopping():
    start = "TIMESTAMPDIFF(HOUR, TIMESTAMP '1970-01-01 00:00:00', window_start)"
    weight = "((`user` + start_hour) % 97 + 1)"
    return (
        [table("payments", PAYMENTS, "at_ms", HOUR)],
        f"""
        SELECT COUNT(*) AS `rows`, SUM(n * {weight}) AS `count`, SUM(s * {weight}) AS `sum` FROM (
            SELECT `user`, {start} AS start_hour, COUNT(*) AS n, SUM(amount) AS s
            FROM TABLE(HOP(TABLE payments, DESCRIPTOR(moment), INTERVAL '1' HOUR, INTERVAL '6' HOURS))
            GROUP BY `user`, window_start, window_end)""",
    )


def session():
    return (
        [table("payments", PAYMENTS, "at_ms", HOUR)],
        """
        SELECT COUNT(*) AS `rows`, SUM(n * w) AS `count`, SUM(span * w) AS span, SUM(s * w) AS `sum` FROM (
            SELECT (`user` + MIN(at_ms)) % 97 + 1 AS w, COUNT(*) AS n, SUM(amount) AS s, MAX(at_ms) - MIN(at_ms) AS span
            FROM TABLE(SESSION(TABLE payments PARTITION BY `user`, DESCRIPTOR(moment), INTERVAL '30' MINUTES))
            GROUP BY `user`, window_start, window_end)""",
    )


def point_in_time():
    # Labels and payments side by side: a label has no amount, which counts for nothing.
    labels = table("labels", "id BIGINT, at_ms BIGINT, `user` BIGINT", "at_ms", NONE)
    inner, names = (
        """(SELECT `user`, moment, amount, CAST(NULL AS BIGINT) AS label FROM payments
            UNION ALL SELECT `user`, moment, CAST(NULL AS DOUBLE), id FROM labels)""",
        [],
    )
    for name, interval in INTERVALS.items():
        inner = f"""(
            SELECT `user`, moment, amount, label{"".join(f", {n}" for n in names)},
                   COUNT(amount) OVER w AS count_{name}, SUM(amount) OVER w AS sum_{name} FROM {inner}
            WINDOW w AS (PARTITION BY `user` ORDER BY moment RANGE BETWEEN {interval} PRECEDING AND CURRENT ROW))"""
        names += [f"count_{name}", f"sum_{name}"]
    sums = ", ".join(f"SUM(COALESCE({name}, 0) * (label % 97 + 1)) AS {name}" for name in names)
    return (
        [table("payments", PAYMENTS, "at_ms", HOUR), labels],
        f"SELECT COUNT(*) AS `rows`, {sums} FROM {inner} WHERE label IS NOT NULL",
    )


def lookup():
    users = f"""
        CREATE TABLE users (`user` BIGINT, bound BIGINT, risk DOUBLE, PRIMARY KEY (`user`) NOT ENFORCED)
        WITH ('connector' = 'filesystem', 'format' = 'parquet', 'path' = 'file://{arguments.parquet("users")}')"""
    payments = f"""
        CREATE TABLE payments (id BIGINT, `user` BIGINT)
        WITH ('connector' = 'filesystem', 'format' = 'parquet', 'path' = 'file://{arguments.parquet("payments")}')"""
    return (
        [payments, users],
        """
        SELECT COUNT(*) AS `rows`, SUM(u.bound * (p.id % 97 + 1)) AS bound, SUM(u.risk * (p.id % 97 + 1)) AS risk
        FROM payments p JOIN users u ON p.`user` = u.`user`""",
    )


def asof():
    return (
        [
            versioned("payments", PAYMENTS, "at_ms", HOUR, "user"),
            table("labels", "id BIGINT, at_ms BIGINT, `user` BIGINT", "at_ms", NONE),
        ],
        """
        SELECT COUNT(*) AS `rows`, COUNT(p.id) AS matched,
               SUM(p.id * (l.id % 97 + 1)) AS found, SUM(p.amount * (l.id % 97 + 1)) AS amount
        FROM labels l LEFT JOIN payments FOR SYSTEM_TIME AS OF l.moment AS p ON l.`user` = p.`user`""",
    )


def drift():
    edges, counts = arguments.baseline()
    bounds = [
        (f"amount >= {low!r}E0" if low else "TRUE", f"amount < {high!r}E0" if high else "TRUE")
        for low, high in zip([None, *edges], [*edges, None])
    ]
    tallies = [f"SUM(CASE WHEN {low} AND {high} THEN 1 ELSE 0 END) AS c{bin}" for bin, (low, high) in enumerate(bounds)]
    shares = [(f"(c{bin} * 1E0 / n)", f"{count / sum(counts)!r}E0") for bin, count in enumerate(counts)]
    psi = " + ".join(f"({a} - {e}) * LN(({a} + 1E-4) / ({e} + 1E-4))" for a, e in shares)
    return (
        [table("payments", PAYMENTS, "at_ms", HOUR)],
        f"""
        SELECT COUNT(*) AS `rows`, SUM(n * w) AS `count`, SUM(psi * w) AS psi FROM (
            SELECT n, (`hour` + country) % 97 + 1 AS w, {psi} AS psi FROM (
                SELECT MIN(at_ms) / 3600000 AS `hour`, country, COUNT(*) AS n, {", ".join(tallies)}
                FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(moment), INTERVAL '1' HOUR))
                GROUP BY country, window_start, window_end))""",
    )


def dimension():
    return (
        [
            table("payments", PAYMENTS, "at_ms", HOUR),
            versioned("merchants", "merchant BIGINT, from_ms BIGINT, risk DOUBLE", "from_ms", NONE, "merchant"),
        ],
        """
        SELECT COUNT(*) AS `rows`, SUM(m.risk * (p.id % 97 + 1)) AS risk, SUM(p.mean * (p.id % 97 + 1)) AS mean
        FROM (SELECT id, merchant, moment, AVG(amount) OVER w AS mean FROM payments
              WINDOW w AS (PARTITION BY merchant ORDER BY moment
                           RANGE BETWEEN INTERVAL '24' HOUR PRECEDING AND CURRENT ROW)) p
        LEFT JOIN merchants FOR SYSTEM_TIME AS OF p.moment AS m ON p.merchant = m.merchant""",
    )


def main():
    tables, statement = arguments.chosen(globals())()
    configuration = Configuration()
    for name, value in SETTINGS.items():
        configuration.set_string(name, str(value))
    settings = EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
    environment = TableEnvironment.create(settings)
    for definition in tables:
        environment.execute_sql(definition)
    clock = Clock()
    result = environment.execute_sql(statement)
    names = result.get_table_schema().get_field_names()
    last = None
    # The sums are told anew whenever they change; the last ones are the answer.
    with result.collect() as rows:
        for row in rows:
            last = row
    clock.stop(dict(zip(names, last)), importlib.metadata.version("apache-flink"))


if __name__ == "__main__":
    main()
