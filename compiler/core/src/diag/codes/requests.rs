//! MC122x: what becomes of requests that a rule sends on, and the requests of Tests.

use super::table::codes;

codes! {
    DENIED_SHARE = 1225 "denied-share" "a share of the requests is always denied" {
        checks: "Of those whose requests a split shares out, the access of every target lets somebody in: at a gateway that is the gateway, in a service's Route everybody who may call the service.",
        why: "A part of the requests would be answered 403, at random, and no Test of one request sees it. A service's Route sends for the callers of the service, not for the service itself.",
        bad: "kind: Service\nname: a\nport: 80\ncallers: [web]\n---\nkind: Service\nname: b\nport: 81\ncallers: [a]\n---\nkind: Service\nname: web\nport: 82\ncallers: []\n---\nkind: Route\nservice: a\nrules: [{ name: all, to: [{ to: a, weight: 90% }, { to: b, weight: 10% }] }]\n",
        good: "kind: Service\nname: a\nport: 80\ncallers: [web]\n---\nkind: Service\nname: b\nport: 81\ncallers: [a, web]\n---\nkind: Service\nname: web\nport: 82\ncallers: []\n---\nkind: Route\nservice: a\nrules: [{ name: all, to: [{ to: a, weight: 90% }, { to: b, weight: 10% }] }]\n",
    }
    CASE_FACTS = 1226 "case-facts" "a case says what no request is" {
        checks: "`ip` of a case is an IPv4 or IPv6 address, and its length is said once: as `size`, or in a header.",
        why: "No request is like that, so the case would show nothing.",
        bad: "kind: Test\nname: sizes\nenvironment: local\ncases:\n  - { send: 'POST http://a/', size: 2KiB, headers: { content-length: '7' }, expect: { access: deny } }\n",
        good: "kind: Test\nname: sizes\nenvironment: local\ncases:\n  - { send: 'POST http://a/', size: 2KiB, expect: { access: deny } }\n",
    }
}
