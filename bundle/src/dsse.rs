//! Signed envelopes: DSSE v1.0.2 (github.com/secure-systems-lab/dsse), Ed25519.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::trust::{PublicKey, SigningKey, TrustSet};

/// Payload type of a bundle's manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.meshc.manifest+json";
/// Payload type of a release.
pub const RELEASE_TYPE: &str = "application/vnd.meshc.release+json";

/// A signed envelope, in the JSON form of DSSE v1.0.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// The payload in base64.
    payload: String,
    /// Media type of the payload: [`MANIFEST_TYPE`] or [`RELEASE_TYPE`].
    payload_type: String,
    /// Signatures over the payload and its type, at most [`limits::KEYS`].
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

/// The error of an envelope that does not authenticate its payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The bytes are not an envelope.
    #[error("not a DSSE envelope: {0}")]
    Malformed(String),
    /// The envelope carries another payload type than the one asked for.
    #[error("the envelope holds `{0}`")]
    Type(String),
    /// Fewer trusted keys than the threshold have a valid signature.
    #[error("{good} of {needed} trusted keys signed")]
    Threshold {
        /// Number of distinct trusted keys with a valid signature.
        good: usize,
        /// The trust set's threshold.
        needed: usize,
    },
}

/// Signs `payload` with each of `keys`, in the order of their ids.
///
/// # Errors
/// When the envelope has no canonical form.
pub fn seal(
    kind: &str,
    payload: &[u8],
    keys: &[SigningKey],
) -> Result<Vec<u8>, crate::canonical::CanonicalError> {
    let message = pre_authentication(kind, payload);
    let mut signatures: Vec<Signature> = keys
        .iter()
        .map(|key| Signature { keyid: key.public().id(), sig: BASE64.encode(key.sign(&message)) })
        .collect();
    signatures.sort_by(|a, b| a.keyid.cmp(&b.keyid));
    let payload = BASE64.encode(payload);
    crate::canonical::to_bytes(&Envelope { payload, payload_type: kind.to_owned(), signatures })
}

/// Opens an envelope: the payload, if a threshold of `trust` signed it. A key counts once,
/// whatever ids its signatures carry.
///
/// # Errors
/// [`EnvelopeError`] in words.
pub fn open(kind: &str, envelope: &[u8], trust: &TrustSet) -> Result<Vec<u8>, EnvelopeError> {
    let malformed = |e: String| EnvelopeError::Malformed(e);
    let envelope: Envelope = serde_json::from_slice(envelope).map_err(|e| malformed(e.to_string()))?;
    if envelope.payload_type != kind {
        return Err(EnvelopeError::Type(envelope.payload_type));
    }
    if envelope.signatures.len() > limits::KEYS {
        return Err(malformed(format!("more than {} signatures", limits::KEYS)));
    }
    let payload = BASE64.decode(&envelope.payload).map_err(|e| malformed(e.to_string()))?;
    let message = pre_authentication(kind, &payload);
    let mut good: BTreeSet<&PublicKey> = BTreeSet::new();
    for signature in &envelope.signatures {
        let Ok(bytes) = BASE64.decode(&signature.sig) else {
            continue;
        };
        good.extend(trust.keys().filter(|key| key.id() == signature.keyid && key.verifies(&message, &bytes)));
    }
    if good.len() >= trust.threshold() {
        Ok(payload)
    } else {
        Err(EnvelopeError::Threshold { good: good.len(), needed: trust.threshold() })
    }
}

/// The payload without any check, for tools that show what an unsigned or foreign envelope says.
///
/// # Errors
/// [`EnvelopeError::Malformed`] or [`EnvelopeError::Type`].
pub fn peek(kind: &str, envelope: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    let envelope: Envelope =
        serde_json::from_slice(envelope).map_err(|e| EnvelopeError::Malformed(e.to_string()))?;
    if envelope.payload_type != kind {
        return Err(EnvelopeError::Type(envelope.payload_type));
    }
    BASE64.decode(&envelope.payload).map_err(|e| EnvelopeError::Malformed(e.to_string()))
}

/// The signed bytes: the pre-authentication encoding (PAE) of DSSE v1.0.2 over payload type and payload.
fn pre_authentication(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_counts_keys_not_signatures() {
        let (a, b) = (SigningKey::from_seed(&[1; 32]).unwrap(), SigningKey::from_seed(&[2; 32]).unwrap());
        let two = TrustSet::new(2, vec![a.public(), b.public()]).unwrap();
        let once = seal(RELEASE_TYPE, b"{}", std::slice::from_ref(&a)).unwrap();
        let mut twice: Envelope = serde_json::from_slice(&once).unwrap();
        twice.signatures.extend(twice.signatures.clone());
        let twice = serde_json::to_vec(&twice).unwrap();
        let needed = EnvelopeError::Threshold { good: 1, needed: 2 };
        assert_eq!(open(RELEASE_TYPE, &once, &two), Err(needed.clone()));
        assert_eq!(open(RELEASE_TYPE, &twice, &two), Err(needed));
        let both = seal(RELEASE_TYPE, b"{}", &[a, b]).unwrap();
        assert_eq!(open(RELEASE_TYPE, &both, &two).unwrap(), b"{}");
        assert!(matches!(open(MANIFEST_TYPE, &both, &two), Err(EnvelopeError::Type(_))));
    }

    #[test]
    fn no_signature_proves_nothing() {
        let key = SigningKey::from_seed(&[3; 32]).unwrap();
        let trust = TrustSet::new(1, vec![key.public()]).unwrap();
        let unsigned = seal(RELEASE_TYPE, b"{}", &[]).unwrap();
        assert_eq!(
            open(RELEASE_TYPE, &unsigned, &trust),
            Err(EnvelopeError::Threshold { good: 0, needed: 1 })
        );
        let other = seal(RELEASE_TYPE, b"{}", &[SigningKey::from_seed(&[4; 32]).unwrap()]).unwrap();
        assert!(open(RELEASE_TYPE, &other, &trust).is_err());
    }
}
