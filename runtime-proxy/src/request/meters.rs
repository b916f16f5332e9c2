//! The meters of a rule, and a worker's cache of them.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use foldhash::fast::FixedState;
use http::StatusCode;

use super::direction::Direction;
use crate::telemetry::{Metrics, RequestLabels, RequestMeter};

/// The meters of one rule and version, by class of status.
pub(super) struct Meters {
    direction: Direction,
    /// The address of what decided; empty for none.
    pub(super) rule: Box<str>,
    /// The service; empty for none.
    pub(super) service: Box<str>,
    /// Its version; empty for none.
    pub(super) version: Box<str>,
    classes: [OnceCell<RequestMeter>; 5],
}

impl Meters {
    /// Meters of which none is registered yet.
    pub(super) fn new(direction: Direction, rule: &str, service: &str, version: &str) -> Self {
        let (rule, service, version) = (rule.into(), service.into(), version.into());
        Self { direction, rule, service, version, classes: Default::default() }
    }

    /// Counts one request that took `seconds`. A status outside of 100 to 599 has no class and is not counted.
    pub(super) fn observe(&self, status: StatusCode, seconds: f64, metrics: &Metrics) {
        let class = status.as_u16() / 100;
        let Some(cell) = class.checked_sub(1).and_then(|index| self.classes.get(usize::from(index))) else {
            return;
        };
        let meter = cell.get_or_init(|| {
            metrics.request(&RequestLabels {
                direction: self.direction.as_str().to_owned(),
                rule: self.rule.to_string(),
                service: self.service.to_string(),
                version: self.version.to_string(),
                code: format!("{class}xx"),
            })
        });
        meter.observe(seconds);
    }
}

/// Meters by direction and by the places of rule, service and version in memory: the texts belong to one bundle in force,
/// and the cache lives no longer than that.
#[derive(Default)]
pub(super) struct MeterCache(RefCell<HashMap<Key, Rc<Meters>, FixedState>>);

type Key = (Direction, usize, usize, usize);

impl MeterCache {
    /// The meters of a rule of the bundle in force.
    pub(super) fn of(&self, direction: Direction, rule: &str, service: &str, version: &str) -> Rc<Meters> {
        let key = (direction, place(rule), place(service), place(version));
        let mut known = self.0.borrow_mut();
        let meters = known.entry(key);
        Rc::clone(meters.or_insert_with(|| Rc::new(Meters::new(direction, rule, service, version))))
    }
}

fn place(text: &str) -> usize {
    // Empty texts may share a place with anything.
    if text.is_empty() { 0 } else { text.as_ptr().addr() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_one_meter_a_class_and_direction() {
        let (metrics, cache) = (Metrics::new(), MeterCache::default());
        let (rule, service) = ("route/orders/all", "orders");
        let inbound = cache.of(Direction::Inbound, rule, service, "");
        assert!(Rc::ptr_eq(&inbound, &cache.of(Direction::Inbound, rule, service, "")));
        assert!(!Rc::ptr_eq(&inbound, &cache.of(Direction::Gateway, rule, service, "")));
        for status in [200, 204, 404, 999] {
            inbound.observe(StatusCode::from_u16(status).unwrap(), 0.001, &metrics);
        }
        let text = metrics.text();
        let counted = |class: &str, count: u32| {
            let labels = format!("rule=\"{rule}\",service=\"orders\",version=\"\",code=\"{class}\"");
            text.contains(&format!("service_mesh_requests_total{{direction=\"inbound\",{labels}}} {count}"))
        };
        assert!(counted("2xx", 2) && counted("4xx", 1), "{text}");
        assert!(!text.contains("9xx"));
    }
}
