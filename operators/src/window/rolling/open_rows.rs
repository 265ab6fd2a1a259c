//! The rows of all keys that may still change, in one log, and of each key a chain through it.
//!
//! ```text
//! first ─▶ │ a₁ │ b₁ │ a₂ ─ before ─▶ a₁ │ c₁ │ a₃ ─ before ─▶ a₂ │ ◀─ end          last of a: the place of a₃
//! ```
//!
//! A row in order is written where the cache is, and nothing of its key is touched but the place of its last row. What the
//! watermark has passed goes where the log begins, and from behind what has not been passed when the log has doubled.
//! Places are numbers that are never used twice: one that lies before the beginning is known to be gone. Only a key in
//! repair is walked through, as far back as it has rows that the repair may reach.

use std::collections::VecDeque;

use thalweg_engine::time::EventTime;

use crate::window::rolling::repair::Open;

/// The place of no row.
pub(super) const NOWHERE: u64 = u64::MAX >> 1;

/// How long a log is at the least before it is looked through for what has been passed.
const LOG_MIN: usize = 4_096;

struct Logged<Q> {
    /// Nothing where the row was taken out.
    row: Option<Open<Q>>,
    /// The place of the key's row before.
    before: u64,
    /// No row of the key, up to this one, is newer.
    newest: EventTime,
}

/// The rows, by place.
pub(super) struct WindowsAts<Q> {
    log: VecDeque<Logged<Q>>,
    first: u64,
    /// The length at which the log is looked through.
    log_max: usize,
    /// The places of the key in repair, ascending.
    places: Vec<u64>,
}

impl<Q: Ord> WindowsAts<Q> {
    pub(super) fn new() -> Self {
        Self {
            log: VecDeque::new(),
            first: 0,
            log_max: LOG_MIN,
            places: Vec::new(),
        }
    }

    /// Adds a row of the key whose last row is at `last`, and of which none is newer than `newest`, this one included; the
    /// place that it has.
    #[inline(always)]
    pub(super) fn push(&mut self, last: u64, newest: EventTime, row: Open<Q>) -> u64 {
        self.log.push_back(Logged {
            row: Some(row),
            before: last,
            newest,
        });
        self.first + self.log.len() as u64 - 1
    }

    /// Lets go of what the watermark has passed, from the beginning on.
    pub(super) fn pass(&mut self, watermark: EventTime) {
        let has_passed = |row: &Open<Q>| row.at < watermark;
        while let Some(front) = self.log.front()
            && front.row.as_ref().is_none_or(has_passed)
        {
            self.log.pop_front();
            self.first += 1;
        }
    }

    /// Whether so much has come that [`WindowsAts::compact`] may find something to let go.
    pub(super) fn has_doubled(&self) -> bool {
        self.log.len() > self.log_max
    }

    /// Lets go of all that the watermark has passed; the new places of the old ones.
    #[cold]
    pub(super) fn compact(&mut self, watermark: EventTime) -> impl Fn(u64) -> u64 + use<Q> {
        let old_first = self.first;
        self.first += self.log.len() as u64;
        let mut moved = Vec::with_capacity(self.log.len());
        let place_of = move |moved: &[u64], place: u64| {
            let index = usize::try_from(place.wrapping_sub(old_first)).unwrap_or(usize::MAX);
            moved.get(index).copied().unwrap_or(NOWHERE)
        };
        let mut next = self.first;
        self.log.retain_mut(|logged| {
            logged.before = place_of(&moved, logged.before);
            let lives = logged.row.as_ref().is_some_and(|row| row.at >= watermark);
            moved.push(if lives { next } else { logged.before });
            next += u64::from(lives);
            lives
        });
        self.log_max = (2 * self.log.len()).max(LOG_MIN);
        move |place| place_of(&moved, place)
    }

    /// Where a place is; beyond the end for one that was let go, and for none.
    #[inline(always)]
    fn index(&self, place: u64) -> usize {
        usize::try_from(place.wrapping_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// A key's rows with their places, from the last to the first.
    fn chain(&self, last: u64) -> impl Iterator<Item = (u64, &Logged<Q>)> {
        let at = |place| Some((place, self.log.get(self.index(place))?));
        std::iter::successors(at(last), move |(_, logged)| at(logged.before))
    }

    /// A key's rows, by time.
    pub(super) fn of(&self, last: u64) -> Vec<&Open<Q>> {
        let rows = self.chain(last);
        let mut rows: Vec<_> = rows.filter_map(|(_, logged)| logged.row.as_ref()).collect();
        rows.sort_unstable();
        rows
    }

    /// Takes a key's rows out, by time: all from `from` on, and some before it; those that the watermark has passed go.
    pub(super) fn take(
        &mut self,
        last: u64,
        (from, watermark): (EventTime, EventTime),
        rows: &mut VecDeque<Open<Q>>,
    ) {
        let mut places = std::mem::take(&mut self.places);
        places.clear();
        let reached = self.chain(last);
        let reached = reached.take_while(|(_, logged)| logged.newest >= from);
        places.extend(reached.map(|(place, _)| place));
        places.reverse();
        for place in &places {
            let index = self.index(*place);
            let row = self.log[index].row.take();
            rows.extend(row.filter(|row| row.at >= watermark));
        }
        rows.make_contiguous().sort_unstable();
        self.places = places;
    }

    /// Puts back what [`WindowsAts::take`] took of the key, as it is now, into the last of the places that it came from, and
    /// behind them; the place of the last. A row in one of the first would keep the log from being cut there.
    pub(super) fn put_back(&mut self, mut last: u64, rows: &mut VecDeque<Open<Q>>) -> u64 {
        let places = std::mem::take(&mut self.places);
        let before = places
            .first()
            .map_or(last, |first| self.log[self.index(*first)].before);
        let before = self.log.get(self.index(before));
        let mut newest = before.map_or(EventTime::MIN, |logged| logged.newest);
        let free = places.len().saturating_sub(rows.len());
        for (i, place) in places.iter().enumerate() {
            let index = self.index(*place);
            let logged = &mut self.log[index];
            if i >= free {
                logged.row = rows.pop_front();
            }
            newest = newest.max(logged.row.as_ref().map_or(newest, |row| row.at));
            logged.newest = newest;
        }
        self.places = places;
        for row in rows.drain(..) {
            newest = newest.max(row.at);
            last = self.push(last, newest, row);
        }
        last
    }

    /// Rows that there is room for, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.log.capacity() * size_of::<Logged<Q>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    const KEYS: usize = 20;

    #[test]
    fn rows_are_found_by_key_and_the_log_is_cut_however_often_keys_are_repaired() {
        let mut draws = Draws::seeded(3);
        let mut rows = WindowsAts::<i64>::new();
        let mut last = [NOWHERE; KEYS];
        let mut expected = vec![Vec::<Open<i64>>::new(); KEYS];
        let mut newest = [EventTime::MIN; KEYS];
        let mut taken = VecDeque::new();
        // The watermark does not pass it, and it stands where the log begins.
        let far = Open {
            at: EventTime::MAX,
            of: 0,
            count: 1,
        };
        rows.push(NOWHERE, far.at, far);
        for step in 0..40_000_i64 {
            let watermark = step - 200;
            if step % 10 == 0 {
                rows.pass(watermark);
                if rows.has_doubled() {
                    let place_of = rows.compact(watermark);
                    last.iter_mut().for_each(|last| *last = place_of(*last));
                }
            }
            let key = draws.below(KEYS as u64) as usize;
            let known = &mut expected[key];
            if draws.below(3) > 0 {
                let row = Open {
                    at: step,
                    of: 8 * step + 7,
                    count: 1,
                };
                newest[key] = newest[key].max(step);
                last[key] = rows.push(last[key], newest[key], row.clone());
                known.push(row);
            } else {
                let from = watermark + draws.within(0..=199);
                rows.take(last[key], (from, watermark), &mut taken);
                known.retain(|row| row.at >= watermark);
                known.sort_unstable();
                let reached = taken.iter().skip_while(|row| row.at < from);
                let expected = known.iter().filter(|row| row.at >= from);
                assert!(reached.eq(expected), "step {step}, key {key}");
                // Some go, and some come in the middle.
                known.retain(|row| !taken.contains(row));
                taken.retain(|row| row.at < from || (row.at ^ row.of) % 3 != 0);
                for n in 0..draws.within(0..=2) {
                    let (at, of) = (from + draws.within(0..=199), 8 * step + n);
                    taken.push_back(Open { at, of, count: 1 });
                    newest[key] = newest[key].max(at);
                }
                taken.make_contiguous().sort_unstable();
                known.extend(taken.iter().cloned());
                last[key] = rows.put_back(last[key], &mut taken);
                assert!(taken.is_empty());
            }
            let of_key = rows.of(last[key]);
            let of_key = of_key.into_iter().filter(|row| row.at >= watermark);
            known.retain(|row| row.at >= watermark);
            known.sort_unstable();
            assert!(of_key.eq(known.iter()), "step {step}, key {key}");
            assert!(
                rows.log.len() < LOG_MIN + 1_000,
                "{} rows in the log",
                rows.log.len()
            );
        }
    }
}
