use crate::finding::Severity;

/// What a severity is called elsewhere. This is the one place that says so; `docs/formats.md` repeats it.
pub(super) struct Levels {
    /// `result.level` of SARIF.
    pub(super) sarif: &'static str,
    /// `problem.severity` of a rule, for GitHub's code scanning.
    pub(super) problem: &'static str,
    /// The workflow command of GitHub.
    pub(super) github: &'static str,
    /// GitLab's Code Quality.
    pub(super) gitlab: &'static str,
    /// The type of a failure of JUnit; `None` where it is none.
    pub(super) junit: Option<&'static str>,
    /// Reviewdog.
    pub(super) rdjson: &'static str,
    /// Checkstyle.
    pub(super) checkstyle: &'static str,
}

const ERROR: Levels = Levels {
    sarif: "error",
    problem: "error",
    github: "error",
    gitlab: "major",
    junit: Some("error"),
    rdjson: "ERROR",
    checkstyle: "error",
};

const WARNING: Levels = Levels {
    sarif: "warning",
    problem: "warning",
    github: "warning",
    gitlab: "minor",
    junit: Some("warning"),
    rdjson: "WARNING",
    checkstyle: "warning",
};

const INFO: Levels = Levels {
    sarif: "note",
    problem: "recommendation",
    github: "notice",
    gitlab: "info",
    junit: None,
    rdjson: "INFO",
    checkstyle: "info",
};

/// The names of `severity`.
pub(super) const fn levels(severity: Severity) -> &'static Levels {
    match severity {
        Severity::Error => &ERROR,
        Severity::Warning => &WARNING,
        Severity::Info => &INFO,
    }
}
