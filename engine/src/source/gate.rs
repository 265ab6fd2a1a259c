//! Lateness, decided once, per record, from its place in its own partition.
//!
//! ```text
//! newest     the greatest event time admitted from this partition so far
//! watermark  newest − lateness                             (none while the lateness is unlimited)
//! late       event time < watermark just before the record     → late output
//! too new    event time > clock + max_future                   → late output, never moves newest
//!                                                              (bounded sources: only if a job sets it)
//! timeless   event time is the first or the last number        → dead letter, never moves newest
//! ```
//!
//! The verdict never depends on batches, epochs or workers. The first and the last number are watermarks, that of
//! nothing and that of the end: a row of the last one, in time, would have ended every window before its source ended.

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

/// Where a row goes that is not in time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outside {
    Late,
    /// To the dead letters, with its event time.
    Timeless(EventTime),
}

/// Where a moment goes that is too early or too late.
#[cold]
fn outside(at: EventTime) -> Outside {
    if at == WATERMARK_NONE || at == WATERMARK_END {
        Outside::Timeless(at)
    } else {
        Outside::Late
    }
}

/// Rows that are asked about together: so few that mostly all are in time, even after the newest of them.
const TOGETHER: usize = 64;

/// Decides for each record of one partition whether it is in time.
pub(crate) struct Gate<D> {
    spec: SourceSpec<D>,
    source_name: Arc<str>,
    partition: String,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    pub(crate) chunk_rows: usize,
    newest: Option<EventTime>,
    /// Rows judged so far.
    rows: u64,
}

impl<D: Clone> Gate<D> {
    pub(crate) fn new(
        spec: SourceSpec<D>,
        source_name: Arc<str>,
        partition: String,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        chunk_rows: usize,
    ) -> Self {
        Self {
            spec,
            source_name,
            partition,
            clock,
            metrics,
            chunk_rows,
            newest: None,
            rows: 0,
        }
    }

    /// Takes a batch's containers one by one, each with the watermark after its last record.
    pub(crate) fn admit(&mut self, batch: &mut Batch<D>, mut emit: impl FnMut(Chunk<D>)) {
        let mut dead = std::mem::take(&mut batch.dead);
        for letter in &mut dead {
            self.source_name.as_ref().clone_into(&mut letter.source);
        }
        let ahead = self.spec.max_future_us;
        let horizon = ahead.map_or(EventTime::MAX, |ahead| {
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

    /// Stamps the rows and takes out those that do not go in; where there is none, which is usual, no row moves.
    fn judge(&mut self, horizon: EventTime, chunk: &mut Chunk<D>) {
        let first = self.rows;
        self.rows += chunk.rows.len() as u64;
        let out = match self.spec.stamp.clone() {
            Some(stamp) => self.outside_stamped(horizon, &mut chunk.rows, &*stamp),
            None => self.outside(horizon, &chunk.rows),
        };
        if out.is_empty() {
            return;
        }
        let mut out = out.into_iter().peekable();
        for (place, update) in std::mem::take(&mut chunk.rows).into_iter().enumerate() {
            match out.next_if(|next| next.0 == place) {
                None => chunk.rows.push(update),
                Some((_, Outside::Timeless(at))) => {
                    let position = first + place as u64 + 1;
                    chunk.dead.push(self.timeless(position, at));
                }
                Some(_) => chunk.late.push(update),
            }
        }
    }

    /// The places of the rows that do not go in, each with why.
    fn outside(&mut self, horizon: EventTime, rows: &[Update<D>]) -> Vec<(usize, Outside)> {
        let Some(event_times) = self.spec.event_times.as_deref() else {
            return Vec::new();
        };
        let mut out = Vec::new();
        // The first and the last number are below the one and above the other.
        let (first, last) = (WATERMARK_NONE + 1, horizon.min(WATERMARK_END - 1));
        let lateness = self.spec.lateness_us;
        let earliest = |newest: EventTime| {
            let watermark = lateness.map(|lateness| newest.saturating_sub(lateness));
            watermark.map_or(first, |watermark| watermark.max(first))
        };
        let mut newest = self.newest.unwrap_or(WATERMARK_NONE);
        let mut times = [WATERMARK_NONE; TOGETHER];
        for (block, rows) in rows.chunks(TOGETHER).enumerate() {
            let times = &mut times[..rows.len()];
            let (oldest, latest) = event_times.read(rows, times);
            let after = newest.max(latest);
            // What is in time after all of them was in time among them.
            if latest <= last && oldest >= earliest(after) {
                newest = after;
                continue;
            }
            for (place, at) in times.iter().enumerate() {
                if *at < earliest(newest) || *at > last {
                    out.push((block * TOGETHER + place, outside(*at)));
                } else {
                    // Whether a row is the newest so far cannot be foreseen: no branch asks.
                    newest = newest.max(*at);
                }
            }
        }
        self.newest = (newest != WATERMARK_NONE).then_some(newest);
        out
    }

    /// The same, where each row notes what was the newest just before it.
    fn outside_stamped(
        &mut self,
        horizon: EventTime,
        rows: &mut [Update<D>],
        stamp: &dyn Fn(&mut D, Option<EventTime>),
    ) -> Vec<(usize, Outside)> {
        let mut out = Vec::new();
        for place in 0..rows.len() {
            stamp(&mut rows[place].0, self.newest);
            let verdict = self.outside(horizon, &rows[place..=place]).pop();
            out.extend(verdict.map(|(_, verdict)| (place, verdict)));
        }
        out
    }

    #[cold]
    fn timeless(&self, position: u64, at: EventTime) -> DeadLetter {
        DeadLetter {
            source: self.source_name.to_string(),
            partition: self.partition.clone(),
            position,
            reason: format!(
                "its event time is {at} µs, which is no moment: the first and the last 64-bit number mark the \
                 beginning and the end of all time"
            ),
            record: String::new(),
        }
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

    /// A clock that stands at [`NOW`].
    struct Still;

    impl Clock for Still {
        fn wall(&self) -> EventTime {
            NOW
        }

        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }
    }

    /// A source that nobody reads: the gate asks for the event time alone.
    struct Unread {
        bounded: bool,
    }

    impl Source for Unread {
        type Row = EventTime;

        fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
            Ok(Vec::new())
        }

        fn open(&self, _: usize) -> Result<Box<dyn Reader<EventTime>>, SourceError> {
            Err(SourceError::Wrong("nobody reads it".into()))
        }

        fn bounded(&self) -> bool {
            self.bounded
        }
    }

    /// What became of rows, in batches: those in time, the late ones, the places of dead letters, the watermark.
    type Judged = (Vec<EventTime>, Vec<EventTime>, Vec<u64>, EventTime);

    fn judged(lateness: Duration, batches: &[&[EventTime]]) -> Judged {
        let spec = Unread { bounded: true }.event_time(|at| *at);
        judged_by(spec.lateness(lateness), batches)
    }

    fn judged_by(spec: SourceSpec<EventTime>, batches: &[&[EventTime]]) -> Judged {
        let clock = Arc::new(Still);
        let mut gate = Gate::new(spec, "rows".into(), "only".into(), clock, Arc::default(), 4);
        let mut judged: Judged = (Vec::new(), Vec::new(), Vec::new(), WATERMARK_NONE);
        for rows in batches {
            let mut batch = Batch::new(100, 0);
            rows.iter().for_each(|at| batch.push(*at));
            gate.admit(&mut batch, |chunk| {
                judged.0.extend(chunk.rows.iter().map(|update| update.0));
                judged.1.extend(chunk.late.iter().map(|update| update.0));
                for letter in &chunk.dead {
                    assert_eq!((&*letter.source, &*letter.partition), ("rows", "only"));
                    assert!(letter.reason.contains("no moment"), "{}", letter.reason);
                    judged.2.push(letter.position);
                }
                judged.3 = chunk.watermark;
            });
        }
        judged
    }

    /// With no lateness, a row at the last number had the watermark of a source that has ended.
    #[test]
    fn rows_at_the_ends_of_time_are_dead_letters_and_never_move_the_watermark() {
        let (first, last) = (EventTime::MIN, EventTime::MAX);
        let batches: [&[EventTime]; 2] = [&[last, 5, first, 7, 6], &[8, last, 9]];
        let found = judged(Duration::ZERO, &batches);
        assert_eq!(found, (vec![5, 7, 8, 9], vec![6], vec![1, 3, 7], 9));
    }

    #[test]
    fn the_moments_beside_the_ends_of_time_are_moments() {
        let (first, last) = (EventTime::MIN + 1, EventTime::MAX - 1);
        let found = judged(Duration::ZERO, &[&[first], &[last, 0]]);
        assert_eq!(found, (vec![first, last], vec![0], vec![], last));
    }

    #[test]
    fn a_lateness_that_reaches_before_all_time_lets_everything_in() {
        let (first, early) = (EventTime::MIN + 1, -(1 << 62) - 9);
        let found = judged(Duration::from_micros(1 << 62), &[&[early, first]]);
        assert_eq!(found, (vec![early, first], vec![], vec![], WATERMARK_NONE));
    }

    #[test]
    fn a_stream_may_be_an_hour_ahead_of_the_clock_and_a_bounded_source_as_far_as_it_likes() {
        let rows = [NOW + HOUR + 1, NOW + HOUR, NOW];
        let admitted = |bounded| judged_by(Unread { bounded }.event_time(|at| *at), &[&rows]).0;
        assert_eq!(admitted(false), rows[1..]);
        assert_eq!(admitted(true), rows);
    }

    #[test]
    fn a_job_may_set_a_limit_to_any_source() {
        let rows = [NOW + HOUR, NOW + 2 * HOUR, NOW + 2 * HOUR + 1];
        for bounded in [false, true] {
            let spec = Unread { bounded }.event_time(|at| *at);
            let judged = judged_by(spec.max_future(hours(2)), &[&rows]);
            assert_eq!((&judged.0[..], &judged.1[..]), (&rows[..2], &rows[2..]));
        }
    }

    /// Rows are asked about many together: they are judged as one by one, wherever batches end.
    #[test]
    fn rows_in_batches_of_any_length_are_judged_one_by_one() {
        let (mut state, mut late, mut dead) = (1_u64, 0, 0);
        let mut below = |limit: u64| {
            state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            (state >> 33) % limit
        };
        for lateness in [0, 1, 40, 900] {
            let mut moment = |place: i64| match below(60) {
                0 => place - below(2_000) as i64,
                1 => [EventTime::MIN, EventTime::MAX][below(2) as usize],
                _ => place - below(30) as i64,
            };
            let rows: Vec<_> = (0..5_000).map(&mut moment).collect();
            let (mut newest, mut expected): (_, Judged) = (WATERMARK_NONE, Judged::default());
            for (place, at) in (1..).zip(&rows) {
                if *at == EventTime::MIN || *at == EventTime::MAX {
                    expected.2.push(place);
                } else if *at < newest.saturating_sub(lateness) {
                    expected.1.push(*at);
                } else {
                    expected.0.push(*at);
                    newest = newest.max(*at);
                }
            }
            expected.3 = newest - lateness;
            (late, dead) = (late + expected.1.len(), dead + expected.2.len());
            for most in [1, 7, 64, 65, 500] {
                let (mut batches, mut rest) = (Vec::new(), &rows[..]);
                while !rest.is_empty() {
                    let rows = (1 + below(most) as usize).min(rest.len());
                    batches.push(&rest[..rows]);
                    rest = &rest[rows..];
                }
                let lateness = Duration::from_micros(lateness as u64);
                assert!(judged(lateness, &batches) == expected, "up to {most} rows");
            }
        }
        assert!(late > 500 && dead > 100, "{late} late, {dead} dead");
    }
}
