//! How state is written down: postcard, a compact and stable format of serde's data model.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thalweg_engine::keyed::StateError;

/// Appends a value.
pub(crate) fn encode<T: Serialize>(value: &T, into: &mut Vec<u8>) -> Result<(), StateError> {
    let bytes =
        postcard::to_stdvec(value).map_err(|error| StateError::Encode(error.to_string()))?;
    into.extend_from_slice(&bytes);
    Ok(())
}

/// Reads a value back; bytes that are left over are an error.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StateError> {
    let (value, rest) =
        postcard::take_from_bytes(bytes).map_err(|error| StateError::Decode(error.to_string()))?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(StateError::Decode(format!(
            "{} bytes are left over",
            rest.len()
        )))
    }
}
