//! The schemas of reports, as files of the repository.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::*;

fn schema<T: JsonSchema>() -> Value {
    // As reports are written, not as they would be read.
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}

fn schemas() -> BTreeMap<&'static str, Value> {
    [
        ("access", schema::<AccessReport>()),
        ("build", schema::<BuildReport>()),
        ("explain", schema::<ExplainReport>()),
        ("init", schema::<InitReport>()),
        ("keygen", schema::<KeygenReport>()),
        ("plan", schema::<PlanReport>()),
        ("route", schema::<RouteReport<'_>>()),
        ("test", schema::<TestReport>()),
        ("validate", schema::<FindingsReport<'_>>()),
        ("verify", schema::<VerifyReport<'_>>()),
        ("version", schema::<VersionReport>()),
    ]
    .into()
}

#[test]
fn schemas_of_reports_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/reports");
    let text = |schema: &Value| serde_json::to_string_pretty(schema).unwrap() + "\n";
    let wanted: BTreeMap<String, String> =
        schemas().iter().map(|(command, schema)| (format!("{command}.json"), text(schema))).collect();
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &wanted {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let there = std::fs::read_dir(&folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    });
    let there: BTreeMap<String, String> = there.collect();
    assert!(there == wanted, "schemas/reports is out of date: run with UPDATE_SCHEMAS=1");
}
