//! The report of `meshc keygen`.

use mesh_bundle::trust::PublicKey;
use schemars::JsonSchema;
use serde::Serialize;

use super::head::Head;
use crate::look::Look;
use crate::output::Report;

/// Keys and certificates that were made.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeygenReport {
    #[serde(flatten)]
    head: Head,
    /// Files, or folders of identities, that were written.
    written: Vec<String>,
    /// Id of the signing key; null for certificates.
    key_id: Option<String>,
    /// The public key (Ed25519, base64); null for certificates.
    #[schemars(with = "Option<String>")]
    public_key: Option<PublicKey>,
}

impl KeygenReport {
    /// The report of a signing key, or of certificates.
    pub(crate) fn new(key: Option<PublicKey>, written: Vec<String>) -> Self {
        let key_id = key.as_ref().map(|key| key.id());
        Self { head: Head::of("keygen"), written, key_id, public_key: key }
    }
}

impl Report for KeygenReport {
    fn human(&self, _: Look) -> String {
        let mut out: String = self.written.iter().map(|path| format!("created  {path}\n")).collect();
        if let Some(id) = &self.key_id {
            out.push_str(&format!("key id   {id}\n"));
        }
        out
    }

    fn concise(&self) -> String {
        self.written.iter().map(|path| format!("{path}\n")).collect()
    }

    fn json(&self) -> impl Serialize {
        self
    }
}
