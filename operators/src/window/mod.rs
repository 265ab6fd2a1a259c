//! Windows in event time: trailing ([`rolling`] for moments, [`sliding`] for any aggregate), one after another and
//! everlasting ([`grouped`]), as long as rows keep coming ([`session`]).

pub mod grouped;
mod owed;
pub mod rolling;
pub mod session;
pub mod sliding;
