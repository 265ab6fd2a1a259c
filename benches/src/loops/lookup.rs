//! Each payment with its merchant's row: an open-addressing table by merchant. It writes the job's rows; what it does not
//! do is all that is not looking up: rows are read where they lie, and nobody takes them away.

use crate::data::{MERCHANTS, Payment};
use crate::loops::Out;
use crate::workload::f64_bits;

/// Slots, a power of two: a third of them in use.
const SLOTS: usize = 1 << 15;

/// Runs the loop; the digest is the sum of the risks that were found.
#[must_use]
pub fn lookup(rows: &[Payment]) -> (u64, f64) {
    let mut table = vec![(0_u32, 0_u64); SLOTS];
    for merchant in 1..=MERCHANTS {
        let place = slot(&table, merchant);
        table[place] = (merchant, f64_bits(merchant));
    }
    let mut out = Out::<(Payment, Option<(u32, u64)>)>::new();
    let mut digest = 0.0;
    for row in rows {
        let found = table[slot(&table, row.merchant)];
        let found = (found.0 != 0).then_some(found);
        digest += found.map_or(0.0, |found| f64::from_bits(found.1));
        out.push((*row, found));
    }
    (out.written(), digest)
}

/// Where a merchant stands, or would.
#[inline(always)]
fn slot(table: &[(u32, u64)], merchant: u32) -> usize {
    let hash = u64::from(merchant).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut place = (hash >> 40) as usize % SLOTS;
    while table[place].0 != 0 && table[place].0 != merchant {
        place = (place + 1) % SLOTS;
    }
    place
}
