"""What Bytewax reads from and writes into: the batches of a Parquet file, and sinks that add an answer up."""

import numpy
import pyarrow.parquet
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.outputs import DynamicSink, StatelessSinkPartition

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
    """Adds up columns, each row by its weight, which is the first column: below zero where the row is taken back."""

    def __init__(self, whole, real):
        self.names, self.whole = [*whole, *real], len(whole)
        self.rows, self.sums = 0, numpy.zeros(len(self.names))

    def build(self, step_id, worker_index, worker_count):
        return self

    def write_batch(self, items):
        weight, *columns = zip(*items)
        weight = numpy.array(weight, dtype=float)
        self.rows += int(numpy.sign(weight).sum())
        self.sums += numpy.array(columns, dtype=float) @ weight

    def digest(self):
        # Whole numbers stay below 2^53, so that a float counts them exactly.
        sums = [int(sum) if place < self.whole else float(sum) for place, sum in enumerate(self.sums)]
        return {"rows": self.rows, **dict(zip(self.names, sums))}


class Replaced(AddUp):
    """A store of the last row of each user, added up in the end."""

    def __init__(self, whole, real):
        super().__init__(whole, real)
        self.newest = {}

    def write_batch(self, items):
        self.newest.update(items)

    def digest(self):
        super().write_batch([(int(user) % 97 + 1, *row[1:]) for user, row in self.newest.items()])
        return super().digest()


def read(path, *columns):
    """The batches of a file, each as tuples of these columns."""
    file = pyarrow.parquet.ParquetFile(path)
    for batch in file.iter_batches(BATCH_ROWS, columns=list(columns)):
        yield list(zip(*(batch.column(column).to_pylist() for column in columns)))
