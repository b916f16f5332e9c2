//! The parts of an HTTP message that belong to the hop that sends it, and never to a rule: what delimits a message, where
//! it goes, what ends at the next hop, and who it is from.
//!
//! One table for the compiler, which refuses rules that edit such a field, for rung 4, and for the gate of a proxy, which
//! removes them from what arrives.

/// The reason that no rule may set, add or remove a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// `host`: a request has one, and it says where the request goes (RFC 9112 section 3.2).
    Host,
    /// The field says where the message ends, or what comes after its content (RFC 9112 section 6, RFC 9110 sections 6.6.2
    /// and 8.6).
    Framing,
    /// The field is about one connection (RFC 9110 section 7.6.1).
    Connection,
    /// `expect`: a promise about content that only its sender can keep (RFC 9110 section 10.1.1).
    Expectation,
    /// The mesh itself says by it who sends a request, or what became of it.
    Identity,
}

impl Reserved {
    /// Whether a field, its name in lower case, is reserved.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name.as_bytes() {
            b"host" => Some(Self::Host),
            b"content-length" | b"transfer-encoding" | b"trailer" => Some(Self::Framing),
            b"expect" => Some(Self::Expectation),
            name if is_hop_by_hop(name) => Some(Self::Connection),
            name if is_identity(name) => Some(Self::Identity),
            _ => None,
        }
    }

    /// What the field is for, as the end of a sentence that begins with its name.
    #[must_use]
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Host => "says where a request goes",
            Self::Framing => "says where a message ends",
            Self::Connection => "is about one connection",
            Self::Expectation => "is a promise of the request's sender",
            Self::Identity => "is the mesh's own word",
        }
    }
}

/// Fields that end at every hop, whether `Connection` lists them or not (RFC 9110 section 7.6.1, RFC 9113 section 8.2.2).
#[must_use]
#[inline]
pub fn is_hop_by_hop(name: &[u8]) -> bool {
    matches!(
        name,
        b"connection"
            | b"te"
            | b"transfer-encoding"
            | b"upgrade"
            | b"keep-alive"
            | b"proxy-connection"
            | b"http2-settings"
    )
}

/// Fields that only the mesh itself may set: removed from every request that arrives.
#[must_use]
#[inline]
pub fn is_identity(name: &[u8]) -> bool {
    name.starts_with(b"x-mesh-")
        || matches!(name, b"x-forwarded-client-cert" | b"x-source-service" | b"x-target-service")
}

/// False for a status whose responses end with their head: 1xx, 204 and 304 (RFC 9112 section 6.3), and 205, of which a
/// server generates no content (RFC 9110 section 15.3.6).
#[must_use]
pub fn has_content(status: u16) -> bool {
    !matches!(status, 100..=199 | 204 | 205 | 304)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frames_routes_or_names_is_reserved_and_nothing_else() {
        for (name, reserved) in [
            ("host", Reserved::Host),
            ("content-length", Reserved::Framing),
            ("transfer-encoding", Reserved::Framing),
            ("trailer", Reserved::Framing),
            ("connection", Reserved::Connection),
            ("te", Reserved::Connection),
            ("upgrade", Reserved::Connection),
            ("keep-alive", Reserved::Connection),
            ("proxy-connection", Reserved::Connection),
            ("http2-settings", Reserved::Connection),
            ("expect", Reserved::Expectation),
            ("x-mesh-decision", Reserved::Identity),
            ("x-mesh-", Reserved::Identity),
            ("x-source-service", Reserved::Identity),
            ("x-target-service", Reserved::Identity),
            ("x-forwarded-client-cert", Reserved::Identity),
        ] {
            assert_eq!(Reserved::of(name), Some(reserved), "{name}");
        }
        for name in
            ["x-mesh", "hosts", "content-type", "content-encoding", "x-forwarded-for", "trailers", "location"]
        {
            assert_eq!(Reserved::of(name), None, "{name}");
        }
    }

    #[test]
    fn statuses_without_content() {
        let without: Vec<u16> = (100..600).filter(|status| !has_content(*status)).collect();
        assert_eq!((without.len(), &without[100..]), (103, &[204, 205, 304][..]));
    }
}
