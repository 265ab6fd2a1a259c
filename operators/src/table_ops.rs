//! Operators that need no state: each row in, some rows out, in the same epoch and with the same sign.
//!
//! | operator | rows out per row in |
//! |---|---|
//! | `map`, `inspect`, `negate` | 1 |
//! | `filter` | 0 or 1 |
//! | `flat_map` | any |
//! | `union` | 1, from either table |

use thalweg_engine::table::Table;
use thalweg_engine::time::Epoch;
use thalweg_engine::update::{Data, Diff, Update, container_rows};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Concat;
use timely::dataflow::operators::generic::operator::Operator;

/// Stateless operators on tables.
pub trait TableOps<'s, D: Data> {
    /// Turns each row into another.
    #[must_use]
    fn map<O: Data>(&self, row: impl FnMut(D) -> O + 'static) -> Table<'s, O>;

    /// As `map`, but only looks at the rows; the name shows in the metrics.
    #[must_use]
    fn map_ref<O: Data>(&self, name: &str, row: impl FnMut(&D) -> O + 'static) -> Table<'s, O>;

    /// Keeps the rows for which `keep` holds.
    #[must_use]
    fn filter(&self, keep: impl FnMut(&D) -> bool + 'static) -> Table<'s, D>;

    /// Turns each row into any number of rows.
    #[must_use]
    fn flat_map<I: IntoIterator>(&self, rows: impl FnMut(D) -> I + 'static) -> Table<'s, I::Item>
    where
        I::Item: Data;

    /// The rows of both tables.
    #[must_use]
    fn union(&self, other: &Table<'s, D>) -> Table<'s, D>;

    /// Shows each update to `look`: the row, its epoch, its sign.
    #[must_use]
    fn inspect(&self, look: impl FnMut(&D, Epoch, Diff) + 'static) -> Table<'s, D>;

    /// The same rows with the opposite sign: `a.union(&b.negate())` takes `b` out of `a`.
    #[must_use]
    fn negate(&self) -> Table<'s, D>;
}

impl<'s, D: Data> TableOps<'s, D> for Table<'s, D> {
    fn map<O: Data>(&self, mut row: impl FnMut(D) -> O + 'static) -> Table<'s, O> {
        per_update(self, "map", move |(data, epoch, diff), out| {
            out.push((row(data), epoch, diff))
        })
    }

    fn map_ref<O: Data>(&self, name: &str, mut row: impl FnMut(&D) -> O + 'static) -> Table<'s, O> {
        per_update(self, name, move |(data, epoch, diff), out| {
            out.push((row(&data), epoch, diff))
        })
    }

    fn filter(&self, mut keep: impl FnMut(&D) -> bool + 'static) -> Table<'s, D> {
        per_update(self, "filter", move |update, out| {
            if keep(&update.0) {
                out.push(update);
            }
        })
    }

    fn flat_map<I: IntoIterator>(
        &self,
        mut rows: impl FnMut(D) -> I + 'static,
    ) -> Table<'s, I::Item>
    where
        I::Item: Data,
    {
        per_update(self, "flat_map", move |(data, epoch, diff), out| {
            out.extend(rows(data).into_iter().map(|row| (row, epoch, diff)));
        })
    }

    fn union(&self, other: &Table<'s, D>) -> Table<'s, D> {
        Table::new(self.graph().clone(), self.stream().concat(other.stream()))
    }

    fn inspect(&self, mut look: impl FnMut(&D, Epoch, Diff) + 'static) -> Table<'s, D> {
        per_update(self, "inspect", move |update, out| {
            look(&update.0, update.1, update.2);
            out.push(update);
        })
    }

    fn negate(&self) -> Table<'s, D> {
        per_update(self, "negate", move |(data, epoch, diff), out| {
            out.push((data, epoch, -diff))
        })
    }
}

/// The one operator behind all of them: updates in, updates out, a container at a time.
pub(crate) fn per_update<'s, D: Data, O: Data>(
    table: &Table<'s, D>,
    name: &str,
    mut logic: impl FnMut(Update<D>, &mut Vec<Update<O>>) + 'static,
) -> Table<'s, O> {
    let name = table.graph().unique_name(name);
    let stream = table
        .stream()
        .unary::<CapacityContainerBuilder<Vec<Update<O>>>, _, _, _>(
            Pipeline,
            &name,
            move |_, _| {
                let mut buffer: Vec<Update<O>> = Vec::new();
                move |input, output| {
                    input.for_each(|capability, updates| {
                        let mut session = output.session(&capability);
                        for update in updates.drain(..) {
                            if buffer.capacity() < container_rows::<O>() {
                                buffer.reserve(container_rows::<O>());
                            }
                            logic(update, &mut buffer);
                            if buffer.len() >= container_rows::<O>() {
                                session.give_container(&mut buffer);
                                buffer.clear();
                            }
                        }
                        if !buffer.is_empty() {
                            session.give_container(&mut buffer);
                            buffer.clear();
                        }
                    });
                }
            },
        );
    Table::new(table.graph().clone(), stream)
}
