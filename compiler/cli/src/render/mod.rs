//! Findings in every form.

mod concise;
mod findings;
mod human;
mod json;
mod plain;
mod source;

use serde_json::Value;

pub(crate) use findings::Findings;
pub(crate) use json::place;

use crate::look::Look;
use crate::output::Report;

impl Report for Findings<'_> {
    fn human(&self, look: Look) -> String {
        human::render(self, look)
    }

    fn plain(&self) -> String {
        plain::render(self)
    }

    fn concise(&self) -> String {
        self.list.iter().map(|d| concise::line(self.sources, d) + "\n").collect()
    }

    fn json(&self) -> Value {
        json::render(self)
    }
}
