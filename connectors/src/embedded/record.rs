//! The bytes of one stored row.
//!
//! ```text
//! format u8 = 1 │ version: event time i64, epoch u64 │ row time i64 │ expires at i64 │ fields u32 │ (len u32, text)…
//! ```
//!
//! Integers are little-endian. `fields` is the number of (name, value) pairs; `u32::MAX` marks a tombstone. A row
//! without TTL expires at `i64::MAX`. The row is visible while `now < expires at`.

use thalweg_engine::time::{Epoch, EventTime};

use crate::online::{Fields, Stored, Version};

const FORMAT: u8 = 1;
const TOMBSTONE: u32 = u32::MAX;

/// The moment at which a row without TTL expires.
pub(crate) const NEVER: EventTime = EventTime::MAX;

/// What stands before the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) version: Version,
    pub(crate) row_time: EventTime,
    pub(crate) expires_at: EventTime,
}

/// Writes a record over `bytes`; `None` for a tombstone.
pub(crate) fn encode(bytes: &mut Vec<u8>, head: Head, fields: Option<&Fields>) -> Option<()> {
    bytes.clear();
    bytes.push(FORMAT);
    bytes.extend_from_slice(&head.version.event_time.to_le_bytes());
    bytes.extend_from_slice(&head.version.epoch.to_le_bytes());
    bytes.extend_from_slice(&head.row_time.to_le_bytes());
    bytes.extend_from_slice(&head.expires_at.to_le_bytes());
    let Some(fields) = fields else {
        bytes.extend_from_slice(&TOMBSTONE.to_le_bytes());
        return Some(());
    };
    let count = u32::try_from(fields.len())
        .ok()
        .filter(|count| *count != TOMBSTONE)?;
    bytes.extend_from_slice(&count.to_le_bytes());
    for text in fields.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(&u32::try_from(text.len()).ok()?.to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    Some(())
}

/// Reads what a write is compared with; `None` if the bytes are no record.
pub(crate) fn stored(bytes: &[u8]) -> Option<Stored> {
    let (head, count, _) = head(bytes)?;
    let row_time = (count != TOMBSTONE).then_some(head.row_time);
    Some(Stored {
        version: head.version,
        row_time,
    })
}

/// Reads the head alone.
pub(crate) fn head_of(bytes: &[u8]) -> Option<Head> {
    head(bytes).map(|(head, _, _)| head)
}

/// Reads a whole record; `None` if the bytes are no record. A tombstone has no fields.
pub(crate) fn decode(bytes: &[u8]) -> Option<(Head, Option<Fields>)> {
    let (head, count, mut rest) = head(bytes)?;
    if count == TOMBSTONE {
        return rest.is_empty().then_some((head, None));
    }
    let mut fields = Fields::new();
    for _ in 0..count {
        fields.push((text(&mut rest)?, text(&mut rest)?));
    }
    rest.is_empty().then_some((head, Some(fields)))
}

fn head(bytes: &[u8]) -> Option<(Head, u32, &[u8])> {
    let (&format, mut rest) = bytes.split_first()?;
    let event_time = EventTime::from_le_bytes(take(&mut rest)?);
    let epoch = Epoch::from_le_bytes(take(&mut rest)?);
    let row_time = EventTime::from_le_bytes(take(&mut rest)?);
    let expires_at = EventTime::from_le_bytes(take(&mut rest)?);
    let count = u32::from_le_bytes(take(&mut rest)?);
    let head = Head {
        version: Version { event_time, epoch },
        row_time,
        expires_at,
    };
    (format == FORMAT).then_some((head, count, rest))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let len = usize::try_from(u32::from_le_bytes(take(rest)?)).ok()?;
    let (text, after) = rest.split_at_checked(len)?;
    *rest = after;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_a_cut_one_does_not() {
        let version = Version {
            event_time: -7,
            epoch: u64::MAX,
        };
        let head = Head {
            version,
            row_time: -9,
            expires_at: NEVER,
        };
        let fields = vec![
            ("name".to_owned(), "ä".to_owned()),
            ("empty".to_owned(), String::new()),
        ];
        let mut bytes = Vec::new();
        encode(&mut bytes, head, Some(&fields)).unwrap();
        assert_eq!(decode(&bytes), Some((head, Some(fields))));
        assert_eq!(
            stored(&bytes),
            Some(Stored {
                version,
                row_time: Some(-9)
            })
        );
        for len in 0..bytes.len() {
            assert_eq!(decode(&bytes[..len]), None, "cut to {len}");
        }
        encode(&mut bytes, head, None).unwrap();
        assert_eq!(decode(&bytes), Some((head, None)));
        assert_eq!(
            stored(&bytes),
            Some(Stored {
                version,
                row_time: None
            })
        );
    }
}
