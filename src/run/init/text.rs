//! The text of the file. A line that begins with `#` and a letter or bracket is a setting, one with `# ` a remark.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use super::inventory::Found;
use crate::{
    config::SCHEMA_URL,
    finding::{Finding, Severity, about},
    flux::format_duration,
    report::{Filter, count, printable},
    run::Analysis,
};

/// Entries listed of what there may be very many.
const LISTED: usize = 30;

/// `text` as a string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in printable(text).chars() {
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
    out
}

/// The next five minutes above.
fn limit(duration: Duration) -> String {
    format_duration(Duration::from_secs((duration.as_secs() / 300 + 1) * 300))
}

/// The file.
pub(super) fn write(found: &Found, analysis: &Analysis) -> String {
    let shown: Vec<&Finding> = analysis
        .findings
        .iter()
        .filter(|finding| finding.suppressed.is_none() && Filter::default().shows(finding))
        .collect();
    let mut text = format!("#:schema {SCHEMA_URL}\n");
    text += "\n# Configuration of fluxdag. Everything is optional and commented out: nothing here changes a result until the `#` at\n\
             # the head of a line is removed. `fluxdag config show` prints what is in force, and who says so.\n#\n";
    clusters(&mut text, found);
    keys(&mut text, found, &shown);
    rules(&mut text, &shown);
    externals(&mut text, found);
    times(&mut text, found);
    sources(&mut text, found);
    text
}

fn clusters(text: &mut String, found: &Found) {
    *text += &format!("# Found: {}\n", count(found.clusters.len(), "cluster"));
    for cluster in found.clusters.iter().take(LISTED) {
        let mut notes = vec![count(cluster.nodes, "node")];
        if cluster.unresolved > 0 {
            notes.push(format!("{} partly resolved", cluster.unresolved));
        }
        notes.extend(cluster.flux_version.as_ref().map(|version| format!("Flux {version}")));
        if let Some((time, subject)) = &cluster.longest {
            notes.push(format!("a cold start of about {} up to {subject}", about(*time)));
        }
        let root = if cluster.root.is_empty() { "." } else { &cluster.root };
        *text += &format!("#   {}: {}\n", printable(root), printable(&notes.join(", ")));
    }
    if found.clusters.len() > LISTED {
        *text += &format!("#   and {} more\n", found.clusters.len() - LISTED);
    }
}

/// Adds a remark and settings below it.
fn add(text: &mut String, remark: &str, settings: &[String]) {
    text.push('\n');
    for line in remark.lines() {
        let _ = writeln!(text, "# {line}");
    }
    for setting in settings {
        let _ = writeln!(text, "#{setting}");
    }
}

fn keys(text: &mut String, found: &Found, shown: &[&Finding]) {
    let root = if found.root.is_empty() { "." } else { &found.root };
    add(
        text,
        "The artifact root, the folder that every `spec.path` is relative to. It was found by itself.",
        &[format!("root = {}", quoted(root))],
    );
    let roots = found.clusters.iter().map(|cluster| if cluster.root.is_empty() { "." } else { &cluster.root });
    let roots: Vec<String> = roots.take(LISTED).map(quoted).collect();
    let remark = "What `fluxdag lint` looks at where it is given no path; the working directory where not set.";
    add(text, remark, &[format!("paths = [{}]", roots.join(", "))]);
    let remark = "Files that nothing is reported about. What Flux makes of them is built all the same.";
    add(text, remark, &["exclude = [\"**/testdata/**\"]".to_owned()]);
    let version = found.clusters.iter().find_map(|cluster| cluster.flux_version.as_deref());
    let version = version.map_or("2.9", |version| version.trim_start_matches('v'));
    let remark = "The Flux release, for clusters whose files do not tell it.";
    add(text, remark, &[format!("flux-version = {}", quoted(version))]);
    let remark = "The hardware that minutes are for: slow, a homelab, or fast, a datacentre.";
    add(text, remark, &["profile = \"slow\"".to_owned()]);
    let longest = found.clusters.iter().filter_map(|cluster| cluster.longest.as_ref()).max();
    let (remark, most) = match longest {
        Some((time, _)) => (
            format!(
                "The longest a cold start may take. Today it is about {}; what is longer is a warning.",
                about(*time)
            ),
            limit(*time),
        ),
        None => ("The longest a cold start may take; what is longer is a warning.".to_owned(), "15m".to_owned()),
    };
    add(text, &remark, &[format!("max-path = {}", quoted(&most))]);
    add(text, "Which findings fail a run: error, warning, info or never.", &["fail-on = \"error\"".to_owned()]);
    add(
        text,
        "Which findings are shown: this severity (error, warning, info) and confidence (high, medium, low), and above.",
        &["min-severity = \"warning\"".to_owned(), "min-confidence = \"medium\"".to_owned()],
    );
    add(text, "Whether whoever silences a finding has to say why.", &["require-reason = false".to_owned()]);
    let remark = "The only rules that run, and those that do not: ids or categories, see `fluxdag rules`.";
    add(text, remark, &["select = [\"deadlock\", \"reference\", \"gate\", \"time\", \"order\", \"ownership\", \"build\", \"change\"]".to_owned(), "ignore = []".to_owned()]);
    add(text, "Whether rules on probation run.", &["preview = false".to_owned()]);
    let of = |severity| shown.iter().filter(|finding| finding.severity == severity).count();
    let remark = match (of(Severity::Error), of(Severity::Warning)) {
        (0, 0) => "Findings that are known, and neither shown nor failed for. There are none today.".to_owned(),
        (errors, warnings) => format!(
            "Findings that are known, and neither shown nor failed for. Today: {} and {};\n\
             `fluxdag lint --write-baseline` writes them down.",
            count(errors, "error"),
            count(warnings, "warning")
        ),
    };
    add(text, &remark, &["baseline = \"fluxdag-baseline.json\"".to_owned()]);
}

fn rules(text: &mut String, shown: &[&Finding]) {
    let mut by_rule: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in shown {
        by_rule.entry(finding.rule).or_default().push(finding);
    }
    let remark = "Single rules: another severity (error, warning, info, off), and findings to silence, by object, path or cluster.\n\
                  `*` is anything within a part of a name, `**` any number of parts.";
    let most = by_rule.into_iter().max_by_key(|(rule, found)| (found.len(), std::cmp::Reverse(*rule)));
    let (rule, severity, object) = match most {
        Some((rule, found)) => (rule, found[0].severity.to_string(), found[0].subject.to_string()),
        None => ("heavy-in-wait", "warning".to_owned(), "Kustomization/flux-system/apps".to_owned()),
    };
    let object = object.replace(['*', '?', '[', ']', '{', '}'], "?");
    add(
        text,
        remark,
        &[
            format!("[rules.{rule}]"),
            format!("severity = {}", quoted(&severity)),
            format!("ignore = [{{ object = {}, reason = \"why\" }}]", quoted(&object)),
        ],
    );
}

fn externals(text: &mut String, found: &Found) {
    let remark = "Objects that are made outside the repository and are there before Flux starts. What names them is not missing, and\n\
                  waits for nothing. Globs may stand for names.";
    if found.inputs.is_empty() {
        let entry = ["[[externals]]", "kind = \"Secret\"", "namespace = \"flux-system\"", "name = \"cluster-*\""];
        let entry = entry.into_iter().chain(["reason = \"made by Terraform\""]).map(str::to_owned);
        return add(text, remark, &entry.collect::<Vec<_>>());
    }
    let more = found.inputs.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    add(text, &format!("{remark}\nFound: what Flux objects read and no build makes{more}."), &[]);
    for input in found.inputs.iter().take(LISTED) {
        let namespace = input.namespace.as_ref().map(|namespace| format!("namespace = {}", quoted(namespace)));
        let mut entry = vec!["[[externals]]".to_owned(), format!("kind = {}", quoted(&input.kind))];
        entry.extend(namespace);
        entry.push(format!("name = {}", quoted(&input.name)));
        add(text, "", &entry);
    }
}

fn times(text: &mut String, found: &Found) {
    let longest = found.clusters.iter().filter_map(|cluster| cluster.longest.as_ref());
    let longest = longest.filter(|(_, subject)| subject.kind == "Kustomization").max();
    let (node, most) = longest.map_or_else(
        || ("flux-system/apps".to_owned(), "10m".to_owned()),
        |(time, subject)| {
            (format!("{}/{}", subject.namespace.as_deref().unwrap_or_default(), subject.name), limit(*time))
        },
    );
    let remark = "How long it may take until a Kustomization is Ready.";
    add(
        text,
        remark,
        &["[[budgets]]".to_owned(), format!("node = {}", quoted(&node)), format!("max-path = {}", quoted(&most))],
    );
    let (chart, typical) = found.slowest.as_ref().map_or_else(
        || ("longhorn".to_owned(), "4m".to_owned()),
        |(time, chart)| (chart.clone(), format_duration(*time)),
    );
    let remark = "How long something takes in your cluster, by chart, node (`namespace/name`) or object (`Kind/namespace/name`).";
    add(
        text,
        remark,
        &["[[durations]]".to_owned(), format!("chart = {}", quoted(&chart)), format!("typical = {}", quoted(&typical))],
    );
}

fn sources(text: &mut String, found: &Found) {
    let remark = "Folders on disk that stand for other repositories: remote bases, and Kustomizations of other sources. fluxdag downloads\n\
                  nothing: put the folder there before it runs.";
    if found.sources.is_empty() {
        let entry = ["[[sources]]", "url = \"https://github.com/org/platform\"", "path = \"vendor/platform\""];
        return add(text, remark, &entry.map(str::to_owned));
    }
    add(text, &format!("{remark} Found, and not resolved:"), &[]);
    for (url, reference) in found.sources.iter().take(LISTED) {
        let name = url.trim_end_matches(".git").rsplit(['/', ':']).next().unwrap_or_default();
        let mut entry = vec!["[[sources]]".to_owned(), format!("url = {}", quoted(url))];
        entry.extend(reference.as_ref().map(|reference| format!("ref = {}", quoted(reference))));
        entry.push(format!("path = {}", quoted(&format!("vendor/{name}"))));
        add(text, "", &entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_name_holds_the_file_parses() {
        for name in ["a\"b", "a\\", "a\nb = 1", "a\u{7f}\u{1b}[31m", "\u{202e}a", "é"] {
            let line = format!("name = {}", quoted(name));
            assert!(!line.contains('\n'), "{line}");
            let read: toml::Table = toml::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(read.len(), 1, "{line}");
        }
    }

    #[test]
    fn limits_are_five_minutes_apart() {
        assert_eq!([0, 299, 300, 1000].map(|seconds| limit(Duration::from_secs(seconds))), ["5m", "5m", "10m", "20m"]);
    }
}
