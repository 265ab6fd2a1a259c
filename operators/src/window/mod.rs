//! Windows in event time: trailing ([`rolling`] for moments, [`sliding`] for any aggregate), one after another and
//! everlasting ([`grouped`]).

pub mod grouped;
pub mod rolling;
pub mod sliding;
