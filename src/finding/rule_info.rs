use std::fmt;

use super::{Confidence, Severity};

/// What is known of a rule without running it. Reports, `rules` and `explain` read nothing else of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleInfo {
    /// Kebab-case name of the problem; also the name of its page and of its file.
    pub id: &'static str,
    /// One line: what it reports.
    pub summary: &'static str,
    /// What it is about.
    pub category: Category,
    /// The severity of its findings, unless one says otherwise.
    pub severity: Severity,
    /// The confidence of its findings, unless one says otherwise.
    pub confidence: Confidence,
    /// Whether it runs by default.
    pub tier: Tier,
    /// The first release that has it.
    pub since: &'static str,
    /// Its page, in Markdown.
    pub page: &'static str,
}

#[cfg(test)]
impl RuleInfo {
    /// A rule for tests of what is done with findings.
    pub(crate) const SAMPLE: Self = Self {
        id: "some-rule",
        summary: "",
        category: Category::Build,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: "",
    };
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Something waits for itself.
    Deadlock,
    /// A name leads nowhere, or to the wrong thing.
    Reference,
    /// What a wait waits for.
    Gate,
    /// Minutes: timeouts, retries, the critical path.
    Time,
    /// Two things race.
    Order,
    /// Who applies, and who prunes.
    Ownership,
    /// What keeps a build from working.
    Build,
    /// What the step from one revision to the next does.
    Change,
}

/// When a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Always.
    Stable,
    /// For those who want to hear everything.
    Pedantic,
    /// On probation.
    Preview,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 8] = [
        Self::Deadlock,
        Self::Reference,
        Self::Gate,
        Self::Time,
        Self::Order,
        Self::Ownership,
        Self::Build,
        Self::Change,
    ];

    /// How it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deadlock => "deadlock",
            Self::Reference => "reference",
            Self::Gate => "gate",
            Self::Time => "time",
            Self::Order => "order",
            Self::Ownership => "ownership",
            Self::Build => "build",
            Self::Change => "change",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Stable => "stable",
            Self::Pedantic => "pedantic",
            Self::Preview => "preview",
        })
    }
}
