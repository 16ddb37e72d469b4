//! How many slips of the pen are found: typos planted in `dependsOn` of real repositories.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use fluxdag::{
    Error, Options,
    finding::{Confidence, Severity},
    lint,
    source::Span,
    survey,
};
use rayon::prelude::*;

use crate::support::{copy_folder, corpus, repositories};

/// Most typos in one repository: more of them at a time would hide each other.
const MOST: usize = 24;

/// The least share that a default run shows, in percent.
const LEAST: usize = 95;

/// An entry of `dependsOn`, at its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    path: String,
    start: usize,
    line: u32,
    name: String,
}

/// The entries of all Kustomizations and HelmReleases that an entry point reaches, where the name stands in the text.
fn reached(folder: &Path) -> BTreeSet<Entry> {
    let Ok(survey) = survey(&[folder.to_owned()], &Options::default()) else { return BTreeSet::new() };
    let mut found = BTreeSet::new();
    let tree = survey.store.tree();
    let mut note = |name: &str, span: Span| {
        let text = span.is_some().then(|| tree.text(span.file)).flatten();
        let is_plain = name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_plain && text.and_then(|text| text.get(span.start as usize..span.end as usize)) == Some(name) {
            found.insert(Entry {
                path: tree.path(span.file).to_owned(),
                start: span.start as usize,
                line: tree.position(span).line,
                name: name.to_owned(),
            });
        }
    };
    for cluster in survey.clusters.iter().filter(|cluster| cluster.reached) {
        for node in &cluster.nodes {
            for (index, entry) in node.kustomization.spec.depends_on.iter().enumerate() {
                note(&entry.name, node.kustomization.item_span(&["spec", "dependsOn"], index));
            }
        }
        for release in &cluster.releases {
            for (index, entry) in release.helm.spec.depends_on.iter().enumerate() {
                note(&entry.name, release.helm.item_span(&["spec", "dependsOn"], index));
            }
        }
    }
    found
}

/// The name with a slip in it, of another sort for each `index`.
fn misspelt(name: &str, index: usize) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = 1 + index % (letters.len() - 2);
    match index % 4 {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        2 if letters[at] != letters[at - 1] => letters.swap(at - 1, at),
        _ => letters[at] = if letters[at] == 'x' { 'y' } else { 'x' },
    }
    letters.into_iter().collect()
}

/// Typos in one repository: how many were planted, and those that a default run does not show.
fn plant(repository: &str, folder: &Path) -> (usize, Vec<String>) {
    let copy = tempfile::tempdir().expect("a temporary folder");
    copy_folder(folder, copy.path());
    let all = reached(copy.path());
    let names: BTreeSet<&str> = all.iter().map(|entry| entry.name.as_str()).collect();
    let step = all.len().div_ceil(MOST).max(1);
    let chosen = all.iter().step_by(step).enumerate();
    let mut planted: Vec<(&Entry, String)> =
        chosen.map(|(index, entry)| (entry, misspelt(&entry.name, index))).collect();
    planted.retain(|(_, typo)| !names.contains(typo.as_str()));
    let mut by_file: BTreeMap<&str, Vec<&(&Entry, String)>> = BTreeMap::new();
    for typo in &planted {
        by_file.entry(&typo.0.path).or_default().push(typo);
    }
    for (path, typos) in by_file {
        let path = copy.path().join(path);
        let mut text = fs::read_to_string(&path).expect("a text file");
        for (entry, typo) in typos.into_iter().rev() {
            text.replace_range(entry.start..entry.start + entry.name.len(), typo);
        }
        fs::write(&path, text).expect("a file is written");
    }
    let analysis = match lint(&[copy.path().to_owned()], &Options::default()) {
        Ok(analysis) => analysis,
        Err(Error::NoFluxObjects { .. }) => return (0, Vec::new()),
        Err(error) => panic!("{repository}: {error}"),
    };
    let mut found: BTreeMap<(String, u32), Vec<String>> = BTreeMap::new();
    let mut shown: BTreeSet<(String, u32)> = BTreeSet::new();
    for finding in &analysis.findings {
        let Some(span) = finding.location.span() else { continue };
        let place = (analysis.tree.path(span.file).to_owned(), analysis.tree.position(span).line);
        if finding.severity >= Severity::Warning && finding.confidence >= Confidence::Medium {
            shown.insert(place.clone());
        }
        found.entry(place).or_default().push(format!("{} {:?}: {}", finding.rule, finding.confidence, finding.why));
    }
    let is_missed = |(entry, _): &&(&Entry, String)| !shown.contains(&(entry.path.clone(), entry.line));
    let tell = |(entry, typo): &(&Entry, String)| {
        let known = found.get(&(entry.path.clone(), entry.line)).map(|all| all.join("; ")).unwrap_or_default();
        format!("{repository}: {}:{} {} as {typo}: {known}", entry.path, entry.line, entry.name)
    };
    (planted.len(), planted.iter().filter(is_missed).map(tell).collect())
}

#[test]
fn nearly_all_typos_in_dependencies_are_shown_by_default() {
    let Some(corpus) = corpus() else { return };
    // The incidents are excerpts of repositories that are here in full.
    let whole = repositories(&corpus).into_iter().filter(|(_, path)| path.parent() == Some(&corpus.join("repos")));
    let whole: Vec<_> = whole.collect();
    let results: Vec<(usize, Vec<String>)> = whole.par_iter().map(|(name, path)| plant(name, path)).collect();
    let planted: usize = results.iter().map(|(planted, _)| planted).sum();
    let missed: Vec<&String> = results.iter().flat_map(|(_, missed)| missed).collect();
    let shown = planted - missed.len();
    eprintln!("{shown} of {planted} typos are shown ({} %)", shown * 100 / planted.max(1));
    missed.iter().for_each(|missed| eprintln!("not shown: {missed}"));
    assert!(planted > 100, "{planted} typos prove little");
    assert!(shown * 100 >= planted * LEAST, "{shown} of {planted}: {missed:#?}");
}
