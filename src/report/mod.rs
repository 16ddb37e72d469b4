//! Findings as text for people and for programs: one file per format, all over one [`Report`]. Beside them [`Objects`],
//! what a build gave.
//!
//! Nothing here decides what is a finding, or knows a graph. Every format shows the same findings. What comes out of
//! the repository under analysis (names, paths, source lines) is put on one line and escaped for the format; what is obeyed
//! anywhere is taken out of all output by [`harmless`](crate::source::harmless), where `cli` prints it.

mod answers;
mod concise;
mod filter;
mod formats;
mod full;
mod json;
mod link;
mod objects;
mod page;
mod rules;
mod schemas;
mod settings;
mod snippet;
mod summary;
mod terminal;
#[cfg(test)]
mod tests;
mod text;

use std::{
    fmt,
    io::{self, Write},
    path::Path,
    str::FromStr,
};

pub use answers::{Text, diff_markdown, document};
pub use filter::{Filter, Hidden};
pub use json::{Linted, LintedCluster, LintedCounts, Summary};
pub use objects::{Objects, Origin};
pub use page::rule_page;
pub use rules::{Rule, RuleList, RulePage, rule_markdown, rule_table};
pub use schemas::schemas;
pub use settings::{SettingOrigin, ShownSetting, ShownSettings};
pub use summary::summary;
pub use terminal::Terminal;
pub use text::wrap;

pub use crate::{
    finding::count,
    source::{printable, printable_lines},
};
use crate::{
    finding::{Finding, RuleInfo, condensed},
    source::{FileId, Span, Syntax, Tree},
};

/// Everything a report is built from.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The files that spans point into.
    pub tree: &'a Tree,
    /// The root of the Git repository around the files, absolute and free of links: formats for other tools have paths
    /// from there. Without one they have paths from the root of the tree.
    pub repository: Option<&'a Path>,
    /// The hardware that minutes are for.
    pub profile: &'a str,
    /// What was analysed, sorted by root.
    pub clusters: &'a [ClusterSummary],
    /// The findings to show, sorted.
    pub findings: &'a [Finding],
    /// Whether each of them is shown, also where many have one cause.
    pub all: bool,
    /// Those that comments silence, sorted: for programs.
    pub suppressed: &'a [Finding],
    /// How many more there are.
    pub hidden: Hidden,
    /// What is to be known of what was looked at, where that is not all of a repository with clusters: a clause.
    pub remark: Option<&'a str>,
    /// What was not looked at, and what was assumed.
    pub unseen: &'a [Unseen],
    /// The rules that ran.
    pub rules: &'a [&'static RuleInfo],
}

/// What was analysed of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSummary {
    /// Its entry point: the folder its root Kustomization applies.
    pub root: String,
    /// How many Kustomizations and HelmReleases it has.
    pub nodes: usize,
    /// How many of them are known in part only.
    pub unresolved: usize,
    /// The version of Flux it runs, where the repository says so.
    pub flux_version: Option<String>,
    /// What is not known of it.
    pub unresolved_details: Vec<Unresolved>,
}

/// Something that was not looked at, or was assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// What, as a sentence without a full stop.
    pub text: String,
    /// How much it matters.
    pub importance: Importance,
}

/// How much it matters that something was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Importance {
    /// It is said before anything that was found.
    First,
    /// It is likely to be a mistake.
    Warning,
    /// It is part of what there is.
    Part,
    /// It was looked at, under an assumption.
    Note,
}

/// Something that only the cluster, another repository or a key could tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// What: an object, a field, a path.
    pub what: String,
    /// Why it is not known.
    pub why: String,
    /// Where it is asked for; `None` where no file holds that.
    pub location: Option<Span>,
}

/// A way to write a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: source, labels, reasons and help.
    Full,
    /// For editors and `grep`: one line for each finding.
    Concise,
    /// For programs: one JSON object.
    Json,
    /// For code scanning and editors: SARIF 2.1.0.
    Sarif,
    /// For GitHub Actions: workflow commands that become annotations.
    Github,
    /// For GitLab: a Code Quality report.
    Gitlab,
    /// For CI servers: JUnit XML.
    Junit,
    /// For review tools: Checkstyle XML.
    Checkstyle,
    /// For reviewdog: its Diagnostic Format.
    Rdjson,
    /// For summaries and comments.
    Markdown,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 10] = [
        Self::Full,
        Self::Concise,
        Self::Json,
        Self::Sarif,
        Self::Github,
        Self::Gitlab,
        Self::Junit,
        Self::Checkstyle,
        Self::Rdjson,
        Self::Markdown,
    ];
}

impl Format {
    /// In what it is written for `terminal`.
    #[must_use]
    pub const fn syntax(self, terminal: &Terminal) -> Syntax {
        match self {
            Self::Full | Self::Concise => terminal.syntax(),
            Self::Json | Self::Sarif | Self::Gitlab | Self::Rdjson => Syntax::Json,
            Self::Junit | Self::Checkstyle => Syntax::Xml,
            Self::Github => Syntax::Commands,
            Self::Markdown => Syntax::Text,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Full => "full",
            Self::Concise => "concise",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Junit => "junit",
            Self::Checkstyle => "checkstyle",
            Self::Rdjson => "rdjson",
            Self::Markdown => "markdown",
        })
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.to_string() == text).ok_or_else(|| {
            let known: Vec<String> = Self::ALL.iter().map(Self::to_string).collect();
            format!("`{}` is no output format; known are {}", printable(text), known.join(", "))
        })
    }
}

impl Report<'_> {
    /// The folder that the paths of the tree are relative to, seen from the root of the repository; `.` for that itself, and
    /// where there is no repository.
    fn artifact_root(&self) -> String {
        let root = self.repository.map(|repository| self.tree.root_from(repository)).unwrap_or_default();
        if root.is_empty() { ".".to_owned() } else { root }
    }

    /// Writes the findings in `format`. The summary line is not part of it, save for what JSON holds.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&self, format: Format, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
        // Programs get each finding, people each cause.
        let is_for_people = matches!(format, Format::Full | Format::Concise | Format::Github | Format::Markdown);
        let condensed = if is_for_people && !self.all { condensed(self.findings) } else { Vec::new() };
        let findings = if condensed.is_empty() { self.findings } else { condensed.as_slice() };
        let report = Report { findings, ..*self };
        match format {
            Format::Full => full::write(&report, terminal, out),
            Format::Concise => concise::write(&report, terminal, out),
            Format::Json => json::write(&report, out),
            other => formats::write(&report, other, out),
        }
    }

    /// What was not looked at and what was assumed, each in one line.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        self.unseen.iter().map(|unseen| printable(&unseen.text).into_owned())
    }

    /// The path of a file as printed: relative to the artifact root, which is the root of the tree.
    fn path(&self, file: FileId) -> String {
        self.tree.path(file).to_owned()
    }
}
