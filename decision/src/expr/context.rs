//! The input of an evaluation.

use mesh_bundle::PathPattern;
use mesh_bundle::program::Service;

use crate::request::Request;

/// The input of an evaluation: the request, and facts from the program.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The request that is decided.
    pub request: &'a Request<'a>,
    /// The path pattern that bound `request.params`, if any.
    pub pattern: Option<&'a PathPattern>,
    /// The caller's service, where the program knows it.
    pub source: Option<&'a Service>,
    /// The callee, at its own proxy.
    pub destination: Option<Destination<'a>>,
}

/// The callee, as its own proxy knows it.
#[derive(Clone, Copy)]
pub struct Destination<'a> {
    /// Name of the service.
    pub name: &'a str,
    /// The service, with its port and labels.
    pub service: &'a Service,
    /// The version that this proxy stands for; empty where it was not told.
    pub version: &'a str,
}
