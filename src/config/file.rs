//! The file as it is written, and how it becomes a [`Config`].

use std::{collections::BTreeMap, path::Path};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Config, ConfigError, FailOn, durations,
    objects::{self, BudgetEntry, ExternalEntry},
    places::ConfigText,
    rules::{self, RuleTable, RuleTables},
    texts::{DurationText, FailLevel, Level, ProfileName, SelectorText, Sureness, VersionText},
    values::Checked,
};
use crate::{
    finding::{Confidence, Severity},
    flux::FluxVersion,
    source::{MappedSource, RemoteUrl, names},
    timing::Profile,
};

/// What a repository has to say about its own analysis.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    /// The artifact root, the folder that every `spec.path` is relative to, from the folder of this file. Found by itself
    /// where not set.
    #[schemars(with = "Option<String>")]
    root: Option<Spanned<String>>,
    /// Files and folders that are looked at where the command line names none, from the folder of this file. The working
    /// directory where not set.
    #[schemars(with = "Option<Vec<String>>")]
    paths: Option<Spanned<Vec<Spanned<String>>>>,
    /// Globs of files and folders that nothing is reported about, from the folder of this file. What Flux makes of them is built
    /// all the same.
    #[schemars(with = "Option<Vec<String>>")]
    exclude: Option<Spanned<Vec<Spanned<String>>>>,
    /// The Flux release, where the repository does not tell; the newest where nobody does.
    #[schemars(with = "Option<VersionText>")]
    flux_version: Option<Spanned<Checked<FluxVersion>>>,
    /// The longest a cold start may take; no limit where not set.
    #[schemars(with = "Option<DurationText>")]
    max_path: Option<Spanned<Checked<std::time::Duration>>>,
    /// Which findings fail a run: those of this severity and above.
    #[schemars(with = "Option<FailLevel>", extend("default" = "error"))]
    fail_on: Option<Spanned<Checked<FailOn>>>,
    /// Which findings are shown: those of this severity and above.
    #[schemars(with = "Option<Level>", extend("default" = "warning"))]
    min_severity: Option<Spanned<Checked<Severity>>>,
    /// Which findings are shown: those of this confidence and above.
    #[schemars(with = "Option<Sureness>", extend("default" = "medium"))]
    min_confidence: Option<Spanned<Checked<Confidence>>>,
    /// Whether a comment or an entry of `ignore` has to say why, to silence a finding.
    #[schemars(with = "Option<bool>", extend("default" = false))]
    require_reason: Option<Spanned<bool>>,
    /// The hardware that minutes are for: `slow`, a homelab, or `fast`, a datacentre.
    #[schemars(with = "Option<ProfileName>", extend("default" = "slow"))]
    profile: Option<Spanned<Checked<Profile>>>,
    /// The only rules that run, by id or category; all where not set. One that is named by its id runs also where it is
    /// pedantic.
    #[schemars(with = "Option<Vec<SelectorText>>")]
    select: Option<Spanned<Vec<Spanned<String>>>>,
    /// Rules that do not run, by id or category.
    #[schemars(with = "Option<Vec<SelectorText>>")]
    ignore: Option<Spanned<Vec<Spanned<String>>>>,
    /// Whether rules on probation run.
    #[schemars(with = "Option<bool>", extend("default" = false))]
    preview: Option<Spanned<bool>>,
    /// A file of findings that are known, from the folder of this file; `fluxdag lint --write-baseline` makes it.
    #[schemars(with = "Option<String>")]
    baseline: Option<Spanned<String>>,
    /// What is set for single rules.
    #[serde(default)]
    #[schemars(with = "RuleTables")]
    rules: BTreeMap<Spanned<String>, RuleTable>,
    /// Objects that are made outside the repository.
    #[serde(default)]
    #[schemars(with = "Vec<ExternalEntry>")]
    externals: Vec<Spanned<ExternalEntry>>,
    /// How long single Kustomizations may take.
    #[serde(default)]
    #[schemars(with = "Vec<BudgetEntry>")]
    budgets: Vec<Spanned<BudgetEntry>>,
    /// How long things take in your cluster.
    #[serde(default)]
    #[schemars(with = "Vec<durations::Entry>")]
    durations: Vec<Spanned<durations::Entry>>,
    /// Folders on disk that stand for other repositories.
    #[serde(default)]
    #[schemars(with = "Vec<Source>")]
    sources: Vec<Spanned<Source>>,
}

/// A folder on disk that stands for another repository.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Source {
    /// The URL of the repository; of a Bucket `endpoint/bucketName`.
    #[schemars(with = "String")]
    url: Spanned<String>,
    /// One branch, tag or commit; any where not set.
    r#ref: Option<String>,
    /// The folder, from the folder of this file.
    #[schemars(with = "String")]
    path: Spanned<String>,
}

/// Most entries of a list: each file is compared with all of them.
const ENTRIES: usize = 1000;

/// Most sources of one file: the folder of each is listed.
const SOURCES: usize = 100;

pub(super) fn read(text: &str, path: &Path, within: Option<&Path>) -> Result<Config, ConfigError> {
    let file: File = toml::from_str(text).map_err(|error| fault(&error, text, path))?;
    let place = ConfigText { text, path, within };
    let items = |all: &Option<Spanned<Vec<Spanned<String>>>>| {
        all.as_ref().map(|all| all.get_ref().as_slice()).unwrap_or_default().to_vec()
    };
    let lists =
        [("paths", &file.paths), ("exclude", &file.exclude), ("select", &file.select), ("ignore", &file.ignore)];
    for (name, list) in lists {
        if let Some(one_more) = list.as_ref().and_then(|list| list.get_ref().get(ENTRIES)) {
            return Err(place.fault(one_more.span().start, format!("more than {ENTRIES} entries of `{name}`"), None));
        }
    }
    let require_reason = file.require_reason.as_ref().map(|it| *it.get_ref());
    let mut config = Config {
        root: file.root.as_ref().map(|root| place.existing_folder(root)).transpose()?,
        paths: items(&file.paths).iter().map(|path| place.existing_path(path)).collect::<Result<_, _>>()?,
        exclude: items(&file.exclude).iter().map(|glob| rules::path_pattern(glob, &place)).collect::<Result<_, _>>()?,
        select: rules::selectors(file.select.as_ref(), &place)?,
        ignore: rules::selectors(file.ignore.as_ref(), &place)?,
        preview: file.preview.as_ref().map(|it| *it.get_ref()),
        baseline: file.baseline.as_ref().map(|baseline| place.file(baseline)).transpose()?,
        require_reason,
        externals: objects::externals(&file.externals, &place)?,
        budgets: objects::budgets(&file.budgets, &place)?,
        durations: durations::read(&file.durations, &|start, message, help| place.fault(start, message, help))?,
        sources: sources(&file.sources, &place)?,
        folder: Some(place.folder().to_owned()),
        lines: lines(&file, &place),
        ..Config::default()
    };
    rules::read(&file.rules, &place, require_reason.unwrap_or_default(), &mut config)?;
    Ok(Config {
        flux_version: file.flux_version.map(checked),
        max_path: file.max_path.map(checked),
        fail_on: file.fail_on.map(checked),
        min_severity: file.min_severity.map(checked),
        min_confidence: file.min_confidence.map(checked),
        profile: file.profile.map(checked),
        ..config
    })
}

fn checked<T>(value: Spanned<Checked<T>>) -> T {
    value.into_inner().0
}

/// The lines of the keys that are set, but for those of rules.
fn lines(file: &File, place: &ConfigText<'_>) -> BTreeMap<String, usize> {
    let start = |span: Option<std::ops::Range<usize>>| span.map(|span| place.line(span.start));
    macro_rules! of {
        ($($name:literal = $field:ident),+ $(,)?) => {
            [$(($name, start(file.$field.as_ref().map(Spanned::span)))),+]
        };
    }
    let keys = of![
        "root" = root,
        "paths" = paths,
        "exclude" = exclude,
        "flux-version" = flux_version,
        "max-path" = max_path,
        "fail-on" = fail_on,
        "min-severity" = min_severity,
        "min-confidence" = min_confidence,
        "require-reason" = require_reason,
        "profile" = profile,
        "select" = select,
        "ignore" = ignore,
        "preview" = preview,
        "baseline" = baseline,
    ];
    fn each<'f, T>(
        name: &'static str,
        all: &'f [Spanned<T>],
        place: &'f ConfigText<'_>,
    ) -> impl Iterator<Item = (String, usize)> + 'f {
        all.iter().enumerate().map(move |(at, one)| (format!("{name}[{at}]"), place.line(one.span().start)))
    }
    let keys = keys.into_iter().filter_map(|(name, line)| Some((name.to_owned(), line?)));
    keys.chain(each("externals", &file.externals, place))
        .chain(each("budgets", &file.budgets, place))
        .chain(each("durations", &file.durations, place))
        .chain(each("sources", &file.sources, place))
        .collect()
}

fn sources(entries: &[Spanned<Source>], place: &ConfigText<'_>) -> Result<Vec<MappedSource>, ConfigError> {
    if let Some(one_more) = entries.get(SOURCES) {
        return Err(place.fault(one_more.span().start, format!("more than {SOURCES} sources"), None));
    }
    let mut sources: Vec<MappedSource> = Vec::new();
    for source in entries {
        let Source { url, r#ref, path } = source.get_ref();
        let parsed = RemoteUrl::parse(url.get_ref());
        if parsed.text().is_empty() || url.get_ref().contains('?') {
            let message = format!("`{}` is no URL of a repository", url.get_ref());
            let help = "write it like https://github.com/org/repo; a branch or tag goes into `ref`";
            return Err(place.fault(url.span().start, message, Some(help)));
        }
        let same =
            |known: &MappedSource| known.url.text().eq_ignore_ascii_case(parsed.text()) && known.reference == *r#ref;
        if sources.iter().any(same) {
            let message = format!("`{}` is mapped twice", url.get_ref());
            let help = "keep one of the two, or tell them apart by `ref`";
            return Err(place.fault(url.span().start, message, Some(help)));
        }
        let folder = place.existing_folder(path)?;
        let written = path.get_ref().clone();
        sources.push(MappedSource { url: parsed, reference: r#ref.clone(), folder, written });
    }
    Ok(sources)
}

/// The words of serde, `de::Error::invalid_type`, without names of types of ours.
fn plain(message: String) -> String {
    let parts = message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "));
    let Some((found, wanted)) = parts else { return message };
    let wanted = match wanted {
        "a sequence" => "a list",
        "a map" => "a table",
        _ if wanted.starts_with("struct ") => "a table",
        _ => wanted,
    };
    format!("invalid type: {found}, expected {wanted}")
}

/// What the parser says, with the likely key where one is unknown.
fn fault(error: &toml::de::Error, text: &str, path: &Path) -> ConfigError {
    let at = error.span().map_or(0, |span| span.start);
    let message = error.message().lines().collect::<Vec<_>>().join("; ");
    // serde, `de::Error::unknown_field`: the key, then those that are known, each in backticks.
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return ConfigError::at(path, text, at, plain(message), None);
    };
    let (key, rest) = rest.rsplit_once("`, expected ").unwrap_or((rest, ""));
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let help = match names::nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here are {}", known.join(", ")),
    };
    ConfigError::at(path, text, at, format!("unknown key `{key}`"), Some(help))
}
