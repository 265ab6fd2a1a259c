//! Windows in event time: [`trailing`] ([`rolling`] for moments, [`sliding`] for any aggregate), one after another, by
//! calendar and everlasting ([`grouped`]), as long as rows keep coming ([`session`]), by number ([`last_rows`]), and
//! fading ([`decayed`]); and all of them as of the moments of labels ([`at`]).

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
