use std::{collections::BTreeMap, fmt, str::FromStr};

use super::{RULES, names};
use crate::finding::{Category, Finding, RuleInfo, Severity, Tier};

/// Ids that rules had in earlier releases, and those they have now: whatever names a rule by an old one still means it, and
/// fingerprints stay as they were.
pub const ALIASES: &[(&str, &str)] = &[];

/// One rule, or all of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// The rule of that id.
    Rule(&'static str),
    /// The rules of that category.
    Category(Category),
}

/// Which rules run, and how much what they find matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those alone, where there are any. One that is named by its id runs also where it is pedantic.
    pub select: Vec<Selector>,
    /// All but those. A rule that `select` names by its id is no part of a category here.
    pub ignore: Vec<Selector>,
    /// The severity of all that a rule finds; `None` where it is off. One that has a severity runs also where it is pedantic.
    pub severities: BTreeMap<&'static str, Option<Severity>>,
    /// Whether rules on probation run.
    pub preview: bool,
}

/// A name of neither a rule nor, where that may be, a category.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} `{name}`")]
pub struct UnknownRule {
    what: &'static str,
    name: String,
    similar: Option<&'static str>,
}

impl UnknownRule {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        let categories = match self.what {
            "rule" => String::new(),
            _ => {
                let all: Vec<String> = Category::ALL.iter().map(Category::to_string).collect();
                format!("; the categories are {}", all.join(", "))
            }
        };
        let list = format!("`fluxdag rules` lists the rules{categories}");
        self.similar.map_or_else(|| list.clone(), |similar| format!("did you mean `{similar}`? {list}"))
    }
}

/// The rule of that id, or of one that it had before.
#[must_use]
pub fn find(id: &str) -> Option<&'static RuleInfo> {
    let now = current(ALIASES, id);
    RULES.iter().map(|rule| &rule.info).find(|info| info.id == now)
}

/// The first id of the rule that is called `id` now: what fingerprints are built from.
#[must_use]
pub fn first_id(id: &'static str) -> &'static str {
    ALIASES.iter().find(|(_, now)| *now == id).map_or(id, |(before, _)| before)
}

/// Puts the id that a rule has now in the place of one that it had before.
pub fn rename(id: &mut String) {
    let now = current(ALIASES, id);
    if now != id {
        *id = now.to_owned();
    }
}

fn current<'i>(aliases: &'i [(&str, &'i str)], id: &'i str) -> &'i str {
    aliases.iter().find(|(before, _)| *before == id).map_or(id, |(_, now)| now)
}

/// The rule of that id.
///
/// # Errors
/// Where there is none, with the one that may be meant.
pub fn named(id: &str) -> Result<&'static RuleInfo, UnknownRule> {
    find(id).ok_or_else(|| {
        let similar = names::nearest(&id.to_lowercase(), RULES.iter().map(|rule| rule.info.id));
        let similar = similar.and_then(find).map(|info| info.id);
        UnknownRule { what: "rule", name: id.to_owned(), similar }
    })
}

impl FromStr for Selector {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let categories = || Category::ALL.iter().copied();
        if let Some(category) = categories().find(|category| category.to_string() == text) {
            return Ok(Self::Category(category));
        }
        named(text).map(|info| Self::Rule(info.id)).map_err(|unknown| {
            let names: Vec<String> = categories().map(|category| category.to_string()).collect();
            let near = names::nearest(&text.to_lowercase(), names.iter().map(String::as_str));
            let near = near.and_then(|near| Category::ALL.into_iter().find(|category| category.to_string() == near));
            UnknownRule { what: "rule or category", similar: near.map(Category::name).or(unknown.similar), ..unknown }
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(id) => f.write_str(id),
            Self::Category(category) => category.fmt(f),
        }
    }
}

impl Selection {
    /// Whether a rule runs.
    #[must_use]
    pub fn is_on(&self, info: &RuleInfo, pedantic: bool) -> bool {
        let is = |selectors: &[Selector], selector: Selector| selectors.contains(&selector);
        let (rule, category) = (Selector::Rule(info.id), Selector::Category(info.category));
        let severity = self.severities.get(info.id);
        let is_named = is(&self.select, rule);
        let is_selected = self.select.is_empty() || is_named || is(&self.select, category);
        let is_ignored = is(&self.ignore, rule) || (is(&self.ignore, category) && !is_named);
        let runs = match info.tier {
            Tier::Stable => true,
            Tier::Pedantic => pedantic || is_named || severity.is_some(),
            Tier::Preview => self.preview,
        };
        runs && is_selected && !is_ignored && severity != Some(&None)
    }

    /// Gives the findings the severities that the user set.
    pub(super) fn weigh(&self, findings: &mut [Finding]) {
        for finding in findings {
            if let Some(Some(severity)) = self.severities.get(finding.rule) {
                finding.severity = *severity;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Confidence;

    fn info(tier: Tier) -> RuleInfo {
        RuleInfo {
            id: "heavy-in-wait",
            summary: "",
            category: Category::Time,
            severity: Severity::Warning,
            confidence: Confidence::Medium,
            tier,
            since: "0.1.0",
            page: "",
        }
    }

    fn all(texts: &[&str]) -> Vec<Selector> {
        texts.iter().map(|text| text.parse().expect("known")).collect()
    }

    fn is_on(select: &[&str], ignore: &[&str], tier: Tier) -> bool {
        let selection = Selection { select: all(select), ignore: all(ignore), ..Selection::default() };
        selection.is_on(&info(tier), false)
    }

    #[test]
    fn what_names_a_rule_is_stronger_than_what_names_its_category() {
        assert!(is_on(&[], &[], Tier::Stable) && !is_on(&[], &[], Tier::Pedantic));
        assert!(is_on(&["time"], &[], Tier::Stable) && !is_on(&["gate"], &[], Tier::Stable));
        assert!(!is_on(&["time"], &["heavy-in-wait"], Tier::Stable));
        assert!(is_on(&["heavy-in-wait"], &["time"], Tier::Stable) && !is_on(&[], &["time"], Tier::Stable));
        assert!(is_on(&["heavy-in-wait"], &[], Tier::Pedantic) && !is_on(&["time"], &[], Tier::Pedantic));
        assert!(!is_on(&["heavy-in-wait"], &[], Tier::Preview));
        assert!(Selection { preview: true, ..Selection::default() }.is_on(&info(Tier::Preview), false));
    }

    #[test]
    fn a_severity_turns_a_rule_on_or_off() {
        let of = |severity, tier| {
            let severities = [("heavy-in-wait", severity)].into();
            Selection { severities, ..Selection::default() }.is_on(&info(tier), false)
        };
        assert!(of(Some(Severity::Info), Tier::Pedantic) && !of(None, Tier::Stable));
    }

    #[test]
    fn unknown_names_are_answered_with_the_likely_one() {
        let error = "heavy-in-wiat".parse::<Selector>().expect_err("unknown");
        assert_eq!(error.to_string(), "there is no rule or category `heavy-in-wiat`");
        assert!(error.help().starts_with("did you mean `heavy-in-wait`? "), "{}", error.help());
        let error = "deadlocks".parse::<Selector>().expect_err("unknown");
        assert!(error.help().starts_with("did you mean `deadlock`? "), "{}", error.help());
        let error = named("x").expect_err("unknown");
        assert_eq!(error.help(), "`fluxdag rules` lists the rules");
    }

    #[test]
    fn old_ids_lead_to_rules_that_there_are() {
        for (before, now) in ALIASES {
            assert!(RULES.iter().all(|rule| rule.info.id != *before), "{before} is still a rule");
            assert_eq!(find(before).map(|info| info.id), Some(*now));
        }
        assert_eq!(current(&[("old", "new")], "old"), "new");
        assert_eq!(current(&[("old", "new")], "other"), "other");
        assert_eq!(first_id("heavy-in-wait"), "heavy-in-wait");
    }
}
