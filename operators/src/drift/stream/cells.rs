//! Rows into the tallies of an epoch, a feature at a time.
//!
//! ```text
//! 128 rows ─ values ─▶ a column per feature ─ 9 edges, two rows at a time ─▶ bins, whole numbers ─▶ cell of (group, feature)
//! cell     10 counts of 32 bits │ Σ whole │ Σ middle │ Σ low           one line of the cache
//! ```
//!
//! A value below 2³¹ is `whole + middle · 2⁻³² + low · 2⁻⁶⁴`, each rounded to the nearest integer, ties to even, so that
//! what is left is at most a half: magnitudes within 2³¹, of which 2³¹ rows fit 64 bits. Only `low` loses anything, and
//! that is what [`unit_of`](crate::value::unit_of) loses. What fits no cell — larger values, infinities, rows that come
//! more than once — goes into a wide [`Tally`], and a cell is added to that in the end.

use std::rc::Rc;

use thalweg_engine::update::{Diff, Update};

use crate::drift::baseline::DECILES;
use crate::drift::stream::partial::Tally;
use crate::drift::stream::references::Reference;

/// Rows that become columns at once: a column, its bins and its whole numbers then lie in a tenth of the nearest cache.
pub(super) const CHUNK: usize = 128;

/// Values from here on, to either side, fit no cell.
const LIMIT: f64 = 2_147_483_648.0; // 2³¹

/// Added to a float below 2⁵¹ it leaves the nearest integer in the low bits of the sum: 1.5 · 2⁵².
const ROUNDING: f64 = 6_755_399_441_055_744.0;

/// Rows after which cells are added to the wide tallies: a count of 32 bits holds no more.
const ROWS_MAX: usize = i32::MAX as usize;

const TWO_32: f64 = 4_294_967_296.0;

/// The values of up to [`CHUNK`] rows, by feature; NaN is null.
pub(super) struct Columns<const N: usize>(Vec<[f64; CHUNK]>);

impl<const N: usize> Columns<N> {
    fn new() -> Self {
        Self(vec![[0.0; CHUNK]; N])
    }

    /// The values of a row.
    fn row(&self, row: usize) -> [Option<f64>; N] {
        std::array::from_fn(|feature| Some(self.0[feature][row]))
    }
}

/// Writes rows into columns, and says whether each comes exactly once: the closure that reads a row's values is compiled
/// into the loop.
pub(super) type Fill<D, const N: usize> = Rc<dyn Fn(&[Update<D>], &mut Columns<N>) -> bool>;

/// The columns of the rows' `values`.
pub(super) fn fill<D, const N: usize>(
    values: impl Fn(&D) -> [Option<f64>; N] + 'static,
) -> Fill<D, N> {
    Rc::new(move |rows, columns| {
        let mut once = true;
        for (place, (row, _, diff)) in rows.iter().enumerate().take(CHUNK) {
            once &= *diff == 1;
            for (column, value) in columns.0.iter_mut().zip(values(row)) {
                column[place] = value.unwrap_or(f64::NAN);
            }
        }
        once
    })
}

/// One feature in one window of one segment.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
struct Cell {
    counts: [i32; DECILES],
    whole: i64,
    middle: i64,
    low: i64,
}

impl Cell {
    /// Adds a value below [`LIMIT`], or takes it away.
    #[inline(always)]
    fn add(&mut self, bin: u64, value: f64, sign: i32) {
        self.counts[(bin as usize).min(DECILES - 1)] += sign;
        let signed = value * f64::from(sign);
        let (whole, rest) = split(signed);
        self.whole += whole;
        if rest != 0.0 {
            let (middle, rest) = split(rest * TWO_32);
            self.middle += middle;
            self.low += split(rest * TWO_32).0;
        }
    }

    /// The sum, in units of 2⁻⁶⁴.
    fn sum(&self) -> i128 {
        (i128::from(self.whole) << 64) + (i128::from(self.middle) << 32) + i128::from(self.low)
    }
}

/// The nearest integer, ties to even, and what is left, exactly; for magnitudes below 2⁵¹.
#[inline(always)]
fn split(value: f64) -> (i64, f64) {
    let rounded = value + ROUNDING;
    let whole = rounded.to_bits().wrapping_sub(ROUNDING.to_bits());
    (whole.cast_signed(), value - (rounded - ROUNDING))
}

/// One window of one segment.
struct Group<const N: usize> {
    reference: Rc<Reference<N>>,
    /// What fits no cell.
    wide: Option<Tally>,
}

/// The tallies of an epoch's windows, by place.
pub(super) struct Cells<const N: usize> {
    exact: bool,
    columns: Columns<N>,
    groups: Vec<Group<N>>,
    cells: Vec<[Cell; N]>,
    nulls: Vec<[i32; N]>,
    rows: usize,
    /// The reference of every group, where they share one.
    common: Option<Rc<Reference<N>>>,
    bins: [u64; CHUNK],
    wholes: [i64; CHUNK],
}

impl<const N: usize> Cells<N> {
    pub(super) fn new(exact: bool, common: Option<Rc<Reference<N>>>) -> Self {
        Self {
            exact,
            columns: Columns::new(),
            groups: Vec::new(),
            cells: Vec::new(),
            nulls: Vec::new(),
            rows: 0,
            common,
            bins: [0; CHUNK],
            wholes: [0; CHUNK],
        }
    }

    /// Opens the next place.
    pub(super) fn open(&mut self, reference: &Rc<Reference<N>>) {
        let reference = Rc::clone(reference);
        self.groups.push(Group {
            reference,
            wide: None,
        });
        self.cells.push([Cell::default(); N]);
        self.nulls.push([0; N]);
    }

    /// The next place to be opened.
    pub(super) fn next(&self) -> usize {
        self.groups.len()
    }

    /// Adds up to [`CHUNK`] rows to the tallies at the places given.
    pub(super) fn add<D>(&mut self, rows: &[Update<D>], places: &[u32], fill: &Fill<D, N>) {
        self.rows += rows.len();
        if self.rows > ROWS_MAX {
            (0..self.groups.len()).for_each(|place| self.settle(place));
            self.rows = rows.len();
        }
        let once = fill(rows, &mut self.columns);
        if self.exact {
            for (row, ((.., diff), place)) in rows.iter().zip(places).enumerate() {
                let values = self.columns.row(row);
                let group = &mut self.groups[*place as usize];
                let tally = group.wide.get_or_insert_with(|| Tally::new(N, true));
                tally.add_row(&values, &group.reference.baselines, *diff);
            }
            return;
        }
        for feature in 0..N {
            let plain = self.find_bins(feature, places);
            if once && plain {
                self.add_plain(feature, places);
            } else {
                self.add_any(feature, rows, places);
            }
        }
    }

    /// The bins of a column, and its whole numbers; whether it has no other number, and none that fits no cell.
    fn find_bins(&mut self, feature: usize, places: &[u32]) -> bool {
        let column = &self.columns.0[feature][..places.len()];
        let (bins, wholes) = (&mut self.bins, &mut self.wholes);
        let mut odd = 0_u64;
        if let Some(common) = &self.common {
            let edges = &common.edges[feature];
            for ((value, bin), whole) in column.iter().zip(bins).zip(wholes) {
                let rest;
                *bin = edges.iter().map(|edge| u64::from(*edge <= *value)).sum();
                (*whole, rest) = split(*value);
                // Shifted, a rest of −0.0 is none.
                odd |= rest.to_bits() << 1 | u64::from(!fits(*value));
            }
            return odd == 0;
        }
        let groups = &self.groups;
        for (((value, place), bin), whole) in column.iter().zip(places).zip(bins).zip(wholes) {
            let edges = &groups[*place as usize].reference.edges[feature];
            let rest;
            *bin = edges.iter().map(|edge| u64::from(*edge <= *value)).sum();
            (*whole, rest) = split(*value);
            odd |= rest.to_bits() << 1 | u64::from(!fits(*value));
        }
        odd == 0
    }

    /// Adds a column of whole numbers that fit cells, each once.
    fn add_plain(&mut self, feature: usize, places: &[u32]) {
        for ((place, bin), whole) in places.iter().zip(&self.bins).zip(&self.wholes) {
            let cell = &mut self.cells[*place as usize][feature];
            cell.counts[(*bin as usize).min(DECILES - 1)] += 1;
            cell.whole += whole;
        }
    }

    /// Adds a column of anything.
    fn add_any<D>(&mut self, feature: usize, rows: &[Update<D>], places: &[u32]) {
        let column = &self.columns.0[feature];
        for (((value, (.., diff)), place), bin) in
            column.iter().zip(rows).zip(places).zip(&self.bins)
        {
            let place = *place as usize;
            let sign = match *diff {
                1 => 1,
                -1 => -1,
                _ => 0,
            };
            if sign != 0 && fits(*value) {
                self.cells[place][feature].add(*bin, *value, sign);
            } else if sign != 0 && value.is_nan() {
                self.nulls[place][feature] += sign;
            } else {
                let Group { reference, wide } = &mut self.groups[place];
                let tally = wide.get_or_insert_with(|| Tally::new(N, false));
                tally.add_value(feature, Some(*value), &reference.baselines[feature], *diff);
            }
        }
    }

    /// Adds a group's cells to its wide tally.
    fn settle(&mut self, place: usize) {
        let exact = self.exact;
        let wide = self.groups[place].wide.take();
        let mut tally = wide.unwrap_or_else(|| Tally::new(N, exact));
        self.add_cells(place, &mut tally, 0);
        self.groups[place].wide = Some(tally);
    }

    /// Adds the cells of a place to the features of a tally from `at` on, and empties them.
    fn add_cells(&mut self, place: usize, into: &mut Tally, at: usize) {
        for feature in 0..N {
            let cell = std::mem::take(&mut self.cells[place][feature]);
            let nulls = std::mem::take(&mut self.nulls[place][feature]);
            let counts = cell.counts.map(Diff::from);
            into.add_counted(at + feature, &counts, Diff::from(nulls), cell.sum());
        }
    }

    /// Adds all that stands at a place to the features of a tally from `at` on.
    pub(super) fn move_into(&mut self, place: usize, into: &mut Tally, at: usize) {
        into.grow(at + N);
        if !self.exact {
            self.add_cells(place, into, at);
        }
        if let Some(wide) = self.groups[place].wide.take() {
            into.merge(at, &wide, 0, N);
        }
    }

    /// Forgets all places; the memory stays.
    pub(super) fn clear(&mut self) {
        self.groups.clear();
        self.cells.clear();
        self.nulls.clear();
        self.rows = 0;
    }
}

/// Whether a cell can add up this value: not NaN, not infinite, and not too large.
#[inline(always)]
fn fits(value: f64) -> bool {
    value.abs() < LIMIT
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::drift::stream::references::References;
    use crate::drift::{Baseline, Baselines};
    use crate::laws::Draws;

    type Row = [Option<f64>; 2];

    const NAMES: [&str; 2] = ["a", "b"];

    /// Baselines of both features, and, where asked, of one feature in segment 1.
    fn references(segmented: bool) -> References<i64, 2> {
        let fit = |name, scale: f64| {
            let training = (-50..50).map(|n| Some(f64::from(n) * scale));
            Baseline::fit(name, training).unwrap()
        };
        let mut baselines = Baselines::from_iter([fit("a", 1.0), fit("b", 0.3)]);
        if segmented {
            baselines.insert(fit("b", 7.7).for_segment("1"));
        }
        let name = |segment: &i64| Some(Arc::from(segment.to_string()));
        References::new("cells", &NAMES.map(Arc::from), &baselines, name).unwrap()
    }

    /// Rows of whole numbers that come once, of fractions, or of anything.
    fn rows(kind: usize, draws: &mut Draws) -> Vec<Update<Row>> {
        const ODD: [f64; 16] = [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            -0.0,
            0.1,
            1e-300,
            -1e-19,
            LIMIT,
            -LIMIT,
            LIMIT - 0.5,
            0.25 - LIMIT,
            4e18,
            -5e18,
            1e300,
            1.5 / TWO_32 / TWO_32,
            -2.5 / TWO_32 / TWO_32,
        ];
        let value = |draws: &mut Draws| {
            let whole = draws.within(-100..=99) as f64;
            match (kind, draws.below(4)) {
                (0, _) | (2, 0) => Some(whole),
                (1, _) | (2, 1) => Some(whole / 7.0),
                (_, 2) => None,
                _ => Some(draws.one_of(&ODD)),
            }
        };
        let count = 1 + draws.below(CHUNK as u64) as usize;
        (0..count)
            .map(|_| {
                let row = [value(draws), value(draws)];
                let diff = if kind == 2 {
                    draws.one_of(&[1, 1, -1, 3, 0, -2])
                } else {
                    1
                };
                (row, 1, diff)
            })
            .collect()
    }

    #[test]
    fn columns_of_anything_are_added_up_as_row_by_row() {
        let mut draws = Draws::seeded(1);
        for round in 0..300 {
            let (exact, segmented) = (round % 5 == 4, round % 2 == 0);
            let references = references(segmented);
            assert_eq!(references.common().is_none(), segmented);
            let mut cells = Cells::new(exact, references.common());
            let mut brute: Vec<_> = (0..3).map(|_| Tally::new(2, exact)).collect();
            for segment in 0..3 {
                cells.open(references.of(&segment));
            }
            let fill = fill(|row: &Row| *row);
            for _ in 0..5 {
                let rows = rows(draws.below(3) as usize, &mut draws);
                let places: Vec<u32> = rows.iter().map(|_| draws.below(3) as u32).collect();
                cells.add(&rows, &places, &fill);
                for ((row, _, diff), place) in rows.iter().zip(&places) {
                    let baselines = &references.of(&i64::from(*place)).baselines;
                    brute[*place as usize].add_row(row, baselines, *diff);
                }
                if draws.below(4) == 0 && !exact {
                    cells.settle(draws.below(3) as usize);
                }
            }
            let mut found = Tally::new(0, false);
            for (place, brute) in brute.iter().enumerate() {
                cells.move_into(place, &mut found, place * 2);
                assert_eq!(
                    &found.piece(place * 2..place * 2 + 2),
                    brute,
                    "round {round}"
                );
            }
        }
    }
}
