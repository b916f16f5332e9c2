//! `External`: outside the mesh.

use super::shared::{FromItem, HealthCheck, Limits, SecretRef};
use crate::spec::context::Sp;
use crate::spec::decode::List1;
use crate::spec::macros::{choice, either, object};
use crate::spec::scalars::*;

object! {
    /// Something outside of the mesh that services call. Access and quotas are enforced by the caller.
    pub struct External, "an External", kind "External" {
        /// The name, as a destination.
        name "name": Sp<Name>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// The hosts that services ask for.
        hosts "hosts": List1<Sp<HostText>>,
        /// Addresses of its endpoints; the host itself, by DNS, unless said otherwise.
        endpoints "endpoints": Vec<Sp<Endpoint>>,
        /// TLS towards it; `on` unless said otherwise.
        tls "tls": Option<ExternalTls> = |_| ExternalTls::Simple(Sp::unwritten(TlsSwitch::On)),
        /// Callers that may call it.
        callers "callers": Option<Sp<Vec<FromItem>>>,
        /// Active health checks of its endpoints.
        health_check "healthCheck": Option<HealthCheck>,
        /// Limits of connections and requests under way at once.
        limits "limits": Option<Limits>,
    }
}

choice! {
    /// Whether TLS is spoken.
    pub enum TlsSwitch, "`on`, `off` or a map" {
        /// TLS, with the public roots.
        On = "on",
        /// Plain text, without TLS.
        Off = "off",
    }
}

object! {
    /// Details of TLS towards an external service.
    pub struct ExternalTlsForm, "a TLS setting" {
        /// The name that the server's certificate must have; the host unless said otherwise.
        sni "sni": Option<Sp<ExactHost>>,
        /// The roots that are believed; the public ones unless said otherwise.
        ca "ca": Option<SecretRef>,
        /// The certificate and key that are shown.
        certificate "certificate": Option<SecretRef>,
    }
}

either! {
    /// TLS towards an external service: `on`, `off`, or a map.
    pub enum ExternalTls {
        /// Whether TLS is spoken.
        Simple(Sp<TlsSwitch>) as "switch",
        /// TLS with its details.
        Form(ExternalTlsForm) if Map,
    }
}
