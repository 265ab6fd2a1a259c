//! The labels whose feature may still change, of the few keys that have any: those that the watermark has not passed.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{EpochTime, KeyGroup};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::EventTime;

use crate::join::timed::run;
use crate::join::timed::waiting::Lefts;
use crate::join::timed::{Held, Rule};
use crate::window::rolling::timers::Timers;

/// The labels that wait, by key.
pub(super) struct Labels<K, L> {
    index: KeyIndex<K>,
    lefts: Vec<Lefts<L>>,
    timers: Timers,
    due: Vec<u32>,
    swept: usize,
    held: usize,
    /// Labels that there is room for.
    room: usize,
}

/// Keys that the sweep passes over in an epoch, beside one for every row.
const SWEEP_MIN: usize = 64;

impl<K: Key, L: Ord> Labels<K, L> {
    pub(super) fn new() -> Self {
        Self {
            index: KeyIndex::of_short_lived(),
            lefts: Vec::new(),
            timers: Timers::new(),
            due: Vec::new(),
            swept: 0,
            held: 0,
            room: 0,
        }
    }

    /// Where the labels of a key are, if any of them waits.
    #[inline(always)]
    pub(super) fn find(&self, tag: u64, key: impl Fn() -> K) -> Option<u32> {
        if self.index.is_empty() {
            return None;
        }
        self.index.find_with(tag, key)
    }

    /// The labels of a key that wait, by time.
    pub(super) fn of(&self, handle: u32) -> &[Held<L>] {
        &self.lefts[handle as usize].rows
    }

    /// `latest`: keeps a label whose feature may still change. What takes one back stays until both can be dropped.
    #[inline(never)]
    pub(super) fn keep(&mut self, tag: u64, key: impl Fn() -> K, label: Held<L>) {
        self.with_lefts(tag, key, |_, lefts, _| {
            run::change(&mut lefts.rows, label.at, label.row, label.count);
        });
    }

    /// `final`: lets a label wait for the watermark.
    #[inline(never)]
    pub(super) fn wait(&mut self, tag: u64, key: impl Fn() -> K, label: Held<L>) {
        self.with_lefts(tag, key, |handle, lefts, timers| {
            if label.at < lefts.due {
                lefts.due = label.at;
                timers.set(handle, label.at);
            }
            lefts.push(label);
        });
    }

    fn with_lefts(
        &mut self,
        tag: u64,
        key: impl Fn() -> K,
        change: impl FnOnce(u32, &mut Lefts<L>, &mut Timers),
    ) {
        let (handle, new) = self.index.resolve_with(tag, key);
        if new && handle as usize == self.lefts.len() {
            self.lefts.push(Lefts::new());
        }
        let lefts = &mut self.lefts[handle as usize];
        let before = (lefts.rows.len(), lefts.rows.capacity());
        change(handle, lefts, &mut self.timers);
        self.held = self.held + lefts.rows.len() - before.0;
        self.room = self.room + lefts.rows.capacity() - before.1;
    }

    /// `latest`: passes over some more of the keys and drops the labels that nothing can change any more.
    pub(super) fn sweep<R>(&mut self, rule: &impl Rule<R>, watermark: EventTime, rows: usize) {
        for _ in 0..(rows + SWEEP_MIN).min(self.lefts.len()) {
            self.swept += 1;
            if self.swept >= self.lefts.len() {
                self.swept = 0;
            }
            if !self.lefts[self.swept].rows.is_empty() {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a handle is a place among the keys"
                )]
                let handle = self.swept as u32;
                self.settle(handle, rule, watermark, |_, _| {});
            }
        }
    }

    /// `final`: shows the labels that the watermark has passed, and lets them go.
    pub(super) fn release<R>(
        &mut self,
        rule: &impl Rule<R>,
        time: &EpochTime,
        mut show: impl FnMut(&K, &Held<L>),
    ) {
        let mut due = std::mem::take(&mut self.due);
        if time.is_end() {
            due.extend(self.index.iter().map(|(handle, _)| handle));
        } else if time.has_risen() {
            self.timers.take_due(time.watermark, &mut due);
        }
        for handle in due.drain(..) {
            let lefts = &mut self.lefts[handle as usize];
            if lefts.due < time.watermark {
                lefts.due = EventTime::MAX;
            }
            let next = self.settle(handle, rule, time.watermark, &mut show);
            let lefts = &mut self.lefts[handle as usize];
            if let Some(next) = next.filter(|next| *next < lefts.due) {
                lefts.due = next;
                self.timers.set(handle, next);
            }
        }
        self.due = due;
    }

    /// Takes out the labels of a key that the watermark has passed; the first moment at which another may follow.
    fn settle<R>(
        &mut self,
        handle: u32,
        rule: &impl Rule<R>,
        watermark: EventTime,
        mut show: impl FnMut(&K, &Held<L>),
    ) -> Option<EventTime> {
        let key = self.index.key(handle)?;
        let lefts = &mut self.lefts[handle as usize];
        let before = (lefts.rows.len(), lefts.rows.capacity());
        let next = lefts.settle(rule, &[], watermark, |label| show(key, label));
        lefts.give_back();
        self.held = self.held + lefts.rows.len() - before.0;
        self.room = self.room + lefts.rows.capacity() - before.1;
        if lefts.rows.is_empty() {
            self.index.remove(handle);
        }
        next
    }

    /// The keys of a group with their labels.
    pub(super) fn iter(&self, group: KeyGroup) -> impl Iterator<Item = (&K, &[Held<L>])> {
        let ours = self.index.iter();
        let ours = ours.filter(move |(_, key)| group.holds(key.tag()));
        ours.map(|(handle, key)| (key, self.of(handle)))
    }

    /// Keys that have labels which wait.
    pub(super) fn keys(&self) -> usize {
        self.index.len()
    }

    /// Labels that wait.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    pub(super) fn bytes(&self) -> usize {
        self.index.bytes()
            + self.lefts.capacity() * size_of::<Lefts<L>>()
            + self.room * size_of::<Held<L>>()
            + self.timers.bytes()
    }
}
