"""The workloads in Polars: one lazy frame each, over the Parquet files, computed once and whole."""

import os

from timed import GAP_MS, HOUR_MS, WINDOWS, Arguments, Clock

arguments = Arguments()
# Read when Polars is imported.
os.environ["POLARS_MAX_THREADS"] = str(arguments.threads)

import polars  # noqa: E402
from polars import col  # noqa: E402


def scan(name):
    return polars.scan_parquet(arguments.parquet(name))


def weighed(frame, weight, columns):
    """The number of rows, and the sum of every column, each row by its weight."""
    return frame.select(polars.len().alias("rows"), *[(col(name) * weight).sum() for name in columns])


def moments(name, amount):
    """The moments of the amounts in the windows of this name, by column."""
    return {
        f"count_{name}": amount.len().cast(polars.Int64),
        f"sum_{name}": amount.sum(),
        f"mean_{name}": amount.mean(),
        f"stddev_{name}": amount.std().fill_null(0.0),
        f"min_{name}": amount.min(),
        f"max_{name}": amount.max(),
    }


def rolling():
    # `rolling` yields its rows in the order of its input, which must be sorted: so the windows stand side by side.
    rows = scan("payments").select("id", "at_ms", "user", "amount").sort("user", "at_ms").collect().lazy()
    frames = [rows.select("id")]
    for name, width_ms in WINDOWS.items():
        windows = rows.rolling("at_ms", period=f"{width_ms}i", closed="both", group_by="user")
        found = windows.agg(**moments(name, col("amount")))
        frames.append(found.drop("user", "at_ms"))
    columns = [f"{m}_{name}" for name in WINDOWS for m in ("count", "sum", "mean", "stddev", "min", "max")]
    return weighed(polars.concat(frames, how="horizontal"), col("id") % 97 + 1, columns)


# What is computed once has nothing to repair.
corrections = rolling


def upsert():
    rows = scan("payments").select("user", "at_ms", "amount")
    rows = rows.with_columns(age=col("at_ms").max().over("user") - col("at_ms"))
    columns = {}
    for name, width_ms in WINDOWS.items():
        columns |= moments(name, col("amount").filter(col("age") <= width_ms))
    newest = rows.filter(col("age") <= max(WINDOWS.values())).group_by("user").agg(**columns)
    return weighed(newest, col("user") % 97 + 1, list(columns))


def components():
    # A node takes the least label of its neighbours, and then its label's label, until none changes.
    edges = scan("links").group_by("a", "b").agg(col("change").sum()).filter(col("change") > 0)
    ways = polars.concat([edges.select("a", "b"), edges.select(a="b", b="a")]).collect()
    labels = ways.select(node="a", label="a").unique()
    while True:
        near = ways.join(labels, left_on="b", right_on="node").group_by("a").agg(col("label").min().alias("near"))
        lesser = labels.join(near, left_on="node", right_on="a").select(
            "node", label=polars.min_horizontal("label", "near")
        )
        told = lesser.join(lesser.rename({"node": "label", "label": "of_label"}), on="label")
        told = told.select("node", label=polars.min_horizontal("label", "of_label"))
        if told["label"].sum() == labels["label"].sum():
            return weighed(told.lazy(), col("node") % 97 + 1, ["label"])
        labels = told


def tumbling():
    groups = scan("payments").group_by("user", (col("at_ms") // 300_000).alias("start"))
    windows = groups.agg(polars.len().cast(polars.Int64).alias("count"), col("amount").sum().alias("sum"))
    return weighed(windows, (col("user") + col("start")) % 97 + 1, ["count", "sum"])


def hopping():
    # Hours first, of which each is a part of six windows.
    hours = scan("payments").group_by("user", (col("at_ms") // HOUR_MS).alias("hour"))
    hours = hours.agg(polars.len().cast(polars.Int64).alias("count"), col("amount").sum().alias("sum"))
    parts = hours.join(polars.LazyFrame({"back": range(6)}), how="cross")
    windows = parts.group_by("user", (col("hour") - col("back")).alias("start")).agg(
        col("count").sum(), col("sum").sum()
    )
    return weighed(windows, (col("user") + col("start")) % 97 + 1, ["count", "sum"])


def session():
    rows = scan("payments").select("user", "at_ms", "amount").sort("user", "at_ms")
    is_first = (col("user") != col("user").shift(1)) | (col("at_ms") - col("at_ms").shift(1) > GAP_MS)
    numbered = rows.with_columns(number=is_first.fill_null(True).cast(polars.Int64).cum_sum())
    sessions = numbered.group_by("number").agg(
        ((col("user").first() + col("at_ms").min()) % 97 + 1).alias("weight"),
        polars.len().cast(polars.Int64).alias("count"),
        (col("at_ms").max() - col("at_ms").min()).alias("span"),
        col("amount").sum().alias("sum"),
    )
    return weighed(sessions, col("weight"), ["count", "span", "sum"])


def point_in_time():
    # Labels and payments side by side: a label has no amount, which counts for nothing.
    payments = scan("payments").select("user", "at_ms", "amount", label=polars.lit(None, dtype=polars.Int64))
    labels = scan("labels").select("user", "at_ms", amount=polars.lit(None, dtype=polars.Float64), label="id")
    rows = polars.concat([payments, labels]).sort("user", "at_ms").collect().lazy()
    frames = [rows.select("label")]
    for name, width_ms in WINDOWS.items():
        moments = rows.rolling("at_ms", period=f"{width_ms}i", closed="both", group_by="user").agg(
            col("amount").count().cast(polars.Int64).alias(f"count_{name}"),
            col("amount").sum().alias(f"sum_{name}"),
        )
        frames.append(moments.drop("user", "at_ms"))
    columns = [f"{moment}_{name}" for name in WINDOWS for moment in ("count", "sum")]
    told = polars.concat(frames, how="horizontal").filter(col("label").is_not_null())
    return weighed(told, col("label") % 97 + 1, columns)


def lookup():
    joined = scan("payments").select("id", "user").join(scan("users"), on="user")
    return weighed(joined, col("id") % 97 + 1, ["bound", "risk"])


def asof():
    payments = scan("payments").select("user", "at_ms", "amount", found="id").sort("at_ms")
    joined = scan("labels").sort("at_ms").join_asof(payments, on="at_ms", by="user", strategy="backward")
    weight = col("id") % 97 + 1
    return joined.select(
        polars.len().alias("rows"),
        col("found").count().alias("matched"),
        (col("found") * weight).sum(),
        (col("amount") * weight).sum(),
    )


def drift():
    edges, counts = arguments.baseline()
    bin = sum((col("amount") >= edge).cast(polars.Int32) for edge in edges)
    rows = scan("payments").select("country", hour=col("at_ms") // HOUR_MS, bin=bin)
    tallies = [(col("bin") == bin).sum().cast(polars.Int64).alias(f"c{bin}") for bin in range(10)]
    windows = rows.group_by("hour", "country").agg(polars.len().cast(polars.Int64).alias("count"), *tallies)
    psi = sum(
        (col(f"c{bin}") / col("count") - share) * ((col(f"c{bin}") / col("count") + 1e-4) / (share + 1e-4)).log()
        for bin, share in enumerate(count / sum(counts) for count in counts)
    )
    judged = windows.select("count", psi.alias("psi"), weight=(col("hour") + col("country")) % 97 + 1)
    return weighed(judged, col("weight"), ["count", "psi"])


def dimension():
    rows = scan("payments").select("id", "at_ms", "merchant", "amount").sort("merchant", "at_ms").collect().lazy()
    day = rows.rolling("at_ms", period="86400000i", closed="both", group_by="merchant").agg(mean=col("amount").mean())
    rows = polars.concat([rows.drop("amount"), day.select("mean")], how="horizontal").sort("at_ms")
    merchants = scan("merchants").select("merchant", "risk", at_ms="from_ms").sort("at_ms")
    joined = rows.join_asof(merchants, on="at_ms", by="merchant", strategy="backward")
    return weighed(joined, col("id") % 97 + 1, ["risk", "mean"])


def main():
    frame = arguments.chosen(globals())
    clock = Clock()
    digest = frame().collect().to_dicts()[0]
    clock.stop(digest, polars.__version__)


if __name__ == "__main__":
    main()
