//! Lateness, decided once, per record, from its place in its own partition.
//!
//! ```text
//! newest     the greatest event time admitted from this partition so far
//! watermark  newest − lateness                             (none while the lateness is unlimited)
//! late       event time < watermark just before the record     → late output
//! too new    event time > clock + max_future                   → late output, never moves newest
//!                                                              (bounded sources: only if a job sets it)
//! ```
//!
//! The verdict never depends on batches, epochs or workers.

use std::sync::Arc;

use crate::env::Clock;
use crate::metrics::Metrics;
use crate::source::{Batch, DeadLetter, SourceSpec};
use crate::time::{EventTime, WATERMARK_END, WATERMARK_NONE};
use crate::update::Update;

/// Rows of one partition that travel together, with the watermark after them.
pub(crate) struct Chunk<D> {
    pub(crate) rows: Vec<Update<D>>,
    pub(crate) late: Vec<Update<D>>,
    pub(crate) dead: Vec<DeadLetter>,
    pub(crate) watermark: EventTime,
    pub(crate) ended: bool,
}

/// Decides for each record of one partition whether it is in time.
pub(crate) struct Gate<D> {
    spec: SourceSpec<D>,
    source_name: Arc<str>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    pub(crate) chunk_rows: usize,
    newest: Option<EventTime>,
}

impl<D: Clone> Gate<D> {
    pub(crate) fn new(
        spec: SourceSpec<D>,
        source_name: Arc<str>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        chunk_rows: usize,
    ) -> Self {
        Self {
            spec,
            source_name,
            clock,
            metrics,
            chunk_rows,
            newest: None,
        }
    }

    /// Takes a batch's containers one by one, each with the watermark after its last record.
    pub(crate) fn admit(&mut self, batch: &mut Batch<D>, mut emit: impl FnMut(Chunk<D>)) {
        let mut dead = std::mem::take(&mut batch.dead);
        for letter in &mut dead {
            self.source_name.as_ref().clone_into(&mut letter.source);
        }
        let horizon = self.spec.max_future_us.map_or(EventTime::MAX, |ahead| {
            self.clock.wall().saturating_add(ahead)
        });
        if batch.containers.is_empty() && !dead.is_empty() {
            batch.containers.push(Vec::new());
        }
        for rows in batch.containers.drain(..) {
            let mut chunk = self.chunk(rows);
            chunk.dead = std::mem::take(&mut dead);
            self.judge(horizon, &mut chunk);
            chunk.watermark = self.watermark();
            emit(chunk);
        }
        if let Some(newest) = self.newest {
            self.metrics.see_event_time(newest);
        }
    }

    /// The last word of a partition: nothing follows.
    pub(crate) fn end(&self) -> Chunk<D> {
        let mut chunk = self.chunk(Vec::new());
        chunk.watermark = WATERMARK_END;
        chunk.ended = true;
        chunk
    }

    fn chunk(&self, rows: Vec<Update<D>>) -> Chunk<D> {
        Chunk {
            rows,
            late: Vec::new(),
            dead: Vec::new(),
            watermark: self.watermark(),
            ended: false,
        }
    }

    fn watermark(&self) -> EventTime {
        match (self.newest, self.spec.lateness_us) {
            (Some(newest), Some(lateness)) => newest.saturating_sub(lateness),
            _ => WATERMARK_NONE,
        }
    }

    /// Stamps the rows and takes the late ones out; where none is late, which is usual, no row moves.
    fn judge(&mut self, horizon: EventTime, chunk: &mut Chunk<D>) {
        if self.spec.event_time.is_none() && self.spec.stamp.is_none() {
            return;
        }
        let mut late = Vec::new();
        for (place, update) in chunk.rows.iter_mut().enumerate() {
            if !self.is_in_time(&mut update.0, horizon) {
                late.push(place);
            }
        }
        if late.is_empty() {
            return;
        }
        let mut places = late.into_iter().peekable();
        let (late, rows) = std::mem::take(&mut chunk.rows)
            .into_iter()
            .enumerate()
            .partition::<Vec<_>, _>(|(place, _)| places.next_if_eq(place).is_some());
        chunk.late = late.into_iter().map(|(_, update)| update).collect();
        chunk.rows = rows.into_iter().map(|(_, update)| update).collect();
    }

    /// The verdict on one row, which moves the watermark if it is in time.
    #[inline]
    fn is_in_time(&mut self, row: &mut D, horizon: EventTime) -> bool {
        if let Some(stamp) = &self.spec.stamp {
            stamp(row, self.newest);
        }
        let Some(event_time) = &self.spec.event_time else {
            return true;
        };
        let at = event_time(row);
        let in_time = at <= horizon && at >= self.watermark();
        if in_time && self.newest.is_none_or(|newest| at > newest) {
            self.newest = Some(at);
        }
        in_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Partition, Reader, Source, SourceError, SourceExt};
    use crate::time::hours;
    use std::time::Duration;

    const NOW: EventTime = 1_000;
    const HOUR: EventTime = 3_600_000_000;

    struct Still;

    impl Clock for Still {
        fn wall(&self) -> EventTime {
            NOW
        }

        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }
    }

    struct Rows {
        bounded: bool,
    }

    impl Source for Rows {
        type Row = EventTime;

        fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
            Ok(Vec::new())
        }

        fn open(&self, _: usize) -> Result<Box<dyn Reader<EventTime>>, SourceError> {
            Err(SourceError::Wrong("only its kind is asked for".into()))
        }

        fn bounded(&self) -> bool {
            self.bounded
        }
    }

    /// The rows that are let in, and the newest event time after them.
    fn admitted(spec: SourceSpec<EventTime>, rows: &[EventTime]) -> (Vec<EventTime>, EventTime) {
        let mut gate = Gate::new(spec, "rows".into(), Arc::new(Still), Arc::default(), 10);
        let mut batch = Batch::default();
        rows.iter().for_each(|at| batch.push(*at));
        let mut entered = Vec::new();
        gate.admit(&mut batch, |chunk| {
            entered.extend(chunk.rows.into_iter().map(|(at, _, _)| at));
        });
        (entered, gate.newest.unwrap())
    }

    #[test]
    fn a_stream_may_be_an_hour_ahead_of_the_clock_and_a_bounded_source_as_far_as_it_likes() {
        let rows = [NOW + HOUR + 1, NOW + HOUR, NOW];
        let spec = |bounded| Rows { bounded }.event_time(|at| *at);
        assert_eq!(
            admitted(spec(false), &rows),
            (vec![NOW + HOUR, NOW], NOW + HOUR)
        );
        assert_eq!(admitted(spec(true), &rows), (rows.to_vec(), rows[0]));
    }

    #[test]
    fn a_job_may_set_a_limit_to_any_source() {
        let rows = [NOW + HOUR, NOW + 2 * HOUR, NOW + 2 * HOUR + 1];
        for bounded in [false, true] {
            let spec = Rows { bounded }.event_time(|at| *at).max_future(hours(2));
            assert_eq!(admitted(spec, &rows).0, rows[..2]);
        }
    }
}
