//! One epoch's signed rows, brought down to one final state per entity.
//!
//! ```text
//! (row, diff)…  ──sort by (entity, event time, fields), add the signs──▶  net rows of an entity
//!   something positive is left    the newest of it is the row             version: later of new and retracted
//!   only negative is left         the entity is gone                      version: what was retracted
//!   nothing is left               nothing is written
//! ```
//!
//! # Invariants
//! 1. Each entity comes out at most once, and the order of arrival inside the epoch does not matter.
//! 2. A row that was added and taken back inside the epoch leaves no trace, its event time included.
//! 3. Of several rows left (the key was not unique) the one with the greatest event time, then the greatest
//!    fields, is written.

use thalweg_engine::time::{Epoch, EventTime};
use thalweg_engine::update::Diff;

use crate::online::store::{Fields, OnlineRow};
use crate::online::version::{Replaces, Version};

/// A row of the epoch as the store will see it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Signed {
    pub(crate) entity: String,
    pub(crate) event_time: EventTime,
    pub(crate) fields: Fields,
    pub(crate) diff: Diff,
}

/// What a writer is told of a table that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The old row and the new one.
    Changes,
    /// The new row alone; of a row that is gone, that row.
    NewRows,
}

/// The final states, in the order of their entities.
pub(crate) fn settle(epoch: Epoch, told: Told, mut rows: Vec<Signed>) -> Vec<OnlineRow> {
    rows.sort_unstable();
    let mut settled: Vec<OnlineRow> = Vec::new();
    let mut entity = Entity::default();
    let mut rows = rows.into_iter().peekable();
    while let Some(mut row) = rows.next() {
        while let Some(same) = rows.next_if(|next| {
            next.entity == row.entity
                && next.event_time == row.event_time
                && next.fields == row.fields
        }) {
            row.diff = row.diff.saturating_add(same.diff);
        }
        let last = rows.peek().is_none_or(|next| next.entity != row.entity);
        let name = if last {
            std::mem::take(&mut row.entity)
        } else {
            String::new()
        };
        entity.add(row);
        if last {
            settled.extend(std::mem::take(&mut entity).row(name, epoch, told));
        }
    }
    settled
}

/// What is left of an entity's rows, in rising order of event time.
#[derive(Default)]
struct Entity {
    new: Option<(EventTime, Fields)>,
    retracted: Option<EventTime>,
}

impl Entity {
    fn add(&mut self, row: Signed) {
        match row.diff {
            1.. => self.new = Some((row.event_time, row.fields)),
            0 => {}
            _ => self.retracted = Some(row.event_time),
        }
    }

    fn row(self, entity: String, epoch: Epoch, told: Told) -> Option<OnlineRow> {
        let replaces = match told {
            Told::Changes => self.retracted.map_or(Replaces::Nothing, Replaces::Row),
            Told::NewRows => Replaces::Generation,
        };
        let (row_time, fields) = match self.new {
            Some((event_time, fields)) => (event_time, Some(fields)),
            None => (self.retracted?, None),
        };
        let event_time = row_time.max(self.retracted.unwrap_or(row_time));
        let version = Version { event_time, epoch };
        Some(OnlineRow {
            entity,
            version,
            row_time,
            replaces,
            fields,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(entity: &str, event_time: EventTime, value: &str, diff: Diff) -> Signed {
        let fields = vec![("v".to_owned(), value.to_owned())];
        Signed {
            entity: entity.to_owned(),
            event_time,
            fields,
            diff,
        }
    }

    fn text(rows: Vec<Signed>) -> String {
        let line = |row: &OnlineRow| {
            let value = row
                .fields
                .as_ref()
                .map_or("gone", |f| f.first().unwrap().1.as_str());
            format!(
                "{}={value}@{} {:?}",
                row.entity, row.version.event_time, row.replaces
            )
        };
        settle(7, Told::Changes, rows)
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join(", ")
    }

    #[test]
    fn an_update_is_one_write_and_no_delete() {
        let rows = vec![signed("a", 2, "new", 1), signed("a", 1, "old", -1)];
        assert_eq!(text(rows), "a=new@2 Row(1)");
    }

    #[test]
    fn a_correction_keeps_the_later_time_and_names_what_it_replaces() {
        let rows = vec![signed("a", 9, "cancelled", -1), signed("a", 4, "before", 1)];
        assert_eq!(text(rows), "a=before@9 Row(9)");
    }

    #[test]
    fn only_retractions_are_a_deletion() {
        assert_eq!(text(vec![signed("a", 9, "x", -1)]), "a=gone@9 Row(9)");
    }

    #[test]
    fn what_came_and_went_inside_the_epoch_leaves_no_trace() {
        let rows = vec![
            signed("a", 1, "old", -1),
            signed("a", 99, "between", -1),
            signed("a", 99, "between", 1),
            signed("a", 2, "new", 1),
            signed("b", 5, "x", 1),
            signed("b", 5, "x", -1),
        ];
        assert_eq!(text(rows), "a=new@2 Row(1)");
    }

    #[test]
    fn of_several_rows_the_newest_is_written_and_nothing_of_an_empty_epoch() {
        let rows = vec![
            signed("a", 5, "x", 1),
            signed("a", 6, "a", 1),
            signed("a", 6, "b", 2),
        ];
        assert_eq!(text(rows), "a=b@6 Nothing");
        assert_eq!(text(Vec::new()), "");
    }
}
