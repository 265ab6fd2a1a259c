//! An aggregate in the windows of the engine, law 6: an epoch at a time, saved and loaded in between.
//!
//! ```text
//! (row, ±n) by epoch ─▶ windows ─▶ what they have written adds up to ┐
//!                    └▶ the rows of each window, read from scratch   ┴ the same, to the bit; and as brute force says
//! ```
//!
//! Final hopping windows are put together of parts where states add up.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Debug;

use thalweg_engine::error::JobError;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState};
use thalweg_engine::time::{EventTime, WATERMARK_END, window_start};
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::laws::{Draws, Laws, bits, law};
use crate::aggregate::{Add, Aggregate};
use crate::codec;
use crate::window::grouped::testing::{Mode, groups};
use crate::window::grouped::{GroupRow, Span};
use crate::window::placed::Placed;

/// A row with its key and moment, under a number that its copies share.
type Numbered<D> = Placed<u32, (u32, D)>;

/// Rows of windows, with how often each is there: the key, the window's start, and what it reads, to the bit.
type Found = BTreeMap<(u32, EventTime, Vec<u8>), Diff>;

/// Windows in a mode.
#[derive(Clone, Copy, Debug)]
struct Windows {
    width_us: i64,
    step_us: i64,
    mode: Mode,
}

const WINDOWS: [Windows; 2] = [
    Windows {
        width_us: 3,
        step_us: 3,
        mode: Mode::Latest,
    },
    Windows {
        width_us: 6,
        step_us: 2,
        mode: Mode::Final,
    },
];

/// Rows lie within a few windows, some at their first and last moments.
const MOMENTS_US: i64 = 12;

impl Windows {
    /// The windows that a moment lies in, by their starts.
    fn of(self, at: EventTime) -> impl Iterator<Item = EventTime> {
        let newest = window_start(at, self.step_us);
        let older =
            (0..self.width_us / self.step_us).map(move |steps| newest - steps * self.step_us);
        older.filter(move |start| at < start + self.width_us)
    }

    /// Whether a window has written its row by this watermark.
    fn shows(self, start: EventTime, watermark: EventTime) -> bool {
        match self.mode {
            Mode::Latest => true,
            Mode::Final => start + self.width_us <= watermark,
        }
    }
}

/// The aggregate over rows that have a key and a moment.
#[derive(Clone)]
struct Inside<A>(A);

impl<D: 'static, A: Aggregate<D>> Aggregate<Numbered<D>> for Inside<A> {
    type State = A::State;
    type Output = A::Output;
    const ADD: Option<Add<A::State>> = A::ADD;

    fn check(&self) -> Result<(), JobError> {
        self.0.check()
    }

    fn update(&self, state: &mut A::State, placed: &Numbered<D>, diff: Diff) {
        self.0.update(state, &placed.row.1, diff);
    }

    fn read(&self, state: &A::State) -> A::Output {
        self.0.read(state)
    }
}

impl<D: Data + Debug, A: Aggregate<D>> Laws<D, A>
where
    A::Output: Debug,
{
    /// Tries the aggregate in windows over a random log.
    pub(super) fn in_windows(&self, draws: &mut Draws) -> Result<(), String> {
        let numbers = Cell::new(0);
        let (_, mut updates) = draws.case(|draws| {
            numbers.set(numbers.get() + 1);
            Placed {
                at: draws.within(0..=MOMENTS_US - 1),
                key: draws.below(2) as u32,
                row: (numbers.get(), (self.draw)(draws)),
            }
        });
        if draws.below(2) == 0 {
            // The watermark rises as the rows come, and windows end before the last.
            updates.sort_by_key(|(placed, _)| placed.at);
        }
        let epoch_rows = draws.one_of(&[1, 2, 5, 100]);
        let epochs: Vec<_> = updates.chunks(epoch_rows).collect();
        let saved_after = draws.below(epochs.len() as u64) as usize;
        for windows in WINDOWS {
            self.in_each_epoch(windows, &epochs, saved_after)
                .map_err(|broken| format!("in {windows:?}, {broken}, over {epochs:#?}"))?;
        }
        Ok(())
    }

    fn in_each_epoch(
        &self,
        windows: Windows,
        epochs: &[&[(Numbered<D>, Diff)]],
        saved_after: usize,
    ) -> Result<(), String> {
        let mut state = self.state(windows);
        let (mut come, mut written) = (BTreeMap::new(), Found::new());
        let mut time = EpochTime::default();
        for (epoch, rows) in epochs.iter().enumerate() {
            let later = epochs[epoch + 1..].iter().copied().flatten();
            let next = later.map(|(placed, _)| placed.at).min();
            time.epoch += 1;
            time.watermark_before = time.watermark;
            time.watermark = next.unwrap_or(WATERMARK_END);
            time.as_of = next.unwrap_or(time.as_of);
            write(&mut state, &time, rows, &mut written)?;
            for (placed, diff) in *rows {
                come.entry(placed.row.0).or_insert((placed, 0)).1 += diff;
            }
            let expected = self.defined(windows, &come, time.watermark)?;
            law(written == expected, || {
                let (written, expected) =
                    (texts::<A::Output>(&written), texts::<A::Output>(&expected));
                format!("what stands after epoch {epoch} is {written:#?}, not {expected:#?}")
            })?;
            if epoch == saved_after {
                let saved = state;
                state = self.state(windows);
                moved(&saved, &mut state)?;
            }
        }
        Ok(())
    }

    /// The engine's own.
    fn state(
        &self,
        windows: Windows,
    ) -> impl KeyedState<In = Numbered<D>, Out = GroupRow<u32, A::Output>> + use<D, A> {
        let span = Span::Every {
            width_us: windows.width_us,
            step_us: windows.step_us,
        };
        let aggregate = Inside(self.aggregate.clone());
        groups(
            |placed| placed.key,
            |placed| placed.at,
            span,
            windows.mode,
            aggregate,
        )
    }

    /// What stands of these rows, by the definition of the windows.
    fn defined(
        &self,
        windows: Windows,
        come: &BTreeMap<u32, (&Numbered<D>, Diff)>,
        watermark: EventTime,
    ) -> Result<Found, String> {
        let mut groups = BTreeMap::<_, Vec<D>>::new();
        for (placed, count) in come.values() {
            for start in windows.of(placed.at).filter(|_| *count > 0) {
                let group = groups.entry((placed.key, start)).or_default();
                group.extend((0..*count).map(|_| placed.row.1.clone()));
            }
        }
        let mut found = Found::new();
        for ((key, start), rows) in groups {
            if windows.shows(start, watermark) {
                let answer = self
                    .aggregate
                    .read(&self.all(rows.iter().map(|row| (row, 1))));
                self.judged(&answer, &rows)?;
                found.insert((key, start, bits(&answer)?), 1);
            }
        }
        Ok(found)
    }
}

/// Applies an epoch, and adds up what is written.
fn write<D: Data, O: Data>(
    state: &mut impl KeyedState<In = Numbered<D>, Out = GroupRow<u32, O>>,
    time: &EpochTime,
    rows: &[(Numbered<D>, Diff)],
    written: &mut Found,
) -> Result<(), String> {
    let (mut buffer, mut passed_on) = (Vec::new(), Vec::new());
    let mut pass_on = |full: &mut Vec<_>| passed_on.append(full);
    let mut out = Emitter::new(time.epoch, &mut buffer, &mut pass_on);
    let updates = rows
        .iter()
        .map(|(row, diff)| (row.clone(), time.epoch, *diff));
    state.epoch(time, updates.collect(), &mut out);
    out.finish();
    passed_on.append(&mut buffer);
    for (row, _, diff) in passed_on {
        let found = (row.key, row.start, bits(&row.value)?);
        *written.entry(found).or_default() += diff;
    }
    written.retain(|_, count| *count != 0);
    Ok(())
}

/// Saves a state by key group, and loads all of it into another.
fn moved<S: KeyedState>(from: &S, to: &mut S) -> Result<(), String> {
    for group in KeyGroup::all() {
        let mut bytes = Vec::new();
        from.save(group, &mut bytes)
            .and_then(|()| to.load(&bytes))
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Rows for people.
fn texts<O: Data + Debug>(found: &Found) -> Vec<String> {
    let text = |((key, start, bits), count): (&(u32, EventTime, Vec<u8>), &Diff)| {
        let value = codec::decode::<O>(bits)
            .map_or_else(|error| error.to_string(), |value| format!("{value:?}"));
        format!("key {key}, window from {start} µs: {value}, × {count}")
    };
    found.iter().map(text).collect()
}
