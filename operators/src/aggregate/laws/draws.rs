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

    /// A number below `limit`, and below 2³¹ whatever the limit; 0 below none.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }

    /// 64 random bits, where a number may be any of `u64` or `i64`.
    pub fn bits(&mut self) -> u64 {
        self.below(1 << 31) << 33 | self.below(1 << 31) << 2 | self.below(4)
    }

    /// A number of a range, one of its first 2³¹; its start where it is empty. Numbers further away come by
    /// [`Draws::one_of`] or [`Draws::bits`].
    pub fn within(&mut self, range: RangeInclusive<i64>) -> i64 {
        let numbers = range.end().saturating_sub(*range.start()).max(0);
        let above = self.below(numbers.unsigned_abs() + 1);
        range.start().wrapping_add_unsigned(above)
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
