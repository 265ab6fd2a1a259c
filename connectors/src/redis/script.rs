//! A batch as calls of the script: what goes into `KEYS` and `ARGV`.

use std::time::Duration;

use redis::{Cmd, Pipeline};

use crate::online::version::generation_start;
use crate::online::{OnlineRow, Replaces};

/// The script's text.
pub(crate) const UPSERT: &str = include_str!("upsert.lua");

/// Counts the runs that write a view.
pub(crate) const BEGIN: &str = include_str!("begin.lua");

/// The account of the runs that wrote a view: never the key of an entity, which begins with `features:`.
pub(crate) fn runs_of(view: &str) -> String {
    format!("features.runs:{view}")
}

/// Entities per call of the script: while one runs, Redis serves nobody else.
pub(crate) const CALL_ENTITIES: usize = 200;

/// The key of an entity. A view's name holds no colon, so that keys of two views never meet.
pub(crate) fn key_of(view: &str, entity: &str) -> String {
    format!("features:{view}:{entity}")
}

/// The calls that write a batch.
pub(crate) fn upsert(
    hash: &str,
    view: &str,
    ttl: Option<Duration>,
    tombstone_ttl_s: u64,
    rows: &[OnlineRow],
) -> Pipeline {
    let ttl_ms = ttl.map_or(String::new(), |ttl| ttl.as_millis().to_string());
    let tombstone_ttl_ms = tombstone_ttl_s.saturating_mul(1_000);
    let mut pipeline = Pipeline::new();
    for call in rows.chunks(CALL_ENTITIES) {
        let mut command = redis::cmd("EVALSHA");
        command.arg(hash).arg(call.len());
        for row in call {
            command.arg(key_of(view, &row.entity));
        }
        command.arg(&ttl_ms).arg(tombstone_ttl_ms);
        for row in call {
            add_row(&mut command, row);
        }
        pipeline.add_command(command);
    }
    pipeline
}

fn add_row(command: &mut Cmd, row: &OnlineRow) {
    let replaces = match row.replaces {
        Replaces::Unknown => String::new(),
        Replaces::Nothing => format!("n{}", generation_start(row.version.epoch)),
        Replaces::Row(old) => format!("r{old}"),
        Replaces::Generation => format!("g{}", generation_start(row.version.epoch)),
    };
    command
        .arg(row.version.event_time)
        .arg(row.version.epoch)
        .arg(row.row_time)
        .arg(replaces);
    match &row.fields {
        None => {
            command.arg(-1);
        }
        Some(fields) => {
            command.arg(fields.len());
            for (name, value) in fields {
                command.arg(name).arg(value);
            }
        }
    }
}
