//! `External`: outside the mesh.

use super::shared::{FromItem, HealthCheck, Limits, SecretRef};
use crate::spec::decode::{List1, Sp};
use crate::spec::leaf::*;
use crate::spec::macros::{choice, either, object};

object! {
    /// Something outside of the mesh that services call. Access and quotas are enforced by the caller.
    pub struct External, "an External", kind "External" {
        /// The name, as a destination.
        name "name": Sp<Name>,
        /// Who answers for it.
        owner "owner": Option<Sp<Name>>,
        /// What it is for.
        description "description": Option<Sp<Prose>>,
        /// The hosts that services ask for.
        hosts "hosts": List1<Sp<HostText>>,
        /// Where it listens; the host itself, by DNS, unless said otherwise.
        endpoints "endpoints": Vec<Sp<Endpoint>>,
        /// How it is spoken to; `on` unless said otherwise.
        tls "tls": Option<ExternalTls> = |_| ExternalTls::Simple(Sp::unwritten(TlsSwitch::On)),
        /// Who may call it.
        callers "callers": Option<Sp<Vec<FromItem>>>,
        /// How endpoints are asked whether they live.
        health_check "healthCheck": Option<HealthCheck>,
        /// How much may be under way at once.
        limits "limits": Option<Limits>,
    }
}

choice! {
    /// Whether TLS is spoken.
    pub enum TlsSwitch, "`on`, `off` or a map" {
        /// TLS, with the public roots.
        On = "on",
        /// Plain text.
        Off = "off",
    }
}

object! {
    /// How TLS is spoken.
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
    /// How an external one is spoken to: `on`, `off`, or a map.
    pub enum ExternalTls {
        /// Whether.
        Simple(Sp<TlsSwitch>) as "switch",
        /// How.
        Form(ExternalTlsForm) if Map,
    }
}
