"""What is compared with what: engines with their pinned versions, workloads, sizes, bounds."""

import os
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "thalweg-compare")


@dataclass(frozen=True)
class Engine:
    """An engine, how it works, and what its program needs."""

    name: str
    way: str
    program: str = ""
    packages: tuple[str, ...] = ()
    # Of these some must stand in the environment before the others are built.
    before: tuple[str, ...] = ()
    jars: tuple[str, ...] = ()
    # What must not be left out where its figures are read.
    remarks: dict[str, str] = field(default_factory=dict)
    # Workloads that it has no means for, and why.
    lacks: dict[str, str] = field(default_factory=dict)
    # Workloads that it tries at the tiny size first, and among these those that it tries at the least size.
    slow: tuple[str, ...] = ()
    slowest: tuple[str, ...] = ()
    # About what it takes before the first row is read, however many there are.
    starts_s: float = 0


THALWEG = "Thalweg"
ENGINES = [
    Engine(THALWEG, "continuous: every row updates the answer; what is final is so when the watermark has passed"),
    Engine("DuckDB", "batch: computes once, over the whole file", "in_duckdb.py", ("duckdb==2.0.0",)),
    Engine("Polars", "batch: computes once, over the whole file", "in_polars.py", ("polars==2.1.0",)),
    Engine(
        "Flink",
        "continuous: SQL over streams in its virtual machine; what is final is so when the watermark has passed",
        "in_flink.py",
        ("apache-flink==2.3.0",),
        before=("setuptools<81", "wheel"),
        # Its reader of Parquet, and the parts of Hadoop that this calls.
        jars=(
            "org.apache.flink:flink-sql-parquet:2.3.0",
            "org.apache.hadoop:hadoop-client-api:3.4.2",
            "org.apache.hadoop:hadoop-client-runtime:3.4.2",
        ),
        remarks={
            "corrections": "each payment is joined with all of its widest window, then grouped",
            "upsert": "the newest of its windows per row",
            "lookup": "a join of two tables, which keeps every payment and would repair it",
        },
        lacks={"components": "its SQL, which is what runs here, has no recursion"},
        slow=("rolling", "corrections", "upsert", "point_in_time"),
        starts_s=6,
    ),
    Engine(
        "Pathway",
        "continuous engine, here in its static mode: the whole file as one batch",
        "in_pathway.py",
        ("pathway==0.33.0", "pandas==3.1.1", "pyarrow==25.0.1"),
        remarks={
            "rolling": "has no window per row: each payment is joined with all of its window, then grouped",
            "corrections": "the same",
            "dimension": "the same for the 24 h of each merchant",
            "upsert": "no window but a join with the newest payment of each user",
            "point_in_time": "has no window as of a label: each label is joined with all of its widest window",
            "lookup": "a join of two tables, which keeps every payment and would repair it",
        },
        slow=(
            *("rolling", "corrections", "session", "upsert", "hopping", "asof", "dimension", "point_in_time"),
            "components",
        ),
        slowest=("rolling", "corrections", "session"),
    ),
    Engine(
        "Bytewax",
        "continuous: operators in Python, one process",
        "in_bytewax.py",
        ("bytewax==0.21.1", "pyarrow==26.0.1", "numpy==2.4.6"),
        remarks={
            "rolling": "has no window per row: a stateful operator written in Python",
            "corrections": "the same, over sorted lists",
            "upsert": "the same, and a dictionary for the store",
            "components": "has no graphs: links are kept in a dictionary and joined up in the end, not to be asked before",
            "asof": "has no join as of a time: a stateful operator written in Python",
            "point_in_time": "has no window as of a label: a stateful operator written in Python",
            "lookup": "a table looked up in Python",
            "dimension": "has neither: a table looked up in Python and a stateful operator written in Python",
        },
        slow=("corrections", "tumbling", "hopping", "session"),
    ),
]

# What the input is drawn with.
TOOLS = Engine("tools", "", packages=("numpy==2.4.6", "pyarrow==26.0.1"))
# Flink's and Bytewax's packages are built for these; the first that is there is taken.
PYTHONS = ("python3.11", "python3.12", "python3")

WORKLOADS = {
    "rolling": "per payment: count, sum, mean, stddev, min, max of its user's last 1 h, 24 h and 7 d",
    "corrections": "the same at once, repaired when late payments come: its rows and those taken back, added up",
    "upsert": "per user, as of its newest payment: the same; each row replaces the one before in a store",
    "tumbling": "per user and 5 min: count and sum",
    "hopping": "per user and 6 h, every hour: count and sum",
    "session": "per session of a user, whose payments are at most 30 min apart: count, sum and length",
    "asof": "per label: its user's newest payment at or before it",
    "drift": "per hour and country: a histogram of ten bins and its PSI against the first three days",
    "dimension": "per payment: its merchant's risk as of the payment, and the mean of the merchant's last 24 h",
    "point_in_time": "per label: count and sum of its user's last 1 h, 24 h and 7 d",
    "lookup": "per payment: its user's bound and risk",
    "components": "per node of a graph, of whose edges 1 % go again: the least node that it hangs together with",
}


@dataclass(frozen=True)
class Size:
    """How much is drawn; a tenth as many labels come with the payments."""

    name: str
    payments: int
    users: int

    def said(self):
        return f"{self.payments:,} payments of {self.users:,} users"


# The tiny one is run only for what may not do the small one within the limit, and for what that is compared with; the
# least one so for what may not do the tiny one.
LEAST = Size("least", 10_000, 1_000)
TINY = Size("tiny", 100_000, 10_000)
SMALL = Size("small", 1_000_000, 100_000)
LARGE = Size("large", 10_000_000, 1_000_000)

# A run that has not ended by then, or that takes more memory, is ended and said so.
LIMIT_S = 75
LIMIT_MIB = 12 * 1024
RUNS = 3
