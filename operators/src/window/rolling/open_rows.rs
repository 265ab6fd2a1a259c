//! The rows of all keys that may still change, in one log, and of each key a chain through it.
//!
//! ```text
//! first ─▶ │ a₁ │ b₁ │ a₂ ─ before ─▶ a₁ │ c₁ │ a₃ ─ before ─▶ a₂ │ ◀─ end          last of a: the place of a₃
//! ```
//!
//! A row in order is written where the cache is, and nothing of its key is touched but the place of its last row. What the
//! watermark has passed goes where the log begins. Places are numbers that are never used twice: one that lies before the
//! beginning is known to be gone. Only a key in repair is walked through.

use std::collections::VecDeque;

use thalweg_engine::time::EventTime;

use crate::window::rolling::repair::Open;

/// The place of no row.
pub(super) const NOWHERE: u64 = u64::MAX >> 1;

struct Logged<Q> {
    /// Nothing where the row was taken out.
    row: Option<Open<Q>>,
    before: u64,
}

/// The rows, by place.
pub(super) struct OpenRows<Q> {
    log: VecDeque<Logged<Q>>,
    first: u64,
    /// The places of the key in repair, ascending.
    places: Vec<u64>,
}

impl<Q: Ord> OpenRows<Q> {
    pub(super) fn new() -> Self {
        Self {
            log: VecDeque::new(),
            first: 0,
            places: Vec::new(),
        }
    }

    /// Adds a row of the key whose last row is at `last`; the place that it has.
    #[inline(always)]
    pub(super) fn push(&mut self, last: u64, row: Open<Q>) -> u64 {
        self.log.push_back(Logged {
            row: Some(row),
            before: last,
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

    /// Takes a key's rows out, by time; those that the watermark has passed go.
    pub(super) fn take(&mut self, last: u64, watermark: EventTime, rows: &mut VecDeque<Open<Q>>) {
        let mut places = std::mem::take(&mut self.places);
        places.clear();
        places.extend(self.chain(last).map(|(place, _)| place));
        places.reverse();
        for place in &places {
            let index = self.index(*place);
            let row = self.log[index].row.take();
            rows.extend(row.filter(|row| row.at >= watermark));
        }
        rows.make_contiguous().sort_unstable();
        self.places = places;
    }

    /// Puts back what [`OpenRows::take`] took of the key, as it is now, into the last of the key's places, and behind them;
    /// the place of the last. A row in one of the first would keep the log from being cut there.
    pub(super) fn put_back(&mut self, last: u64, rows: &mut VecDeque<Open<Q>>) -> u64 {
        let places = std::mem::take(&mut self.places);
        for place in &places[places.len().saturating_sub(rows.len())..] {
            let index = self.index(*place);
            self.log[index].row = rows.pop_front();
        }
        self.places = places;
        rows.drain(..).fold(last, |last, row| self.push(last, row))
    }

    /// Rows that there is room for, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.log.capacity() * size_of::<Logged<Q>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::draws;

    const KEYS: usize = 20;

    #[test]
    fn rows_are_found_by_key_and_the_log_is_cut_however_often_keys_are_repaired() {
        let mut draw = draws(3);
        let mut rows = OpenRows::<i64>::new();
        let mut last = [NOWHERE; KEYS];
        let mut expected = vec![Vec::<Open<i64>>::new(); KEYS];
        let mut taken = VecDeque::new();
        for step in 0..20_000_i64 {
            let watermark = step - 200;
            if step % 10 == 0 {
                rows.pass(watermark);
            }
            let key = usize::try_from(draw(KEYS as i64)).unwrap();
            let known = &mut expected[key];
            if draw(3) > 0 {
                let row = Open {
                    at: step,
                    of: draw(4),
                    count: 1,
                };
                last[key] = rows.push(last[key], row.clone());
                known.push(row);
            } else {
                rows.take(last[key], watermark, &mut taken);
                known.retain(|row| row.at >= watermark);
                known.sort_unstable();
                assert!(taken.iter().eq(known.iter()), "step {step}, key {key}");
                // Some go, and some come in the middle.
                taken.retain(|row| (row.at ^ row.of) % 3 != 0);
                for _ in 0..draw(3) {
                    taken.push_front(Open {
                        at: watermark + draw(200),
                        of: draw(4),
                        count: 1,
                    });
                }
                *known = taken.iter().cloned().collect();
                last[key] = rows.put_back(last[key], &mut taken);
                assert!(taken.is_empty());
            }
            let of_key = rows.of(last[key]);
            let of_key = of_key.into_iter().filter(|row| row.at >= watermark);
            known.retain(|row| row.at >= watermark);
            known.sort_unstable();
            assert!(of_key.eq(known.iter()), "step {step}, key {key}");
            assert!(rows.log.len() < 1_000, "{} rows in the log", rows.log.len());
        }
    }
}
