//! The names in files: of charts and releases, of CRDs, and the URLs of manifests.

use crate::source::is_yaml;
use std::collections::BTreeSet;

use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use super::places::Place;

/// Names, in lower case.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Words, with dashes for underscores.
    words: FxHashSet<SmolStr>,
    /// Words that stand where a chart is named: behind a slash or `chart:`.
    charts: FxHashSet<SmolStr>,
    /// Names with dots or underscores in them: of CRDs and their files.
    dotted: BTreeSet<SmolStr>,
    /// URLs of manifests, without what does not tell them apart.
    manifests: BTreeSet<String>,
}

/// Charts whose names are words that stand anywhere.
pub(super) const COMMON: [&str; 12] = [
    "alloy", "base", "consul", "foreman", "kong", "multus", "operator", "piraeus", "sloth", "contour", "tuppr", "vault",
];

/// Ends of file names: a name before one of them is the name of what the file is about.
const ENDS: [&str; 11] = ["gotmpl", "j2", "json", "sh", "sops", "tf", "tgz", "tpl", "values", "yaml", "yml"];

impl Names {
    pub(super) fn merge(&mut self, other: Self) {
        self.words.extend(other.words);
        self.charts.extend(other.charts);
        self.dotted.extend(other.dotted);
        self.manifests.extend(other.manifests);
    }

    /// Whether a chart, or a release of that name, is named.
    pub(super) fn has_chart(&self, name: &str) -> bool {
        let name = plain(name);
        let among = if COMMON.contains(&name.as_str()) || name.len() < 3 { &self.charts } else { &self.words };
        among.contains(&name)
    }

    /// Whether the CRD of a kind is named: `<plural>.<group>`, or a file `<group>_<plural>`. The group alone proves nothing.
    pub(super) fn has_crd(&self, group: &str, kind: &str) -> bool {
        let (group, kind) = (group.to_ascii_lowercase(), kind.to_ascii_lowercase());
        let irregular = kind.strip_suffix('y').map(|stem| format!("{stem}ies"));
        let plurals = [format!("{kind}s"), format!("{kind}es"), kind];
        plurals.iter().chain(&irregular).any(|plural| {
            let file = SmolStr::new(format!("{group}_{plural}"));
            let next = self.dotted.range(file.clone()..).next();
            let is_file = next.and_then(|next| next.strip_prefix(file.as_str()));
            is_file.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                || self.dotted.contains(format!("{plural}.{group}").as_str())
        })
    }

    /// Whether there is a URL of manifests that the project `owner/name` publishes.
    pub(super) fn has_manifest_of(&self, project: &str) -> bool {
        let project = format!("/{}/", project.to_ascii_lowercase());
        self.manifests.iter().any(|url| url.contains(&project) && is_release(url))
    }

    pub(super) fn add_manifest(&mut self, url: &str) {
        self.manifests.insert(format!("{}/", url.to_ascii_lowercase().replace(".git/", "/").replace("//", "/")));
        self.tokens(url, false);
    }

    pub(super) fn add_dotted(&mut self, name: &str) {
        self.dotted.insert(SmolStr::new(name.to_ascii_lowercase()));
    }

    /// Reads a text. With `has_words` each word counts; of prose only the commands do.
    pub(super) fn read(&mut self, text: &str, has_words: bool, is_prose: bool) {
        let mut list_of_disabled = false;
        for line in text.lines() {
            let trimmed = line.trim();
            let is_item = trimmed.starts_with('-');
            list_of_disabled &= is_item;
            if list_of_disabled || is_negative(trimmed) {
                list_of_disabled |= trimmed.ends_with(':');
                continue;
            }
            if is_prose && !["kubectl", "kustomize", "helm"].iter().any(|command| trimmed.contains(command)) {
                continue;
            }
            self.tokens(line, has_words);
            urls(line, &mut |url| self.add_manifest(url));
        }
    }

    /// The names in a line.
    fn tokens(&mut self, line: &str, has_words: bool) {
        let bytes = line.as_bytes();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let mut at = 0;
        while at < bytes.len() {
            if !is_name(bytes[at]) {
                at += 1;
                continue;
            }
            let start = at;
            while at < bytes.len() && is_name(bytes[at]) {
                at += 1;
            }
            let name = line[start..at].trim_matches(['.', '-']);
            if name.len() < 2 {
                continue;
            }
            if name.contains('.') && name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
                self.add_dotted(name);
            }
            if has_words {
                self.words_of(name, &line[..start]);
            }
        }
    }

    fn words_of(&mut self, name: &str, before: &str) {
        let parts: Vec<&str> = name.split('.').collect();
        for (index, part) in parts.iter().enumerate() {
            // `cert-manager` of `cert-manager.io` is an API group, of `cert-manager.yaml` a file.
            let is_word = parts[index + 1..].iter().all(|end| ENDS.contains(&end.to_ascii_lowercase().as_str()));
            if is_word && part.len() > 1 {
                let word = plain(part);
                let before = before.trim_end_matches([' ', '"', '\'']);
                if index == 0 && (before.ends_with('/') || before.ends_with("chart:") || before.ends_with("chart=")) {
                    self.charts.insert(word.clone());
                }
                self.words.insert(word);
            }
        }
    }
}

/// The names in the path of a file that sets a cluster up.
pub(super) fn read_path(names: &mut Names, place: &Place<'_>) {
    if place.is_named_after_crd() {
        names.add_dotted(place.path.rsplit('/').next().unwrap_or_default());
    }
}

/// The ways to write a name: with dashes, and with underscores.
pub(super) fn variants(name: &str) -> [String; 2] {
    [name.to_owned(), name.replace('-', "_")]
}

fn plain(name: &str) -> SmolStr {
    let is_plain = |byte: u8| !byte.is_ascii_uppercase() && byte != b'_';
    if name.bytes().all(is_plain) { name.into() } else { name.to_ascii_lowercase().replace('_', "-").into() }
}

/// Whether a line takes something away, or leaves it out.
pub(super) fn is_negative(line: &str) -> bool {
    const WORDS: [&str; 5] = ["disable:", "--disable", "uninstall", "--no-deploy", "kubectl delete"];
    WORDS.iter().any(|word| line.contains(word))
}

/// The URLs of a line that name a manifest or a folder of manifests.
fn urls(line: &str, found: &mut dyn FnMut(&str)) {
    let mut from = 0;
    while let Some(at) = line[from..].find("://").map(|at| at + 3).or_else(|| line[from..].find("github.com/")) {
        let start = from + at;
        let end = start + url_length(&line[start..]);
        let url = &line[start..end];
        let path = url.split(['?', '#']).next().unwrap_or_default();
        if is_yaml(path) || path.ends_with(".json") || url.contains("?ref=") || url.contains(".git/") {
            found(url);
        }
        from = end.max(start + 1).min(line.len());
        while !line.is_char_boundary(from) {
            from += 1;
        }
    }
}

/// How long a URL is: it ends at a blank or a quote, but not inside the braces of a template.
fn url_length(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ' ' | '\t' | '"' | '\'' | '`' | ')' | '>' | ',' | '<' | '|' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Whether a URL looks like that of what a project asks to apply: its CRDs or its release.
fn is_release(url: &str) -> bool {
    const WORDS: [&str; 10] =
        ["crd", "bundle", "install", "/releases/", "manifest", "operator", "deploy", "setup", "?ref=", "/config/"];
    let file = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let is_other =
        ["values", "dashboard", "alert", "rule", "chart.yaml", "example"].iter().any(|word| file.contains(word));
    !is_other && WORDS.iter().any(|word| url.contains(word))
}
