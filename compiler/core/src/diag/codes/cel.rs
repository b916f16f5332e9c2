//! MC30xx: expressions in CEL.

use super::table::codes;

codes! {
    CEL_SYNTAX = 3001 "cel-syntax" "an expression is not valid CEL" {
        checks: "A `when`, a CEL quota key and the expressions of policies parse as CEL.",
        why: "An expression that cannot be read can neither allow nor deny; it would be guessed at.",
        bad: "when: request.method == \n",
        good: "when: request.method == \"GET\"\n",
    }
    CEL_LIMIT = 3002 "cel-limit" "an expression is too large" {
        checks: "An expression has at most 16 KiB of text, 4,096 parts and a depth of 32.",
        why: "Every request pays for it, and a proxy refuses what is larger.",
        bad: "when: ((((((((((((((((((((((((((((((((((((true))))))))))))))))))))))))))))))))))))\n",
        good: "when: 'true'\n",
    }
    CEL_UNKNOWN = 3003 "cel-unknown-name" "an expression names something that does not exist" {
        checks: "Fields and functions are those of the closed environment (`docs/spec.md`, CEL environment).",
        why: "Elsewhere a misspelt field is found at run time, as a denied request.",
        bad: "when: request.metod == \"GET\"\n",
        good: "when: request.method == \"GET\"\n",
    }
    CEL_UNGUARDED = 3004 "cel-unguarded" "a value is read that may be absent" {
        checks: "A header, query parameter, cookie, path parameter or label is read only where a test says that it is there.",
        why: "Without the test a request that lacks the value makes the rule fail, and the rule says nothing about it.",
        bad: "when: request.headers[\"x-tenant\"] == \"acme\"\n",
        good: "when: '\"x-tenant\" in request.headers && request.headers[\"x-tenant\"] == \"acme\"'\n",
    }
    CEL_CONSTANT = 3005 "cel-constant" "a constant in an expression is wrong" {
        checks: "Regular expressions and keys of maps are constants, and not too large; header names are in lower case; a place can have the text that it is compared with.",
        why: "A constant that cannot be right is right for no request.",
        bad: "when: request.scheme == \"ftp\"\n",
        good: "when: request.scheme == \"https\"\n",
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
        bad: "kind: Route\nservice: a\nrules: [{ name: a, match: { when: 'destination.port == 80' }, to: a }]\n",
        good: "kind: Service\nname: a\nport: 80\n---\nkind: AccessPolicy\nservice: a\nallow: [{ from: [web], when: 'destination.port == 80' }]\n",
    }
    CEL_COST = 3008 "cel-cost" "an expression may cost too much" {
        checks: "The largest cost of a rule, from the bounds of a request, is at most 100,000 units (`docs/cel.md`, Cost).",
        why: "Every request pays for it, and a caller chooses how much: by long values and many of them.",
        bad: "when: '[\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\"].exists(k, request.queryValues[\"k\"].exists(v, v.matches(\"a.*\" + k)))'\n",
        good: "when: '\"a\" in request.query && request.query[\"a\"].matches(\"x.*y\")'\n",
    }
    CEL_MIXED = 3009 "cel-mixed" "a list or map mixes types" {
        checks: "The values of a list, and the keys and the values of a map, have one type each.",
        why: "A value of another type than its neighbours is equal to nothing that the rule looks for.",
        bad: "when: request.size in [1, \"2\"]\n",
        good: "when: request.size in [1, 2]\n",
    }
    CEL_ARGUMENTS = 3010 "cel-arguments" "a function is called in a way that it is not" {
        checks: "Functions take as many arguments as they have, and are called as functions or as methods, as they are declared.",
        why: "A call that no function takes fails at every request.",
        bad: "when: startsWith(request.path, \"/a\")\n",
        good: "when: request.path.startsWith(\"/a\")\n",
    }
    CEL_MAY_FAIL = 3011 "cel-may-fail" "an operation may fail at run time" {
        checks: "A rule on requests uses operations that cannot fail on the values that they get.",
        why: "A rule that fails neither allows nor denies as it says; here it fails for a repeated value only.",
        bad: "when: ip(request.headers[?\"x-ip\"].orValue(\"\")).isLoopback()\n",
        good: "when: 'request.size + 1 > 10'\n",
    }
    CEL_TYPE = 3012 "cel-type" "an expression compares or combines unlike types" {
        checks: "Both sides of a comparison have one type, and conditions are bool.",
        why: "A comparison of unlike types is never true, whatever was meant.",
        bad: "when: request.size > \"1MiB\"\n",
        good: "when: request.size > 1048576\n",
    }
}
