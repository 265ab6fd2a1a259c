//! Random numbers from a seed, and the cases that are drawn from them.

use std::ops::RangeInclusive;

use thalweg_engine::update::Diff;

/// A seeded source of random numbers (Knuth's MMIX constants): the same seed gives the same numbers.
///
/// ```
/// use thalweg_operators::aggregate::laws::Draws;
///
/// let (mut one, mut other) = (Draws::seeded(7), Draws::seeded(7));
/// assert_eq!(one.below(1_000), other.below(1_000));
/// assert!((-3..=3).contains(&one.within(-3..=3)));
/// assert!(["ox", "elk"].contains(&one.one_of(&["ox", "elk"])));
/// ```
#[derive(Clone, Debug)]
pub struct Draws(u64);

impl Draws {
    /// The numbers of a seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// 31 random bits.
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.next() << 33 | self.next() << 2 | self.next() >> 29
    }

    /// A number below `limit`; 0 below none.
    pub fn below(&mut self, limit: u64) -> u64 {
        if limit <= 1 << 31 {
            self.next() % limit.max(1)
        } else {
            self.bits() % limit
        }
    }

    /// A number of a range; its start where it is empty.
    pub fn within(&mut self, range: RangeInclusive<i64>) -> i64 {
        let (start, end) = range.into_inner();
        let above = match end.max(start).abs_diff(start) {
            u64::MAX => self.bits(),
            most => self.below(most + 1),
        };
        start.wrapping_add_unsigned(above)
    }

    /// One of some values.
    ///
    /// # Panics
    /// Where there is none.
    pub fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize].clone()
    }

    /// Puts values into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// Rows that are there in the end, and updates that lead there in an order in which nothing is retracted too early.
    pub(super) fn case<D: Clone>(
        &mut self,
        draw: impl Fn(&mut Self) -> D,
    ) -> (Vec<D>, Vec<(D, Diff)>) {
        let size = self.one_of(&[0, 1, 1, 2, 3, 4, 8, 30]);
        let few = [draw(self), draw(self)];
        let alike = self.below(4) == 0;
        let (mut rows, mut updates) = (Vec::new(), Vec::new());
        for _ in 0..size {
            let row = if alike { self.one_of(&few) } else { draw(self) };
            let copies = self.one_of(&[1, 1, 1, 2, 3]);
            rows.extend(vec![row.clone(); copies]);
            let surplus = self.one_of(&[0, 0, 1]);
            updates.push((row.clone(), copies as Diff + surplus));
            if surplus > 0 {
                updates.push((row, -surplus));
            }
        }
        for _ in 0..self.below(4) {
            let gone = draw(self);
            updates.push((gone.clone(), 1));
            updates.push((gone, -1));
        }
        (rows, updates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_from_the_whole_of_a_range_and_from_nowhere_else() {
        let mut draws = Draws::seeded(3);
        for range in [
            0..=0,
            -3..=3,
            0..=1 << 31,
            -(1 << 40)..=1 << 40,
            i64::MIN..=i64::MAX,
        ] {
            let numbers: Vec<i64> = (0..2_000).map(|_| draws.within(range.clone())).collect();
            assert!(numbers.iter().all(|number| range.contains(number)));
            let width = range.end().abs_diff(*range.start());
            let above = |share: u64| {
                let bound = width / 16 * share;
                let above = |number: &i64| number.abs_diff(*range.start()) >= bound;
                numbers.iter().any(above)
            };
            let low = numbers
                .iter()
                .any(|number| number.abs_diff(*range.start()) <= width / 16);
            assert!(low && above(15), "{range:?}");
        }
        #[expect(clippy::reversed_empty_ranges, reason = "it is the case")]
        let none = 5..=3;
        assert_eq!((draws.within(none), draws.below(0)), (5, 0));
        assert_eq!((0..100).fold(0, |bits, _| bits | draws.bits()), u64::MAX);
        assert_eq!((0..100).fold(u64::MAX, |bits, _| bits & draws.bits()), 0);
    }
}
