//! The store: batches as pipelines of one script, reads as pipelines of `HGETALL`.

use std::time::Duration;

use redis::{Pipeline, Script};
use thalweg_engine::sink::SinkError;
use thalweg_engine::time::{Epoch, EventTime};

use crate::online::view::check_name;
use crate::online::{
    Fields, OnlineError, OnlineRow, OnlineStore, StoredRow, Version, WriteOutcome,
};
use crate::redis::config::RedisConfig;
use crate::redis::link::{Link, Lost};
use crate::redis::script::{BEGIN, UPSERT, key_of, runs_of, upsert};

/// A connection to one Redis server, for writing views and for reading them.
pub struct RedisStore {
    pub(super) link: Link,
    hash: String,
}

impl RedisStore {
    /// Connects, and waits up to `start_total_ms` for a server that is starting.
    ///
    /// # Errors
    /// [`OnlineError::Wrong`] for a URL that cannot be used; [`OnlineError::Failed`] when the server cannot be
    /// reached or refuses the user. The message names the address, never the password.
    pub fn open(config: &RedisConfig) -> Result<Self, OnlineError> {
        let mut link = Link::new(config)?;
        link.ask(config.start_total_ms, |connection| {
            redis::cmd("PING").exec(connection)
        })
        .map_err(|lost| OnlineError::Failed(advice("connect to", config, &lost)))?;
        Ok(Self {
            link,
            hash: Script::new(UPSERT).get_hash().to_owned(),
        })
    }

    /// Requests that were repeated because of an outage, since the store was opened.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.link.retries
    }
}

impl OnlineStore for RedisStore {
    fn begin(&mut self, view: &str, started: EventTime) -> Result<u64, OnlineError> {
        check_name(view).map_err(|error| OnlineError::Wrong(error.to_string()))?;
        let total_ms = self.link.config().start_total_ms;
        let mut count = redis::cmd("EVAL");
        count.arg(BEGIN).arg(1).arg(runs_of(view)).arg(started);
        self.link
            .ask(total_ms, |connection| count.query(connection))
            .map_err(|lost| {
                let attempt = format!("count the runs of view {view:?} in");
                OnlineError::Failed(advice(&attempt, self.link.config(), &lost))
            })
    }

    fn write(
        &mut self,
        view: &str,
        ttl: Option<Duration>,
        rows: &[OnlineRow],
    ) -> Result<WriteOutcome, SinkError> {
        check_name(view).map_err(|error| SinkError::Wrong(error.to_string()))?;
        if rows.is_empty() {
            return Ok(WriteOutcome::default());
        }
        let config = self.link.config();
        let total_ms = config.retry_total_ms;
        let calls = upsert(&self.hash, view, ttl, config.tombstone_ttl_s, rows);
        let set: Vec<usize> = self
            .link
            .ask(total_ms, |connection| calls.query(connection))
            .map_err(|lost| {
                let attempt = format!("write {} entities of view {view:?} to", rows.len());
                let text = advice(&attempt, self.link.config(), &lost);
                match lost.outcome_unknown {
                    true => SinkError::Unknown(text),
                    false => SinkError::Failed(text),
                }
            })?;
        let written = set.iter().sum();
        Ok(WriteOutcome {
            written,
            refused_as_older: rows.len().saturating_sub(written),
        })
    }

    /// `now` is not looked at: Redis itself removes what has expired.
    fn get_many(
        &mut self,
        view: &str,
        entities: &[&str],
        _now: EventTime,
    ) -> Result<Vec<Option<StoredRow>>, OnlineError> {
        if entities.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = Pipeline::new();
        for entity in entities {
            pipeline.cmd("HGETALL").arg(key_of(view, entity));
        }
        let total_ms = self.link.config().read_total_ms;
        let found: Vec<Fields> = self
            .link
            .ask(total_ms, |connection| pipeline.query(connection))
            .map_err(|lost| {
                let attempt = format!("read {} entities of view {view:?} from", entities.len());
                OnlineError::Failed(advice(&attempt, self.link.config(), &lost))
            })?;
        found
            .into_iter()
            .zip(entities)
            .map(|(hash, entity)| row_of(view, entity, hash))
            .collect()
    }
}

/// Takes the version fields out of a hash. An empty hash is an absent one.
fn row_of(view: &str, entity: &str, hash: Fields) -> Result<Option<StoredRow>, OnlineError> {
    let (mut event_time, mut epoch, mut row_time) = (None, None, None);
    let mut deleted = false;
    let mut fields = Fields::with_capacity(hash.len());
    let empty = hash.is_empty();
    for (name, value) in hash {
        match name.as_str() {
            "__event_time" => event_time = value.parse::<EventTime>().ok(),
            "__epoch" => epoch = value.parse::<Epoch>().ok(),
            "__row_time" => row_time = value.parse::<EventTime>().ok(),
            "__deleted" => deleted = true,
            _ => fields.push((name, value)),
        }
    }
    if empty || deleted {
        return Ok(None);
    }
    let (Some(event_time), Some(epoch)) = (event_time, epoch) else {
        return Err(OnlineError::Corrupt(format!(
            "the hash {:?} has no __event_time or no __epoch: another program has written it; remove it, or choose \
             another view name",
            key_of(view, entity)
        )));
    };
    let version = Version { event_time, epoch };
    Ok(Some(StoredRow {
        version,
        row_time: row_time.unwrap_or(event_time),
        fields,
    }))
}

/// What failed, where, why, and what to do.
fn advice(attempt: &str, config: &RedisConfig, lost: &Lost) -> String {
    let address = config.address();
    let Lost {
        reason, attempts, ..
    } = lost;
    match lost.hopeless {
        true => format!(
            "could not {attempt} Redis at {address}: {reason}; check user, password and rights, that it is a single \
             node and no cluster, and that no other program uses these keys"
        ),
        false => format!(
            "could not {attempt} Redis at {address} in {attempts} attempts: {reason}; check that the server runs, \
             can be reached from here and has memory left, then run this again (a job waits for it as long as \
             retry_total_ms and start_total_ms say)"
        ),
    }
}
