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
    chunk_rows: usize,
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

    /// Splits a batch into chunks of at most `chunk_rows`, each with the watermark after its last record.
    pub(crate) fn admit(&mut self, batch: &mut Batch<D>, mut emit: impl FnMut(Chunk<D>)) {
        let mut dead = std::mem::take(&mut batch.dead);
        for letter in &mut dead {
            self.source_name.as_ref().clone_into(&mut letter.source);
        }
        let horizon = self.clock.wall().saturating_add(self.spec.max_future_us);
        let mut rest = std::mem::take(&mut batch.rows).into_iter();
        loop {
            let mut chunk = self.chunk(std::mem::take(&mut dead));
            while chunk.rows.len() < self.chunk_rows {
                let Some(update) = rest.next() else { break };
                self.judge(update, horizon, &mut chunk);
            }
            chunk.watermark = self.watermark();
            if chunk.rows.is_empty() && chunk.late.is_empty() && chunk.dead.is_empty() {
                break;
            }
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

    fn chunk(&self, dead: Vec<DeadLetter>) -> Chunk<D> {
        let watermark = self.watermark();
        let rows = Vec::with_capacity(self.chunk_rows);
        Chunk {
            rows,
            late: Vec::new(),
            dead,
            watermark,
            ended: false,
        }
    }

    fn watermark(&self) -> EventTime {
        match (self.newest, self.spec.lateness_us) {
            (Some(newest), Some(lateness)) => newest.saturating_sub(lateness),
            _ => WATERMARK_NONE,
        }
    }

    #[inline]
    fn judge(&mut self, mut update: Update<D>, horizon: EventTime, chunk: &mut Chunk<D>) {
        if let Some(stamp) = &self.spec.stamp {
            stamp(&mut update.0, self.newest);
        }
        let Some(event_time) = &self.spec.event_time else {
            chunk.rows.push(update);
            return;
        };
        let at = event_time(&update.0);
        if at > horizon || at < self.watermark() {
            chunk.late.push(update);
            return;
        }
        if self.newest.is_none_or(|newest| at > newest) {
            self.newest = Some(at);
        }
        chunk.rows.push(update);
    }
}
