//! Lateness, decided once, per record, from its place in its own partition.
//!
//! ```text
//! newest     the greatest event time admitted from this partition so far
//! watermark  newest − lateness                             (none while the lateness is unlimited)
//! late       event time < watermark just before the record     → late output
//! too new    event time > clock + max_future                   → late output, never moves newest
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
    /// The event times of the container in hand.
    times: Vec<EventTime>,
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
            times: Vec::new(),
        }
    }

    /// Takes a batch's containers one by one, each with the watermark after its last record.
    pub(crate) fn admit(&mut self, batch: &mut Batch<D>, mut emit: impl FnMut(Chunk<D>)) {
        let mut dead = std::mem::take(&mut batch.dead);
        for letter in &mut dead {
            self.source_name.as_ref().clone_into(&mut letter.source);
        }
        let horizon = self.clock.wall().saturating_add(self.spec.max_future_us);
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
        let late = match self.spec.stamp.clone() {
            Some(stamp) => self.late_stamped(horizon, &mut chunk.rows, &*stamp),
            None => self.late_of(horizon, &chunk.rows),
        };
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

    /// The places of the rows that are not in time.
    fn late_of(&mut self, horizon: EventTime, rows: &[Update<D>]) -> Vec<usize> {
        let Some(event_times) = &self.spec.event_times else {
            return Vec::new();
        };
        let mut times = std::mem::take(&mut self.times);
        times.clear();
        event_times(rows, &mut times);
        let late = (0..times.len())
            .filter(|place| !self.is_in_time(times[*place], horizon))
            .collect();
        self.times = times;
        late
    }

    /// The same, where each row notes what was the newest just before it.
    fn late_stamped(
        &mut self,
        horizon: EventTime,
        rows: &mut [Update<D>],
        stamp: &dyn Fn(&mut D, Option<EventTime>),
    ) -> Vec<usize> {
        let mut late = Vec::new();
        for place in 0..rows.len() {
            stamp(&mut rows[place].0, self.newest);
            if !self.late_of(horizon, &rows[place..=place]).is_empty() {
                late.push(place);
            }
        }
        late
    }

    /// The verdict on one moment, which moves the watermark if it is in time.
    #[inline(always)]
    fn is_in_time(&mut self, at: EventTime, horizon: EventTime) -> bool {
        let in_time = at <= horizon && at >= self.watermark();
        if in_time && self.newest.is_none_or(|newest| at > newest) {
            self.newest = Some(at);
        }
        in_time
    }
}
