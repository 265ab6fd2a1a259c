"""What Bytewax has no operator for: states of a key, written in Python.

`InOrder` is what one would write: it keeps a key's rows until the key's newest row is an hour ahead, and hands them on
in the order of their time.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from heapq import heappop, heappush
from itertools import accumulate

from bytewax.operators import StatefulBatchLogic
from timed import DAY_MS, HOUR_MS, WINDOWS

WIDEST_MS = max(WINDOWS.values())


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


class Repaired(StatefulBatchLogic):
    """A user's rows at once; those whose windows a late payment enters are taken back and told anew."""

    def __init__(self):
        # In the order of time; the sums are those of all payments up to one, and what was told of it lies beside it.
        self.at_ms, self.cents, self.ids, self.told = [], [], [], []
        self.sums, self.squares = [0], [0]

    def on_batch(self, values):
        found = []
        for at_ms, id, amount in values:
            place = bisect_right(self.at_ms, at_ms)
            self.insert(place, at_ms, round(amount * 100), id)
            for other in range(place, bisect_right(self.at_ms, at_ms + WIDEST_MS, place)):
                row, told = self.row(other), self.told[other]
                if told:
                    found.append((-told[0], *told[1:]))
                self.told[other] = row
                found.append(row)
        self.forget()
        return found, StatefulBatchLogic.RETAIN

    def insert(self, place, at_ms, cents, id):
        self.at_ms.insert(place, at_ms)
        self.cents.insert(place, cents)
        self.ids.insert(place, id)
        self.told.insert(place, None)
        self.sums[place:] = accumulate(self.cents[place:], initial=self.sums[place])
        squares = (cents * cents for cents in self.cents[place:])
        self.squares[place:] = accumulate(squares, initial=self.squares[place])

    def forget(self):
        """Drops what no payment to come can have in its windows, once it is half of all."""
        gone = bisect_left(self.at_ms, self.at_ms[-1] - HOUR_MS - WIDEST_MS)
        if 2 * gone > len(self.at_ms):
            for column in (self.at_ms, self.cents, self.ids, self.told, self.sums, self.squares):
                del column[:gone]

    def row(self, place):
        """The moments of the windows of the payment at a place."""
        counts, moments, to = [], [], place + 1
        for width_ms in WINDOWS.values():
            since = bisect_left(self.at_ms, self.at_ms[place] - width_ms, 0, to)
            cents, n = self.cents[since:to], to - since
            total, squares = self.sums[to] - self.sums[since], self.squares[to] - self.squares[since]
            stddev = math.sqrt((n * squares - total * total) / (n * (n - 1))) if n > 1 else 0.0
            counts.append(n)
            moments += (total / 100, total / n / 100, stddev / 100, min(cents) / 100, max(cents) / 100)
        return (self.ids[place] % 97 + 1, *counts, *moments)

    def snapshot(self):
        # As `InOrder`'s.
        return None


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


class Linked(StatefulBatchLogic):
    """The links that are there, and in the end each node with the least node of its component."""

    def __init__(self):
        self.links = Counter()

    def on_batch(self, values):
        for a, b, change in values:
            self.links[a, b] += change
        return [], StatefulBatchLogic.RETAIN

    def on_eof(self):
        parent = {}

        def least(node):
            while parent.setdefault(node, node) != node:
                parent[node] = parent[parent[node]]
                node = parent[node]
            return node

        for (a, b), links in self.links.items():
            if links > 0:
                a, b = least(a), least(b)
                parent[max(a, b)] = min(a, b)
        return [(node % 97 + 1, least(node)) for node in parent], StatefulBatchLogic.DISCARD

    def snapshot(self):
        # As `InOrder`'s.
        return None
