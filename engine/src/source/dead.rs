//! A record that could not be decoded is data too: it goes to the dead-letter output.

use serde::{Deserialize, Serialize};

/// One record that could not be decoded: where it stood, why, and what it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The source's name in the job; filled in by the engine.
    pub source: String,
    /// The partition: a file's path, a topic and its partition.
    pub partition: String,
    /// The record's place in the partition: a row or line number from 1, an offset.
    pub position: u64,
    /// Why it could not be decoded.
    pub reason: String,
    /// The record as it was, as far as it is text; cut after 4 KiB.
    pub record: String,
}
