use super::model::{Configuration, Descriptor, Help, Message, RuleProperties};
use crate::{finding::RuleInfo, report::formats::levels};

/// The longest description that code scanning takes.
const MOST_CHARACTERS: usize = 1_024;

/// A rule as code scanning shows it: its page is the help.
pub(super) fn descriptor(rule: &RuleInfo) -> Descriptor {
    let levels = levels(rule.severity);
    Descriptor {
        id: rule.id,
        short_description: Message::new(cut(rule.summary)),
        full_description: Message::new(cut(&about(rule))),
        help: Help { text: rule.page, markdown: rule.page },
        default_configuration: Configuration { level: levels.sarif },
        properties: RuleProperties {
            precision: rule.confidence,
            problem_severity: levels.problem,
            tags: vec!["flux".to_owned(), "gitops".to_owned(), rule.category.to_string(), rule.tier.to_string()],
        },
    }
}

/// What the page says it flags; the summary where it does not.
fn about(rule: &RuleInfo) -> String {
    let section = rule.page.split("\n## ").find_map(|section| section.strip_prefix("What it flags\n"));
    let text = section.unwrap_or(rule.summary).split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { rule.summary.to_owned() } else { text }
}

/// `text`, cut behind a word where it is too long.
fn cut(text: &str) -> String {
    if text.chars().count() <= MOST_CHARACTERS {
        return text.to_owned();
    }
    let head: String = text.chars().take(MOST_CHARACTERS - 1).collect();
    let head = head.rsplit_once(' ').map_or(head.as_str(), |(head, _)| head);
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_descriptions_are_cut_behind_a_word() {
        let cut = cut(&"word ".repeat(400));
        assert!(cut.ends_with("word…") && cut.chars().count() <= MOST_CHARACTERS, "{cut}");
    }
}
