use std::{collections::BTreeMap, env, ffi::OsString};

use super::{
    args::{ColorChoice, When},
    is_terminal,
};
use crate::report::Terminal;

const UNKNOWN_WIDTH: usize = 100;
/// Longer lines are hard to read.
const MAX_WIDTH: usize = 120;

/// What the process was started with, so far as output depends on it. A value, so that tests can make one.
#[derive(Debug, Default, Clone)]
pub(super) struct Environment {
    pub(super) arguments: Vec<OsString>,
    variables: BTreeMap<&'static str, String>,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    /// Whether standard output is a terminal that is known to show links.
    shows_links: bool,
    width: Option<usize>,
}

const VARIABLES: [&str; 13] = [
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "CLICOLOR",
    "TERM",
    "LC_ALL",
    "LC_CTYPE",
    "LANG",
    "FLUXDAG_FORMAT",
    "FLUXDAG_CONFIG",
    "GITHUB_EVENT_NAME",
    "CI_MERGE_REQUEST_IID",
    "CI_PIPELINE_SOURCE",
];

impl Environment {
    pub(super) fn of_process() -> Self {
        let variables =
            VARIABLES.into_iter().filter_map(|name| Some((name, env::var_os(name)?.to_string_lossy().into_owned())));
        let (stdout_is_terminal, stderr_is_terminal) = is_terminal();
        Self {
            arguments: env::args_os().collect(),
            variables: variables.collect(),
            stdout_is_terminal,
            stderr_is_terminal,
            shows_links: stdout_is_terminal && supports_hyperlinks::supports_hyperlinks(),
            width: terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
        }
    }

    pub(super) fn stdout(&self, choice: Option<ColorChoice>) -> Terminal {
        self.stream(choice, self.stdout_is_terminal)
    }

    pub(super) fn stderr(&self, choice: Option<ColorChoice>) -> Terminal {
        self.stream(choice, self.stderr_is_terminal)
    }

    fn stream(&self, choice: Option<ColorChoice>, is_terminal: bool) -> Terminal {
        let width = self.width.filter(|width| is_terminal && *width > 0).unwrap_or(UNKNOWN_WIDTH).min(MAX_WIDTH);
        Terminal { color: self.color(choice, is_terminal), unicode: self.unicode(), width, links: false }
    }

    /// Standard output, for text with links.
    pub(super) fn linked(&self, color: Option<ColorChoice>, links: When) -> Terminal {
        let links = match links {
            When::Always => true,
            When::Never => false,
            When::Auto => self.shows_links && self.variable("TERM") != Some("dumb"),
        };
        Terminal { links, ..self.stdout(color) }
    }

    /// Whether somebody looks at standard error while it is written.
    pub(super) fn shows_progress(&self) -> bool {
        self.stderr_is_terminal && self.variable("TERM") != Some("dumb")
    }

    /// What `--color` says, for messages about arguments that cannot be read.
    pub(super) fn color_argument(&self) -> Option<ColorChoice> {
        let arguments: Vec<_> = self.arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        let options = arguments.iter().take_while(|argument| *argument != "--");
        let pairs = options.zip(arguments.iter().skip(1).map(Some).chain([None]));
        let values = pairs.filter_map(|(argument, next)| match argument.strip_prefix("--color")? {
            "" => next.map(AsRef::as_ref),
            value => value.strip_prefix('='),
        });
        values.last().and_then(|value| match value {
            "always" => Some(ColorChoice::Always),
            "never" => Some(ColorChoice::Never),
            _ => None,
        })
    }

    /// The output to write where the arguments name none.
    pub(super) fn format(&self) -> Option<&str> {
        self.variable("FLUXDAG_FORMAT")
    }

    /// The configuration file to read where the arguments name none.
    pub(super) fn config(&self) -> Option<&str> {
        self.variable("FLUXDAG_CONFIG")
    }

    /// Whether a pipeline runs for a change that somebody proposes: a pull request, a merge request, or one of a queue.
    pub(super) fn is_for_a_change(&self) -> bool {
        let is_github =
            matches!(self.variable("GITHUB_EVENT_NAME"), Some("pull_request" | "pull_request_target" | "merge_group"));
        let is_gitlab = self.variable("CI_PIPELINE_SOURCE") == Some("merge_request_event");
        is_github || is_gitlab || self.variable("CI_MERGE_REQUEST_IID").is_some()
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// See no-color.org, force-color.org and bixense.com/clicolors.
    fn color(&self, choice: Option<ColorChoice>, is_terminal: bool) -> bool {
        let forced = |name| self.variable(name).is_some_and(|value| value != "0");
        match choice {
            Some(ColorChoice::Always) => true,
            Some(ColorChoice::Never) => false,
            Some(ColorChoice::Auto) | None => {
                if self.variable("NO_COLOR").is_some() {
                    false
                } else if forced("FORCE_COLOR") || forced("CLICOLOR_FORCE") {
                    true
                } else {
                    self.variable("CLICOLOR") != Some("0") && is_terminal && self.variable("TERM") != Some("dumb")
                }
            }
        }
    }

    fn unicode(&self) -> bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| self.variable(name));
        let is_utf8 = |locale: &str| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        };
        cfg!(any(windows, target_os = "macos")) || locale.is_some_and(is_utf8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&'static str, &str)]) -> Environment {
        let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Environment { variables, ..Environment::default() }
    }

    #[test]
    fn colour_follows_flag_then_variables_then_terminal() {
        let always = Some(ColorChoice::Always);
        assert!(with(&[("NO_COLOR", "1")]).color(always, false));
        assert!(!with(&[("FORCE_COLOR", "1")]).color(Some(ColorChoice::Never), true));
        assert!(!with(&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")]).color(None, true));
        assert!(with(&[("NO_COLOR", ""), ("FORCE_COLOR", "1")]).color(None, false));
        assert!(with(&[("CLICOLOR_FORCE", "1"), ("CLICOLOR", "0")]).color(None, false));
        assert!(!with(&[("CLICOLOR_FORCE", "0")]).color(None, false));
        assert!(!with(&[("CLICOLOR", "0")]).color(None, true));
        assert!(!with(&[("TERM", "dumb")]).color(Some(ColorChoice::Auto), true));
        assert!(with(&[]).color(None, true));
        assert!(!with(&[]).color(None, false));
    }

    #[test]
    fn links_and_progress_are_for_terminals_that_show_them() {
        let terminal = |variables| Environment {
            shows_links: true,
            stdout_is_terminal: true,
            stderr_is_terminal: true,
            ..with(variables)
        };
        assert!(terminal(&[]).linked(None, When::Auto).links && terminal(&[]).shows_progress());
        let dumb = terminal(&[("TERM", "dumb")]);
        assert!(!dumb.linked(None, When::Auto).links && !dumb.shows_progress());
        assert!(dumb.linked(None, When::Always).links && !terminal(&[]).linked(None, When::Never).links);
        assert!(!with(&[]).linked(None, When::Auto).links && !with(&[]).shows_progress());
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    #[test]
    fn glyphs_follow_the_locale() {
        assert!(with(&[("LANG", "en_GB.UTF-8")]).unicode());
        assert!(with(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]).unicode());
        assert!(!with(&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")]).unicode());
        assert!(!with(&[]).unicode());
    }

    #[test]
    fn colour_is_known_before_the_arguments_are_parsed() {
        let of = |arguments: &[&str]| {
            let arguments = arguments.iter().map(OsString::from).collect();
            Environment { arguments, ..Environment::default() }.color_argument()
        };
        assert_eq!(of(&["fluxdag", "--color", "always", "lnt"]), Some(ColorChoice::Always));
        assert_eq!(of(&["fluxdag", "lnt", "--color=never"]), Some(ColorChoice::Never));
        assert_eq!(of(&["fluxdag", "--color"]), None);
        assert_eq!(of(&["fluxdag", "--", "--color=never"]), None);
    }
}
