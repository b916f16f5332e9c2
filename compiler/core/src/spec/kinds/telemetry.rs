//! `Telemetry`: what is seen.

use crate::spec::context::Sp;
use crate::spec::decode::{List1, Rule};
use crate::spec::macros::{choice, either, object};
use crate::spec::scalars::*;

object! {
    /// Logs, traces and metrics of requests, in the mesh or at one service.
    pub struct Telemetry, "a Telemetry", kind "Telemetry" {
        /// The name; the service's name, or `default` for the mesh, unless said otherwise.
        name "name": Option<Sp<Name>>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// The service; the whole mesh unless said otherwise.
        service "service": Option<Sp<Name>>,
        /// Whether requests are logged.
        access_log "accessLog": Option<AccessLog> = |_| AccessLog::On(Sp::unwritten(true)),
        /// Sampling and export of traces.
        traces "traces": Option<Traces>,
        /// Metrics that are kept.
        metrics "metrics": Option<Metrics> = |_| Metrics::On(Sp::unwritten(true)),
        /// Service-level objectives (SLO).
        slo "slo": Option<Slo>,
    }
}

object! {
    /// Which requests are logged.
    pub struct AccessLogForm, "an access log" {
        /// Share of them that is logged; denied and failed ones always. All unless said otherwise.
        sample "sample": Option<Sp<Percent>> = |_| Sp::unwritten(Percent::whole(100)),
        /// Only requests for which this CEL expression is true.
        when "when": Option<Sp<CelText>>,
        /// Header fields that are logged too.
        headers "headers": Vec<Sp<HeaderName>>,
    }
    rules [Rule::AtLeastOne(&["sample", "when", "headers"])]
}

either! {
    /// Whether and which requests are logged.
    pub enum AccessLog {
        /// Whether requests are logged.
        On(Sp<bool>) as "on",
        /// Which requests are logged.
        Form(AccessLogForm) if Map,
    }
}

object! {
    /// Sampling and export of traces.
    pub struct Traces, "traces" {
        /// Share of requests without a sampled parent that is traced.
        sample "sample": Option<Sp<Percent>>,
        /// The collector (OTLP).
        otlp "otlp": Option<Sp<Url>>,
        /// Trace headers that are read and written; `w3c` unless said otherwise.
        headers "headers": Option<List1<Sp<TraceHeaders>>> = |_| List1::new(Sp::unwritten(TraceHeaders::W3c), []),
    }
    rules [Rule::AtLeastOne(&["sample", "otlp", "headers"])]
}

choice! {
    /// A form of trace headers.
    pub enum TraceHeaders, "a form of trace headers" {
        /// W3C Trace Context.
        W3c = "w3c",
        /// B3, the headers of Zipkin.
        B3 = "b3",
    }
}

object! {
    /// Which metrics there are.
    pub struct MetricsForm, "metrics" {
        /// Upper bounds of latency buckets, rising.
        buckets "buckets": List1<Sp<Duration>>,
    }
}

either! {
    /// Whether and which metrics there are.
    pub enum Metrics {
        /// Whether metrics are kept.
        On(Sp<bool>) as "on",
        /// Which metrics are kept.
        Form(MetricsForm) if Map,
    }
}

object! {
    /// Objectives, for alerts and reports.
    pub struct Slo, "objectives" {
        /// The share of requests without error.
        availability "availability": Option<Sp<FinePercent>>,
        /// Latencies that are kept.
        latency "latency": Option<SloLatency>,
    }
    rules [Rule::AtLeastOne(&["availability", "latency"])]
}

object! {
    /// Latencies that are kept.
    pub struct SloLatency, "latencies" {
        /// By half of the requests.
        p50 "p50": Option<Sp<Duration>>,
        /// By 95 %.
        p95 "p95": Option<Sp<Duration>>,
        /// By 99 %.
        p99 "p99": Option<Sp<Duration>>,
    }
    rules [Rule::AtLeastOne(&["p50", "p95", "p99"])]
}
