//! A record that could not be decoded, or has no moment in time, is data too: it goes to the dead-letter output.

use serde::{Deserialize, Serialize};

/// One record that could not be used: where it stood, why, and what it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The source's name in the job; filled in by the engine.
    pub source: String,
    /// The partition: a file's path, a topic and its partition.
    pub partition: String,
    /// The record's place in the partition: a row or line number from 1, an offset. Of a row that was decoded and then
    /// found to have no moment in time: its number among the decoded ones, from 1.
    pub position: u64,
    /// Why it could not be used.
    pub reason: String,
    /// The record as it was, as far as it is text; cut after 4 KiB. Empty for a row that was decoded.
    pub record: String,
}
