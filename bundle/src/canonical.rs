//! Canonical JSON: RFC 8785. The same value gives the same bytes on every machine.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The error of a value without a canonical form, or of bytes that are not canonical.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// The bytes are not JSON, or not of the type asked for.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// The bytes are valid JSON in another form: other key order, white space, repeated keys, defaults written out.
    #[error("the bytes are not in canonical form")]
    NotCanonical,
}

/// Writes `value` canonically.
///
/// # Errors
/// When the value has no JSON form (a map with keys that are no text, a number past 2^53).
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    Ok(serde_json_canonicalizer::to_vec(value)?)
}

/// Reads canonical bytes strictly: what is read must give the same bytes when written again.
/// So unknown fields, repeated keys and a second spelling of one value are all refused.
///
/// # Errors
/// [`CanonicalError`] says whether the bytes are no such value or another spelling of one.
pub fn from_bytes<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, CanonicalError> {
    let value: T = serde_json::from_slice(bytes)?;
    must_be(bytes, &to_bytes(&value)?)?;
    Ok(value)
}

/// Bytes must re-encode to themselves: `again` is what a writer makes of what was read from `bytes`.
pub(crate) fn must_be(bytes: &[u8], again: &[u8]) -> Result<(), CanonicalError> {
    if again == bytes { Ok(()) } else { Err(CanonicalError::NotCanonical) }
}

/// True for a value at its default: such fields are not written.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn keys_sort_and_other_spellings_are_refused() {
        let map: BTreeMap<String, u32> = [("b".to_owned(), 1), ("a".to_owned(), 2)].into();
        assert_eq!(to_bytes(&map).unwrap(), br#"{"a":2,"b":1}"#);
        assert!(from_bytes::<BTreeMap<String, u32>>(br#"{"a":2,"b":1}"#).is_ok());
        for other in [r#"{"b":1,"a":2}"#, r#"{"a": 2,"b":1}"#, r#"{"a":2,"a":2}"#, "{\"a\":2}\n"] {
            let refused = from_bytes::<BTreeMap<String, u32>>(other.as_bytes());
            assert!(matches!(refused, Err(CanonicalError::NotCanonical)), "{other}");
        }
    }
}
