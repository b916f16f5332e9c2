//! `Service`: who exists.

use super::shared::{FromItem, Labels};
use crate::spec::context::Sp;
use crate::spec::macros::{choice, object};
use crate::spec::scalar::Scalar;
use crate::spec::scalars::*;

/// The version of a service that names none.
const ONLY_VERSION: &str = "v1";

object! {
    /// A service of the mesh.
    pub struct Service, "a Service", kind "Service" {
        /// The name of the service, and the host that others ask for inside the mesh.
        name "name": Sp<Name>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// Port that the mesh listens on.
        port "port": Sp<Port>,
        /// Port that the application listens on at 127.0.0.1; as `port` unless said otherwise.
        app_port "appPort": Option<Sp<Port>> = |service| service.port,
        /// Protocol of the service; `http` unless said otherwise.
        protocol "protocol": Option<Sp<Protocol>> = |_| Sp::unwritten(Protocol::Http),
        /// Its versions; the one version `v1` unless said otherwise.
        versions "versions": Vec<Sp<Name>> = |_| Name::parse(ONLY_VERSION).map(Sp::unwritten).into_iter().collect(),
        /// Labels for access rules and policies.
        labels "labels": Labels,
        /// Callers that may call it; short for an AccessPolicy.
        callers "callers": Option<Sp<Vec<FromItem>>>,
        /// `none` for a service without a proxy of its own: access and quotas are enforced by the caller.
        proxy "proxy": Option<Sp<ProxyMode>>,
        /// Treatment of `%2F` and `%5C` in paths; `reject` unless said otherwise.
        escaped_slashes "escapedSlashes": Option<Sp<EscapedSlashes>> = |_| Sp::unwritten(EscapedSlashes::Reject),
    }
}

choice! {
    /// Protocol of a service.
    pub enum Protocol, "a protocol" {
        /// HTTP/1.1 and HTTP/2.
        Http = "http",
        /// gRPC over HTTP/2.
        Grpc = "grpc",
        /// A byte stream over TCP.
        Tcp = "tcp",
    }
}

choice! {
    /// Whether a service has a proxy.
    pub enum ProxyMode, "a proxy mode" {
        /// It has none.
        None = "none",
    }
}

choice! {
    /// Treatment of `%2F` and `%5C` in paths.
    pub enum EscapedSlashes, "a treatment of escaped slashes" {
        /// Such requests are answered with 400.
        Reject = "reject",
        /// Keep them as they are.
        Keep = "keep",
    }
}
