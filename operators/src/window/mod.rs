//! Windows in event time: [`trailing`] ([`rolling`] for moments, [`sliding`] for any aggregate), one after another, by
//! calendar and everlasting ([`grouped`]), as long as rows keep coming ([`session`]), by number ([`last_rows`]), and
//! fading ([`decayed`]); and all of them as of the moments of labels ([`at`]).
//!
//! # Where windows end
//!
//! The same online and offline, in every mode, and at labels:
//!
//! ```text
//!                       t − width               t
//! trailing              [━━━━━━━━━━━━━━━━━━━━━━━]           both ends inside, as in SQL's RANGE BETWEEN width PRECEDING
//!                                                           AND CURRENT ROW: t is a row's time, a label's, or now
//! tumbling, hopping,    start                 end
//! calendar              [━━━━━━━━━━━━━━━━━━━━━)[━━━━━━      what happens at the end is in the next window
//!
//! session               [•━━━•━━━━━━•━━━ gap ━━]            both ends inside: a row exactly one gap later belongs
//! ```
//!
//! An event at `e` leaves an online row when the watermark passes `e + width`: events of the watermark itself may still
//! come. A final row comes when the watermark has passed its moment, or has reached its window's end where that is
//! outside.

pub mod at;
pub mod decayed;
mod events;
mod finals;
pub mod grouped;
pub mod last_rows;
mod owed;
pub(crate) mod placed;
pub mod rolling;
pub mod session;
pub mod sliding;
pub mod trailing;
