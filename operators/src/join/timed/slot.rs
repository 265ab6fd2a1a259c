//! What one key holds: right rows, and the left rows whose matches may still change.

use smallvec::SmallVec;
use thalweg_engine::time::{EventTime, WATERMARK_END};

use super::Rule;
use super::run::Held;

/// Right rows of most keys: the newest that has passed the watermark, and one that has not.
type Rights<R> = SmallVec<[Held<R>; 2]>;

/// Left rows: most keys hold none most of the time.
type Lefts<L> = SmallVec<[Held<L>; 0]>;

/// A key's rows.
pub(super) struct Slot<L, R> {
    pub(super) rights: Rights<R>,
    pub(super) lefts: Lefts<L>,
    /// `final`: whether `lefts` have yet to be sorted, and the oldest of their times.
    unsorted: Option<EventTime>,
    /// The earliest timer that stands for the key; the last moment of all where none does.
    pub(super) due: EventTime,
    /// `latest`: what the key writes in this epoch is added up first. `final`: the epoch has to look at it in its end.
    pub(super) marked: bool,
}

impl<L: Ord, R> Slot<L, R> {
    pub(super) fn new() -> Self {
        Self {
            rights: SmallVec::new(),
            lefts: SmallVec::new(),
            unsorted: None,
            due: EventTime::MAX,
            marked: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rights.is_empty() && self.lefts.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.rights.len() + self.lefts.len()
    }

    /// Bytes beside the slot itself.
    pub(super) fn heap_bytes(&self) -> usize {
        let rights = if self.rights.spilled() {
            self.rights.capacity()
        } else {
            0
        };
        rights * size_of::<Held<R>>() + self.lefts.capacity() * size_of::<Held<L>>()
    }

    /// Takes a left row in that waits, wherever its place is: sorting many at once is cheaper than a place for each.
    pub(super) fn wait(&mut self, left: Held<L>) {
        let oldest = self.oldest().unwrap_or(left.at);
        self.unsorted = Some(oldest.min(left.at));
        self.lefts.push(left);
    }

    fn oldest(&self) -> Option<EventTime> {
        let first = self.lefts.first().map(|left| left.at);
        self.unsorted.or(first)
    }

    /// Sorts the left rows that wait, and adds copies up.
    fn sort(&mut self) {
        self.unsorted = None;
        self.lefts
            .sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.row.cmp(&b.row)));
        self.lefts.dedup_by(|next, first| {
            let same = next.at == first.at && next.row == first.row;
            first.count += if same { next.count } else { 0 };
            same
        });
        self.lefts.retain(|left| left.count != 0);
    }

    /// Takes out the left rows that nothing can change any more, and shows each with the right rows. The first moment
    /// at which another may follow; none where no row is left.
    pub(super) fn settle<U: Rule<R>>(
        &mut self,
        rule: &U,
        watermark: EventTime,
        mut show: impl FnMut(&Held<L>, &[Held<R>]),
    ) -> Option<EventTime> {
        let ended = watermark == WATERMARK_END;
        match self.unsorted {
            Some(oldest) if oldest >= watermark && !ended => return Some(oldest),
            Some(_) => self.sort(),
            None => {}
        }
        let mut next = EventTime::MAX;
        let (mut kept, mut seen) = (0, 0);
        while seen < self.lefts.len() {
            let left = &self.lefts[seen];
            if left.at >= watermark && !ended {
                next = next.min(left.at);
                break;
            }
            let after = rule.settled_after(&self.rights, left.at);
            if after < watermark || ended {
                show(left, &self.rights);
            } else {
                next = next.min(after);
                self.lefts.swap(kept, seen);
                kept += 1;
            }
            seen += 1;
        }
        self.lefts.drain(kept..seen);
        (!self.lefts.is_empty()).then_some(next)
    }

    /// Drops the right rows that no left row can match: none that is held, and none from `watermark` on.
    pub(super) fn prune<U: Rule<R>>(&mut self, rule: &U, watermark: EventTime) {
        let oldest = self.oldest().unwrap_or(watermark);
        let spent = rule.spent(&self.rights, watermark.min(oldest));
        if spent > 0 {
            self.rights.drain(..spent);
        }
    }

    /// Makes room for more right rows where few are free.
    pub(super) fn grow_rights(&mut self) {
        if nearly_full(self.rights.len(), self.rights.capacity()) {
            self.rights.reserve(self.rights.len().max(2));
        }
    }

    /// Makes room for more left rows where few are free.
    pub(super) fn grow_lefts(&mut self) {
        if nearly_full(self.lefts.len(), self.lefts.capacity()) {
            self.lefts.reserve(self.lefts.len().max(2));
        }
    }

    /// Gives back memory that is not in use.
    pub(super) fn shrink(&mut self) {
        if self.rights.spilled() && self.rights.len() * 4 <= self.rights.capacity() {
            self.rights.shrink_to_fit();
        }
        if self.lefts.len() * 4 <= self.lefts.capacity() {
            self.lefts.shrink_to_fit();
        }
    }
}

/// Whether dropping has freed too little to wait for the next time.
fn nearly_full(len: usize, capacity: usize) -> bool {
    len * 4 >= capacity * 3
}
