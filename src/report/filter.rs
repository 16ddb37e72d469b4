use crate::finding::{Confidence, Finding, Severity};

/// Which findings to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// The least severity shown.
    pub min_severity: Severity,
    /// The least confidence shown.
    pub min_confidence: Confidence,
}

/// How many findings a [`Filter`] held back. A finding below both limits counts once, under its severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Below the least severity.
    pub by_severity: usize,
    /// Below the least confidence.
    pub by_confidence: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self { min_severity: Severity::Warning, min_confidence: Confidence::Medium }
    }
}

impl Filter {
    /// Whether a finding is shown.
    #[must_use]
    pub fn shows(self, finding: &Finding) -> bool {
        finding.severity >= self.min_severity && finding.confidence >= self.min_confidence
    }

    /// The findings to show, in their order, and how many there are besides.
    #[must_use]
    pub fn apply(self, findings: Vec<Finding>) -> (Vec<Finding>, Hidden) {
        let mut hidden = Hidden::default();
        let mut shown = findings;
        shown.retain(|finding| {
            if finding.severity < self.min_severity {
                hidden.by_severity += 1;
                false
            } else if finding.confidence < self.min_confidence {
                hidden.by_confidence += 1;
                false
            } else {
                true
            }
        });
        (shown, hidden)
    }
}

impl Hidden {
    /// All of them.
    #[must_use]
    pub const fn total(self) -> usize {
        self.by_severity + self.by_confidence
    }
}
