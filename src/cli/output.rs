use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{
    error::CliError,
    files::{self, NamedBy},
    print,
};
use crate::{
    report::{Format, Report, Terminal, printable},
    source::{harmless, names::nearest},
};

/// A format, and where it goes: a file, or standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) format: Format,
    pub(super) path: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, path) = match text.split_once('=') {
            Some((_, "")) => return Err("there is no path behind `=`".to_owned()),
            Some((format, "-")) => (format, None),
            Some((format, path)) => (format, Some(PathBuf::from(path))),
            None => (text, None),
        };
        let format = format.parse().map_err(|unknown: String| {
            let names: Vec<String> = Format::ALL.iter().map(ToString::to_string).collect();
            match nearest(&format.to_lowercase(), names.iter().map(String::as_str)) {
                Some(name) => format!("{unknown}; did you mean `{name}`?"),
                None => unknown,
            }
        })?;
        Ok(Self { format, path })
    }
}

/// Where `path` leads, however it is written; a file that is not there yet lies in a folder that may be.
fn place(path: &Path) -> PathBuf {
    let of_folder = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    };
    path.canonicalize().ok().or_else(of_folder).unwrap_or_else(|| path.to_owned())
}

/// The outputs asked for, or the one that `default`, an environment variable, names, or `full`. At most one may go to
/// standard output.
pub(super) fn outputs(asked: &[Output], default: Option<&str>) -> Result<Vec<Output>, CliError> {
    if asked.is_empty() {
        let default: Result<Output, String> = default.unwrap_or("full").parse();
        return default.map(|output| vec![output]).map_err(|error| CliError::new(format!("FLUXDAG_FORMAT: {error}")));
    }
    let mut on_stdout = asked.iter().filter(|output| output.path.is_none());
    if let (Some(first), Some(second)) = (on_stdout.next(), on_stdout.next()) {
        let message = format!("`{}` and `{}` cannot both go to standard output", first.format, second.format);
        return Err(CliError::new(message).with_help(format!("write one to a file: -o {}=PATH", second.format)));
    }
    for (index, output) in asked.iter().enumerate() {
        let Some(path) = &output.path else { continue };
        let same = |other: &&Output| other.path.as_ref().is_some_and(|other| place(other) == place(path));
        if let Some(other) = asked[..index].iter().find(same) {
            let message = format!(
                "`{}` and `{}` cannot both go to {}",
                other.format,
                output.format,
                printable(&path.to_string_lossy())
            );
            return Err(CliError::new(message).with_help("write each to a file of its own"));
        }
    }
    Ok(asked.to_vec())
}

impl Output {
    /// Writes `report` to where it goes, and `summary` behind it where people will read that.
    pub(super) fn write(
        &self,
        report: &Report<'_>,
        terminal: &Terminal,
        summary: Option<&str>,
    ) -> Result<(), CliError> {
        let failed = |error: io::Error| {
            let place = self.path.as_ref().map_or("standard output".into(), |path| path.to_string_lossy());
            CliError::new(format!("failed to write {place}: {error}")).with_help(files::help(&error))
        };
        let terminal = if self.path.is_some() { &Terminal::PLAIN } else { terminal };
        let mut text = Vec::new();
        report.write(self.format, terminal, &mut text).map_err(failed)?;
        if let (Format::Full, Some(summary)) = (self.format, summary) {
            writeln!(text, "{summary}").map_err(failed)?;
        }
        let (text, syntax) = (String::from_utf8_lossy(&text), self.format.syntax(terminal));
        match &self.path {
            Some(path) => {
                let text = harmless(&text, syntax);
                files::write(path, NamedBy::User, Some(report.tree.root()), text.as_bytes()).map_err(failed)
            }
            None => print(&text, syntax),
        }
    }

    /// Whether what was not looked at is part of it.
    pub(super) const fn has_notes(&self) -> bool {
        matches!(self.format, Format::Full | Format::Json | Format::Sarif | Format::Markdown)
    }

    /// Whether the reader of this output still has to be reported the summary.
    pub(super) fn leaves_summary_unsaid(&self) -> bool {
        self.path.is_none() && matches!(self.format, Format::Concise | Format::Github)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_a_format_and_a_path() {
        let file = Output { format: Format::Json, path: Some(PathBuf::from("a=b.json")) };
        assert_eq!("json=a=b.json".parse(), Ok(file));
        assert_eq!("full".parse(), Ok(Output { format: Format::Full, path: None }));
        assert_eq!("json=-".parse(), Ok(Output { format: Format::Json, path: None }));
        assert!("json=".parse::<Output>().is_err());
        let near = "sarf=x".parse::<Output>().expect_err("not known");
        assert!(near.ends_with("did you mean `sarif`?"), "{near}");
        let error = "text".parse::<Output>().expect_err("not known");
        let known = "full, concise, json, sarif, github, gitlab, junit, checkstyle, rdjson, markdown";
        assert_eq!(error, format!("`text` is no output format; known are {known}"));
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(Output { format, path: None }));
        }
    }

    #[test]
    fn one_format_goes_to_standard_output() {
        let of = |texts: &[&str]| outputs(&texts.iter().filter_map(|text| text.parse().ok()).collect::<Vec<_>>(), None);
        assert_eq!(of(&[]).expect("a default").len(), 1);
        assert!(of(&["full", "json=a", "concise=b"]).is_ok());
        assert!(of(&["full", "json"]).is_err());
        assert!(of(&["concise=a", "json=a"]).is_err());
        assert!(of(&["concise=a", "json=./a"]).is_err());
        assert!(of(&["concise=src/../Cargo.toml", "json=Cargo.toml"]).is_err());
        assert!(of(&["concise=a", "json=./b", "sarif=src/a"]).is_ok());
        assert_eq!(outputs(&[], Some("json")).map(|outputs| outputs[0].format).ok(), Some(Format::Json));
        assert!(outputs(&[], Some("nothing")).is_err());
    }
}
