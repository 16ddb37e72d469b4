//! The rules as a table, and as documents of `fluxdag rules -o json` and `fluxdag explain -o json`.

use schemars::JsonSchema;
use serde::Serialize;

use super::Terminal;
use crate::{
    finding::{Category, Confidence, RuleInfo, Severity, Tier},
    query::Document,
};

/// The rules that there are: `fluxdag rules -o json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RuleList {
    /// None: rules belong to no cluster.
    pub clusters: [(); 0],
    /// The rules, in the order of the registry.
    pub rules: Vec<Rule>,
}

/// One rule and its page: `fluxdag explain -o json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RulePage {
    /// None: a rule belongs to no cluster.
    pub clusters: [(); 0],
    /// The rule.
    pub rules: [Rule; 1],
    /// Its page, in Markdown.
    pub page: &'static str,
}

/// A rule.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Rule {
    /// Kebab-case name of the problem.
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
}

impl Document for RuleList {
    const COMMAND: &'static str = "rules";
}

impl Document for RulePage {
    const COMMAND: &'static str = "explain";
}

impl RuleList {
    /// Those that `infos` are about.
    #[must_use]
    pub fn new(infos: &[&RuleInfo]) -> Self {
        Self { clusters: [], rules: infos.iter().map(|info| Rule::new(info)).collect() }
    }
}

impl RulePage {
    /// The page of a rule.
    #[must_use]
    pub const fn new(info: &RuleInfo) -> Self {
        Self { clusters: [], rules: [Rule::new(info)], page: info.page }
    }
}

impl Rule {
    const fn new(info: &RuleInfo) -> Self {
        Self {
            id: info.id,
            summary: info.summary,
            category: info.category,
            severity: info.severity,
            confidence: info.confidence,
            tier: info.tier,
            since: info.since,
        }
    }
}

/// One line for each rule.
#[must_use]
pub fn rule_table(infos: &[&RuleInfo], terminal: &Terminal) -> String {
    let width = infos.iter().map(|info| info.id.len()).max().unwrap_or_default().max("RULE".len());
    let head =
        format!("{:width$}  {:9}  {:8}  {:10}  {:8}  SUMMARY", "RULE", "CATEGORY", "SEVERITY", "CONFIDENCE", "TIER");
    let mut text = terminal.bold(&head) + "\n";
    for info in infos {
        let RuleInfo { id, summary, category, severity, confidence, tier, .. } = info;
        text += &format!("{id:width$}  {category:9}  {severity:8}  {confidence:10}  {tier:8}  {summary}\n");
    }
    text
}

/// A table for documentation.
#[must_use]
pub fn rule_markdown(infos: &[&RuleInfo]) -> String {
    let mut text = "| Rule | Summary | Category | Severity | Confidence | Tier | Since |\n".to_owned();
    text += "|---|---|---|---|---|---|---|\n";
    for info in infos {
        let RuleInfo { id, category, severity, confidence, tier, since, .. } = info;
        let summary = info.summary.replace('|', "\\|");
        text +=
            &format!("| [`{id}`]({id}.md) | {summary} | {category} | {severity} | {confidence} | {tier} | {since} |\n");
    }
    text
}
