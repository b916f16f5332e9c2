//! Prometheus metrics. Labels come from the bundle in force, never from a request, so that their number is bounded.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the latency histogram, in seconds; fixed, so that percentiles of all proxies add up.
const BOUNDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Askings for a meter before requests are counted anew: far more than the rules of one proxy.
const MOST_SERIES: usize = 50_000;

/// What is counted apart for requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// `outbound`, `inbound` or `gateway`.
    pub direction: String,
    /// The rule's address; empty where none decided.
    pub rule: String,
    /// The service; empty where none was chosen.
    pub service: String,
    /// Its version.
    pub version: String,
    /// `2xx`, `3xx`, `4xx`, `5xx`.
    pub code: String,
}

/// One or two labels by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Labels(Vec<(&'static str, String)>);

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.encode(encoder)
    }
}

/// Counts requests of one label set; cheap to keep and to copy.
#[derive(Clone, Debug)]
pub struct RequestMeter {
    count: Counter,
    duration: Histogram,
}

impl RequestMeter {
    /// Counts one request that took `seconds`.
    pub fn observe(&self, seconds: f64) {
        self.count.inc();
        self.duration.observe(seconds);
    }
}

/// Every metric of the process.
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RequestLabels, Histogram, fn() -> Histogram>,
    certificates: Family<Labels, Gauge<f64, AtomicU64>>,
    refusals: Family<Labels, Counter>,
    active: Family<Labels, Gauge>,
    endpoints: Family<Labels, Gauge>,
    ejections: Family<Labels, Counter>,
    retries: Family<Labels, Counter>,
    quota_denials: Family<Labels, Counter>,
    candidate_errors: Family<Labels, Counter>,
    reload_failures: Family<Labels, Counter>,
    asked: AtomicUsize,
    /// Activations of a bundle.
    pub activations: Counter,
    /// Access log lines that were dropped.
    pub log_dropped: Counter,
    /// Requests at which the proxy itself failed.
    pub faults: Counter,
    /// Bundles that were left by themselves after a bad probation.
    pub returns: Counter,
    /// Looks at the state folder that found something changed by somebody else.
    pub alarms: Counter,
    /// Open streams that a newer bundle denied.
    pub streams_ended: Counter,
    /// 1 while the bundle in force is on probation.
    pub probation: Gauge,
    left_out: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All metrics at nothing.
    #[must_use]
    pub fn new() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::default()),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
            certificates: Family::default(),
            refusals: Family::default(),
            active: Family::default(),
            endpoints: Family::default(),
            ejections: Family::default(),
            retries: Family::default(),
            quota_denials: Family::default(),
            candidate_errors: Family::default(),
            reload_failures: Family::default(),
            asked: AtomicUsize::new(0),
            activations: Counter::default(),
            log_dropped: Counter::default(),
            faults: Counter::default(),
            returns: Counter::default(),
            alarms: Counter::default(),
            streams_ended: Counter::default(),
            probation: Gauge::default(),
            left_out: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // The library appends `_total` to counters.
        registry.register("service_mesh_requests", "Requests answered", self.requests.clone());
        registry.register(
            "service_mesh_request_duration_seconds",
            "From a request's head to its response's last byte",
            self.durations.clone(),
        );
        registry.register(
            "service_mesh_certificate_expiry_days",
            "Days until a certificate expires",
            self.certificates.clone(),
        );
        registry.register("service_mesh_bundle_refusals", "Bundles refused, by rung", self.refusals.clone());
        registry.register("service_mesh_bundle_activations", "Bundles activated", self.activations.clone());
        registry.register("service_mesh_bundle_active", "1 for the bundle in force", self.active.clone());
        registry.register("service_mesh_endpoints", "Endpoints known", self.endpoints.clone());
        registry.register("service_mesh_endpoint_ejections", "Endpoints ejected", self.ejections.clone());
        registry.register("service_mesh_retries", "Tries after the first", self.retries.clone());
        registry.register("service_mesh_quota_denials", "Requests over a quota", self.quota_denials.clone());
        registry.register(
            "service_mesh_candidate_errors",
            "Requests for a canary's candidate that had no healthy endpoint",
            self.candidate_errors.clone(),
        );
        registry.register(
            "service_mesh_file_refusals",
            "Identity, secret and endpoint files that could not be taken",
            self.reload_failures.clone(),
        );
        registry.register(
            "service_mesh_access_log_dropped",
            "Access log lines dropped",
            self.log_dropped.clone(),
        );
        registry.register(
            "service_mesh_proxy_faults",
            "Requests at which the proxy itself failed",
            self.faults.clone(),
        );
        registry.register(
            "service_mesh_bundle_returns",
            "Bundles left by themselves after a bad probation",
            self.returns.clone(),
        );
        registry.register(
            "service_mesh_store_alarms",
            "Looks at the state folder that found something changed by somebody else",
            self.alarms.clone(),
        );
        registry.register(
            "service_mesh_streams_ended",
            "Open streams that a newer bundle denied",
            self.streams_ended.clone(),
        );
        registry.register(
            "service_mesh_bundle_probation",
            "1 while the bundle in force is on probation",
            self.probation.clone(),
        );
        registry.register(
            "service_mesh_bundle_left_out",
            "Header edits and contents of the bundle in force that are left out",
            self.left_out.clone(),
        );
    }

    /// The meter of one label set.
    #[must_use]
    pub fn request(&self, labels: &RequestLabels) -> RequestMeter {
        // Meters are kept by their users, so that askings grow about as series do.
        if self.asked.fetch_add(1, Ordering::Relaxed) >= MOST_SERIES {
            self.asked.store(0, Ordering::Relaxed);
            self.requests.clear();
            self.durations.clear();
        }
        RequestMeter {
            count: self.requests.get_or_create_owned(labels),
            duration: self.durations.get_or_create_owned(labels),
        }
    }

    /// A certificate's remaining days.
    pub fn certificate(&self, name: &str, days: f64) {
        self.certificates.get_or_create(&labels(&[("certificate", name)])).set(days);
    }

    /// A bundle was refused.
    pub fn refused(&self, rung: u8) {
        self.refusals.get_or_create(&labels(&[("rung", &rung.to_string())])).inc();
    }

    /// A bundle came into force.
    pub fn activated(&self, bundle: &str, generation: u64) {
        self.activations.inc();
        self.active.clear();
        let labels = labels(&[("bundle", bundle), ("generation", &generation.to_string())]);
        self.active.get_or_create(&labels).set(1);
    }

    /// How many endpoints a version has.
    pub fn endpoints(&self, service: &str, version: &str, count: usize) {
        let gauge =
            self.endpoints.get_or_create_owned(&labels(&[("service", service), ("version", version)]));
        gauge.set(whole(count));
    }

    /// How many changes the bundle in force asks for that are left out.
    pub fn left_out(&self, count: usize) {
        self.left_out.set(whole(count));
    }

    /// Endpoints of a service were ejected.
    pub fn ejected(&self, service: &str, count: u32) {
        self.ejections.get_or_create(&labels(&[("service", service)])).inc_by(u64::from(count));
    }

    /// A service was tried again.
    pub fn retried(&self, service: &str, count: u32) {
        self.retries.get_or_create(&labels(&[("service", service)])).inc_by(u64::from(count));
    }

    /// A request was over a limit.
    pub fn over_quota(&self, limit: &str) {
        self.quota_denials.get_or_create(&labels(&[("limit", limit)])).inc();
    }

    /// A request for a candidate went to the stable version.
    pub fn candidate_error(&self, service: &str) {
        self.candidate_errors.get_or_create(&labels(&[("service", service)])).inc();
    }

    /// A watched file could not be taken: `identity`, `secrets` or `endpoints`.
    pub fn file_refused(&self, kind: &str) {
        self.reload_failures.get_or_create(&labels(&[("kind", kind)])).inc();
    }

    /// The text that Prometheus reads (OpenMetrics 1.0).
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string does not fail.
        let _written = encode(&mut text, &registry);
        text
    }
}

/// A count of things that memory holds, far fewer than 2^63.
fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn labels(pairs: &[(&'static str, &str)]) -> Labels {
    Labels(pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_dashboards_use() {
        let metrics = Metrics::new();
        let labels = RequestLabels {
            direction: "inbound".into(),
            rule: "access/orders/allow[0]".into(),
            service: "orders".into(),
            version: "v1".into(),
            code: "2xx".into(),
        };
        metrics.request(&labels).observe(0.002);
        metrics.certificate("identity", 7.5);
        metrics.activated("sha256:aa", 3);
        metrics.activated("sha256:bb", 4);
        metrics.refused(2);
        let text = metrics.text();
        for line in [
            r#"service_mesh_requests_total{direction="inbound",rule="access/orders/allow[0]",service="orders",version="v1",code="2xx"} 1"#,
            r#"service_mesh_certificate_expiry_days{certificate="identity"} 7.5"#,
            r#"service_mesh_bundle_active{bundle="sha256:bb",generation="4"} 1"#,
            r#"service_mesh_bundle_refusals_total{rung="2"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(text.contains("service_mesh_request_duration_seconds_bucket{le=\"0.0025\","), "{text}");
        assert!(!text.contains("sha256:aa"));
    }
}
