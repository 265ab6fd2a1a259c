"""Draws the input of one size: card payments in order of arrival, labels, merchants, users, links and the training
snapshot.

    payments/payments.parquet     id, at_ms, user, merchant, country, amount     in order of arrival
    labels/labels.parquet         id, at_ms, user                                in order of time
    merchants/merchants.parquet   merchant, from_ms, to_ms, risk                 valid in [from_ms, to_ms), by from_ms
    users/users.parquet           user, bound, risk                              every user once
    links/links.parquet           a, b, change                                   edges that come (1) and go (-1)
    baseline.json                 edges and counts of ten bins of the amount in the first three days

Of 100 payments 97 arrive up to a minute after their time and 3 up to an hour after it, never a whole hour. One in a
thousand has another of its user exactly half an hour after it, where sessions part. No two payments have the same time:
where a tie is broken is no matter of speed, and the engines break ties differently.
The same seed on the same numpy gives the same bytes.

usage: payments.py FOLDER PAYMENTS USERS
"""

import json
import os
import sys

import numpy
import pyarrow
import pyarrow.parquet

SEED = 20_250_101
START_MS, DAYS = 1_735_689_600_000, 30
DAY_MS = 86_400_000
SPAN_MS = DAYS * DAY_MS
TRAINING_MS = 3 * DAY_MS
GAP_MS = 1_800_000
MERCHANTS, COUNTRIES = 10_000, 30
# Of how many links one goes again.
OF_WHICH_ONE_GOES = 100
# A hundred merchants a day are rated anew.
RATED_ANEW = 100 * DAYS
# The end of what is still valid: far away, and not so far that microseconds overflow.
OPEN_MS = 4_102_444_800_000
# Small enough that two threads always have something to read, as the engines' own writers have it.
ROW_GROUP_ROWS = 131_072


def zipf(random, ranks, exponent, draws):
    """Draws from a bounded Zipf law: ranks from 0, the first the most frequent."""
    weights = numpy.cumsum(numpy.arange(1, ranks + 1, dtype=numpy.float64) ** -exponent)
    return numpy.searchsorted(weights / weights[-1], random.random(draws)).astype(numpy.int64)


def payments(random, rows, users):
    """The payments, in order of arrival."""
    step_ms = SPAN_MS // rows
    at_ms = START_MS + numpy.arange(rows, dtype=numpy.int64) * step_ms + random.integers(0, step_ms, rows)
    delay_ms = numpy.where(
        random.random(rows) < 0.97, random.integers(0, 60_000, rows), random.integers(0, 3_600_000 - step_ms, rows)
    )
    at_ms = at_ms[numpy.argsort(at_ms + delay_ms, kind="stable")]
    user = random.permutation(users)[zipf(random, users, 0.8, rows)] + 1
    plant_gaps(random, at_ms, user, step_ms)
    moved = numpy.where(at_ms >= START_MS + SPAN_MS // 2, 0.35, 0.0)
    cents = numpy.maximum(numpy.round(numpy.exp(3.2 + moved + random.standard_normal(rows)) * 100), 1)
    return {
        "id": numpy.arange(rows, dtype=numpy.int64),
        "at_ms": at_ms,
        "user": user,
        "merchant": random.permutation(MERCHANTS)[zipf(random, MERCHANTS, 0.6, rows)] + 1,
        "country": numpy.where(random.random(rows) < 0.9, user % COUNTRIES, random.integers(0, COUNTRIES, rows)),
        "amount": cents / 100,
    }


def plant_gaps(random, at_ms, user, step_ms):
    """Moves some payments within their step, so that they lie exactly one gap after another of the same user."""
    by_step = numpy.argsort(at_ms)
    steps = random.choice(len(at_ms) // 2, len(at_ms) // 1_000, replace=False)
    for first in by_step[steps]:
        then_ms = at_ms[first] + GAP_MS
        then = by_step[(then_ms - START_MS) // step_ms]
        at_ms[then], user[then] = then_ms, user[first]


def labels(random, rows, users):
    """What is to be learnt from: users and moments."""
    return {
        "id": numpy.arange(rows, dtype=numpy.int64),
        "at_ms": numpy.sort(START_MS + random.integers(0, SPAN_MS, rows)),
        "user": random.permutation(users)[zipf(random, users, 0.8, rows)] + 1,
    }


def merchants(random):
    """The history of every merchant's risk, without gaps."""
    merchant = numpy.concatenate([numpy.arange(1, MERCHANTS + 1), random.integers(1, MERCHANTS + 1, RATED_ANEW)])
    later_ms = START_MS + random.permutation(SPAN_MS // 1_000)[:RATED_ANEW] * 1_000 + 1
    from_ms = numpy.concatenate([numpy.full(MERCHANTS, START_MS), later_ms])
    order = numpy.lexsort((from_ms, merchant))
    merchant, from_ms = merchant[order], from_ms[order]
    follows = numpy.append(merchant[1:] == merchant[:-1], False)
    to_ms = numpy.where(follows, numpy.append(from_ms[1:], 0), OPEN_MS)
    # As they became known: an engine that reads them as a stream takes rows out of order for late ones.
    known = numpy.lexsort((merchant, from_ms))
    return {
        "merchant": merchant[known],
        "from_ms": from_ms[known],
        "to_ms": to_ms[known],
        "risk": numpy.round(random.random(len(merchant)), 4),
    }


def profiles(random, users):
    """What is known of every user: how much they may spend, in whole units, and how risky they are."""
    return {
        "user": random.permutation(users) + 1,
        "bound": random.integers(1, 10_000, users),
        "risk": numpy.round(random.random(users), 4),
    }


def links(random, rows):
    """The edges of a graph, drawn evenly over half as many nodes; of the first some go again once all have come.

    There is one component of nearly all nodes, and chains and islands beside it.
    """
    nodes, gone = rows // 2, rows // OF_WHICH_ONE_GOES
    a = random.integers(0, nodes, rows)
    b = (a + random.integers(1, nodes, rows)) % nodes
    # Nodes count from 1: a label of 0 would not show in a sum.
    a, b = a + 1, b + 1
    return {
        "a": numpy.append(a, a[:gone]),
        "b": numpy.append(b, b[:gone]),
        "change": numpy.append(numpy.ones(rows, dtype=numpy.int64), -numpy.ones(gone, dtype=numpy.int64)),
    }


def baseline(rows):
    """The training snapshot, in the form in which Thalweg reads baselines; the others read edges and counts from it."""
    amount = numpy.sort(rows["amount"][rows["at_ms"] < START_MS + TRAINING_MS])
    breakpoints = numpy.quantile(amount, numpy.arange(11) / 10)
    bins = numpy.searchsorted(breakpoints[1:-1], amount, side="right")
    return {
        "feature": "amount",
        "n": len(amount),
        "n_null": 0,
        "n_infinite": 0,
        "mean": float(amount.mean()),
        "std": float(amount.std(ddof=1)),
        "breakpoints": [float(edge) for edge in breakpoints],
        "counts": [int(count) for count in numpy.bincount(bins, minlength=10)],
    }


def write(folder, name, columns):
    os.makedirs(f"{folder}/{name}", exist_ok=True)
    path = f"{folder}/{name}/{name}.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path, compression="snappy", row_group_size=ROW_GROUP_ROWS)


def main():
    folder, rows, users = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    random = numpy.random.Generator(numpy.random.PCG64(SEED))
    made = payments(random, rows, users)
    write(folder, "payments", made)
    write(folder, "labels", labels(random, rows // 10, users))
    write(folder, "merchants", merchants(random))
    write(folder, "users", profiles(random, users))
    write(folder, "links", links(random, rows))
    with open(f"{folder}/baseline.json", "w") as file:
        json.dump({"format": 1, "baselines": [baseline(made)]}, file)


if __name__ == "__main__":
    main()
