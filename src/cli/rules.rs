use serde::Serialize;

use super::{
    args::{Global, ListFormat, Rules},
    environment::Environment,
    error::CliError,
    print,
};
use crate::{
    finding::{Category, Confidence, RuleInfo, Severity, Tier},
    report::Terminal,
    rules::RULES,
};

/// A rule as programs see it.
#[derive(Serialize)]
pub(super) struct RuleJson {
    id: &'static str,
    summary: &'static str,
    category: Category,
    severity: Severity,
    confidence: Confidence,
    tier: Tier,
    since: &'static str,
}

#[derive(Serialize)]
struct RulesJson {
    rules: Vec<RuleJson>,
}

impl From<&RuleInfo> for RuleJson {
    fn from(info: &RuleInfo) -> Self {
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

/// Lists the rules.
pub(super) fn run(rules: &Rules, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let infos: Vec<&RuleInfo> = RULES.iter().map(|rule| &rule.info).collect();
    print(match rules.format {
        ListFormat::Table => table(&infos, &environment.stdout(global.color)),
        ListFormat::Markdown => markdown(&infos),
        ListFormat::Json => json(&RulesJson { rules: infos.into_iter().map(RuleJson::from).collect() })?,
    })
}

/// `value` as indented JSON with a line end.
pub(super) fn json(value: &impl Serialize) -> Result<String, CliError> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n").map_err(|error| CliError::new(format!("failed to write JSON: {error}")))
}

fn table(infos: &[&RuleInfo], terminal: &Terminal) -> String {
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

fn markdown(infos: &[&RuleInfo]) -> String {
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
