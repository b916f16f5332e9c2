//! Redirects: the `location` of a redirect response.

use std::borrow::Cow;

use mesh_bundle::PathPattern;
use mesh_bundle::program::{Redirect, RewritePath, SlashMode};

use crate::outbound_decision::Outcome;
use crate::path;
use crate::reason::Reason;
use crate::request::Request;

/// Builds the `location` for a request that `pattern` took. Port: the rule's, else the default of a scheme that the rule sets,
/// else the listener's; 80 and 443 are left out where they are the scheme's own (Gateway API).
pub(crate) fn location<'a>(
    redirect: &Redirect,
    pattern: Option<&PathPattern>,
    listen: Option<u16>,
    request: &Request<'_>,
) -> Outcome<'a> {
    let scheme = redirect.scheme.as_deref().unwrap_or(request.scheme);
    let host = redirect.host.as_deref().unwrap_or(request.host);
    let own = if scheme == "https" { 443 } else { 80 };
    let port = redirect.port.or(if redirect.scheme.is_some() { Some(own) } else { listen });
    let path = match &redirect.path {
        None => Ok(Cow::Borrowed(request.path)),
        Some(change @ (RewritePath::Full(_) | RewritePath::Prefix(_))) => {
            path::rewrite(request.path, pattern, change, SlashMode::Keep).map(Cow::Owned)
        }
    };
    let Ok(path) = path else {
        return Outcome::Refuse(Reason::BadRewrite);
    };
    let port = port.filter(|port| *port != own).map(|port| format!(":{port}")).unwrap_or_default();
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    Outcome::Redirect { status: redirect.status, location: format!("{scheme}://{host}{port}{path}{query}") }
}
