//! A dimension looked up.

use std::sync::Arc;

use thalweg::connectors::memory::Log;
use thalweg::prelude::*;

use crate::data::{MERCHANTS, Payment};
use crate::digest::{Digest, DigestSink};
use crate::workload::{f64_bits, source};

/// Each payment with its merchant's row.
pub(super) fn lookup(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("lookup", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let merchants = (1..=MERCHANTS)
            .map(|merchant| (merchant, f64_bits(merchant)))
            .collect();
        let merchants = g.source("merchants", Log::rows(merchants).untimed())?;
        payments
            .key_by(|payment| payment.merchant)
            .lookup(
                "merchant",
                &merchants.key_by(|merchant: &(u32, u64)| merchant.0),
            )
            .sink(
                "digest",
                DigestSink::new(&digest, |(_, found): &(Payment, Option<(u32, u64)>)| {
                    found.map_or(0.0, |merchant| f64::from_bits(merchant.1))
                }),
            )
    })
}
