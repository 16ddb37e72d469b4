use super::say_on;
use crate::{
    report::{Terminal, printable, printable_lines, wrap},
    source::GitError,
};

/// Why the job could not be done, and what to do about it.
#[derive(Debug)]
pub(super) struct CliError {
    message: String,
    help: Option<String>,
}

impl CliError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same of a command that has no `--allow-empty`: `help` says where to look instead.
    pub(super) fn of_question(error: crate::Error, help: &str) -> Self {
        match &error {
            crate::Error::NoFluxObjects { templates: false, .. } => Self::new(error.to_string()).with_help(help),
            crate::Error::NoFluxObjects { templates: true, .. } => Self::new(error.to_string())
                .with_help("the manifests here are templates; render them first and point at the result"),
            _ => error.into(),
        }
    }

    pub(super) fn print(&self, terminal: &Terminal) {
        let styles = terminal.theme().styles;
        let error = terminal.bold(&styles.error.style("error:").to_string());
        say_on(terminal, &format!("{error} {}", printable(&self.message)));
        if let Some(help) = &self.help {
            let first = format!("{} ", styles.help.style("help:"));
            say_on(terminal, &wrap(&printable_lines(help), terminal.width, &first, "      "));
        }
    }
}

impl From<GitError> for CliError {
    fn from(error: GitError) -> Self {
        let help = error.help();
        Self::new(error.to_string()).with_help(help)
    }
}

impl From<crate::Error> for CliError {
    fn from(error: crate::Error) -> Self {
        let help = error.help();
        Self::new(error.to_string()).with_help(help)
    }
}
