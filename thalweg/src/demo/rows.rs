//! The rows that the demo makes on its way and writes out.

use serde::{Deserialize, Serialize};
use thalweg_connectors::generator::{Merchant, Payment};
use thalweg_engine::time::Timestamp;
use thalweg_operators::value::{Decimal, Fixed, Moments};
use thalweg_operators::window::grouped::GroupRow;
use thalweg_operators::window::rolling::{Final, Rolled};

/// An amount in cents, summed exactly.
pub(super) type Cents = Decimal<2>;

/// The numbers of an amount.
type Lane = Fixed<2>;

/// What a merchant sells: all that the demo looks up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Shop {
    pub(super) merchant: u32,
    pub(super) category: String,
}

impl From<Merchant> for Shop {
    fn from(merchant: Merchant) -> Self {
        Self {
            merchant: merchant.merchant,
            category: merchant.category,
        }
    }
}

/// A payment with the category of its merchant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Paid {
    pub(super) event_time: Timestamp,
    pub(super) id: u64,
    pub(super) user: u64,
    pub(super) merchant: u32,
    /// `None` for a merchant that nobody knows.
    pub(super) category: Option<String>,
    pub(super) country: String,
    /// `None` where the amount is no number.
    pub(super) amount: Option<Cents>,
}

impl From<(Payment, Option<Shop>)> for Paid {
    fn from((payment, shop): (Payment, Option<Shop>)) -> Self {
        Self {
            event_time: payment.at,
            id: payment.id,
            user: payment.user,
            merchant: payment.merchant,
            category: shop.map(|shop| shop.category),
            country: payment.country,
            amount: Decimal::nearest(payment.amount),
        }
    }
}

/// A user's windows, as the rolling operator yields them, alone and with the payment that they are as of.
type Windows = Rolled<u64, Lane, 1, 3>;
type PaidWindows = Final<Paid, u64, Lane, 1, 3>;

/// A row with columns of its own, then the same features for the online and the offline store: what a model is
/// trained on is what it is served.
macro_rules! features {
    ($(#[$doc:meta])* $name:ident from $from:ty, $row:pat => $windows:expr,
        { $($field:ident: $type:ty = $value:expr),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub(super) struct $name {
            $(pub(super) $field: $type,)*
            pub(super) n_1h: u64,
            pub(super) sum_1h: Option<f64>,
            pub(super) mean_1h: Option<f64>,
            pub(super) min_1h: Option<f64>,
            pub(super) max_1h: Option<f64>,
            pub(super) stddev_1h: Option<f64>,
            pub(super) n_24h: u64,
            pub(super) sum_24h: Option<f64>,
            pub(super) mean_24h: Option<f64>,
            pub(super) min_24h: Option<f64>,
            pub(super) max_24h: Option<f64>,
            pub(super) stddev_24h: Option<f64>,
            pub(super) n_7d: u64,
            pub(super) sum_7d: Option<f64>,
            pub(super) mean_7d: Option<f64>,
            pub(super) min_7d: Option<f64>,
            pub(super) max_7d: Option<f64>,
            pub(super) stddev_7d: Option<f64>,
        }

        impl From<$from> for $name {
            fn from($row: $from) -> Self {
                let [hour, day, week] = [0, 1, 2].map(|window| $windows.window(window));
                Self {
                    $($field: $value,)*
                    n_1h: hour.count(),
                    sum_1h: hour.sum(),
                    mean_1h: hour.mean(),
                    min_1h: hour.min(),
                    max_1h: hour.max(),
                    stddev_1h: hour.stddev_sample(),
                    n_24h: day.count(),
                    sum_24h: day.sum(),
                    mean_24h: day.mean(),
                    min_24h: day.min(),
                    max_24h: day.max(),
                    stddev_24h: day.stddev_sample(),
                    n_7d: week.count(),
                    sum_7d: week.sum(),
                    mean_7d: week.mean(),
                    min_7d: week.min(),
                    max_7d: week.max(),
                    stddev_7d: week.stddev_sample(),
                }
            }
        }
    };
}

features! {
    /// A user's spending as it is served: the view `spend`.
    Spend from Windows, row => row, {
        user: u64 = row.key,
        event_time: Timestamp = Timestamp(row.at),
    }
}

features! {
    /// A payment with its user's spending just then: what a model is trained on.
    SpendAt from PaidWindows, (paid, row) => row, {
        id: u64 = paid.id,
        event_time: Timestamp = paid.event_time,
        user: u64 = paid.user,
        merchant: u32 = paid.merchant,
        category: Option<String> = paid.category,
        country: String = paid.country,
        amount: Option<f64> = paid.amount.map(units),
    }
}

/// Cents in whole units.
#[expect(clippy::cast_precision_loss, reason = "cents below 2^53 are exact")]
pub(super) fn units(cents: Cents) -> f64 {
    cents.0 as f64 / 100.0
}

/// Payments of a country in an hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Hourly {
    pub(super) hour: Timestamp,
    pub(super) country: String,
    pub(super) payments: i64,
    pub(super) amount: Option<f64>,
}

impl From<GroupRow<String, (i64, Moments<Lane>)>> for Hourly {
    fn from(row: GroupRow<String, (i64, Moments<Lane>)>) -> Self {
        let (payments, amount) = row.value;
        Self {
            hour: Timestamp(row.start),
            country: row.key,
            payments,
            amount: amount.sum(),
        }
    }
}
