use std::str::FromStr;

use crate::finding::Severity;

/// Which findings fail a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// Those of this severity and above.
    AtLeast(Severity),
    /// None.
    Never,
}

impl FailOn {
    /// How the values are written.
    pub const VALUES: [&'static str; 4] = ["error", "warning", "info", "never"];

    /// Whether a finding of `severity` fails the run.
    #[must_use]
    pub fn covers(self, severity: Severity) -> bool {
        match self {
            Self::AtLeast(least) => severity >= least,
            Self::Never => false,
        }
    }
}

impl Default for FailOn {
    fn default() -> Self {
        Self::AtLeast(Severity::Error)
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "never" => Ok(Self::Never),
            text => text
                .parse()
                .map(Self::AtLeast)
                .map_err(|_| format!("`{text}` is not one of {}", Self::VALUES.join(", "))),
        }
    }
}
