//! What is asked of the demo, checked once, and what follows from it.

use std::path::PathBuf;
use std::time::Duration;

use thalweg_connectors::generator::Payments;
use thalweg_engine::config::Config;
use thalweg_engine::error::JobError;
use thalweg_engine::time::{days, minutes};

use crate::store::Place;
use crate::text::count;

/// Payments when neither a number nor a time is asked for.
const EVENTS: u64 = 2_000_000;

/// Payments that can be asked for: any disk is full long before, and event time still has steps between two of them.
pub const EVENTS_MAX: u64 = 1_000_000_000_000;

/// Event time that the payments span: long enough for the widest window to lose what it gained.
const SPAN_DAYS: u64 = 14;

/// Payments per user, on average; and users at most.
const EVENTS_PER_USER: u64 = 100;
const USERS_MAX: u64 = 20_000;

/// Partitions of the payments, whatever the number of workers: what is late is decided per partition, so a
/// fixed number gives the same results on any machine.
pub(super) const PARTITIONS: usize = 4;

/// The seed of all rows. Any would do.
pub(super) const SEED: u64 = 7;

/// Rows this far behind the newest of their partition are still counted. The generator's are up to an hour late, so
/// that some come too late and show where such rows go.
pub(super) const LATENESS: Duration = minutes(45);

/// What `thalweg demo` is asked for.
#[derive(Clone, Debug)]
pub struct Demo {
    /// How many payments; 2,000,000, or no end with `seconds`, where nothing is said.
    pub events: Option<u64>,
    /// How many payments per second at most; as many as possible where nothing is said.
    pub rate: Option<f64>,
    /// After how many seconds to stop.
    pub seconds: Option<u64>,
    /// How many workers, 1 to 128.
    pub workers: usize,
    /// The folder to write to.
    pub dir: PathBuf,
    /// The online store to write to.
    pub online: Place,
}

/// Why a demo cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No payments, or too many.
    #[error("--events is {}; a demo takes 1 to {} payments", count(*events), count(EVENTS_MAX))]
    Events {
        /// What was asked for.
        events: u64,
    },
    /// A rate that is no speed.
    #[error("--rate is {rate} payments per second; it must be above 0 and finite")]
    Rate {
        /// What was asked for.
        rate: f64,
    },
    /// No time.
    #[error("--seconds is 0; a demo runs for at least 1 second")]
    NoTime,
    /// Workers that cannot be.
    #[error("--workers is {workers}; a job runs on 1 to 128 workers")]
    Workers {
        /// What was asked for.
        workers: usize,
    },
}

/// A demo that was checked.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) demo: Demo,
    /// Payments to come; `None` without an end.
    pub(super) events: Option<u64>,
    pub(super) users: u64,
}

impl Demo {
    pub(super) fn plan(&self) -> Result<Plan, PlanError> {
        let demo = self.clone();
        if !(1..=128).contains(&demo.workers) {
            return Err(PlanError::Workers {
                workers: demo.workers,
            });
        }
        if let Some(rate) = demo.rate.filter(|rate| !(rate.is_finite() && *rate > 0.0)) {
            return Err(PlanError::Rate { rate });
        }
        if let Some(events) = demo
            .events
            .filter(|events| !(1..=EVENTS_MAX).contains(events))
        {
            return Err(PlanError::Events { events });
        }
        if demo.seconds == Some(0) {
            return Err(PlanError::NoTime);
        }
        let events = demo.events.or(match (demo.rate, demo.seconds) {
            (_, None) => Some(EVENTS),
            // At most so many can come in that time, so that the drift falls in the middle.
            (Some(rate), Some(seconds)) => Some(rows_in(rate, seconds).min(EVENTS_MAX)),
            (None, Some(_)) => None,
        });
        let users = (events.unwrap_or(EVENTS) / EVENTS_PER_USER).clamp(50, USERS_MAX);
        Ok(Plan {
            demo,
            events,
            users,
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rough number of rows; a float beyond the range becomes the greatest"
)]
fn rows_in(rate: f64, seconds: u64) -> u64 {
    ((rate * seconds as f64).ceil() as u64).max(1)
}

impl Plan {
    /// The payments: 14 days of event time, the drift half way.
    pub(super) fn payments(&self) -> Payments {
        let planned = self.events.unwrap_or(EVENTS);
        #[expect(clippy::cast_precision_loss, reason = "a pace, not a count")]
        let pace = planned as f64 / days(SPAN_DAYS).as_secs_f64();
        let mut payments = Payments::new(SEED)
            .partitions(PARTITIONS)
            .users(self.users)
            .per_event_second(pace)
            .drift_from(planned / 2);
        if let Some(events) = self.events {
            payments = payments.events(events);
        }
        match self.demo.rate {
            Some(rate) => payments.rate(rate),
            None => payments,
        }
    }

    /// Workers and the size of an epoch.
    ///
    /// The embedded store commits each epoch with an fsync and rewrites each user that changed in it, so that a run
    /// as fast as possible is served by few, large epochs, and a paced one by ten a second.
    pub(super) fn config(&self) -> Result<Config, JobError> {
        let workers = self.demo.workers as u64;
        let rows = match (self.demo.rate, self.events) {
            (Some(rate), _) => rows_in(rate / 10.0, 1).clamp(16, 65_536) / workers,
            (None, Some(events)) => (events / workers / 16).clamp(8_192, 262_144),
            (None, None) => 65_536,
        };
        Config::workers(self.demo.workers)?
            .epoch_rows(usize::try_from(rows.max(1)).unwrap_or(8_192))
    }
}
