//! How many runs have written each view: what tells the rows of a later run from those of an earlier one.

use redb::{Database, ReadableTable, TableDefinition};
use thalweg_engine::time::EventTime;

/// For each view the start of the last run that wrote it, and how many have. (Those of views begin with `features:`.)
const RUNS: TableDefinition<'_, &str, (EventTime, u64)> = TableDefinition::new("runs");

/// Counts the run that began at `started`, unless it was the last one counted.
pub(super) fn next_generation(
    database: &Database,
    view: &str,
    started: EventTime,
) -> Result<u64, redb::Error> {
    let transaction = database.begin_write()?;
    let generation = {
        let mut runs = transaction.open_table(RUNS)?;
        let last = runs.get(view)?.map(|last| last.value());
        match last {
            Some((known, generation)) if known == started => generation,
            _ => {
                let generation = last.map_or(1, |(_, generation)| generation + 1);
                runs.insert(view, (started, generation))?;
                generation
            }
        }
    };
    transaction.commit()?;
    Ok(generation)
}
