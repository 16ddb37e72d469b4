//! The door: all that is printed passes here, and nothing that its reader would obey does.

use std::io::{self, IsTerminal as _, Write as _};

use super::error::CliError;
use crate::{
    report::Terminal,
    source::{Syntax, harmless},
};

/// Writes `text` to standard output. Nobody reading it any more is no error.
pub(super) fn print(text: &str, syntax: Syntax) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let text = harmless(text, syntax);
    tolerate_closed_pipe(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
        .map_err(|error| CliError::new(format!("failed to write to standard output: {error}")))
}

/// Writes a line to standard error.
pub(super) fn say(line: &str) {
    say_on(&Terminal::PLAIN, line);
}

/// The same, with what is drawn for `terminal`.
pub(super) fn say_on(terminal: &Terminal, line: &str) {
    // Talk that cannot be reporting is no reason to fail.
    let _ = writeln!(io::stderr().lock(), "{}", harmless(line, terminal.syntax()));
}

/// Whether standard output and standard error are terminals.
pub(super) fn is_terminal() -> (bool, bool) {
    (io::stdout().is_terminal(), io::stderr().is_terminal())
}

fn tolerate_closed_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_error() {
        assert!(tolerate_closed_pipe(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(tolerate_closed_pipe(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
