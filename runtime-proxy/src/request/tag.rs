//! One bundle a request: each step says which one it used.

use super::active::Active;

/// Which activations the steps of one request used.
#[derive(Debug, Default)]
pub(super) struct Tags {
    first: u64,
    mixed: bool,
}

impl Tags {
    /// A step used `active`.
    pub(super) fn used(&mut self, active: &Active) {
        self.tag(active.serial);
    }

    fn tag(&mut self, serial: u64) {
        if self.first == 0 {
            self.first = serial;
        }
        self.mixed |= self.first != serial;
    }

    /// Whether two steps used different ones, which must never be.
    pub(super) fn is_mixed(&self) -> bool {
        self.mixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_under_another_bundle_is_noticed_and_stays_so() {
        let mut tags = Tags::default();
        for serial in [7, 7, 7] {
            tags.tag(serial);
            assert!(!tags.is_mixed());
        }
        tags.tag(8);
        tags.tag(7);
        assert!(tags.is_mixed());
    }
}
