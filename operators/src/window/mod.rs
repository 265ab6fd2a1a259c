//! Windows in event time: trailing ([`rolling`]), one after another and everlasting ([`grouped`]).

pub mod grouped;
pub mod rolling;
