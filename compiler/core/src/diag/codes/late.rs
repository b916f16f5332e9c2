//! MC15xx (the rest), MC17xx, MC20xx, MC50xx, MC60xx.

use super::table::codes;

codes! {
    DISCOVERY = 1503 "discovery" "an environment does not say where versions are found" {
        checks: "A service with several versions is found by `versions` or `static`; `static` names services and versions that exist.",
        why: "All versions would be looked for in one place, and the canary would be a coin toss.",
        bad: "discovery: { pattern: \"{service}.internal:{port}\" }\n",
        good: "discovery: { pattern: \"{service}.internal:{port}\", versions: \"{service}-{version}.internal:{port}\" }\n",
    }
    OVERRIDE_IDENTITY = 1504 "override-identity" "an override changes what an object is" {
        checks: "`kind`, `name`, `service` and `gateway` are not overridden.",
        why: "The object would become another one, at an address that others refer to.",
        bad: "overrides: { quota/payments: { service: orders } }\n",
        good: "overrides: { quota/payments: { limits: [{ per: caller, rate: 5/s }] } }\n",
    }
    NOT_ENFORCED = 1701 "not-enforced" "no released proxy enforces a field" {
        checks: "Every field that proxies own is enforced by the proxies of this release.",
        why: "A protection that is written but not in force is worse than none.",
        bad: "rules: [{ name: a, mirror: { to: b }, to: a }]\n",
        good: "rules: [{ name: a, to: a }]\n",
    }
    DEAD_RULE = 2001 "dead-rule" "a rule can never match", suppressible: true {
        checks: "No earlier rule takes every request that a rule could match.",
        why: "The author believes that the rule is in force.",
        bad: "rules:\n  - { name: all, match: { path: /a/* }, to: a }\n  - { name: one, match: { path: /a/b }, to: b }\n",
        good: "rules:\n  - { name: one, match: { path: /a/b }, to: b }\n  - { name: all, match: { path: /a/* }, to: a }\n",
    }
    EXPIRED_WAIVER = 5001 "expired-waiver" "a waiver has ended" {
        checks: "The date of a waiver is not before the date of the check.",
        why: "The exception was agreed for a time, and the time is over.",
        bad: "waivers: [{ object: service/a, until: 2020-01-01, reason: soon }]\n",
        good: "repair the object, or agree on another date",
    }
    POLICY_BROKEN = 5002 "policy-broken" "an object breaks a policy" {
        checks: "`require` of a Policy is true for each object of its kind that `where` takes, in every environment of the policy, after overrides.",
        why: "The organisation agreed on it. An exception is a waiver in the policy, with a reason and an end; a comment cannot suppress it.",
        bad: "kind: Policy\nname: named-owners\neach: Service\nrequire: has(self.owner)\n---\nkind: Service\nname: a\nport: 80\ncallers: []\n",
        good: "kind: Policy\nname: named-owners\neach: Service\nrequire: has(self.owner)\n---\nkind: Service\nname: a\nowner: team-a\nport: 80\ncallers: []\n",
    }
    POLICY_UNKNOWN = 5003 "policy-unknown" "a policy cannot be decided for an object" {
        checks: "`where` and `require` of a Policy have a value for each object of its kind.",
        why: "What cannot be decided does not hold: an index beyond a list, or a text that is not a number, would otherwise let everything pass.",
        bad: "kind: Policy\nname: first-step\neach: Service\nrequire: self.quotas[0].limits[0].rate <= rate(\"50/s\")\n",
        good: "kind: Policy\nname: first-step\neach: Service\nrequire: self.quotas.all(q, q.limits.all(l, l.rate <= rate(\"50/s\")))\n",
    }
    UNUSED_WAIVER = 5004 "unused-waiver" "a waiver waives nothing" {
        checks: "The object of a waiver would break the policy without it, in some environment.",
        why: "A waiver that outlives its cause hides the next one.",
        bad: "waivers: [{ object: service/a, until: 2036-12-31, reason: \"single version only\" }]\n",
        good: "remove the waiver",
    }
    TREE = 6001 "tree" "a file of the repository cannot be part of a mesh" {
        checks: "The mesh's folder holds regular files and folders with plain names.",
        why: "Links and submodules lead out of what was reviewed; odd names mean different files on different machines.",
        bad: "services -> ../../..\n",
        good: "services/web/mesh.yaml\n",
    }
    NO_MESH = 6002 "no-mesh" "the files say no mesh, or two" {
        checks: "There is exactly one object of kind Mesh.",
        why: "A mesh has one name and one trust domain.",
        bad: "kind: Service\n",
        good: "kind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\n",
    }
    LIMIT_MESH = 6003 "mesh-too-large" "the mesh is larger than a limit" {
        checks: "10,000 services, 100,000 rules, 1 MiB a unit, 256 MiB a bundle.",
        why: "Proxies refuse what is larger.",
        bad: "(10,001 services)",
        good: "split the mesh",
    }
}
