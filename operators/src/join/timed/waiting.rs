//! The left rows whose matches may still change, of the few keys that have any.

use thalweg_engine::time::{EventTime, WATERMARK_END};

use super::Rule;
use super::run::Held;
use super::slot::{NONE, nearly_full};

/// One key's left rows.
pub(in crate::join) struct Lefts<L> {
    pub(in crate::join) rows: Vec<Held<L>>,
    /// `final`: whether the rows have yet to be sorted, and the oldest of their times.
    unsorted: Option<EventTime>,
    /// The earliest timer that stands for the key; the last moment of all where none does.
    pub(in crate::join) due: EventTime,
}

impl<L: Ord> Lefts<L> {
    pub(in crate::join) fn new() -> Self {
        Self {
            rows: Vec::new(),
            unsorted: None,
            due: EventTime::MAX,
        }
    }

    /// Takes a row in that waits, wherever its place is: sorting many at once is cheaper than a place for each.
    pub(in crate::join) fn push(&mut self, left: Held<L>) {
        let oldest = self.oldest().unwrap_or(left.at);
        self.unsorted = Some(oldest.min(left.at));
        self.rows.push(left);
    }

    pub(super) fn oldest(&self) -> Option<EventTime> {
        let first = self.rows.first().map(|left| left.at);
        self.unsorted.or(first)
    }

    /// Sorts the rows that wait, and adds copies up.
    fn sort(&mut self) {
        self.unsorted = None;
        self.rows
            .sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.row.cmp(&b.row)));
        self.rows.dedup_by(|next, first| {
            let same = next.at == first.at && next.row == first.row;
            first.count += if same { next.count } else { 0 };
            same
        });
        self.rows.retain(|left| left.count != 0);
    }

    /// Takes out the rows that nothing can change any more, and shows each with the right rows. The first moment at
    /// which another may follow; none where no row is left.
    pub(in crate::join) fn settle<R, U: Rule<R>>(
        &mut self,
        rule: &U,
        rights: &[Held<R>],
        watermark: EventTime,
        mut show: impl FnMut(&Held<L>),
    ) -> Option<EventTime> {
        let ended = watermark == WATERMARK_END;
        match self.unsorted {
            Some(oldest) if oldest >= watermark && !ended => return Some(oldest),
            Some(_) => self.sort(),
            None => {}
        }
        let mut next = EventTime::MAX;
        let (mut kept, mut seen) = (0, 0);
        while seen < self.rows.len() {
            let left = &self.rows[seen];
            if left.at >= watermark && !ended {
                next = next.min(left.at);
                break;
            }
            let after = rule.settled_after(rights, left.at);
            if after < watermark || ended {
                show(left);
            } else {
                next = next.min(after);
                self.rows.swap(kept, seen);
                kept += 1;
            }
            seen += 1;
        }
        self.rows.drain(kept..seen);
        (!self.rows.is_empty()).then_some(next)
    }

    /// Gives back memory that is not in use; once no row waits, another key may take the place.
    pub(in crate::join) fn give_back(&mut self) {
        if self.rows.len() * 4 <= self.rows.capacity() && self.rows.capacity() > KEPT_ROWS {
            self.rows.shrink_to(KEPT_ROWS);
        }
        if self.rows.is_empty() {
            (self.unsorted, self.due) = (None, EventTime::MAX);
        }
    }
}

/// The left rows of all keys that have any: what one key no longer needs is used again by another.
pub(super) struct Waiting<L> {
    lefts: Vec<Lefts<L>>,
    free: Vec<u32>,
    /// Rows that there is room for.
    room: usize,
}

impl<L: Ord> Waiting<L> {
    pub(super) fn new() -> Self {
        Self {
            lefts: Vec::new(),
            free: Vec::new(),
            room: 0,
        }
    }

    pub(super) fn get(&self, place: u32) -> Option<&Lefts<L>> {
        self.lefts.get(place as usize)
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Lefts<L>> {
        self.lefts.get_mut(place as usize)
    }

    /// A place for the left rows of a key that has none yet.
    pub(super) fn enter(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.lefts.push(Lefts::new());
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a worker holds fewer than 2³² keys"
            )]
            let place = (self.lefts.len() - 1) as u32;
            place
        })
    }

    /// The left rows at a place, with room for one more where few are free.
    pub(super) fn with_room(&mut self, place: u32) -> &mut Lefts<L> {
        let lefts = &mut self.lefts[place as usize];
        let rows = &mut lefts.rows;
        if nearly_full(rows.len(), rows.capacity()) {
            self.room -= rows.capacity();
            rows.reserve_exact(rows.len().max(KEPT_ROWS));
            self.room += rows.capacity();
        }
        lefts
    }

    /// Whether dropping is worth a try before there is room for one more.
    pub(super) fn is_full(&self, place: u32) -> bool {
        let lefts = self.lefts.get(place as usize);
        lefts.is_some_and(|lefts| nearly_full(lefts.rows.len(), lefts.rows.capacity()))
    }

    /// Lets go of a key's place once none of its rows waits, and of memory that is not in use.
    pub(super) fn leave(&mut self, place: &mut u32) {
        let Some(lefts) = self.lefts.get_mut(*place as usize) else {
            return;
        };
        self.room -= lefts.rows.capacity();
        lefts.give_back();
        self.room += lefts.rows.capacity();
        if lefts.rows.is_empty() {
            self.free.push(*place);
            *place = NONE;
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.room * size_of::<Held<L>>()
            + self.lefts.capacity() * size_of::<Lefts<L>>()
            + self.free.capacity() * size_of::<u32>()
    }
}

/// Rows that a place keeps room for when its key leaves it: most keys have few left rows that wait.
const KEPT_ROWS: usize = 4;
