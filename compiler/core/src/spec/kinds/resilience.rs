//! `Resilience`: staying up.

use super::shared::{HealthCheck, Limits, Sticky};
use crate::spec::context::Sp;
use crate::spec::decode::List1;
use crate::spec::macros::{choice, either, object};
use crate::spec::scalars::*;

object! {
    /// Treatment of a service's endpoints by its callers.
    pub struct Resilience, "a Resilience", kind "Resilience" {
        /// The name; the service's name unless said otherwise.
        name "name": Option<Sp<Name>>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// Service whose endpoints these are.
        service "service": Sp<Name>,
        /// Choice of an endpoint; `roundRobin` unless said otherwise.
        load_balancer "loadBalancer": Option<LoadBalancer> = |_| LoadBalancer::Simple(Sp::unwritten(Balancing::RoundRobin)),
        /// Active health checks of endpoints.
        health_check "healthCheck": Option<HealthCheck>,
        /// Ejection of endpoints whose answers are bad.
        outlier_detection "outlierDetection": Option<OutlierDetection>,
        /// Circuit breaker around the whole service.
        circuit_breaker "circuitBreaker": Option<CircuitBreaker>,
        /// Limits of connections and requests under way at once.
        limits "limits": Option<Limits>,
        /// Localities in the order in which they are tried after the own one.
        locality "locality": Option<List1<Sp<Name>>>,
    }
}

choice! {
    /// Algorithm that chooses an endpoint.
    pub enum Balancing, "a way of balancing" {
        /// One after the other.
        RoundRobin = "roundRobin",
        /// The one of two random ones with fewer requests under way.
        LeastRequests = "leastRequests",
        /// The one of two random ones that answers sooner.
        PeakEwma = "peakEwma",
        /// A random one.
        Random = "random",
        /// By a key, on a ring of hashes.
        RingHash = "ringHash",
        /// By a key, with a Maglev table.
        Maglev = "maglev",
    }
}

either! {
    /// Choice of an endpoint: a word, or a map.
    pub enum LoadBalancer {
        /// The algorithm by its name.
        Simple(Sp<Balancing>) => |policy| {
            LoadBalancerForm { policy: *policy, key: None, panic_threshold: None, slow_start: None, complete: true }
        },
        /// The algorithm with its details.
        Form(LoadBalancerForm) if Map,
    }
}

object! {
    /// Choice of an endpoint, with details.
    pub struct LoadBalancerForm, "a load balancer" {
        /// Algorithm that chooses an endpoint.
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
    /// Ejection of endpoints whose answers are bad.
    pub struct OutlierDetection, "an outlier detection" {
        /// Bad answers in a row.
        consecutive_errors "consecutiveErrors": Sp<Count>,
        /// Duration of the first ejection; longer with each time.
        eject_for "ejectFor": Sp<Duration>,
        /// At most this share of endpoints at once.
        max_ejected "maxEjected": Option<Sp<Percent>> = |_| Sp::unwritten(Percent::whole(50)),
    }
}

object! {
    /// Circuit breaker around a whole service.
    pub struct CircuitBreaker, "a circuit breaker" {
        /// Above this share of errors.
        error_rate "errorRate": Sp<Percent>,
        /// After at least this many requests.
        min_requests "minRequests": Option<Sp<Count>>,
        /// Time for which the service is left alone.
        open_for "openFor": Sp<Duration>,
    }
}
