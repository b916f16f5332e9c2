//! Repositories of another user: `safe.directory` in every spelling, as git reads it.

use crate::bench::{Bench, give_away};

/// A user that nobody is.
const STRANGER: u32 = 41_234;

/// A mesh of another user at `srv/mesh`; none without the right to make one.
fn foreign() -> Option<Bench> {
    let bench = Bench::with_mesh();
    std::fs::create_dir(bench.path("srv")).unwrap();
    std::fs::rename(bench.path("mesh"), bench.path("srv/mesh")).unwrap();
    std::os::unix::fs::symlink(bench.path("srv"), bench.path("link")).unwrap();
    give_away(&bench.path("srv/mesh"), STRANGER).then_some(bench)
}

/// Whether git and `meshc` read the mesh with these variables. They agree, where git is of 2.46 or later, which first read
/// every spelling.
#[track_caller]
fn is_read(bench: &Bench, variables: &[(&str, &str)]) -> bool {
    let run = bench.meshc_with("srv/mesh", &["validate", "--rev", "HEAD"], variables);
    let read = match run.code {
        0 => true,
        2 => {
            let command = format!("safe.directory {}", bench.shown("srv/mesh"));
            run.says(2, &["belongs to another user", "to user 41234", &command]);
            false
        }
        _ => panic!("{run:?}"),
    };
    let version = bench.git("", &["--version"]);
    let mut numbers = version.split(['.', ' ']).filter_map(|part| part.parse::<u32>().ok());
    if (numbers.next(), numbers.next()) >= (Some(2), Some(46)) {
        let git =
            bench.git_command("srv/mesh", &["rev-parse", "HEAD"]).envs(variables.iter().copied()).output();
        assert_eq!(git.unwrap().status.success(), read, "{variables:?}");
    }
    read
}

#[test]
fn every_spelling_counts_as_for_git() {
    let Some(bench) = foreign() else { return };
    let with = |value: &str| {
        let value = value.replace("TOP", bench.shown("").trim_end_matches('/'));
        let count = ("GIT_CONFIG_COUNT", "1");
        is_read(&bench, &[count, ("GIT_CONFIG_KEY_0", "safe.directory"), ("GIT_CONFIG_VALUE_0", &value)])
    };
    assert!(!is_read(&bench, &[]));
    for value in [
        "*",
        "TOP/srv/mesh",
        "TOP/srv/mesh/",
        "TOP/srv/*",
        "TOP/*",
        "TOP/link/mesh",
        "TOP/link/*",
        "TOP/srv/./mesh",
        "TOP/srv//mesh//",
        "~/srv/mesh",
        "~/link/*",
        ".",
    ] {
        assert!(with(value), "{value}");
    }
    for value in
        ["", "srv/mesh", "TOP/srv", "TOP/srv/mesh/*", "TOP/srv/mesh/.git", "TOP/SRV/mesh", "TOP/srv/**"]
    {
        assert!(!with(value), "{value}");
    }
}

#[test]
fn only_settings_that_no_push_can_change_count_and_an_empty_value_takes_back() {
    let Some(bench) = foreign() else { return };
    let path = bench.shown("srv/mesh");
    let (global, empty) = (bench.shown("global"), bench.shown("empty"));
    bench.write("empty", "");
    let settings = |file: &str, values: &[&str]| {
        let lines: Vec<String> = values.iter().map(|value| format!("\tdirectory = {value}\n")).collect();
        bench.write(file, &format!("[safe]\n{}", lines.concat()));
    };
    settings(".config/git/config", &[&path]);
    assert!(is_read(&bench, &[]));
    assert!(!is_read(&bench, &[("XDG_CONFIG_HOME", &bench.shown("srv"))]));
    settings(".config/git/config", &[]);
    settings(".gitconfig", &["/other", &path]);
    assert!(is_read(&bench, &[]));
    assert!(!is_read(&bench, &[("GIT_CONFIG_GLOBAL", &empty)]));
    settings(".gitconfig", &[&path, ""]);
    assert!(!is_read(&bench, &[]));
    settings(".gitconfig", &["", &path]);
    assert!(is_read(&bench, &[]));
    let reset =
        [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "safe.directory"), ("GIT_CONFIG_VALUE_0", "")];
    assert!(!is_read(&bench, &reset));
    bench.write(".gitconfig", "[include]\n\tpath = global\n");
    settings("global", &[&path]);
    assert!(is_read(&bench, &[]));
    bench.write(".gitconfig", "");
    assert!(is_read(&bench, &[("GIT_CONFIG_GLOBAL", &global)]));
    let parameters = format!("'safe.directory'='{path}'");
    assert!(is_read(&bench, &[("GIT_CONFIG_PARAMETERS", &parameters)]));
    let system = [("GIT_CONFIG_NOSYSTEM", "0"), ("GIT_CONFIG_SYSTEM", global.as_str())];
    assert!(is_read(&bench, &system));
    // The repository's own word does not count.
    let config = std::fs::read_to_string(bench.path("srv/mesh/.git/config")).unwrap();
    bench.write("srv/mesh/.git/config", &format!("{config}[safe]\n\tdirectory = *\n"));
    assert!(!is_read(&bench, &[]));
    // Whoever names the repository has chosen it.
    assert!(is_read(&bench, &[("GIT_DIR", &bench.shown("srv/mesh/.git"))]));
    // Whoever became root by sudo stays the owner.
    assert!(is_read(&bench, &[("SUDO_UID", "41234")]));
    assert!(!is_read(&bench, &[("SUDO_UID", "41235")]));
}

#[test]
fn every_part_of_a_repository_must_be_one_s_own() {
    for part in ["srv/mesh", "srv/mesh/.git"] {
        let Some(bench) = foreign() else { return };
        assert!(give_away(&bench.path("srv/mesh"), 0));
        assert!(is_read(&bench, &[]));
        std::os::unix::fs::chown(bench.path(part), Some(STRANGER), None).unwrap();
        assert!(!is_read(&bench, &[]), "{part}");
    }
}

#[test]
fn every_command_refuses_a_bare_repository_of_another_user() {
    let bench = Bench::with_mesh();
    bench.git("", &["clone", "-q", "--bare", "mesh", "bare.git"]);
    if !give_away(&bench.path("bare.git"), STRANGER) {
        return;
    }
    let command = format!("git config --global --add safe.directory {}", bench.shown("bare.git"));
    for name in ["validate", "plan", "build", "test", "access"] {
        bench.meshc("bare.git", &[name, "--rev", "main"]).says(2, &[&command]);
    }
    // The command that is said does it.
    bench.git("", &["config", "--global", "--add", "safe.directory", &bench.shown("bare.git")]);
    bench.meshc("bare.git", &["validate", "--rev", "main"]).says(0, &[]);
}
