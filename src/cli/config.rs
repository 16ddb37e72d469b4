//! `fluxdag config`: what is in force and who says so, and the schema of the file.

use serde_json::{Value, json};

use super::{
    args::{AnswerFormat, ConfigSchema, ConfigShow, Configure, ConfigureCommand},
    environment::Environment,
    error::CliError,
    origins::Origin,
    print,
    settings::Settings,
};
use crate::{
    config::{self, FailOn},
    flux::format_duration,
    report::{SettingOrigin, ShownSetting, ShownSettings, document, printable},
    source::Syntax,
};

/// One setting: its key, its value, and who says so.
struct Row {
    key: String,
    value: Value,
    origin: Origin,
}

pub(super) fn run(configure: &Configure, environment: &Environment) -> Result<(), CliError> {
    match &configure.command {
        ConfigureCommand::Show(show) => {
            let syntax = if show.format == AnswerFormat::Json { Syntax::Json } else { Syntax::Text };
            print(&shown(show, environment)?, syntax)
        }
        ConfigureCommand::Schema(ConfigSchema {}) => print(&schema()?, Syntax::Own),
    }
}

fn schema() -> Result<String, CliError> {
    let text = serde_json::to_string_pretty(&config::schema());
    text.map(|text| text + "\n").map_err(|error| CliError::new(format!("failed to write JSON: {error}")))
}

fn shown(show: &ConfigShow, environment: &Environment) -> Result<String, CliError> {
    let settings = Settings::chosen(&show.choices, environment)?;
    let mut rows = scalars(&settings, environment);
    rows.extend(tables(&settings));
    let file = settings.file.as_ref().map(|file| file.to_string_lossy().into_owned());
    if show.format == AnswerFormat::Json {
        let settings = rows.into_iter().map(|row| ShownSetting {
            key: row.key,
            value: row.value,
            origin: match row.origin {
                Origin::Flag(name) => SettingOrigin::Flag { name },
                Origin::Variable(name) => SettingOrigin::Environment { name },
                Origin::File(line) => SettingOrigin::File { path: file.clone().unwrap_or_default(), line },
                Origin::Default => SettingOrigin::Default,
            },
        });
        let settings = settings.collect();
        return Ok(document(&ShownSettings { clusters: [], file, settings }));
    }
    let found = match &file {
        Some(file) => format!("configuration: {}\n", printable(file)),
        None => "configuration: no file\n".to_owned(),
    };
    let texts: Vec<(String, String)> = rows.iter().map(|row| (row.key.clone(), text(&row.value))).collect();
    let width = |of: fn(&(String, String)) -> usize| texts.iter().map(of).max().unwrap_or_default();
    let (keys, values) = (width(|row| row.0.chars().count()), width(|row| row.1.chars().count()).min(WIDEST));
    let lines = texts.iter().zip(&rows).map(|((key, value), row)| {
        let origin = match row.origin {
            Origin::Flag(name) => name.to_owned(),
            Origin::Variable(name) => name.to_owned(),
            Origin::File(line) => format!("{}:{line}", printable(file.as_deref().unwrap_or_default())),
            Origin::Default => "default".to_owned(),
        };
        format!("{key:keys$}  {value:values$}  {origin}\n")
    });
    Ok(found + &lines.collect::<String>())
}

/// Values that are longer push what is behind them to the right.
const WIDEST: usize = 48;

fn text(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => printable(text).into_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            fields.map(|(key, value)| format!("{key} = {}", text(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// The settings of one value, in the order of the documentation.
fn scalars(settings: &Settings, environment: &Environment) -> Vec<Row> {
    let Settings { options, filter, fail_on, paths, baseline, origins, .. } = settings;
    let path = |path: &std::path::Path| json!(path.to_string_lossy());
    let list = |items: Vec<String>| json!(items);
    let fail_on = match fail_on {
        FailOn::AtLeast(severity) => severity.to_string(),
        FailOn::Never => "never".to_owned(),
    };
    let values = [
        ("root", json!(options.root.as_deref().map(path))),
        ("cluster", json!(options.cluster)),
        ("paths", json!(paths.iter().map(|it| path(it)).collect::<Vec<_>>())),
        ("exclude", list(options.exclude.iter().map(ToString::to_string).collect())),
        ("flux-version", json!(options.flux_version.map(|version| version.to_string()))),
        ("profile", json!(options.profile.name())),
        ("max-path", json!(options.max_path.map(format_duration))),
        ("fail-on", json!(fail_on)),
        ("min-severity", json!(filter.min_severity.to_string())),
        ("min-confidence", json!(filter.min_confidence.to_string())),
        ("require-reason", json!(options.require_reason)),
        ("select", list(options.selection.select.iter().map(ToString::to_string).collect())),
        ("ignore", list(options.selection.ignore.iter().map(ToString::to_string).collect())),
        ("pedantic", json!(options.pedantic)),
        ("preview", json!(options.selection.preview)),
        ("baseline", json!(baseline.as_deref().map(path))),
    ];
    let mut rows: Vec<Row> =
        values.into_iter().map(|(key, value)| Row { key: key.to_owned(), value, origin: origins.of(key) }).collect();
    let format = environment.format();
    let origin = if format.is_some() { Origin::Variable("FLUXDAG_FORMAT") } else { Origin::Default };
    rows.push(Row { key: "format".to_owned(), value: json!(format.unwrap_or("full")), origin });
    rows
}

/// What is said of single rules and objects.
fn tables(settings: &Settings) -> Vec<Row> {
    let Settings { options, origins, .. } = settings;
    let mut rows = Vec::new();
    let mut add = |key: String, value: Value| {
        let origin = origins.of(&key);
        rows.push(Row { key, value, origin });
    };
    for (id, severity) in &options.selection.severities {
        let severity = severity.map_or_else(|| "off".to_owned(), |severity| severity.to_string());
        add(format!("rules.{id}.severity"), json!(severity));
    }
    let (mut rule, mut index) = ("", 0);
    for entry in &options.ignores {
        index = if entry.rule == rule { index + 1 } else { 0 };
        rule = entry.rule;
        let texts = (&entry.object, &entry.path);
        let [object, path] = [texts.0, texts.1].map(|pattern| pattern.as_ref().map(ToString::to_string));
        let value = json!({"object": object, "path": path, "cluster": entry.cluster, "reason": entry.reason});
        add(format!("rules.{rule}.ignore[{index}]"), value);
    }
    for (index, external) in options.externals.iter().enumerate() {
        let namespace = external.namespace.as_ref().map(ToString::to_string);
        let (kind, name) = (external.kind.to_string(), external.name.to_string());
        let value = json!({"kind": kind, "namespace": namespace, "name": name, "reason": external.reason});
        add(format!("externals[{index}]"), value);
    }
    for (index, budget) in options.budgets.iter().enumerate() {
        let limit = format_duration(budget.max_path);
        let value = json!({"node": budget.node.to_string(), "cluster": budget.cluster, "max-path": limit});
        add(format!("budgets[{index}]"), value);
    }
    for (index, one) in options.durations.iter().enumerate() {
        let [low, typical, high] = [one.range.low, one.range.typical, one.range.high].map(format_duration);
        let value = json!({"of": one.target.to_string(), "low": low, "typical": typical, "high": high});
        add(format!("durations[{index}]"), value);
    }
    for (index, source) in options.sources.iter().enumerate() {
        let value = json!({"url": source.url.text(), "ref": source.reference, "path": source.written});
        add(format!("sources[{index}]"), value);
    }
    rows
}
