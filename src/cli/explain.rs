use super::{
    args::{Explain, Global, PageFormat},
    environment::Environment,
    error::CliError,
    print,
};
use crate::{
    finding::RuleInfo,
    report::{RulePage, document, printable, rule_page},
    rules::RULES,
    source::{Syntax, names},
};

/// Prints the page of a rule.
pub(super) fn run(explain: &Explain, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let infos = || RULES.iter().map(|rule| &rule.info);
    let info = crate::rules::find(&explain.rule).ok_or_else(|| unknown(&explain.rule, infos()))?;
    let mut text = match explain.format {
        PageFormat::Text => rule_page(info.page, &environment.stdout(global.color)),
        PageFormat::Markdown => info.page.to_owned(),
        PageFormat::Json => document(&RulePage::new(info)),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    print(&text, Syntax::Own)
}

fn unknown(name: &str, infos: impl Iterator<Item = &'static RuleInfo>) -> CliError {
    let help = match names::nearest(&name.to_lowercase(), infos.map(|info| info.id)) {
        Some(id) => format!("did you mean `{id}`? `fluxdag rules` lists them all"),
        None => "`fluxdag rules` lists them all".to_owned(),
    };
    CliError::new(format!("there is no rule `{}`", printable(name))).with_help(help)
}
