//! MC20xx and MC50xx: rules that can never match, organisation policies.

use super::table::codes;

codes! {
    DEAD_RULE = 2001 "dead-rule" "a rule can never match", suppressible: true {
        checks: "No earlier rule takes every request that a rule, or one match in its list, could take. A match that an earlier one of the same rule makes needless is a warning.",
        why: "The author believes that the rule is in force.",
        bad: "rules:\n  - { name: all, match: { path: /a/* }, to: a }\n  - { name: one, match: { path: /a/b }, to: b }\n",
        good: "rules:\n  - { name: one, match: { path: /a/b }, to: b }\n  - { name: all, match: { path: /a/* }, to: a }\n",
    }
    EXPIRED_WAIVER = 5001 "expired-waiver" "a waiver has ended" {
        checks: "The date of a waiver is not before the date of the check.",
        why: "The exception was agreed for a time, and the time is over.",
        bad: "kind: Policy\nname: named-owners\neach: Service\nrequire: has(self.owner)\nwaivers: [{ object: service/a, until: 2020-01-01, reason: \"moves to another team\" }]\n---\nkind: Service\nname: a\nport: 80\ncallers: [web]\n",
        good: "kind: Policy\nname: named-owners\neach: Service\nrequire: has(self.owner)\nwaivers: [{ object: service/a, until: 2036-12-31, reason: \"moves to another team\" }]\n---\nkind: Service\nname: a\nport: 80\ncallers: [web]\n",
    }
    POLICY_BROKEN = 5002 "policy-broken" "an object breaks a policy" {
        checks: "`require` of a Policy is true for each object of its kind that `where` takes, in every environment of the policy, after overrides.",
        why: "The organisation agreed on it. An exception is a waiver in the policy, with a reason and an end; a comment cannot suppress it.",
        bad: "kind: Policy\nname: named-owners\neach: Service\nrequire: has(self.owner)\n---\nkind: Service\nname: a\nport: 80\ncallers: [web]\n",
        good: "kind: Policy\nname: named-owners\neach: Service\nrequire: has(self.owner)\n---\nkind: Service\nname: a\nowner: team-a\nport: 80\ncallers: [web]\n",
    }
    POLICY_UNKNOWN = 5003 "policy-unknown" "a policy cannot be decided for an object" {
        checks: "`where` and `require` of a Policy have a value for each object of its kind.",
        why: "What cannot be decided does not hold: an index beyond a list, or a text that is not a number, would otherwise let everything pass.",
        bad: "kind: Policy\nname: first-step\neach: Service\nrequire: self.quotas[0].limits[0].rate <= rate(\"50/s\")\n",
        good: "kind: Policy\nname: first-step\neach: Service\nrequire: self.quotas.all(q, q.limits.all(l, l.rate <= rate(\"50/s\")))\n",
    }
    UNUSED_WAIVER = 5004 "unused-waiver" "a waiver waives nothing", severity: Warning {
        checks: "The object of a waiver would break the policy without it, in some environment.",
        why: "A waiver that outlives its cause hides the next one.",
        bad: "kind: Policy\nname: named-owners\neach: Service\nrequire: has(self.owner)\nwaivers: [{ object: service/a, until: 2036-12-31, reason: \"moves to another team\" }]\n---\nkind: Service\nname: a\nowner: team-a\nport: 80\ncallers: [web]\n",
        good: "kind: Policy\nname: named-owners\neach: Service\nrequire: has(self.owner)\n---\nkind: Service\nname: a\nowner: team-a\nport: 80\ncallers: [web]\n",
    }
}
