//! What a rule may ask for no longer: edits of reserved header fields, and content of statuses that have none.
//!
//! An offer that asks for it is refused at rung 4. A bundle that was accepted before there was this rule runs on, and what
//! builds engines leaves such edits out; [`reserved`] tells which.

use std::fmt::Arguments;

use crate::message::{self, Reserved};
use crate::program::{Action, HeaderEdits, Program, Routes};
use crate::refusal::{Refusal, Rung};
use crate::unit::UnitId;

/// One thing that a rule asks for and no proxy does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The unit of the rule.
    pub unit: UnitId,
    /// JSON pointer (RFC 6901) into the unit.
    pub pointer: String,
    /// The reason, in words.
    pub reason: String,
    code: &'static str,
}

impl LeftOut {
    /// The refusal of an offer that asks for it.
    pub(super) fn refusal(&self) -> Refusal {
        Refusal::new(Rung::WellFormed, self.code, self.reason.as_str())
            .at(&self.unit)
            .pointing(self.pointer.as_str())
    }
}

/// Everything that rules of `program` ask for and no proxy does, in the order of the units. Most programs have none.
#[must_use]
pub fn reserved(program: &Program) -> Vec<LeftOut> {
    let mut found = Vec::new();
    for (service, routes) in &program.routes {
        of_routes(&mut found, &UnitId::Routes(service.clone()), routes);
    }
    for (gateway, by_name) in &program.gateway_routes {
        for (name, routes) in by_name {
            of_routes(&mut found, &UnitId::GatewayRoutes(gateway.clone(), name.clone()), routes);
        }
    }
    found
}

fn of_routes(found: &mut Vec<LeftOut>, unit: &UnitId, routes: &Routes) {
    let mut leave_out = |code, pointer, reason| {
        found.push(LeftOut { unit: unit.clone(), pointer, reason, code });
    };
    for (i, rule) in routes.rules.iter().enumerate() {
        for (part, edits) in
            [("requestHeaders", rule.request_headers.get()), ("responseHeaders", rule.response_headers.get())]
        {
            for (list, name) in edits.into_iter().flat_map(edited) {
                field(name, format_args!("/rules/{i}/{part}/{list}"), &mut leave_out);
            }
        }
        if let Action::Respond(respond) = &rule.action {
            for name in respond.headers.keys() {
                field(name, format_args!("/rules/{i}/action/respond/headers"), &mut leave_out);
            }
            if !respond.body.is_empty() && !message::has_content(respond.status) {
                let reason = format!("a response of status {} has no content", respond.status);
                leave_out("no-content", format!("/rules/{i}/action/respond/body"), reason);
            }
        }
    }
}

/// Every name that is edited, with the list that it stands in.
fn edited(edits: &HeaderEdits) -> impl Iterator<Item = (&'static str, &String)> {
    let HeaderEdits { set, add, remove } = edits;
    let set = set.keys().map(|name| ("set", name));
    set.chain(add.keys().map(|name| ("add", name))).chain(remove.iter().map(|name| ("remove", name)))
}

fn field(name: &str, list: Arguments<'_>, leave_out: &mut impl FnMut(&'static str, String, String)) {
    let Some(reserved) = Reserved::of(name) else { return };
    let reason = format!("no rule edits `{name}`: it {}", reserved.purpose());
    // `~` is the one character of a token that a JSON pointer escapes (RFC 6901 section 3).
    leave_out("reserved-field", format!("{list}/{}", name.replace('~', "~0")), reason);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;
    use crate::unit::Mesh;

    #[test]
    fn every_list_of_every_rule_is_looked_at() {
        let name = |text: &str| Name::new(text).unwrap();
        let routes: Routes = serde_json::from_value(serde_json::json!({ "rules": [
            { "name": "fine", "action": { "respond": { "status": 204, "headers": { "x-a": "1" } } },
              "requestHeaders": { "set": { "x-a": "1" } } },
            { "name": "edits", "action": { "forward": [{ "to": { "service": "a" } }] },
              "requestHeaders": { "set": { "host": "b" }, "add": { "x-mesh-a": "1" }, "remove": ["te", "x-b"] },
              "responseHeaders": { "add": { "content-length": "1" } } },
            { "name": "answers", "action": { "respond": {
                "status": 304, "body": "b", "headers": { "trailer": "x-a" } } } },
        ] }))
        .unwrap();
        let mut program = Program::new(Mesh::new(name("shop"), name("prod"), "shop.example"));
        program.routes.insert(name("a"), routes.clone());
        program.gateway_routes.insert(name("public"), [(name("edge"), routes)].into());
        let found = reserved(&program);
        let shown: Vec<(&str, &str)> =
            found.iter().map(|left_out| (left_out.code, left_out.pointer.as_str())).collect();
        let each = [
            ("reserved-field", "/rules/1/requestHeaders/set/host"),
            ("reserved-field", "/rules/1/requestHeaders/add/x-mesh-a"),
            ("reserved-field", "/rules/1/requestHeaders/remove/te"),
            ("reserved-field", "/rules/1/responseHeaders/add/content-length"),
            ("reserved-field", "/rules/2/action/respond/headers/trailer"),
            ("no-content", "/rules/2/action/respond/body"),
        ];
        assert_eq!(shown, [each, each].concat());
        let units = [&found[0], &found[6]].map(|left_out| left_out.unit.to_string());
        assert_eq!(units, ["routes/a", "routes/public/edge"]);
        assert_eq!(
            found[0].refusal().to_string(),
            "refused at rung 4 (well formed): no rule edits `host`: it says where a request goes [reserved-field] in \
             routes/a at /rules/1/requestHeaders/set/host"
        );
    }
}
