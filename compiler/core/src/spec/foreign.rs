//! YAML of other programs, which lies in a mesh's folder and is none of its files. Told by well-known names and forms, so
//! that one finding says what to do with it, and not one each for all that it does not have.

use crate::diag::{Diagnostic, FileId, Span, codes};
use crate::source::{Node, Parsed};

/// Names of files, in lower case and without the ending, and what they are.
const NAMES: &[(&str, &str)] = &[
    ("compose", COMPOSE),
    ("docker-compose", COMPOSE),
    ("chart", HELM),
    ("values", HELM),
    ("helmfile", HELM),
    ("kustomization", "a Kustomize file"),
    ("skaffold", "a Skaffold file"),
    ("pnpm-lock", PNPM),
    ("pnpm-workspace", PNPM),
    ("mkdocs", "a MkDocs file"),
    ("_config", "a Jekyll file"),
    ("openapi", OPENAPI),
    ("swagger", OPENAPI),
    ("azure-pipelines", PIPELINE),
    ("bitbucket-pipelines", PIPELINE),
    ("cloudbuild", PIPELINE),
    ("appveyor", PIPELINE),
    ("codecov", "a Codecov file"),
    ("taskfile", "a Taskfile"),
    ("buf", BUF),
    ("buf.gen", BUF),
    ("buf.work", BUF),
    ("prometheus", "a Prometheus file"),
    ("serverless", "a Serverless file"),
    ("pubspec", "a Dart package"),
];

const COMPOSE: &str = "a Docker Compose file";
const HELM: &str = "part of a Helm chart";
const PNPM: &str = "a file of pnpm";
const OPENAPI: &str = "an OpenAPI description";
const PIPELINE: &str = "the file of a CI service";
const BUF: &str = "a file of Buf";

/// The finding about a file of another program; none for one of a mesh, or of nobody knows whom. `base` is the mesh's
/// folder ([`base`]).
pub(super) fn finding(
    file: FileId,
    path: &str,
    text: &str,
    parsed: &Parsed,
    base: &str,
) -> Option<Diagnostic> {
    let what = program(path, text, parsed)?;
    let message = format!("this is {what}, and no part of a mesh");
    let below = path.strip_prefix(base).unwrap_or(path);
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@+-/".contains(c);
    let pattern: String = below.chars().map(|c| if plain(c) { c } else { '*' }).collect();
    let finding = Diagnostic::new(codes::FOREIGN, Span::new(file, 0, 0), message)
        .help(format!("list it in mesh.yaml: `ignore: [{pattern}]`"));
    Some(if what == KUBERNETES {
        finding.help("objects of a mesh say `apiVersion: meshc/v1`, or have no `apiVersion`")
    } else {
        finding
    })
}

const KUBERNETES: &str = "a Kubernetes manifest";

/// The mesh's folder with a `/` behind it, empty for the top: where the outermost `mesh.yaml` lies.
pub(super) fn base(files: &[(String, Vec<u8>)]) -> String {
    let folders = files.iter().filter_map(|(path, _)| path.strip_suffix("mesh.yaml"));
    let folders = folders.filter(|folder| folder.is_empty() || folder.ends_with('/'));
    folders.min_by_key(|folder| folder.matches('/').count()).unwrap_or_default().to_owned()
}

fn program(path: &str, text: &str, parsed: &Parsed) -> Option<&'static str> {
    let mut versions =
        text.lines().filter_map(|line| line.strip_prefix("apiVersion:")).map(str::trim).peekable();
    let of_mesh = |version: &str| version.trim_matches(['"', '\'']).starts_with("meshc");
    if versions.peek().is_some() {
        return (!versions.any(of_mesh)).then_some(KUBERNETES);
    }
    let roots = || parsed.documents.iter().map(|document| &document.root);
    if roots().any(|root| root.get("kind").is_some()) {
        return None;
    }
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let stem = name.strip_suffix(".yaml").or(name.strip_suffix(".yml")).unwrap_or(&name);
    if let Some((_, what)) = NAMES.iter().find(|(known, _)| *known == stem) {
        return Some(what);
    }
    // Of several files of Compose only the first has its plain name.
    if stem.starts_with("docker-compose.") || stem.starts_with("compose.") {
        return Some(COMPOSE);
    }
    if text.contains("{{") && path.split('/').any(|part| part == "templates") {
        return Some(HELM);
    }
    roots().find_map(by_form)
}

fn by_form(root: &Node) -> Option<&'static str> {
    let has = |key: &str| root.get(key).is_some();
    if has("openapi") || has("swagger") {
        return Some(OPENAPI);
    }
    if has("jobs") && has("on") {
        return Some(PIPELINE);
    }
    let services = root.get("services").and_then(Node::as_map).unwrap_or_default();
    let container = |node: &Node| node.get("image").or(node.get("build")).is_some();
    (!services.is_empty() && services.iter().all(|(_, service)| container(service))).then_some(COMPOSE)
}

#[cfg(test)]
mod tests {
    use crate::diag::codes;
    use crate::spec::load;

    #[test]
    fn files_of_others_have_one_finding_that_says_what_to_write() {
        let cases = [
            ("docker-compose.yml", "services:\n  web: { image: nginx }\n", "a Docker Compose file"),
            ("docker-compose.override.yml", "services: {}\n", "a Docker Compose file"),
            ("dev/stack.yaml", "services:\n  web: { build: . }\n", "a Docker Compose file"),
            ("chart/values.yaml", "replicas: 2\n", "part of a Helm chart"),
            ("chart/templates/web.yaml", "a: {{ .Values.x }}\n", "part of a Helm chart"),
            (
                "k8s/web.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n",
                "a Kubernetes manifest",
            ),
            ("k8s/svc.yaml", "apiVersion: v1\nkind: Service\nspec: {}\n", "a Kubernetes manifest"),
            ("api.yaml", "openapi: 3.1.0\ninfo: {}\n", "an OpenAPI description"),
            ("ci.yaml", "on: push\njobs: {}\n", "the file of a CI service"),
        ];
        for (path, text, what) in cases {
            let mesh = (
                "m/mesh.yaml".to_owned(),
                b"kind: Mesh\nname: m\nversion: 1\ntrustDomain: m.example\n".to_vec(),
            );
            let loaded = load(vec![mesh, (format!("m/{path}"), text.into())]);
            let all: Vec<_> = loaded.findings.iter().collect();
            assert!(matches!(all.as_slice(), [one] if one.code == codes::FOREIGN), "{path}: {all:?}");
            assert_eq!(all[0].message, format!("this is {what}, and no part of a mesh"));
            assert_eq!(all[0].helps[0], format!("list it in mesh.yaml: `ignore: [{path}]`"));
        }
    }

    #[test]
    fn files_of_a_mesh_and_unknown_ones_keep_their_findings() {
        let service = "kind: Service\nname: a\nport: 80\ncallers: [a]\n";
        for (path, text, code) in [
            ("values.yaml", service, None),
            ("compose.yaml", "kind: Servce\nname: a\n", Some(codes::UNKNOWN_KIND)),
            ("odd.yaml", "replicas: 2\n", Some(codes::UNKNOWN_KIND)),
            (
                "env.yaml",
                "apiVersion: meshc/v2\nkind: Service\nmetadata: {name: a}\nspec: {port: 80}\n",
                Some(codes::ENVELOPE),
            ),
        ] {
            let loaded = load(vec![(path.to_owned(), text.into())]);
            let found: Vec<_> = loaded.findings.iter().map(|finding| finding.code).collect();
            assert!(code.map_or(found.is_empty(), |code| found.contains(&code)), "{path}: {found:?}");
        }
        let secret = "services:\n  web: { image: x, environment: { URL: \"https://joe:hunter2hunter2@host.example/x\" } }\n";
        let loaded = load(vec![("compose.yaml".to_owned(), secret.into())]);
        assert!(loaded.findings.iter().any(|finding| finding.code == codes::SECRET));
    }
}
