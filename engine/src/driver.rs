//! The driver of one worker: gates, epochs and the end, in plain code between two steps of the dataflow.
//!
//! ```text
//! drive: take acknowledgements → follow the newest epoch → poll the sources while fewer than 2 epochs are in
//!        flight → close the epoch when it is full, when its time is up, or when only watermarks moved
//!
//! follow over streams: at once; over files: when nothing is there to be read. A worker that is behind fills its epoch: so
//!        long as readers keep up, all take equally many rows in each, and none runs ahead of the others in time
//!
//! time   10 ms, over streams; 1 ms where no other epoch is on its way: a sink that keeps up is fed at once, and one that
//!        does not gets larger epochs. Where a job says how long, every epoch with a row is open for so long
//! ```

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use timely::dataflow::operators::probe::Handle as Probe;

use crate::config::{EPOCH_INTERVAL_ALONE, EPOCHS_IN_FLIGHT_MAX};
use crate::error::JobError;
use crate::shared::{EPOCH_FIRST, Shared};
use crate::sink::operator::DrivenSink;
use crate::source::input::DrivenInput;
use crate::time::Epoch;
use crate::watermark::MarkHandle;

/// What a turn of the driver came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Rows or epochs moved.
    Worked,
    /// Nothing to do until rows, acknowledgements or other workers come, or until an epoch's time is up: then in which
    /// time.
    Idle(Option<Duration>),
}

/// An epoch on its way: when its first row came.
struct InFlight {
    epoch: Epoch,
    opened: Duration,
}

/// Turns one worker's sources and sinks.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    inputs: Vec<Box<dyn DrivenInput>>,
    sinks: Vec<Box<dyn DrivenSink>>,
    marks: Option<MarkHandle>,
    probe: Probe<Epoch>,
    epoch: Epoch,
    rows_in_epoch: usize,
    opened: Option<Duration>,
    in_flight: VecDeque<InFlight>,
    epoch_rows: usize,
    epoch_interval: Option<Duration>,
    turn: usize,
}

impl Driver {
    pub(crate) fn new(
        shared: Arc<Shared>,
        inputs: Vec<Box<dyn DrivenInput>>,
        sinks: Vec<Box<dyn DrivenSink>>,
        marks: Option<MarkHandle>,
        probe: Probe<Epoch>,
    ) -> Self {
        let bounded = inputs.iter().all(|input| input.is_bounded());
        let (epoch_rows, epoch_interval) = shared.config.epoch_bounds(bounded);
        Self {
            shared,
            inputs,
            sinks,
            marks,
            probe,
            epoch: 0,
            rows_in_epoch: 0,
            opened: None,
            in_flight: VecDeque::new(),
            epoch_rows,
            epoch_interval,
            turn: 0,
        }
    }

    /// One turn, between two steps of the dataflow.
    pub(crate) fn drive(&mut self) -> Result<Turn, JobError> {
        for sink in &mut self.sinks {
            sink.poll()?;
        }
        self.note_latency();
        if self.marks.is_none() {
            return Ok(Turn::Idle(None));
        }
        if self.shared.config.env.stop.is_stopping() {
            let unread = self.inputs.iter().filter(|input| !input.is_done());
            unread.for_each(|input| self.shared.leave_unread(input.is_bounded()));
            self.close();
            return Ok(Turn::Worked);
        }
        if self.epoch_interval.is_some() {
            self.follow();
        }
        let in_flight = self.epochs_in_flight();
        if in_flight >= EPOCHS_IN_FLIGHT_MAX {
            return Ok(Turn::Idle(None));
        }
        let taken = self.poll_inputs()?;
        if taken == 0 && self.follow() {
            return Ok(Turn::Worked);
        }
        let done = self.inputs.iter().all(|input| input.is_done());
        if done {
            self.send_marks();
            self.close();
        } else if self.rows_in_epoch >= self.epoch_rows
            || self.time_left(in_flight) == Some(Duration::ZERO)
            || (taken == 0 && self.may_close() && self.send_marks())
        {
            self.advance_to(self.epoch + 1);
        } else if taken == 0 {
            return Ok(Turn::Idle(self.time_left(in_flight)));
        }
        Ok(Turn::Worked)
    }

    /// Asks the sinks to publish; called once the dataflow has ended.
    pub(crate) fn finish(&mut self) {
        self.note_latency();
        let ending = self.shared.ending();
        self.sinks.iter_mut().for_each(|sink| sink.finish(ending));
    }

    /// Drops the sinks that have published, and says whether all have.
    pub(crate) fn is_finished(&mut self) -> Result<bool, JobError> {
        let mut index = 0;
        while index < self.sinks.len() {
            if self.sinks[index].is_finished()? {
                drop(self.sinks.swap_remove(index));
            } else {
                index += 1;
            }
        }
        Ok(self.sinks.is_empty())
    }

    /// Goes on to the newest epoch that any worker has begun; whether that is another one.
    fn follow(&mut self) -> bool {
        let newest = self.shared.newest_epoch();
        let is_behind = newest > self.epoch;
        if is_behind {
            self.advance_to(newest);
        }
        is_behind
    }

    /// Polls dimensions first; timed sources begin when every dimension, on every worker, has ended.
    fn poll_inputs(&mut self) -> Result<usize, JobError> {
        let waiting = self.shared.dimensions_pending.load(SeqCst) > 0;
        let first = if waiting {
            EPOCH_FIRST
        } else {
            self.shared.timed_from.load(SeqCst)
        };
        if self.epoch < first {
            self.advance_to(first);
        }
        let mut taken = 0;
        let count = self.inputs.len();
        for step in 0..count {
            let index = (self.turn + step) % count;
            let input = &mut self.inputs[index];
            let room = self.epoch_rows.saturating_sub(self.rows_in_epoch);
            if room == 0 || input.is_done() || (waiting && !input.is_dimension()) {
                continue;
            }
            let rows = input.poll(self.epoch, room)?;
            self.rows_in_epoch += rows;
            taken += rows;
        }
        self.turn = self.turn.wrapping_add(1);
        if taken > 0 && self.opened.is_none() {
            self.opened = Some(self.shared.config.env.clock.elapsed());
        }
        Ok(taken)
    }

    /// Whether the epoch may close before its time.
    fn may_close(&self) -> bool {
        self.opened.is_none()
            || self.epoch_interval.is_none()
            || self.shared.config.may_close_early()
    }

    /// How long the epoch may stay open; `None` where time does not close it, or it holds no row.
    fn time_left(&self, in_flight: u64) -> Option<Duration> {
        let (interval, opened) = (self.epoch_interval?, self.opened?);
        let interval = match in_flight {
            0 if self.shared.config.may_close_early() => interval.min(EPOCH_INTERVAL_ALONE),
            _ => interval,
        };
        let open = self.shared.config.env.clock.elapsed();
        Some(interval.saturating_sub(open.saturating_sub(opened)))
    }

    /// Reports the watermarks that have moved; they hold once the current epoch is complete.
    fn send_marks(&mut self) -> bool {
        let mut moved = Vec::new();
        self.inputs
            .iter_mut()
            .for_each(|input| input.take_marks(&mut moved));
        let Some(marks) = &mut self.marks else {
            return false;
        };
        let any = !moved.is_empty();
        marks.send_batch(&mut moved);
        any
    }

    /// Closes the current epoch and begins `next`.
    fn advance_to(&mut self, next: Epoch) {
        self.send_marks();
        if self.rows_in_epoch > 0 {
            let opened = self.opened.unwrap_or_default();
            self.in_flight.push_back(InFlight {
                epoch: self.epoch,
                opened,
            });
        }
        self.shared.epoch.fetch_max(next, SeqCst);
        self.epoch = next;
        self.rows_in_epoch = 0;
        self.opened = None;
        self.inputs
            .iter_mut()
            .for_each(|input| input.advance_to(self.epoch));
        if let Some(marks) = &mut self.marks {
            marks.advance_to(self.epoch);
        }
    }

    /// Closes the last epoch and lets go of the inputs: nothing more enters on this worker.
    fn close(&mut self) {
        self.advance_to(self.epoch + 1);
        self.inputs.clear();
        self.marks = None;
    }

    fn epochs_in_flight(&self) -> u64 {
        self.probe.with_frontier(|frontier| {
            frontier
                .first()
                .map_or(0, |oldest| self.epoch.saturating_sub(*oldest))
        })
    }

    /// Takes the epochs off the list that every sink has acknowledged.
    fn note_latency(&mut self) {
        while let Some(oldest) = self.in_flight.front() {
            if self.probe.less_equal(&oldest.epoch) {
                break;
            }
            let now = self.shared.config.env.clock.elapsed();
            self.shared
                .metrics
                .record_latency(now.saturating_sub(oldest.opened));
            self.shared.metrics.epochs.fetch_add(1, Relaxed);
            self.in_flight.pop_front();
        }
    }
}
