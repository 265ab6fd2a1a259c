//! Generated card payments: Zipf 0.8 users, 3 % of the events up to an hour late, 30 days of event time.
//!
//! Drawn from a generator of our own, seeded, equal on every machine. Of 100 payments 97 arrive up to a minute after
//! their event time and 3 up to an hour after it; rows come in the order of arrival.

/// One payment, in order of arrival.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Payment {
    /// User, 1 to the number of users.
    pub user: u64,
    /// Event time, µs since 1970 UTC.
    pub at: i64,
    /// Amount in cents.
    pub cents: i64,
    /// Merchant, 1 to 10,000.
    pub merchant: u32,
    /// Country, 0 to 29.
    pub country: u32,
}

/// The first event time: 2025-01-01T00:00Z.
pub const START_US: i64 = 1_735_689_600_000_000;
/// The span of event time: 30 days.
pub const SPAN_US: i64 = 30 * 86_400_000_000;
/// The greatest lateness: an hour.
pub const LATENESS_US: i64 = 3_600_000_000;
/// Merchants.
pub const MERCHANTS: u32 = 10_000;

/// splitmix64 (Steele, Lea and Flood 2014).
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// A generator from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A standard normal number (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// The cumulative weights of a bounded Zipf law over `n` ranks.
fn zipf(n: usize, exponent: f64) -> Vec<f64> {
    let mut sum = 0.0;
    let mut weights: Vec<f64> = (1..=n)
        .map(|rank| {
            sum += (rank as f64).powf(-exponent);
            sum
        })
        .collect();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

/// `events` payments of `users` users, in order of arrival.
#[must_use]
pub fn payments(events: usize, users: usize) -> Vec<Payment> {
    let mut random = Random::new(20_250_101);
    let (by_user, by_merchant) = (zipf(users, 0.8), zipf(MERCHANTS as usize, 0.6));
    let mut names: Vec<u64> = (1..=users as u64).collect();
    for i in (1..names.len()).rev() {
        names.swap(i, random.below(i as u64 + 1) as usize);
    }
    let mut arrivals: Vec<(i64, Payment)> = (0..events)
        .map(|i| {
            let at = START_US + (SPAN_US as i128 * i as i128 / events as i128) as i64;
            let delay_ms = if random.unit() < 0.97 {
                random.below(60_000)
            } else {
                random.below(3_600_000)
            };
            let (drawn_user, drawn_merchant) = (random.unit(), random.unit());
            let user = names[by_user
                .partition_point(|weight| *weight < drawn_user)
                .min(users - 1)];
            let merchant = by_merchant.partition_point(|weight| *weight < drawn_merchant) as u32;
            let mu = if at >= START_US + SPAN_US / 2 {
                3.55
            } else {
                3.2
            };
            let cents = ((mu + random.normal()).exp() * 100.0).round().max(1.0) as i64;
            let country = if random.unit() < 0.9 {
                (user % 30) as u32
            } else {
                random.below(30) as u32
            };
            let merchant = merchant.min(MERCHANTS - 1) + 1;
            (
                at + delay_ms as i64 * 1_000,
                Payment {
                    user,
                    at,
                    cents,
                    merchant,
                    country,
                },
            )
        })
        .collect();
    arrivals.sort_by_key(|arrival| arrival.0);
    arrivals.into_iter().map(|arrival| arrival.1).collect()
}

/// The same payments, their event times cut to milliseconds.
#[must_use]
pub fn in_whole_millis(rows: &[Payment]) -> Vec<Payment> {
    let cut = |row: &Payment| Payment {
        at: row.at - row.at.rem_euclid(1_000),
        ..*row
    };
    rows.iter().map(cut).collect()
}

/// The same payments, nine of ten made by user 1.
#[must_use]
pub fn with_hot_key(rows: &[Payment]) -> Vec<Payment> {
    let hot = |(place, row): (usize, &Payment)| Payment {
        user: if place % 10 == 0 { row.user } else { 1 },
        ..*row
    };
    rows.iter().enumerate().map(hot).collect()
}

/// The same payments, their users drawn anew by Zipf 1.1: the first of a million makes an eighth of all.
#[must_use]
pub fn with_zipf_keys(rows: &[Payment]) -> Vec<Payment> {
    let users = rows.iter().map(|row| row.user).max().unwrap_or(1);
    let (mut random, weights) = (Random::new(11), zipf(users as usize, 1.1));
    let drawn = |row: &Payment| {
        let place = random.unit();
        let rank = weights.partition_point(|weight| *weight < place) as u64;
        Payment {
            user: rank.min(users - 1) + 1,
            ..*row
        }
    };
    rows.iter().map(drawn).collect()
}
