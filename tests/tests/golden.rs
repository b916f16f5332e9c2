//! Runs every golden case.

use mesh_tests::golden;

#[test]
fn every_case_holds() {
    let update = std::env::var_os("UPDATE_GOLDENS").is_some();
    let cases = golden::cases().unwrap();
    assert!(cases.len() >= 10, "{} cases", cases.len());
    let wrong: Vec<String> = cases.iter().flat_map(|case| golden::run(case, update).unwrap()).collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
