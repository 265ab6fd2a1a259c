//! Epochs for the tests of every keyed state, and the law of saved state: what was saved by key group and loaded into other
//! states, dealt in another way, continues as if it had never been interrupted.

use std::fmt::Debug;

use thalweg_engine::key::{GOLDEN, KEY_GROUPS, owner};
use thalweg_engine::keyed::{
    Emitter, EpochTime, KeyGroup, KeyedState, PairedState, StateError, StateSize,
};
use thalweg_engine::time::{EventTime, WATERMARK_END, WATERMARK_NONE};
use thalweg_engine::update::Updates;

pub(crate) use crate::aggregate::laws::Draws;

/// A row as [`log`] draws it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub(crate) struct Row {
    pub(crate) key: i64,
    pub(crate) at: EventTime,
    pub(crate) value: i64,
    pub(crate) id: u32,
}

/// A row of one of two tables, with its tag.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum Side<L, R> {
    Left(u64, L),
    Right(u64, R),
}

/// A state over two tables as a state over one, so that the same laws hold it.
pub(crate) struct Sided<S>(pub(crate) S);

impl<S: PairedState> KeyedState for Sided<S> {
    type In = Side<S::Left, S::Right>;
    type Out = S::Out;
    const FORMAT: u32 = S::FORMAT;

    fn epoch(&mut self, time: &EpochTime, rows: Updates<Self::In>, out: &mut Emitter<'_, S::Out>) {
        let sides = rows.into_containers().into_iter().map(|rows| {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            for (side, epoch, diff) in rows {
                match side {
                    Side::Left(_, row) => left.push((row, epoch, diff)),
                    Side::Right(_, row) => right.push((row, epoch, diff)),
                }
            }
            (left, right)
        });
        let (left, right): (Vec<_>, Vec<_>) = sides.unzip();
        let (left, right) = (left.into_iter().collect(), right.into_iter().collect());
        self.0.epoch(time, left, right, out);
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        self.0.save(group, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        self.0.load(bytes)
    }

    fn size(&self) -> StateSize {
        self.0.size()
    }
}

/// Epochs of signed rows, with the times that hold in each.
pub(crate) type Epochs<In> = Vec<(EpochTime, Vec<(In, i64)>)>;

/// Forty epochs over twelve keys, one of them busy: ties, late rows, rows taken back, some before they come. No
/// watermark in the first epochs; every source ends in the last.
pub(crate) fn log<In>(seed: u64, step_us: i64, project: impl Fn(Row) -> In) -> Epochs<In> {
    let mut draws = Draws::seeded(seed.wrapping_mul(GOLDEN) | 1);
    let (mut time, mut id) = (EpochTime::default(), 0);
    let mut owed: Vec<(Row, i64)> = Vec::new();
    let mut epochs = Vec::new();
    for epoch in 1..=40_i64 {
        let oldest = time.as_of.max(0);
        let mut rows = Vec::new();
        for _ in 0..draws.below(12) {
            id += 1;
            let key = if draws.below(2) == 0 {
                7
            } else {
                draws.within(0..=11)
            };
            let at = oldest + draws.within(0..=7) * step_us + draws.within(0..=1);
            let row = Row {
                key,
                at,
                value: draws.within(-3..=3),
                id,
            };
            let (now, later) = if draws.below(5) == 0 {
                (-1, 1)
            } else {
                (1, -1)
            };
            rows.push((row, now));
            if now < 0 || draws.below(4) == 0 {
                owed.push((row, later));
            }
        }
        let first = rows.len();
        owed.retain(|(row, diff)| {
            let paid = row.at >= oldest && draws.below(3) == 0;
            rows.extend(paid.then_some((*row, *diff)));
            !paid
        });
        debug_assert!(rows.len() >= first);
        time.watermark_before = time.watermark;
        time.epoch += 1;
        if epoch > 5 && draws.below(3) > 0 {
            time.watermark = time.watermark.max(oldest + draws.within(0..=3) * step_us);
            time.as_of = time.watermark;
        }
        if epoch == 40 {
            time.watermark = WATERMARK_END;
        }
        assert!(time.as_of != WATERMARK_NONE || time.watermark_before == WATERMARK_NONE);
        let rows = rows.into_iter().map(|(row, diff)| (project(row), diff));
        epochs.push((time, rows.collect()));
    }
    epochs
}

/// The tag of a row of one of two tables.
pub(crate) fn side_tag<L, R>(row: &Side<L, R>) -> u64 {
    match row {
        Side::Left(tag, _) | Side::Right(tag, _) => *tag,
    }
}

/// Rows of a container, where there are several.
const PIECE_ROWS: usize = 3;

/// What an epoch writes.
pub(crate) fn step<S: KeyedState>(
    state: &mut S,
    time: &EpochTime,
    rows: &[(S::In, i64)],
) -> Vec<(S::Out, i64)> {
    step_counted(state, time, rows).0
}

/// What an epoch writes, and how many updates it forgets.
pub(crate) fn step_counted<S: KeyedState>(
    state: &mut S,
    time: &EpochTime,
    rows: &[(S::In, i64)],
) -> (Vec<(S::Out, i64)>, u64) {
    let (mut buffer, mut passed_on) = (Vec::new(), Vec::new());
    let mut pass_on = |full: &mut Vec<_>| passed_on.append(full);
    let mut out = Emitter::new(time.epoch, &mut buffer, &mut pass_on);
    let rows = rows
        .iter()
        .map(|(row, diff)| (row.clone(), time.epoch, *diff));
    state.epoch(time, rows.collect(), &mut out);
    let forgotten = out.forgotten();
    passed_on.append(&mut buffer);
    let written = passed_on.into_iter();
    let written = written.map(|(row, _, diff)| (row, diff)).collect();
    (written, forgotten)
}

/// States that share the key groups, and how rows are dealt to them.
struct Dealt<S: KeyedState>(Vec<S>, fn(&S::In) -> u64);

impl<S: KeyedState> Dealt<S>
where
    S::Out: Debug,
{
    fn new(workers: usize, make: &impl Fn() -> S, tag: fn(&S::In) -> u64) -> Self {
        Self((0..workers).map(|_| make()).collect(), tag)
    }

    /// Runs an epoch, and returns what all wrote, in an order that does not depend on who did.
    fn epoch(&mut self, time: &EpochTime, rows: &[(S::In, i64)]) -> Vec<String> {
        let workers = self.0.len();
        let mut written = Vec::new();
        for (worker, state) in self.0.iter_mut().enumerate() {
            let ours = rows
                .iter()
                .filter(|(row, _)| owner((self.1)(row), workers) == worker);
            let ours: Vec<_> = ours
                .map(|(row, diff)| (row.clone(), time.epoch, *diff))
                .collect();
            // Several states get their rows as several workers send them: in pieces, and not in the order of time.
            let piece = if workers > 1 { PIECE_ROWS } else { usize::MAX };
            let pieces = ours.chunks(piece).rev().map(<[_]>::to_vec);
            let mut buffer = Vec::new();
            let mut passed_on = Vec::new();
            let mut pass_on = |full: &mut Vec<_>| passed_on.append(full);
            let mut out = Emitter::new(time.epoch, &mut buffer, &mut pass_on);
            state.epoch(time, pieces.collect(), &mut out);
            out.finish();
            let all = passed_on.iter().chain(&buffer);
            written.extend(all.map(|update| format!("{update:?}")));
        }
        written.sort_unstable();
        written
    }

    /// Saves every key group and loads it into fresh states.
    fn dealt_to(&self, workers: usize, make: &impl Fn() -> S) -> Self {
        let mut next = Self::new(workers, make, self.1);
        for (number, group) in KeyGroup::all().enumerate() {
            let mut bytes = Vec::new();
            self.0[number * self.0.len() / KEY_GROUPS]
                .save(group, &mut bytes)
                .unwrap();
            next.0[number * workers / KEY_GROUPS].load(&bytes).unwrap();
        }
        next
    }
}

/// Runs the epochs without interruption, and with one after each of some epochs, dealt to other numbers of states.
pub(crate) fn assert_continues<S: KeyedState>(
    make: impl Fn() -> S,
    tag: fn(&S::In) -> u64,
    epochs: &Epochs<S::In>,
) where
    S::Out: Debug,
{
    let mut whole = Dealt::new(1, &make, tag);
    let expected: Vec<_> = epochs
        .iter()
        .map(|(time, rows)| whole.epoch(time, rows))
        .collect();
    assert!(
        expected.iter().any(|written| !written.is_empty()),
        "the log must write something"
    );
    for (before, after, cut) in [(1, 2, 3), (1, 3, 12), (2, 3, 20), (3, 1, 28), (2, 2, 39)] {
        let mut states = Dealt::new(before, &make, tag);
        for (index, (time, rows)) in epochs.iter().enumerate() {
            if index == cut {
                states = states.dealt_to(after, &make);
            }
            let written = states.epoch(time, rows);
            assert_eq!(
                written, expected[index],
                "{before} → {after} states after {cut}, epoch {index}"
            );
        }
    }
}
