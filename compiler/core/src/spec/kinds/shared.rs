//! Types that several kinds use.

use crate::diag::Span;
use crate::spec::context::Sp;
use crate::spec::decode::{Dict, List1, NumberOr, Rule};
use crate::spec::macros::{choice, either, object};
use crate::spec::scalars::*;

/// Labels of a service.
pub type Labels = Dict<LabelKey, Sp<LabelValue>>;

object! {
    /// A reference to a secret; the proxy resolves it.
    pub struct SecretRef, "a reference to a secret" {
        /// The name of the secret.
        secret "secret": Sp<SecretName>,
    }
}

choice! {
    /// The word that switches retries off.
    pub enum NoRetry, "`none` or a map" {
        /// No try is repeated.
        None = "none",
    }
}

either! {
    /// Whether and how a failed try is repeated: `none`, or a map.
    pub enum Retry {
        /// No retries: `none`.
        Off(Sp<NoRetry>) as "off",
        /// Retries with their details.
        On(RetryForm) if Map,
    }
}

object! {
    /// Repetition of failed tries.
    pub struct RetryForm, "a retry" {
        /// More tries after the first one, 1 to 10.
        attempts "attempts": Sp<Attempts>,
        /// Conditions that count as a failed try; without it, connect failure and refused streams.
        conditions "conditions": Option<List1<Sp<Condition>>> = |_| {
            let refused = Sp::unwritten(Condition::RefusedStream);
            List1::new(Sp::unwritten(Condition::ConnectFailure), [refused])
        },
        /// Methods that may be repeated on other conditions than connect failure and refused streams; without it, GET, HEAD, OPTIONS, PUT, DELETE and TRACE.
        methods "methods": Option<List1<Sp<MethodToken>>> = |_| {
            let [first, more @ ..] = MethodToken::idempotent().map(Sp::unwritten);
            List1::new(first, more)
        },
        /// Wait between tries; 25 ms, doubling up to 250 ms, unless said otherwise.
        backoff "backoff": Option<Backoff> = |_| Backoff {
            base: Sp::unwritten(Duration::from_millis(25)),
            max: Some(Sp::unwritten(Duration::from_millis(250))),
            complete: true,
        },
        /// The share of requests that may be repeated ones.
        budget "budget": Option<Sp<Percent>> = |_| Sp::unwritten(Percent::whole(20)),
    }
}

impl Retry {
    /// No further tries.
    pub fn none() -> Self {
        Self::Off(Sp::unwritten(NoRetry::None))
    }
}

object! {
    /// A wait that doubles with each try, with jitter.
    pub struct Backoff, "a backoff" {
        /// Before the second try.
        base "base": Sp<Duration>,
        /// Longest wait between tries; ten times `base` unless said otherwise.
        max "max": Option<Sp<Duration>> = |backoff| Sp::unwritten(backoff.base.times(10)),
    }
}

object! {
    /// A comparison with a value; exactly one of the fields.
    pub struct ValueForm, "a comparison" {
        /// Equal to this.
        exact "exact": Option<Sp<AnyText>>,
        /// Begins with this.
        prefix "prefix": Option<Sp<Prose>>,
        /// Ends with this.
        suffix "suffix": Option<Sp<Prose>>,
        /// Has this somewhere.
        contains "contains": Option<Sp<Prose>>,
        /// The whole value matches this (RE2 dialect, ASCII classes).
        regex "regex": Option<Sp<RegexText>>,
        /// Whether there is a value at all.
        present "present": Option<Sp<bool>>,
    }
    rules [Rule::ExactlyOne(&["exact", "prefix", "suffix", "contains", "regex", "present"])]
}

either! {
    /// A comparison with a value: a text for equality, or a map.
    pub enum ValueMatch {
        /// Equal to this.
        Exact(Sp<AnyText>) => |exact| ValueForm {
            exact: Some(exact.clone()),
            prefix: None,
            suffix: None,
            contains: None,
            regex: None,
            present: None,
            complete: true,
        },
        /// A comparison of another kind.
        Form(ValueForm) if Map,
    }
}

object! {
    /// A path by its beginning or by a regular expression; exactly one of the fields.
    pub struct PathForm, "a path" {
        /// The path begins with this text, whatever follows: `/foo` takes `/foobar` too.
        prefix "prefix": Option<Sp<PathPrefix>>,
        /// The whole path matches this (RE2 dialect, ASCII classes).
        regex "regex": Option<Sp<RegexText>>,
    }
    rules [Rule::ExactlyOne(&["prefix", "regex"])]
}

either! {
    /// A path to match: `/a`, `/a/*`, `/a/{id}`, `{prefix: ...}`, or `{regex: ...}`.
    pub enum PathMatch {
        /// Exact, below, or with parameters.
        Text(Sp<PathText>) as "text",
        /// By plain prefix or regular expression.
        Form(PathForm) if Map,
    }
}

impl PathMatch {
    /// The place of its text; `None` for a map that has none, which was refused.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Text(text) => Some(text.span),
            Self::Form(PathForm { prefix, regex, .. }) => {
                prefix.as_ref().map(|text| text.span).or(regex.as_ref().map(|text| text.span))
            }
        }
    }
}

object! {
    /// Callers that have something in common; exactly one of the fields.
    pub struct FromForm, "a caller" {
        /// All services that have these labels.
        labels "labels": Option<Sp<Labels>>,
        /// Exactly this identity, also of another environment or trust domain.
        principal "principal": Option<Sp<SpiffeId>>,
    }
    rules [Rule::ExactlyOne(&["labels", "principal"])]
}

either! {
    /// A caller: a service, `gateway/name`, `external`, `any`, `{labels}` or `{principal}`.
    pub enum FromItem {
        /// One caller by name.
        Caller(Sp<Caller>) as "caller",
        /// By labels or identity.
        Form(FromForm) if Map,
    }
}

choice! {
    /// Part of the source that keeps requests together.
    pub enum StickySource, "a part of the source" {
        /// The identity of the caller.
        Principal = "principal",
        /// The IP address of the caller.
        Ip = "ip",
    }
}

object! {
    /// Key that keeps requests on one version or endpoint; exactly one of the fields.
    pub struct Sticky, "a sticky key" {
        /// The value of this header.
        header "header": Option<Sp<HeaderName>>,
        /// The value of this cookie.
        cookie "cookie": Option<Sp<CookieName>>,
        /// The source of the request.
        source "source": Option<Sp<StickySource>>,
    }
    rules [Rule::ExactlyOne(&["header", "cookie", "source"])]
}

object! {
    /// Active health checks of endpoints; exactly one of `http`, `grpc`, `tcp`.
    pub struct HealthCheck, "a health check" {
        /// GET of this path; 200 to 399 is healthy.
        http "http": Option<Sp<PathLiteral>>,
        /// The gRPC health protocol for this service name; empty for the whole server.
        grpc "grpc": Option<Sp<AnyText>>,
        /// Whether a connection can be made.
        tcp "tcp": Option<Sp<bool>>,
        /// Between two checks.
        interval "interval": Option<Sp<Duration>>,
        /// Of one check.
        timeout "timeout": Option<Sp<Duration>>,
        /// Good checks in a row that make an endpoint healthy.
        healthy "healthy": Option<Sp<Small>>,
        /// Bad checks in a row that make it unhealthy.
        unhealthy "unhealthy": Option<Sp<Small>>,
    }
    rules [Rule::ExactlyOne(&["http", "grpc", "tcp"])]
}

object! {
    /// Bulkheads: how much may be under way at once, per proxy.
    pub struct Limits, "limits" {
        /// Connections to the service.
        connections "connections": Option<Sp<Count>>,
        /// Requests that wait for a connection.
        pending_requests "pendingRequests": Option<Sp<Count0>>,
        /// Requests under way.
        requests "requests": Option<Sp<Count>>,
    }
    rules [Rule::AtLeastOne(&["connections", "pendingRequests", "requests"])]
}

/// A bound on what a metric measures: a percentage or duration with its unit, or a bare number for a query.
pub type Bound = NumberOr<Number, Quantity>;

choice! {
    /// Measure of a canary or wave.
    pub enum Measure, "a measure" {
        /// Failed requests of all requests.
        ErrorRate = "error-rate",
        /// Median of the latency.
        P50 = "p50",
        /// Latency that 95 % keep below.
        P95 = "p95",
        /// Latency that 99 % keep below.
        P99 = "p99",
    }
}
