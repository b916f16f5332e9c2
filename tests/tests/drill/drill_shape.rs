//! D09: bundles whose units have fields more, less, or twice.

use std::sync::Arc;

use mesh_bundle::{Owner, verify};
use mesh_decision::Engine;
use mesh_tests::kit::bundle::{self, packed};
use mesh_tests::kit::draft::Draft;
use serde_json::{Map, Value, json};

/// The example's production environment.
fn shop() -> Draft {
    Draft::of(&packed(bundle::shop().unwrap().get("prod").unwrap()).unwrap())
}

/// What becomes of a unit's bytes on the ladder: a code, or nothing where all of it is taken and an engine is built.
fn climbs(sound: &Draft, unit: &str, bytes: Vec<u8>) -> Option<String> {
    let mut draft = sound.clone();
    draft.put_unit(unit, bytes);
    let bundle = match verify::intact(draft.packed().unwrap().files) {
        Ok(bundle) => bundle,
        Err(refusal) => return Some(refusal.code),
    };
    for owner in ["web", "orders", "gateway/public"] {
        let owner: Owner = owner.parse().unwrap();
        let program = match verify::well_formed(&bundle, Some(&owner)) {
            Ok(program) => program,
            Err(refusal) => return Some(refusal.code),
        };
        if let Err(refusal) = Engine::new(Arc::new(program), &mesh_bundle::State::default(), &owner) {
            return Some(format!("cannot-build: {}", refusal.reason));
        }
    }
    verify::well_formed(&bundle, None).err().map(|refusal| refusal.code)
}

/// Paths of all objects, each as the keys that lead there.
fn objects(value: &Value) -> Vec<Vec<String>> {
    let below = |key: String, child: &Value| {
        objects(child).into_iter().map(move |mut rest| {
            rest.insert(0, key.clone());
            rest
        })
    };
    match value {
        Value::Object(all) => {
            let own = std::iter::once(Vec::new());
            own.chain(all.iter().flat_map(|(key, child)| below(key.clone(), child).collect::<Vec<_>>()))
                .collect()
        }
        Value::Array(all) => all
            .iter()
            .enumerate()
            .flat_map(|(at, child)| below(at.to_string(), child).collect::<Vec<_>>())
            .collect(),
        _ => Vec::new(),
    }
}

/// The object at a path, changed.
fn with(value: &Value, path: &[String], change: &dyn Fn(&mut Map<String, Value>)) -> Value {
    let mut value = value.clone();
    let mut at = &mut value;
    for key in path {
        at = match at {
            Value::Object(all) => all.get_mut(key).unwrap(),
            Value::Array(all) => all.get_mut(key.parse::<usize>().unwrap()).unwrap(),
            _ => return value,
        };
    }
    at.as_object_mut().into_iter().for_each(change);
    value
}

/// The text of a value in which the object at a path has its first field twice.
fn twice(value: &Value, path: &[String]) -> String {
    const MARK: &str = "zz-again";
    let mut first = None;
    if let Some(Value::Object(all)) = value.pointer(&pointer(path)) {
        first = all.iter().next().map(|(key, value)| (key.clone(), value.clone()));
    }
    let (key, doubled) = first.unwrap();
    let marked = with(value, path, &|fields| {
        fields.insert(MARK.to_owned(), doubled.clone());
    });
    marked.to_string().replace(MARK, &key)
}

fn pointer(path: &[String]) -> String {
    path.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect()
}

/// CrowdStrike, 19 July 2024: the validator knew 21 fields, the content 21, the interpreter 20.
/// <https://www.crowdstrike.com/wp-content/uploads/2024/08/Channel-File-291-Incident-Root-Cause-Analysis-08.06.2024.pdf>
#[test]
fn d09_units_with_fields_more_less_or_twice_are_refused_in_words() {
    let sound = shop();
    let (mut more, mut double, mut less, mut lawful) = (0, 0, 0, 0);
    for unit in sound.units() {
        let value = sound.unit(&unit);
        let bytes = |value: &Value| mesh_bundle::canonical::to_bytes(value).unwrap();
        assert_eq!(climbs(&sound, &unit, bytes(&value)), None, "{unit} is sound");
        for path in objects(&value) {
            let place = pointer(&path);
            let added = with(&value, &path, &|fields| {
                fields.insert("surplus".to_owned(), json!({ "of": 1 }));
            });
            let refused = climbs(&sound, &unit, bytes(&added));
            assert!(refused.is_some(), "one field more in {unit} at {place}");
            more += 1;
            let keys: Vec<String> = match value.pointer(&place) {
                Some(Value::Object(all)) => all.keys().cloned().collect(),
                _ => Vec::new(),
            };
            if !keys.is_empty() {
                let refused = climbs(&sound, &unit, twice(&value, &path).into_bytes());
                assert!(refused.is_some(), "one field twice in {unit} at {place}");
                double += 1;
            }
            for key in keys {
                let removed = with(&value, &path, &|fields| {
                    fields.remove(&key);
                });
                // Without an optional field it is another unit, as whole as the first.
                match climbs(&sound, &unit, bytes(&removed)) {
                    Some(_) => less += 1,
                    None => lawful += 1,
                }
            }
        }
    }
    println!(
        "refused: {more} with a field more, {double} with one twice, {less} with one less; {lawful} lost an optional one"
    );
    assert!(more > 50 && double > 50 && less > 50, "{more} {double} {less}");
}
