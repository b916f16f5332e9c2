//! MC20xx: parts that never match, name nobody, admit nobody, or do nothing.

use super::table::codes;

codes! {
    NOBODY = 2002 "names-nobody" "a caller or a name is nobody's", severity: Warning, suppressible: true {
        checks: "Labels, identities of the mesh's own trust domain, and names in expressions are somebody's: a service or gateway of some environment, and in an AccessPolicy the one that is called.",
        why: "An entry of `deny` that names nobody leaves open what was to be closed, and that is an error; any other one admits or matches nobody.",
        bad: "kind: AccessPolicy\nservice: s\nallow: [{ from: [web] }]\ndeny: [{ name: old, from: [{ principal: \"spiffe://shop.example/local/wbe\" }] }]\n---\nkind: Service\nname: s\nport: 80\n",
        good: "kind: AccessPolicy\nservice: s\nallow: [{ from: [web] }]\ndeny: [{ name: old, from: [{ principal: \"spiffe://shop.example/local/web\" }] }]\n---\nkind: Service\nname: s\nport: 80\n",
    }
    UNSEEN_METHOD = 2003 "unseen-method" "no request that a rule sees has a method", severity: Warning, suppressible: true {
        checks: "Methods are written as clients send them. They are tokens whose case counts (RFC 9110 section 9.1): `PURGE` is one, `get` is not `GET`. `*` is no wildcard, and `CONNECT` never reaches a rule.",
        why: "The rule takes no such request; in `deny` what was to be closed is open, and that is an error.",
        bad: "match: { path: /a/*, methods: [get] }\n",
        good: "match: { path: /a/*, methods: [GET] }\n",
    }
    NEVER_MET = 2004 "never-met" "a comparison that no request can meet", suppressible: true {
        checks: "Some value that a request can have meets each comparison: an expression over paths matches some normalised path, a comparison with a header some value that a field can have. What cannot be decided within bounds is not reported.",
        why: "The rule takes no request, and its author believes that it does.",
        bad: "match: { path: { regex: \"\\\\.js$\" } }\n",
        good: "match: { path: { regex: \".*\\\\.js\" } }\n",
    }
    UNSEEN_HEADER = 2005 "unseen-header" "rules never see a header", suppressible: true {
        checks: "No rule, key or limit reads a header that is gone before rules are asked: `host`, what ends at each hop (RFC 9110 section 7.6.1), what only the mesh may say, and at gateways what strangers may not say (`x-forwarded-*`, `forwarded`, `x-real-ip`).",
        why: "Every request is without it, whatever its client sent.",
        bad: "match: { path: /a/*, headers: { host: shop.example } }\n",
        good: "match: { path: /a/*, headers: { x-team: blue } }\n",
    }
    NOT_ADMITTED = 2006 "not-admitted" "a gateway sends to a service that does not admit it", suppressible: true {
        checks: "A service to which a gateway's rule sends names the gateway among its callers, or `any`. If the service has a Route, one of the services at which that ends does.",
        why: "Every request that the rule sends there is answered with 403.",
        bad: "kind: Route\nname: edge\ngateway: public\nrules: [{ name: all, to: s }]\n---\nkind: Service\nname: s\nport: 80\ncallers: [web]\n",
        good: "kind: Route\nname: edge\ngateway: public\nrules: [{ name: all, to: s }]\n---\nkind: Service\nname: s\nport: 80\ncallers: [web, gateway/public]\n",
    }
    GATEWAY_WITHOUT_ROUTE = 2007 "gateway-without-route" "a gateway has no Route", severity: Warning, suppressible: true {
        checks: "Each gateway of the Mesh has a Route.",
        why: "Every request to it is answered with 404.",
        bad: "gateways:\n  public: { listen: 443, hosts: [shop.example] }\n  admin: { listen: 8443, hosts: [admin.shop.example] }\n",
        good: "kind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\ngateways:\n  public: { listen: 443, hosts: [shop.example] }\n---\nkind: Route\nname: edge\ngateway: public\nrules: [{ name: all, to: s }]\n---\nkind: Service\nname: s\nport: 80\ncallers: [gateway/public]\n",
    }
    ALL_OFF = 2008 "all-off" "every rule of a Route is off", severity: Warning, suppressible: true {
        checks: "A Route has a rule that is on.",
        why: "Every request for it is answered with 404; without the Route a service would send to itself.",
        bad: "rules: [{ name: all, to: a, enabled: false }]\n",
        good: "rules: [{ name: all, to: a }]\n",
    }
    REDIRECT_LOOP = 2009 "redirect-loop" "a rule redirects to itself", suppressible: true {
        checks: "The URL that a redirect names does not come to the same rule again, for every client.",
        why: "Browsers give up after some twenty rounds; others never do.",
        bad: "rules: [{ name: r, match: { path: /a }, redirect: { path: /a } }]\n",
        good: "rules: [{ name: r, match: { path: /a }, redirect: { path: /b } }]\n",
    }
    ADMITS_NOBODY = 2010 "admits-nobody" "an AccessPolicy allows nothing", severity: Warning, suppressible: true {
        checks: "An enforced AccessPolicy has an entry of `allow` that is on, or says `allow: []`.",
        why: "What no entry allows is denied: every request is answered with 403, not only those that `deny` names.",
        bad: "kind: AccessPolicy\nservice: s\ndeny: [{ from: [web] }]\n---\nkind: Service\nname: s\nport: 80\n",
        good: "kind: AccessPolicy\nservice: s\nallow: [{ from: [a] }]\ndeny: [{ from: [web] }]\n---\nkind: Service\nname: s\nport: 80\n",
    }
    NO_EFFECT = 2011 "no-effect" "a part has no effect", severity: Warning, suppressible: true {
        checks: "A Resilience says something; `deny` is not an empty list; `timeout` and `retry` stand in rules that send requests on.",
        why: "The author believes that it does something.",
        bad: "rules: [{ name: r, match: { path: /a }, redirect: { path: /b }, timeout: 2s }]\n",
        good: "rules: [{ name: r, match: { path: /a }, redirect: { path: /b } }]\n",
    }
    TARGET_TWICE = 2012 "target-twice" "a target stands twice in a split", severity: Warning, suppressible: true {
        checks: "The targets of a split differ.",
        why: "Mostly one of them was to be another; the two shares are one.",
        bad: "to: [{ to: a, weight: 50% }, { to: a, weight: 50% }]\n",
        good: "to: [{ to: a, weight: 50% }, { to: b, weight: 50% }]\n",
    }
    OVERRIDE_TWICE = 2013 "override-twice" "a name stands twice in a list of an override" {
        checks: "Things in a list of an override have different names.",
        why: "Lists merge by name, so the second would silently be merged into the first.",
        bad: "overrides:\n  canary/orders:\n    analysis:\n      metrics:\n        - { name: errors, measure: error-rate, max: 1% }\n        - { name: errors, measure: p99, max: 400ms }\n",
        good: "overrides:\n  canary/orders:\n    analysis:\n      metrics:\n        - { name: errors, measure: error-rate, max: 1% }\n        - { name: slow, measure: p99, max: 400ms }\n",
    }
    IDLE_RETRY = 2014 "idle-retry" "a retry cannot act as it is written", severity: Warning, suppressible: true {
        checks: "A rule's methods and those of its retry meet, or its conditions are ones that are safe for all methods; the first wait is no longer than the longest, and shorter than the time-out; no budget is 0 %.",
        why: "Failed requests are answered with their failure though somebody wrote that they are tried again, or are tried again though somebody wrote that they are not.",
        bad: "match: { path: /a, methods: [POST] }\nretry: { attempts: 2, conditions: [\"503\"] }\n",
        good: "match: { path: /a, methods: [GET] }\nretry: { attempts: 2, conditions: [\"503\"] }\n",
    }
}
