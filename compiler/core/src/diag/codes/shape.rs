//! MC11xx: names, references, shape, types, units.

use super::table::codes;

codes! {
    UNKNOWN_KIND = 1101 "unknown-kind" "a document has no kind, or one that does not exist" {
        checks: "Each document is a map whose `kind` is one of the 13 kinds of the language.",
        why: "A document of an unknown kind would be silently without effect.",
        bad: "kind: Servce\nname: cart\n",
        good: "kind: Service\nname: cart\nport: 8080\ncallers: [web]\n",
    }
    UNKNOWN_FIELD = 1102 "unknown-field" "a field does not exist" {
        checks: "Every key of a map is a field of the language at that place.",
        why: "A misspelt field would be silently without effect: the most common cause of wrong configuration.",
        bad: "kind: Service\nname: cart\nprot: 8080\ncallers: [web]\n",
        good: "kind: Service\nname: cart\nport: 8080\ncallers: [web]\n",
    }
    MISSING_FIELD = 1103 "missing-field" "a required field is missing" {
        checks: "Fields without a default are written.",
        why: "There is no value that would be right for everybody.",
        bad: "kind: Service\nname: cart\ncallers: [web]\n",
        good: "kind: Service\nname: cart\nport: 8080\ncallers: [web]\n",
    }
    UNKNOWN_NAME = 1104 "unknown-name" "a name refers to nothing" {
        checks: "Services, gateways, environments and objects that are named exist.",
        why: "A reference to nothing would be a route that leads nowhere or a caller that never calls.",
        bad: "to: catlog\n",
        good: "to: catalog\n",
    }
    WRONG_TYPE = 1105 "wrong-type" "a value has the wrong type" {
        checks: "Text, numbers, true/false, lists and maps stand where they are expected. Text that looks like a number is quoted.",
        why: "Converting types by guess is how `1.10` becomes 1.1 and `no` becomes false.",
        bad: "labels: { release: 1.10 }\n",
        good: "labels: { release: \"1.10\" }\n",
    }
    MISSING_UNIT = 1106 "missing-unit" "a number has no unit" {
        checks: "Durations, percentages, rates and sizes are written with their unit.",
        why: "`timeout: 5` has been read as seconds by one and as milliseconds by another.",
        bad: "timeout: 5\n",
        good: "timeout: 5s\n",
    }
    BAD_VALUE = 1107 "bad-value" "a value is not written as its type asks" {
        checks: "Durations (`1m30s`), percentages (`0.5%`), rates (`50/s`), sizes (`1MiB`), paths, hosts, header names, dates, addresses and the like are well formed.",
        why: "A value that cannot be read exactly cannot be enforced exactly.",
        bad: "timeout: 5 seconds\n",
        good: "timeout: 5s\n",
    }
    OUT_OF_RANGE = 1108 "out-of-range" "a number is outside of its range" {
        checks: "Ports are 1 to 65535, status codes 100 to 599, counts within their documented bounds.",
        why: "A number that wraps or saturates means something else than was written.",
        bad: "port: 65536\n",
        good: "port: 8443\n",
    }
    UNKNOWN_CHOICE = 1109 "unknown-choice" "a word is none of the possible ones" {
        checks: "Fields with a closed list of words have one of them.",
        why: "A misspelt word would fall back to a default that nobody chose.",
        bad: "protocol: grcp\n",
        good: "protocol: grpc\n",
    }
    FIELD_COMBINATION = 1110 "field-combination" "fields do not go together" {
        checks: "Where exactly one, at least one or at most one of several fields is expected, or a field needs another, this holds.",
        why: "Of two contradictory fields one would be silently ignored.",
        bad: "rules:\n  - { name: all, to: orders, redirect: { scheme: https } }\n",
        good: "rules:\n  - { name: all, to: orders }\n",
    }
    NULL = 1111 "null" "a field has no value" {
        checks: "`null`, `~` and empty values are refused; only in `overrides` does `null` remove a field.",
        why: "An empty field is mostly an unfinished edit; blank policy fields have taken down whole clouds.",
        bad: "kind: Service\nname:\nport: 8080\ncallers: [web]\n",
        good: "kind: Service\nname: cart\nport: 8080\ncallers: [web]\n",
    }
    DUPLICATE_ADDRESS = 1112 "duplicate-address" "two objects have one address" {
        checks: "`kind/name` is unique in a mesh.",
        why: "Which of the two counts would depend on the order of files.",
        bad: "kind: Service\nname: cart\nport: 8080\ncallers: [web]\n---\nkind: Service\nname: cart\nport: 8081\ncallers: [web]\n",
        good: "kind: Service\nname: cart\nport: 8080\ncallers: [web]\n---\nkind: Service\nname: basket\nport: 8081\ncallers: [web]\n",
    }
    ENVELOPE = 1113 "envelope" "the Kubernetes envelope is not well formed" {
        checks: "A document with `apiVersion` has `apiVersion: meshc/v1`, `kind`, `metadata.name` and `spec`, and nothing else.",
        why: "What stands outside of `spec` would be silently without effect.",
        bad: "apiVersion: meshc/v2\nkind: Service\nmetadata: { name: basket }\nspec: { port: 8080, callers: [web] }\n",
        good: "apiVersion: meshc/v1\nkind: Service\nmetadata: { name: basket }\nspec: { port: 8080, callers: [web] }\n",
    }
    GENERATED_MARKER = 1114 "generated-marker" "`generated` is not the first document, or not alone in it" {
        checks: "A generated file says `generated: true` in a first document of its own.",
        why: "The marker turns dead rules of that file into warnings; it must be seen at once.",
        bad: "kind: Service\nname: cart\nport: 8080\ncallers: [web]\ngenerated: true\n",
        good: "generated: true\n---\nkind: Service\nname: cart\nport: 8080\ncallers: [web]\n",
    }
    BAD_NAME = 1115 "bad-name" "a name is not a DNS label" {
        checks: "Names have 1 to 63 characters of `a-z`, `0-9` and `-`, and start and end with a letter or digit.",
        why: "Names become host names, identities, file names and metric labels.",
        bad: "name: Cart_Service\n",
        good: "name: cart-service\n",
    }
    LIST_LENGTH = 1116 "list-length" "a list is too short or too long" {
        checks: "Lists that must not be empty are not; bounded lists keep their bound.",
        why: "An empty list of methods or callers matches nothing, which is hardly ever meant.",
        bad: "match: { methods: [] }\n",
        good: "match: { methods: [GET] }\n",
    }
    TAKEN_LITERALLY = 1120 "taken-literally" "a text of another proxy's language is taken as it stands", severity: Warning, suppressible: true {
        checks: "Rewrites, redirects, answers and header values have no variables (`$1`, `$msec`, `%REQ(x)%`, `{{ x }}`), paths no `:id`, and plain comparisons no patterns (`^v[12]$`, `beta*`).",
        why: "They are no mistakes of form, so they would be sent, or compared, as they stand.",
        bad: "rules: [{ name: all, match: { path: \"/orders/:id\" }, to: a }]\n",
        good: "rules: [{ name: all, match: { path: \"/orders/{id}\" }, to: a }]\n",
    }
}
