//! MC15xx to MC18xx: environments and overrides, secrets, fields that are not enforced, suppression comments.

use super::table::codes;

codes! {
    UNKNOWN_OVERRIDE = 1501 "unknown-override" "an override is for an object that does not exist" {
        checks: "Every address in `overrides` is an object of the mesh.",
        why: "The environment would silently run without the difference.",
        bad: "overrides: { canary/order: { stages: [{ weight: 50%, hold: 1m }] } }\n",
        good: "overrides: { canary/orders: { stages: [{ weight: 50%, hold: 1m }] } }\n",
    }
    REMOVES_NOTHING = 1502 "removes-nothing" "an override removes a field that is not there" {
        checks: "`null` in `overrides` stands on a field that the object has.",
        why: "The override has no effect, mostly because the field is misspelt or was removed.",
        bad: "overrides:\n  canary/orders: { stickyy: null }\n",
        good: "overrides:\n  canary/orders: { sticky: null }\n",
    }
    DISCOVERY = 1503 "discovery" "an environment does not say where versions are found" {
        checks: "A service with several versions is found by `versions` or `static`; `static` names services and versions that exist.",
        why: "All versions would be looked for in one place, and the canary would be a coin toss.",
        bad: "discovery: { pattern: \"{service}.internal:{port}\" }\n",
        good: "discovery: { pattern: \"{service}.internal:{port}\", versions: \"{service}-{version}.internal:{port}\" }\n",
    }
    OVERRIDE_IDENTITY = 1504 "override-identity" "an override changes what an object is" {
        checks: "`kind`, `name`, `service` and `gateway` are not overridden, nor `ignore` of the Mesh.",
        why: "The object would become another one, at an address that others refer to; and files are read before there are environments.",
        bad: "overrides: { quota/payments: { service: orders } }\n",
        good: "overrides: { quota/payments: { limits: [{ per: caller, rate: 5/s }] } }\n",
    }
    MIXED_LIST = 1505 "mixed-list" "an override's list has names on some entries only" {
        checks: "Of a list in `overrides`, and of the list that it overrides, all entries have a `name`, or none has.",
        why: "Lists of named entries merge by name, other lists replace: one entry without a name would drop all that the override does not repeat, an entry of `deny` among them.",
        bad: "kind: AccessPolicy\nname: guard\nservice: a\nallow: [{ from: [web] }]\ndeny: [{ name: no-admin, from: [web], to: { paths: [/admin/*] } }]\n---\nkind: Service\nname: a\nport: 80\n---\nkind: Environment\nname: local\noverrides:\n  access/guard:\n    deny:\n      - { name: no-debug, from: [web], to: { paths: [/debug/*] } }\n      - { from: [web], to: { paths: [/metrics] } }\n",
        good: "kind: AccessPolicy\nname: guard\nservice: a\nallow: [{ from: [web] }]\ndeny: [{ name: no-admin, from: [web], to: { paths: [/admin/*] } }]\n---\nkind: Service\nname: a\nport: 80\n---\nkind: Environment\nname: local\noverrides:\n  access/guard:\n    deny:\n      - { name: no-debug, from: [web], to: { paths: [/debug/*] } }\n      - { name: no-metrics, from: [web], to: { paths: [/metrics] } }\n",
    }
    DROPS_DENY = 1506 "drops-deny" "an override drops a deny entry", severity: Note {
        checks: "Every `deny` entry of an AccessPolicy holds in every environment too; this is said, not refused.",
        why: "What is denied in one environment and not in another is mostly a list that replaced where it was to add.",
        bad: "kind: AccessPolicy\nname: guard\nservice: a\nallow: [{ from: [web] }]\ndeny: [{ from: [web], to: { paths: [/admin/*] } }]\n---\nkind: Service\nname: a\nport: 80\n---\nkind: Environment\nname: local\noverrides:\n  access/guard:\n    deny: [{ from: [web], to: { paths: [/debug/*] } }]\n",
        good: "kind: AccessPolicy\nname: guard\nservice: a\nallow: [{ from: [web] }]\ndeny: [{ name: no-admin, from: [web], to: { paths: [/admin/*] } }]\n---\nkind: Service\nname: a\nport: 80\n---\nkind: Environment\nname: local\noverrides:\n  access/guard:\n    deny: [{ name: no-debug, from: [web], to: { paths: [/debug/*] } }]\n",
    }
    SECRET = 1601 "secret-in-clear" "a secret stands in the repository", suppressible: true {
        checks: "No text holds a private key, a cloud access key, a forge or session token, or a URL with a password.",
        why: "Whoever can read the repository, now or later, has the secret. It must be changed, not only removed.",
        bad: "gateways:\n  public: { listen: 443, hosts: [shop.example], certificate: \"-----BEGIN PRIVATE KEY----- ...\" }\n",
        good: "gateways:\n  public: { listen: 443, hosts: [shop.example], certificate: { secret: tls/shop } }\n",
    }
    NOT_ENFORCED = 1701 "not-enforced" "no released proxy enforces a field" {
        checks: "Every field that proxies own is enforced by the proxies of this release.",
        why: "A protection that is written but not in force is worse than none.",
        bad: "rules: [{ name: a, mirror: { to: b }, to: a }]\n",
        good: "rules: [{ name: a, to: a }]\n",
    }
    SUPPRESSION_FORM = 1801 "suppression-form" "a suppression comment is not well formed" {
        checks: "A comment that starts with `meshc:` reads `# meshc: allow MC2001 until 2026-12-31 -- reason`, with a code that exists and can be suppressed.",
        why: "A suppression without a reason or an end is never looked at again.",
        bad: "rules:\n  - { name: all, match: { path: /a/* }, to: a }\n  # meshc: allow MC2001\n  - { name: one, match: { path: /a/b }, to: b }\n",
        good: "rules:\n  - { name: all, match: { path: /a/* }, to: a }\n  # meshc: allow MC2001 until 2036-12-31 -- the old path is kept for the app until 3.0\n  - { name: one, match: { path: /a/b }, to: b }\n",
    }
    SUPPRESSION_EXPIRED = 1802 "suppression-expired" "a suppression has ended" {
        checks: "The date of a suppression is not before the date of the check; its day still counts.",
        why: "The finding was accepted for a time, and the time is over.",
        bad: "rules:\n  - { name: all, match: { path: /a/* }, to: a }\n  # meshc: allow MC2001 until 2020-01-01 -- the old path is kept for the app until 3.0\n  - { name: one, match: { path: /a/b }, to: b }\n",
        good: "rules:\n  - { name: all, match: { path: /a/* }, to: a }\n  # meshc: allow MC2001 until 2036-12-31 -- the old path is kept for the app until 3.0\n  - { name: one, match: { path: /a/b }, to: b }\n",
    }
    SUPPRESSION_UNUSED = 1803 "suppression-unused" "a suppression suppresses nothing", severity: Warning {
        checks: "The line below an own-line suppression comment, or the line that it ends, has the finding.",
        why: "A comment that outlives its finding would hide the next one.",
        bad: "rules:\n  - { name: one, match: { path: /a/b }, to: b }\n  # meshc: allow MC2001 until 2036-12-31 -- the old path is kept for the app until 3.0\n  - { name: all, match: { path: /a/* }, to: a }\n",
        good: "rules:\n  - { name: one, match: { path: /a/b }, to: b }\n  - { name: all, match: { path: /a/* }, to: a }\n",
    }
}
