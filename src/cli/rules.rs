use super::{
    args::{Global, ListFormat, Rules},
    environment::Environment,
    error::CliError,
    print,
};
use crate::{
    finding::RuleInfo,
    report::{RuleList, document, rule_markdown, rule_table},
    rules::RULES,
    source::Syntax,
};

/// Lists the rules.
pub(super) fn run(rules: &Rules, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let infos: Vec<&RuleInfo> = RULES.iter().map(|rule| &rule.info).collect();
    let text = match rules.format {
        ListFormat::Table => rule_table(&infos, &environment.stdout(global.color)),
        ListFormat::Markdown => rule_markdown(&infos),
        ListFormat::Json => document(&RuleList::new(&infos)),
    };
    print(&text, Syntax::Own)
}
