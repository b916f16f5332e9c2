//! One JSON Schema for files of several documents, each of a kind of its own.

use serde_json::{Map, Value, json};

use super::{Kind, schemas};

/// The JSON Schema (draft 2020-12) of any document of a mesh: the kind's where it says a kind, the marker `generated: true`,
/// or the Kubernetes envelope, whose `spec` is not looked into. What the kinds' schemas call by one name is one thing.
#[must_use]
pub fn document_schema() -> Value {
    let mut definitions = Map::new();
    let mut kinds = Vec::new();
    for mut schema in schemas().into_values() {
        let Some(own) = schema.as_object_mut() else { continue };
        own.remove("$schema");
        own.remove("title");
        if let Some(Value::Object(shared)) = own.remove("$defs") {
            definitions.extend(shared);
        }
        kinds.push(schema);
    }
    let mut rules = Vec::new();
    for kind in Kind::ALL {
        let word = kind.as_str();
        let Some(at) = kinds
            .iter()
            .position(|schema| schema.pointer("/properties/kind/const").is_some_and(|kind| kind == word))
        else {
            continue;
        };
        definitions.insert(word.to_owned(), kinds.swap_remove(at));
        rules.push(json!({
            "if": { "properties": { "kind": { "const": word } }, "required": ["kind"] },
            "then": { "$ref": format!("#/$defs/{word}") },
        }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": "A document of a mesh.",
        "type": "object",
        "properties": {
            "kind": { "enum": Kind::ALL.map(Kind::as_str), "description": "Kind of the object." },
        },
        "if": { "required": ["generated"] },
        "then": { "properties": { "generated": { "const": true } }, "additionalProperties": false },
        "else": {
            "required": ["kind"],
            "if": { "required": ["apiVersion"] },
            "then": envelope(),
            "else": { "allOf": rules },
        },
        "$defs": definitions,
    })
}

fn envelope() -> Value {
    json!({
        "properties": {
            "apiVersion": { "const": "meshc/v1" },
            "kind": {},
            "metadata": {
                "type": "object",
                "properties": { "name": { "type": "string" } },
                "required": ["name"],
                "additionalProperties": false,
            },
            "spec": { "type": "object" },
        },
        "required": ["spec"],
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_means_one_thing_in_all_kinds() {
        let whole = document_schema();
        let mut seen = 0;
        for (file, schema) in schemas() {
            let word = schema["properties"]["kind"]["const"].as_str().unwrap();
            assert_eq!(whole["$defs"][word]["properties"], schema["properties"], "{file}");
            for (name, definition) in schema["$defs"].as_object().unwrap() {
                assert_eq!(&whole["$defs"][name], definition, "{file}: {name}");
                assert!(Kind::from_word(name).is_none(), "{file}: {name} is a kind's");
            }
            seen += 1;
        }
        assert_eq!((seen, whole["else"]["else"]["allOf"].as_array().unwrap().len()), (13, 13));
    }

    #[test]
    fn each_document_is_judged_by_its_kind() {
        let validator = jsonschema::validator_for(&document_schema()).unwrap();
        for good in [
            json!({ "kind": "Service", "name": "a", "port": 80 }),
            json!({ "generated": true }),
            json!({ "apiVersion": "meshc/v1", "kind": "Service", "metadata": { "name": "a" }, "spec": { "port": 80 } }),
        ] {
            assert!(validator.is_valid(&good), "{good}");
        }
        for bad in [
            json!({ "kind": "Service", "name": "a", "prot": 80 }),
            json!({ "kind": "Servce", "name": "a" }),
            json!({ "name": "a" }),
            json!({ "generated": true, "kind": "Mesh" }),
            json!({ "apiVersion": "meshc/v1", "kind": "Servce", "spec": {} }),
        ] {
            assert!(!validator.is_valid(&bad), "{bad}");
        }
    }
}
