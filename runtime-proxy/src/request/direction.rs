//! On which side of the proxy a request came in.

/// A side of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the application beside the proxy.
    Outbound,
    /// To the application beside the proxy.
    Inbound,
    /// From the public.
    Gateway,
}

impl Direction {
    /// Its name in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
            Self::Gateway => "gateway",
        }
    }
}
