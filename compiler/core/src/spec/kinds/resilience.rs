//! `Resilience`: staying up.

use super::shared::{HealthCheck, Limits, Sticky};
use crate::spec::decode::{List1, Sp};
use crate::spec::leaf::*;
use crate::spec::macros::{choice, either, object};

object! {
    /// How callers of a service treat its endpoints.
    pub struct Resilience, "a Resilience", kind "Resilience" {
        /// The name; the service's name unless said otherwise.
        name "name": Option<Sp<Name>>,
        /// Who answers for it.
        owner "owner": Option<Sp<Name>>,
        /// What it is for.
        description "description": Option<Sp<Prose>>,
        /// The service.
        service "service": Sp<Name>,
        /// How an endpoint is chosen; `roundRobin` unless said otherwise.
        load_balancer "loadBalancer": Option<LoadBalancer> = |_| LoadBalancer::Simple(Sp::unwritten(Balancing::RoundRobin)),
        /// How endpoints are asked whether they live.
        health_check "healthCheck": Option<HealthCheck>,
        /// When an endpoint is left alone because its answers are bad.
        outlier_detection "outlierDetection": Option<OutlierDetection>,
        /// When the whole service is left alone.
        circuit_breaker "circuitBreaker": Option<CircuitBreaker>,
        /// How much may be under way at once.
        limits "limits": Option<Limits>,
        /// Localities in the order in which they are tried after the own one.
        locality "locality": Option<List1<Sp<Name>>>,
    }
}

choice! {
    /// How an endpoint is chosen.
    pub enum Balancing, "a way of balancing" {
        /// One after the other.
        RoundRobin = "roundRobin",
        /// The one of two random ones with fewer requests under way.
        LeastRequests = "leastRequests",
        /// The one of two random ones that answers sooner.
        PeakEwma = "peakEwma",
        /// Any.
        Random = "random",
        /// By a key, on a ring of hashes.
        RingHash = "ringHash",
        /// By a key, with a Maglev table.
        Maglev = "maglev",
    }
}

either! {
    /// How an endpoint is chosen: a word, or a map.
    pub enum LoadBalancer {
        /// How.
        Simple(Sp<Balancing>) => |policy| {
            LoadBalancerForm { policy: *policy, key: None, panic_threshold: None, slow_start: None }
        },
        /// How, with details.
        Form(LoadBalancerForm) if Map,
    }
}

object! {
    /// How an endpoint is chosen.
    pub struct LoadBalancerForm, "a load balancer" {
        /// How.
        policy "policy": Sp<Balancing>,
        /// The key of `ringHash` and `maglev`.
        key "key": Option<Sticky>,
        /// Below this share of healthy endpoints, unhealthy ones are used too.
        panic_threshold "panicThreshold": Option<Sp<Percent>>,
        /// A new endpoint gets its full share only after this long.
        slow_start "slowStart": Option<Sp<Duration>>,
    }
}

object! {
    /// When an endpoint is left alone.
    pub struct OutlierDetection, "an outlier detection" {
        /// Bad answers in a row.
        consecutive_errors "consecutiveErrors": Sp<Count>,
        /// How long at first; longer with each time.
        eject_for "ejectFor": Sp<Duration>,
        /// At most this share of endpoints at once.
        max_ejected "maxEjected": Option<Sp<Percent>> = |_| Sp::unwritten(Percent::whole(50)),
    }
}

object! {
    /// When a whole service is left alone.
    pub struct CircuitBreaker, "a circuit breaker" {
        /// Above this share of errors.
        error_rate "errorRate": Sp<Percent>,
        /// After at least this many requests.
        min_requests "minRequests": Option<Sp<Count>>,
        /// How long.
        open_for "openFor": Sp<Duration>,
    }
}
