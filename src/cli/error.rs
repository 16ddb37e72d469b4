use super::say;
use crate::report::{Terminal, printable, printable_lines, wrap};

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

    pub(super) fn print(&self, terminal: &Terminal) {
        let styles = terminal.theme().styles;
        let error = terminal.bold(&styles.error.style("error:").to_string());
        say(&format!("{error} {}", printable(&self.message)));
        if let Some(help) = &self.help {
            let first = format!("{} ", styles.help.style("help:"));
            say(&wrap(&printable_lines(help), terminal.width, &first, "      "));
        }
    }
}

impl From<crate::Error> for CliError {
    fn from(error: crate::Error) -> Self {
        let help = error.help();
        Self::new(error.to_string()).with_help(help)
    }
}
