//! Header edits of rules, and fixed responses: no rule touches what frames, routes or vouches for a message.

use std::collections::BTreeMap;

use mesh_bundle::message::{self, Reserved};
use mesh_bundle::program::{HeaderEdits, Respond};

use super::context::Cx;
use crate::diag::{Diagnostic, codes};
use crate::spec::{self, Dict, HeaderName, HeaderValue, Scalar, Sp};

/// Which message a field is edited in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A request on its way to the service.
    Request,
    /// A response on its way back.
    Response,
}

/// Lowers the edits of one message.
pub(super) fn edits(cx: &mut Cx<'_, '_>, spec: &spec::HeaderEdit, side: Side) -> HeaderEdits {
    let (set, add) = (fields(cx, &spec.set, side), fields(cx, &spec.add, side));
    for name in &spec.remove {
        reserved(cx, name, None, side);
    }
    let mut remove: Vec<String> = spec.remove.iter().map(|name| name.as_str().to_owned()).collect();
    remove.sort();
    remove.dedup();
    HeaderEdits { set, add, remove }
}

/// Lowers a response that the proxy gives itself.
pub(super) fn respond(cx: &mut Cx<'_, '_>, spec: &spec::Respond) -> Respond {
    let (status, body) = (spec.status.get(), spec.body());
    if !body.as_str().is_empty() && !message::has_content(status) {
        let message = format!("a response of status {status} has no content");
        let finding = Diagnostic::new(codes::NO_CONTENT, body.span, message).at("would not be sent");
        cx.report(
            finding.label(spec.status.span, "because of this").help("remove `body`, or answer with 200"),
        );
    }
    Respond { status, body: body.as_str().to_owned(), headers: fields(cx, &spec.headers, Side::Response) }
}

fn fields(
    cx: &mut Cx<'_, '_>,
    spec: &Dict<HeaderName, Sp<HeaderValue>>,
    side: Side,
) -> BTreeMap<String, String> {
    for (name, value) in spec.iter() {
        reserved(cx, name, Some(value.as_str()), side);
    }
    spec.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned())).collect()
}

/// Reports a field that no rule edits.
fn reserved(cx: &mut Cx<'_, '_>, name: &Sp<HeaderName>, value: Option<&str>, side: Side) {
    let Some(reserved) = Reserved::of(name.as_str()) else { return };
    let message = format!("no rule edits `{}`: it {}", name.as_str(), reserved.purpose());
    let help = match (reserved, side) {
        (Reserved::Host, Side::Request) => {
            let host = value.filter(|value| spec::ExactHost::parse(value).is_some()).unwrap_or("api.example");
            format!("to send another host, write `rewrite: {{ host: {host} }}` beside `to`")
        }
        (Reserved::Host, Side::Response) => {
            "responses have none; to send clients to another host, write `redirect: { host: api.example }`"
                .into()
        }
        (Reserved::Framing, _) => "leave it out: the proxy writes it for the content that it sends".into(),
        (Reserved::Connection, _) => "leave it out: the proxy writes it for its own connections".into(),
        (Reserved::Expectation, _) => "leave it out: it ends at the proxy, which answers it itself".into(),
        (Reserved::Identity, _) => {
            let rest = ["x-mesh-", "x-"].iter().find_map(|prefix| name.as_str().strip_prefix(prefix));
            let rest = rest.filter(|rest| !rest.is_empty()).unwrap_or("field");
            format!("take a name of your own, such as `x-{}-{rest}`", cx.model.mesh.address.name.as_str())
        }
    };
    cx.report(Diagnostic::new(codes::RESERVED_FIELD, name.span, message).at("not for rules").help(help));
}
