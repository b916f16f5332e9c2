//! Which fields of a request rules see.

use mesh_bundle::message::is_identity;

use super::hop;
use super::identity;
use super::parts::Trust;

/// Whether a rule may see a field of this name, in lower case, in a request of such a sender. All others are gone from
/// every head that [`super::admit`] lets pass.
#[must_use]
pub fn is_visible(name: &str, trust: Trust) -> bool {
    // `te` is written again where it lists `trailers`.
    name == "te" || !is_taken_away(name.as_bytes(), trust)
}

/// Whether a field is taken from every head of such a sender: it ends at this hop, or claims what the sender may not.
pub(super) fn is_taken_away(name: &[u8], trust: Trust) -> bool {
    is_identity(name) || (trust == Trust::Stranger && identity::is_forgeable(name)) || hop::ends_here(name)
}

#[cfg(test)]
mod tests {
    use super::super::{HeaderLines as _, StartLine, Version, admit};
    use super::*;

    #[test]
    fn a_field_is_visible_if_and_only_if_an_admitted_head_has_it() {
        let names = [
            "accept",
            "connection",
            "content-length",
            "cookie",
            "expect",
            "forwarded",
            "keep-alive",
            "proxy-connection",
            "http2-settings",
            "te",
            "transfer-encoding",
            "upgrade",
            "x-forwarded-client-cert",
            "x-forwarded-for",
            "x-mesh-any",
            "x-real-ip",
            "x-source-service",
            "x-target-service",
            "x-team",
        ];
        let start = StartLine { version: Version::Http11, method: "GET", authority: None, target: Some("/") };
        for trust in [Trust::Mesh, Trust::Stranger] {
            assert!(!is_visible("host", trust));
            for name in names {
                let value = match name {
                    "content-length" => "1",
                    "transfer-encoding" => "chunked",
                    "te" => "trailers",
                    _ => "x",
                };
                let mut lines: Vec<(String, Vec<u8>)> = [("host", "a"), (name, value)]
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                    .collect();
                assert!(admit(&start, &mut lines, trust).is_ok(), "{name}");
                assert_eq!(lines.lines().any(|(seen, _)| seen == name), is_visible(name, trust), "{name}");
            }
        }
    }
}
