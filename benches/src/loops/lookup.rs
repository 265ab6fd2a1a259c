//! Each payment with its merchant's row: an open-addressing table by merchant.

use crate::data::{MERCHANTS, Payment};
use crate::loops::Out;

/// Slots, a power of two: a third of them in use.
const SLOTS: usize = 1 << 15;

/// Runs the loop; the digest is the sum of the risks that were found.
#[must_use]
pub fn lookup(rows: &[Payment]) -> (u64, f64) {
    let mut table = vec![(0_u32, 0.0); SLOTS];
    for merchant in 1..=MERCHANTS {
        let place = slot(&table, merchant);
        table[place] = (merchant, f64::from(merchant % 100) / 100.0);
    }
    let mut out = Out::<(Payment, Option<f64>)>::new();
    let mut digest = 0.0;
    for row in rows {
        let (merchant, risk) = table[slot(&table, row.merchant)];
        let risk = (merchant != 0).then_some(risk);
        digest += risk.unwrap_or(0.0);
        out.push((*row, risk));
    }
    (out.written(), digest)
}

/// Where a merchant stands, or would.
#[inline(always)]
fn slot(table: &[(u32, f64)], merchant: u32) -> usize {
    let hash = u64::from(merchant).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut place = (hash >> 40) as usize % SLOTS;
    while table[place].0 != 0 && table[place].0 != merchant {
        place = (place + 1) % SLOTS;
    }
    place
}
