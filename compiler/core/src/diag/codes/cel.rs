//! MC30xx: CEL.

codes! {
    CEL_SYNTAX = 3001 "cel-syntax" "an expression is no CEL" {
        checks: "A `when`, a CEL quota key and the expressions of policies parse as CEL.",
        why: "An expression that cannot be read can neither allow nor deny; it would be guessed at.",
        bad: "when: request.method == \n",
        good: "when: request.method == \"GET\"\n",
    }
    CEL_LIMIT = 3002 "cel-limit" "an expression is too large" {
        checks: "An expression has at most 16 KiB of text, 4,096 parts and a depth of 32.",
        why: "Every request pays for it, and a proxy refuses what is larger.",
        bad: "when: ((((((((((((((((((((((((((((((((((((true))))))))))))))))))))))))))))))))))))\n",
        good: "when: true\n",
    }
    CEL_UNKNOWN = 3003 "cel-unknown-name" "an expression names something that does not exist" {
        checks: "Fields and functions are those of the closed environment (`docs/spec.md`, CEL environment).",
        why: "Elsewhere a misspelt field is found at run time, as a denied request.",
        bad: "when: request.metod == \"GET\"\n",
        good: "when: request.method == \"GET\"\n",
    }
    CEL_UNGUARDED = 3004 "cel-unguarded" "a value is read that may not be there" {
        checks: "A header, query parameter, cookie, path parameter or label is read only where a test says that it is there.",
        why: "Without the test a request that lacks the value makes the rule fail, and the rule says nothing about it.",
        bad: "when: request.headers[\"x-tenant\"] == \"acme\"\n",
        good: "when: '\"x-tenant\" in request.headers && request.headers[\"x-tenant\"] == \"acme\"'\n",
    }
    CEL_CONSTANT = 3005 "cel-constant" "a constant in an expression is wrong" {
        checks: "Regular expressions and keys of maps are constants and well formed; header names are in lower case.",
        why: "A constant that cannot be right is right for no request.",
        bad: "when: request.path.matches(\"(\")\n",
        good: "when: request.path.matches(\"^/v[0-9]+/\")\n",
    }
    CEL_OUTSIDE = 3006 "cel-outside" "an expression uses a part of CEL that the mesh leaves out" {
        checks: "Expressions stay inside the subset that proxies evaluate in bounded time.",
        why: "What the subset leaves out has no bound on its cost, or no use in a rule.",
        bad: "when: request.path + \"x\" == \"/ax\"\n",
        good: "when: request.path == \"/a\"\n",
    }
    CEL_PHASE = 3007 "cel-phase" "an expression reads what is not known yet" {
        checks: "A route's `when` reads the request and its own source; access rules read everything.",
        why: "The caller's proxy does not know the callee's side, and no proxy of this release checks tokens.",
        bad: "kind: Route\nrules: [{ name: a, match: { when: 'destination.port == 80' }, to: a }]\n",
        good: "kind: AccessPolicy\nallow: [{ from: any, when: 'destination.port == 80' }]\n",
    }
    CEL_TYPE = 3012 "cel-type" "an expression compares or combines unlike types" {
        checks: "Both sides of a comparison have one type, and conditions are bool.",
        why: "A comparison of unlike types is never true, whatever was meant.",
        bad: "when: request.size > \"1MiB\"\n",
        good: "when: request.size > 1048576\n",
    }
}
