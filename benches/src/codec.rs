//! Codecs under one shape: updates to bytes, bytes to updates.

use columnar::bytes::indexed;
use columnar::{Borrow, Columnar, FromBytes, Index, Len};
use serde::{Deserialize, Serialize};
use thalweg::engine::update::Update;

use crate::data;

/// A payment with its country's name, so that not everything has a fixed size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Columnar)]
pub struct Row {
    user: u64,
    at: i64,
    cents: i64,
    merchant: u32,
    country: String,
}

/// An update as it moves between workers.
pub type Record = Update<Row>;

/// A codec: updates to bytes and back.
pub struct Codec {
    /// Its name in the result.
    pub name: &'static str,
    /// Writes updates.
    pub encode: fn(&Vec<Record>) -> Result<Vec<u8>, String>,
    /// Reads them back.
    pub decode: fn(&mut [u8]) -> Result<Vec<Record>, String>,
}

/// The updates that all codecs are given.
#[must_use]
pub fn records(count: usize) -> Vec<Record> {
    let rows = data::payments(count, count.div_ceil(10)).into_iter();
    let rows = rows.map(|payment| Row {
        user: payment.user,
        at: payment.at,
        cents: payment.cents,
        merchant: payment.merchant,
        country: format!("country {}", payment.country),
    });
    (0..)
        .zip(rows)
        .map(|(place, row)| (row, place / 8_192, 1))
        .collect()
}

/// All codecs.
#[must_use]
pub fn all() -> Vec<Codec> {
    vec![
        Codec {
            name: "postcard",
            encode: |records| postcard::to_stdvec(records).map_err(|error| error.to_string()),
            decode: |bytes| postcard::from_bytes(bytes).map_err(|error| error.to_string()),
        },
        Codec {
            name: "bincode",
            encode: |records| bincode::serialize(records).map_err(|error| error.to_string()),
            decode: |bytes| bincode::deserialize(bytes).map_err(|error| error.to_string()),
        },
        Codec {
            name: "columnar",
            encode: |records| encode_columns(records),
            decode: |bytes| decode_columns(bytes),
        },
        #[cfg(feature = "abomonation")]
        abomonated::codec(),
    ]
}

type Columns = <Record as Columnar>::Container;

fn encode_columns(records: &[Record]) -> Result<Vec<u8>, String> {
    let columns = Record::as_columns(records.iter());
    let mut bytes = Vec::new();
    indexed::write(&mut bytes, &columns.borrow()).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn decode_columns(bytes: &[u8]) -> Result<Vec<Record>, String> {
    let (words, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(format!("{} bytes are left over", rest.len()));
    }
    let words: Vec<u64> = words.iter().map(|word| u64::from_ne_bytes(*word)).collect();
    let mut slices = indexed::decode(&words);
    let columns = <Columns as Borrow>::Borrowed::from_bytes(&mut slices);
    Ok((0..columns.len())
        .map(|place| Record::into_owned(columns.get(place)))
        .collect())
}

/// The one place where abomonation stands, to be compared. It reads what it has just written, and nothing else.
#[cfg(feature = "abomonation")]
mod abomonated {
    #![expect(unsafe_code, reason = "abomonation has no safe way in or out")]

    use std::io::{Result, Write};

    use abomonation::Abomonation;

    use super::{Codec, Record, Row};

    /// All but the text is plain.
    impl Abomonation for Row {
        unsafe fn entomb<W: Write>(&self, write: &mut W) -> Result<()> {
            // SAFETY: the caller keeps abomonation's contract.
            unsafe { self.country.entomb(write) }
        }

        fn extent(&self) -> usize {
            self.country.extent()
        }

        unsafe fn exhume<'b>(&mut self, bytes: &'b mut [u8]) -> Option<&'b mut [u8]> {
            // SAFETY: the caller keeps abomonation's contract.
            unsafe { self.country.exhume(bytes) }
        }
    }

    pub(super) fn codec() -> Codec {
        Codec {
            name: "abomonation",
            encode: |records| {
                let mut bytes = Vec::new();
                // SAFETY: the bytes are read by `decode` below alone, in this process.
                unsafe { abomonation::encode(records, &mut bytes) }
                    .map_err(|error| error.to_string())?;
                Ok(bytes)
            },
            decode: |bytes| {
                // SAFETY: `encode` above wrote these bytes; a vector's allocation is aligned for all of the fields.
                let read = unsafe { abomonation::decode::<Vec<Record>>(bytes) };
                let (records, _) = read.ok_or("too few bytes")?;
                Ok(records.clone())
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_codec_gives_back_what_it_was_given() {
        for count in [0, 1, 7, 2_000] {
            let records = records(count);
            for codec in all() {
                let mut bytes = (codec.encode)(&records).unwrap();
                let read = (codec.decode)(&mut bytes).unwrap();
                assert!(read == records, "{}, {count} records", codec.name);
            }
        }
    }
}
