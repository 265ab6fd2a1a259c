//! Payment number n of a stream, as a pure function of the seed and n.
//!
//! ```text
//! arrival    start + n · step                      the order in which rows come
//! at         arrival − delay                       97 %: delay < 60 s; 3 %: 60 s ≤ delay < 1 h
//! user       a Zipf rank; merchant a Zipf rank
//! country    the user's home in 92 of 100, else any of the twenty
//! amount     e^(μ + σz), to the cent               μ = 3.555 (a median of 35.00), σ = 0.75
//!            from the drift on: μ + 0.35           every amount 1.42 times as large: PSI near 0.22
//! cancelled  one of every hundred                  taken back 1 s to 30 min later, inside the lateness
//! ```

use serde::{Deserialize, Serialize};
use thalweg_engine::time::{EventTime, Timestamp};

use crate::generator::draw::{Draws, Zipf, exp, f64_of, whole};

/// What the drift adds to the mean of the amounts' logarithm.
pub const DRIFT: f64 = 0.35;

/// The mean and deviation of the amounts' natural logarithm before the drift. Chosen: a median of 35.00, and a shift
/// by [`DRIFT`] that lies just above 0.2, the usual bound for «drifted».
const LOG_MEAN: f64 = 3.555;
const LOG_DEVIATION: f64 = 0.75;

/// The longest delay, µs: rows are this late at most.
pub(crate) const LATENESS_US: u64 = 3_600_000_000;

/// The longest delay of a row that does not count as late, µs.
const JITTER_US: u64 = 60_000_000;

/// One payment of so many is cancelled: exactly one in each run of that length.
pub(crate) const CANCEL_EVERY: u64 = 100;

/// A cancellation comes this long after its payment, µs: from, and (unless the payment was late) below.
const CANCEL_FROM_US: u64 = 1_000_000;
const CANCEL_BELOW_US: u64 = 1_800_000_000;

/// Countries with their shares of users in thousandths, summed up.
const COUNTRIES: [(&str, u64); 20] = [
    ("US", 180),
    ("DE", 300),
    ("GB", 400),
    ("FR", 490),
    ("BR", 560),
    ("IN", 630),
    ("JP", 690),
    ("ES", 740),
    ("IT", 785),
    ("NL", 825),
    ("PL", 860),
    ("CA", 890),
    ("AU", 915),
    ("MX", 935),
    ("SE", 950),
    ("CH", 963),
    ("AT", 975),
    ("PT", 985),
    ("NO", 993),
    ("SG", 1_000),
];

/// What a draw is for, so that two kinds of draws never share their bits.
const KIND_PAYMENT: u64 = 1;
const KIND_HOME: u64 = 2;
const KIND_CANCEL: u64 = 3;
const KIND_LAG: u64 = 5;

/// A payment by card.
#[derive(Clone, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Payment {
    /// Its number, from 0 in order of arrival; unique in the stream.
    pub id: u64,
    /// When it was made; `event_time` as a column, for `at` is a keyword in some dialects of SQL.
    #[serde(rename = "event_time")]
    pub at: Timestamp,
    /// Who paid, from 1; low numbers pay most often.
    pub user: u64,
    /// Who was paid, from 1.
    pub merchant: u32,
    /// Where, in two letters (ISO 3166).
    pub country: String,
    /// How much, in cents exact.
    pub amount: f64,
}

/// The stream's law: everything that a payment depends on.
#[derive(Clone, Debug)]
pub(crate) struct Law {
    pub(crate) seed: u64,
    pub(crate) start: EventTime,
    /// Event time from one arrival to the next, in nanoseconds.
    pub(crate) step_ns: u64,
    pub(crate) users: Zipf,
    pub(crate) merchants: Zipf,
    /// The late rows' share as a part of 2⁶⁴.
    pub(crate) late_below: u64,
    /// The first payment after the drift.
    pub(crate) drift_from: Option<u64>,
}

impl Law {
    /// Payment `id`.
    pub(crate) fn payment(&self, id: u64) -> Payment {
        let mut draws = Draws::new(self.seed, KIND_PAYMENT, id);
        let delay_us = self.delay_us(&mut draws);
        let at = self
            .arrival(id)
            .saturating_sub(i64::try_from(delay_us).unwrap_or(i64::MAX));
        let drifted = self.drift_from.is_some_and(|from| id >= from);
        let amount = amount(&mut draws, if drifted { DRIFT } else { 0.0 });
        let user = self.users.rank(&mut draws);
        let merchant = u32::try_from(self.merchants.rank(&mut draws)).unwrap_or(u32::MAX);
        let country = self.country(&mut draws, user).to_owned();
        Payment {
            id,
            at: Timestamp(at),
            user,
            merchant,
            country,
            amount,
        }
    }

    /// The amount of payment `id` if there were no drift.
    pub(crate) fn baseline_amount(&self, id: u64) -> f64 {
        let mut draws = Draws::new(self.seed, KIND_PAYMENT, id);
        self.delay_us(&mut draws);
        amount(&mut draws, 0.0)
    }

    /// How many arrivals after payment `id` its cancellation comes; `None` if it stands.
    pub(crate) fn cancelled_after(&self, id: u64) -> Option<u64> {
        let run = id / CANCEL_EVERY;
        if self.cancelled_in(run) != id {
            return None;
        }
        let mut cancel = Draws::new(self.seed, KIND_LAG, run);
        // Whatever is taken back must still be inside the lateness, and so must be the row itself.
        let delay_us = self.delay_us(&mut Draws::new(self.seed, KIND_PAYMENT, id));
        let below_us = CANCEL_BELOW_US.min(LATENESS_US.saturating_sub(delay_us));
        let lag_us = CANCEL_FROM_US
            .saturating_add(cancel.below(below_us))
            .min(below_us);
        Some(lag_us.saturating_mul(1_000) / self.step_ns.max(1))
    }

    /// The one payment of the run of [`CANCEL_EVERY`] payments with this number that is cancelled.
    #[inline]
    pub(crate) fn cancelled_in(&self, run: u64) -> u64 {
        let place = Draws::new(self.seed, KIND_CANCEL, run).below(CANCEL_EVERY);
        run.saturating_mul(CANCEL_EVERY).saturating_add(place)
    }

    /// The event time at which payment `id` comes in.
    fn arrival(&self, id: u64) -> EventTime {
        let us = u128::from(id) * u128::from(self.step_ns) / 1_000;
        self.start
            .saturating_add(i64::try_from(us).unwrap_or(i64::MAX))
    }

    #[inline]
    fn delay_us(&self, draws: &mut Draws) -> u64 {
        let late = draws.bits() < self.late_below;
        match late {
            true => JITTER_US + draws.below(LATENESS_US - JITTER_US),
            false => draws.below(JITTER_US),
        }
    }

    #[inline]
    fn country(&self, draws: &mut Draws, user: u64) -> &'static str {
        match draws.below(100) {
            0..92 => country_at(Draws::new(self.seed, KIND_HOME, user).below(1_000)),
            _ => country_at(draws.below(1_000)),
        }
    }
}

fn amount(draws: &mut Draws, drift: f64) -> f64 {
    let amount = exp(LOG_MEAN + drift + LOG_DEVIATION * draws.normal());
    f64_of(whole(amount * 100.0 + 0.5).max(1)) / 100.0
}

#[inline]
fn country_at(thousandth: u64) -> &'static str {
    COUNTRIES
        .iter()
        .find(|(_, end)| thousandth < *end)
        .map_or("US", |(country, _)| country)
}
