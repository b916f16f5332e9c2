//! The features that a unit requires of a proxy, read from its content.

use super::{Access, Canary, Gateway, Matches, Mesh, Quotas, RateKey, Retry, RetryOn, Routes, Strategy};
use crate::features;
use crate::path::PathPattern;

/// The features that a unit uses, a flag each.
#[derive(Default)]
pub(super) struct Used {
    blue_green: bool,
    catch_all: bool,
    expressions: bool,
    match_any: bool,
    path_prefix: bool,
    retry_classes: bool,
    stage_match: bool,
}

impl Used {
    /// The names of those that are used, sorted.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let Self { blue_green, catch_all, expressions, match_any, path_prefix, retry_classes, stage_match } =
            self;
        [
            (features::BLUE_GREEN, blue_green),
            (features::CATCH_ALL, catch_all),
            (features::EXPRESSIONS, expressions),
            (features::MATCH_ANY, match_any),
            (features::PATH_PREFIX, path_prefix),
            (features::RETRY_CLASSES, retry_classes),
            (features::STAGE_MATCH, stage_match),
        ]
        .into_iter()
        .filter(|(_, used)| *used)
        .map(|(name, _)| name)
    }

    pub(super) fn mesh(&mut self, unit: &Mesh) {
        self.retry(&unit.defaults.retry);
    }

    pub(super) fn gateway(&mut self, unit: &Gateway) {
        self.hosts(&unit.hosts);
    }

    pub(super) fn routes(&mut self, unit: &Routes) {
        self.hosts(&unit.hosts);
        self.paths(&unit.paths);
        for rule in unit.rules.iter() {
            self.match_any |= matches!(rule.matches, Matches::Any(_));
            for one in rule.matches.iter() {
                self.expressions |= one.when.is_some();
                self.paths(one.path.as_slice());
            }
            rule.retry.iter().for_each(|retry| self.retry(retry));
        }
    }

    pub(super) fn access(&mut self, unit: &Access) {
        for entry in unit.allow.iter().chain(&unit.deny) {
            self.expressions |= entry.when.is_some();
            self.paths(&entry.paths);
        }
    }

    pub(super) fn quotas(&mut self, unit: &Quotas) {
        self.expressions |= unit.limits.iter().any(|limit| matches!(limit.per, RateKey::Expression(_)));
    }

    pub(super) fn canary(&mut self, unit: &Canary) {
        self.blue_green |= unit.strategy == Strategy::BlueGreen;
        for one in unit.stages.iter().filter_map(|stage| stage.matches.as_ref()) {
            self.stage_match = true;
            self.expressions |= one.when.is_some();
            self.paths(one.path.as_slice());
        }
    }

    fn hosts(&mut self, hosts: &[String]) {
        self.catch_all |= hosts.iter().any(|host| host == "*");
    }

    fn paths(&mut self, paths: &[PathPattern]) {
        self.path_prefix |= paths.iter().any(|path| matches!(path, PathPattern::Prefix(_)));
    }

    fn retry(&mut self, retry: &Retry) {
        self.retry_classes |= retry.conditions.iter().copied().any(RetryOn::is_class);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Unit, UnitId};

    /// The features that the unit of this id with this content requires.
    fn required(id: &str, content: &str) -> Vec<String> {
        Unit::from_bytes(&id.parse::<UnitId>().unwrap(), content.as_bytes()).unwrap().requires()
    }

    #[test]
    fn a_unit_requires_what_an_older_proxy_would_do_otherwise() {
        let respond = r#""action":{"respond":{"status":204}}"#;
        for (id, content, expected) in [
            ("gateways/public", r#"{"hosts":["*"],"listen":80}"#.to_owned(), &["catch-all"] as &[&str]),
            ("gateways/public", r#"{"hosts":["*.x"],"listen":80}"#.to_owned(), &[]),
            (
                "routes/public/edge",
                format!(
                    r#"{{"hosts":["*"],"rules":[{{{respond},"match":[{{"path":{{"prefix":"/a"}}}},{{"path":"/b"}}],"name":"a","retry":{{"attempts":1,"conditions":["5xx"]}}}}]}}"#
                ),
                &["catch-all", "match-any", "path-prefix", "retry-classes"],
            ),
            (
                "routes/a",
                format!(
                    r#"{{"rules":[{{{respond},"match":{{"path":{{"regex":"/a"}}}},"name":"a","retry":{{"attempts":1,"conditions":["connect-failure",{{"status":503}}]}}}}]}}"#
                ),
                &[],
            ),
            (
                "access/a",
                r#"{"allow":[{"from":["any"],"name":"allow[0]","paths":[{"prefix":"/a"}]}]}"#.to_owned(),
                &["path-prefix"],
            ),
        ] {
            assert_eq!(required(id, &content), expected, "{content}");
        }
    }

    #[test]
    fn classes_take_their_statuses() {
        let taken = |on: RetryOn| (0..1000).filter(|status| on.takes_status(*status)).collect::<Vec<u16>>();
        assert_eq!(taken(RetryOn::ServerError), (500..600).collect::<Vec<_>>());
        assert_eq!(taken(RetryOn::GatewayError), [502, 503, 504]);
        assert_eq!(taken(RetryOn::Status(404)), [404]);
        assert_eq!(taken(RetryOn::ConnectFailure), [] as [u16; 0]);
    }
}
