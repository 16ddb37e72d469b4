use serde::Serialize;

use super::{
    args::{Explain, Global, PageFormat},
    environment::Environment,
    error::CliError,
    page, print,
    rules::{self, RuleJson},
};
use crate::{finding::RuleInfo, report::printable, rules::RULES, source::names};

#[derive(Serialize)]
struct PageJson {
    rule: RuleJson,
    page: &'static str,
}

/// Prints the page of a rule.
pub(super) fn run(explain: &Explain, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let infos = || RULES.iter().map(|rule| &rule.info);
    let info = crate::rules::find(&explain.rule).ok_or_else(|| unknown(&explain.rule, infos()))?;
    let mut text = match explain.format {
        PageFormat::Text => page::render(info.page, &environment.stdout(global.color)),
        PageFormat::Markdown => info.page.to_owned(),
        PageFormat::Json => rules::json(&PageJson { rule: RuleJson::from(info), page: info.page })?,
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    print(text)
}

fn unknown(name: &str, infos: impl Iterator<Item = &'static RuleInfo>) -> CliError {
    let help = match names::nearest(&name.to_lowercase(), infos.map(|info| info.id)) {
        Some(id) => format!("did you mean `{id}`? `fluxdag rules` lists them all"),
        None => "`fluxdag rules` lists them all".to_owned(),
    };
    CliError::new(format!("there is no rule `{}`", printable(name))).with_help(help)
}
