use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
    str::FromStr,
};

use super::{error::CliError, print};
use crate::report::{Format, Report, Terminal, printable};

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
            Some((format, path)) => (format, Some(PathBuf::from(path))),
            None => (text, None),
        };
        Ok(Self { format: format.parse()?, path })
    }
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
        let same = |other: &&Output| output.path.is_some() && other.path == output.path;
        if let (Some(other), Some(path)) = (asked[..index].iter().find(same), &output.path) {
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
            CliError::new(format!("failed to write {place}: {error}")).with_help("check the path, and the space left")
        };
        let terminal = if self.path.is_some() { &Terminal::PLAIN } else { terminal };
        let mut text = Vec::new();
        report.write(self.format, terminal, &mut text).map_err(failed)?;
        if let (Format::Full, Some(summary)) = (self.format, summary) {
            writeln!(text, "{summary}").map_err(failed)?;
        }
        match &self.path {
            Some(path) => fs::write(path, &text).map_err(failed),
            None => print(&text),
        }
    }

    /// Whether the reader of this output still has to be told the summary.
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
        assert!("json=".parse::<Output>().is_err());
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
        assert_eq!(outputs(&[], Some("json")).map(|outputs| outputs[0].format).ok(), Some(Format::Json));
        assert!(outputs(&[], Some("nothing")).is_err());
    }
}
