//! Findings in every form.

mod concise;
mod findings;
mod human;
mod narrow;
mod plain;
mod source;

use serde::Serialize;

pub(crate) use findings::Findings;

use crate::look::Look;
use crate::output::Report;
use crate::reports::FindingsReport;

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

    fn json(&self) -> impl Serialize {
        FindingsReport::new(self)
    }
}
