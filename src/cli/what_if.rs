use super::{
    args::{Global, WhatIf},
    environment::Environment,
    error::CliError,
    question::{Paths, ask},
};
use crate::{flux::parse_duration, query::Change};

/// Says what a change would do to the minutes of a cold start.
pub(super) fn run(what_if: &WhatIf, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let changes = changes(what_if)?;
    let about = (&Paths::or_here(&what_if.paths), &what_if.question);
    ask(about, global, environment, |session| session.what_if(&changes))
}

fn changes(what_if: &WhatIf) -> Result<Vec<Change>, CliError> {
    let mut changes: Vec<Change> = what_if.unset_wait.iter().cloned().map(Change::UnsetWait).collect();
    for text in &what_if.drop_edge {
        let (of, on) = pair(text, ':', "NODE:DEPENDENCY")?;
        changes.push(Change::DropDependency { of, on });
    }
    for text in &what_if.add_edge {
        let (of, on) = pair(text, ':', "NODE:DEPENDENCY")?;
        changes.push(Change::AddDependency { of, on });
    }
    for text in &what_if.move_object {
        let (object, to) = pair(text, ':', "OBJECT:NODE")?;
        changes.push(Change::Move { object, to });
    }
    changes.extend(what_if.split.iter().cloned().map(Change::Split));
    for text in &what_if.timeout {
        let (node, timeout) = pair(text, '=', "NODE=15m")?;
        if parse_duration(&timeout).is_none() {
            return Err(CliError::new(format!("`{timeout}` is no duration; write it like 90s, 15m or 1h30m")));
        }
        changes.push(Change::Timeout { node, timeout });
    }
    for text in &what_if.slow {
        let (chart, factor) = pair(text, '=', "CHART=2x")?;
        let number = factor.strip_suffix('x').unwrap_or(&factor).parse::<f64>().ok();
        let Some(factor) = number.filter(|factor| factor.is_finite() && *factor > 0.0) else {
            return Err(CliError::new(format!("`{factor}` is no factor; write it like 2x or 0.5x")));
        };
        changes.push(Change::Slow { chart, factor });
    }
    changes.extend(what_if.fail.iter().cloned().map(Change::Fail));
    Ok(changes)
}

fn pair(text: &str, by: char, form: &str) -> Result<(String, String), CliError> {
    let parts = text.split_once(by).filter(|(one, other)| !one.is_empty() && !other.is_empty());
    let (one, other) = parts.ok_or_else(|| CliError::new(format!("`{text}` is not of the form {form}")))?;
    Ok((one.to_owned(), other.to_owned()))
}
