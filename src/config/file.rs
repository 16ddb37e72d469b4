//! The file as it is written, and how it becomes a [`Config`].

use std::{path::Path, str::FromStr as _};

use serde::{Deserialize, Deserializer, de::Error as _};
use toml::Spanned;

use super::{Config, ConfigError, FailOn, durations};
use crate::{
    finding::{Confidence, Severity},
    flux::{FluxVersion, parse_duration},
    source::{MappedSource, RemoteUrl},
    timing::Profile,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    root: Option<Spanned<String>>,
    flux_version: Option<Checked<FluxVersion>>,
    max_path: Option<Checked<std::time::Duration>>,
    fail_on: Option<Checked<FailOn>>,
    min_severity: Option<Checked<Severity>>,
    min_confidence: Option<Checked<Confidence>>,
    require_reason: Option<bool>,
    profile: Option<Checked<Profile>>,
    #[serde(default)]
    durations: Vec<Spanned<durations::Entry>>,
    #[serde(default)]
    sources: Vec<Spanned<Source>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Source {
    url: Spanned<String>,
    r#ref: Option<String>,
    path: Spanned<String>,
}

/// A value that is written as text of some form.
pub(super) struct Checked<T>(pub(super) T);

pub(super) trait Written: Sized {
    fn read(text: &str) -> Result<Self, String>;
}

impl<'de, T: Written> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(&String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

impl Written for FluxVersion {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| format!("`{text}` is no Flux release; write it like 2.9"))
    }
}

impl Written for std::time::Duration {
    fn read(text: &str) -> Result<Self, String> {
        parse_duration(text).ok_or_else(|| format!("`{text}` is no duration; write it like 90s, 10m or 1h30m"))
    }
}

impl Written for FailOn {
    fn read(text: &str) -> Result<Self, String> {
        Self::from_str(text)
    }
}

impl Written for Profile {
    fn read(text: &str) -> Result<Self, String> {
        Self::from_str(text)
    }
}

impl Written for Severity {
    fn read(text: &str) -> Result<Self, String> {
        Self::from_str(text)
    }
}

impl Written for Confidence {
    fn read(text: &str) -> Result<Self, String> {
        Self::from_str(text)
    }
}

/// Most sources of one file: the folder of each is listed.
const SOURCES: usize = 100;

pub(super) fn read(text: &str, path: &Path, within: Option<&Path>) -> Result<Config, ConfigError> {
    let file: File = toml::from_str(text).map_err(|error| fault(&error, text, path))?;
    let at = |start: usize, message: String, help: Option<&str>| {
        ConfigError::at(path, text, start, message, help.map(str::to_owned))
    };
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let existing = |written: &Spanned<String>| {
        let target = folder.join(written.get_ref());
        let real = target.canonicalize().ok().filter(|real| real.is_dir());
        let is_outside =
            |real: &Path| within.is_some_and(|top| !real.starts_with(top.canonicalize().as_deref().unwrap_or(top)));
        if let Some(real) = real {
            if is_outside(&real) {
                let message = format!("`{}` lies outside the repository", written.get_ref());
                let help = "a repository may not make fluxdag read what is around it; where you trust this file, pass it with --config";
                return Err(at(written.span().start, message, Some(help)));
            }
            return Ok(target);
        }
        let message = format!("`{}` is no folder; paths count from the folder of this file", written.get_ref());
        Err(at(written.span().start, message, Some("correct the path, or bring the folder there before fluxdag runs")))
    };
    let root = file.root.as_ref().map(existing).transpose()?;
    if let Some(one_more) = file.sources.get(SOURCES) {
        return Err(at(one_more.span().start, format!("more than {SOURCES} sources"), None));
    }
    let mut sources: Vec<MappedSource> = Vec::new();
    for source in &file.sources {
        let Source { url, r#ref, path } = source.get_ref();
        let parsed = RemoteUrl::parse(url.get_ref());
        if parsed.text().is_empty() || url.get_ref().contains('?') {
            let message = format!("`{}` is no URL of a repository", url.get_ref());
            let help = "write it like https://github.com/org/repo; a branch or tag goes into `ref`";
            return Err(at(url.span().start, message, Some(help)));
        }
        let same =
            |known: &MappedSource| known.url.text().eq_ignore_ascii_case(parsed.text()) && known.reference == *r#ref;
        if sources.iter().any(same) {
            let message = format!("`{}` is mapped twice", url.get_ref());
            let help = "keep one of the two, or tell them apart by `ref`";
            return Err(at(url.span().start, message, Some(help)));
        }
        let folder = existing(path)?;
        let written = path.get_ref().clone();
        sources.push(MappedSource { url: parsed, reference: r#ref.clone(), folder, written });
    }
    let durations = durations::read(&file.durations, &at)?;
    Ok(Config {
        root,
        flux_version: file.flux_version.map(|checked| checked.0),
        max_path: file.max_path.map(|checked| checked.0),
        fail_on: file.fail_on.map(|checked| checked.0),
        min_severity: file.min_severity.map(|checked| checked.0),
        min_confidence: file.min_confidence.map(|checked| checked.0),
        require_reason: file.require_reason,
        profile: file.profile.map(|checked| checked.0),
        durations,
        sources,
    })
}

/// What the parser says, with the likely key where one is unknown.
fn fault(error: &toml::de::Error, text: &str, path: &Path) -> ConfigError {
    let at = error.span().map_or(0, |span| span.start);
    let message = error.message().lines().collect::<Vec<_>>().join("; ");
    // serde, `de::Error::unknown_field`: the key, then those that are known, each in backticks.
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return ConfigError::at(path, text, at, message, None);
    };
    let (key, rest) = rest.rsplit_once("`, expected ").unwrap_or((rest, ""));
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let likeness = |known: &str| (strsim::normalized_damerau_levenshtein(known, key) * 1e6) as u64;
    // What is much longer than any of them is like none.
    let near = known.iter().filter(|_| key.len() <= 100).max_by_key(|known| likeness(known));
    let near = near.filter(|known| likeness(known) >= 500_000);
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here are {}", known.join(", ")),
    };
    ConfigError::at(path, text, at, format!("unknown key `{key}`"), Some(help))
}
