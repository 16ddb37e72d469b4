use std::path::Path;

use crate::{
    cluster::is_named,
    finding::{Finding, Suppressed, SuppressionKind},
    source::{Pattern, Tree, join, slashed},
};

/// Findings of one rule that the configuration silences. What is not set is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignore {
    /// The id of the rule.
    pub rule: &'static str,
    /// What they are about, as `Kind/namespace/name`: their subject, or a member of a loop.
    pub object: Option<Pattern>,
    /// The file they point to, or a folder that holds it.
    pub path: Option<Pattern>,
    /// The cluster they hold in, named as for `--cluster`.
    pub cluster: Option<String>,
    /// Why, where that is said.
    pub reason: Option<String>,
    /// File and line that say so.
    pub place: String,
}

impl Ignore {
    /// Whether it means `finding`, whose file is `path` as seen from where patterns count from. A finding that holds in
    /// several clusters is meant where all of them are.
    fn means(&self, finding: &Finding, path: Option<&str>) -> bool {
        let is_object = |pattern: &Pattern| {
            let subjects = std::iter::once(&finding.subject).chain(&finding.members);
            subjects.into_iter().any(|subject| pattern.matches(&subject.to_string()))
        };
        let is_cluster = |wanted: &String| {
            !finding.clusters.is_empty() && finding.clusters.iter().all(|root| is_named(root, wanted))
        };
        self.rule == finding.rule
            && self.object.as_ref().is_none_or(is_object)
            && self.path.as_ref().is_none_or(|pattern| path.is_some_and(|path| pattern.covers(path)))
            && self.cluster.as_ref().is_none_or(is_cluster)
    }
}

/// Drops the findings that point into files that `exclude` covers, and marks those that `ignores` mean. Paths in both count from
/// the folder `from`, or from the root of `tree`. The result tells of each entry of `ignores` whether it means any finding.
pub fn leave_out(
    findings: &mut Vec<Finding>,
    tree: &Tree,
    from: Option<&Path>,
    exclude: &[Pattern],
    ignores: &[Ignore],
) -> Vec<bool> {
    let from = from.unwrap_or_else(|| tree.root());
    let path_of = |finding: &Finding| {
        let path = tree.path(finding.location.span()?.file);
        seen_from(from, tree.root(), path)
    };
    if !exclude.is_empty() {
        let is_excluded = |path: String| exclude.iter().any(|pattern| pattern.covers(&path));
        findings.retain(|finding| !path_of(finding).is_some_and(is_excluded));
    }
    ignore(findings, ignores, &path_of)
}

/// The entries that mean no finding, in words: `used` tells of each whether it does, `complete` has the rules that would have found
/// all that they ever find.
pub fn unused<'i>(
    ignores: &'i [Ignore],
    used: &'i [bool],
    complete: &'i [&'static str],
) -> impl Iterator<Item = String> + use<'i> {
    let unused = ignores.iter().zip(used).filter(|(entry, used)| !**used && complete.contains(&entry.rule));
    unused.map(|(Ignore { place, rule, .. }, _)| {
        format!("{place}: this entry of `ignore` silences nothing: `{rule}` finds nothing that it means")
    })
}

/// A path below `root` as it is from `folder`; `None` where it does not lie below that.
fn seen_from(folder: &Path, root: &Path, path: &str) -> Option<String> {
    if let Ok(below) = root.strip_prefix(folder) {
        return join(&slashed(below), path);
    }
    let above = slashed(folder.strip_prefix(root).ok()?);
    path.strip_prefix(&above)?.strip_prefix('/').map(str::to_owned)
}

/// Marks the findings that `ignores` mean. `path_of` gives the file of a finding. The result tells of each entry whether it
/// means any finding at all.
fn ignore(findings: &mut [Finding], ignores: &[Ignore], path_of: &dyn Fn(&Finding) -> Option<String>) -> Vec<bool> {
    let mut used = vec![false; ignores.len()];
    if ignores.is_empty() {
        return used;
    }
    for finding in findings {
        let path = path_of(finding);
        for (index, entry) in ignores.iter().enumerate() {
            if !entry.means(finding, path.as_deref()) {
                continue;
            }
            used[index] = true;
            // A comment beside the fault says more.
            if finding.suppressed.is_none() {
                let reason = entry.reason.clone();
                finding.suppressed = Some(Suppressed { kind: SuppressionKind::Config, reason });
            }
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{finding::Subject, rules::RULES, source::Span};

    fn means(entry: Ignore, clusters: &[&str]) -> bool {
        let info = &RULES[0].info;
        let subject =
            Subject { kind: "HelmRelease".to_owned(), namespace: Some("media".to_owned()), name: "plex".to_owned() };
        let mut finding = Finding::new(info, subject, Span::NONE, "wrong".to_owned());
        finding.clusters = clusters.iter().map(|root| (*root).to_owned()).collect();
        let entry = Ignore { rule: info.id, ..entry };
        let mut findings = [finding];
        let used = ignore(&mut findings, &[entry], &|_| Some("apps/media/plex.yaml".to_owned()));
        assert_eq!(findings[0].suppressed.as_ref().map(|it| it.kind), used[0].then_some(SuppressionKind::Config));
        used[0]
    }

    #[test]
    fn all_that_an_entry_says_has_to_hold() {
        let pattern = |text: &str| Some(Pattern::parse(text).expect("valid"));
        let of = |object: Option<Pattern>, path: Option<Pattern>| Ignore { object, path, ..Ignore::default() };
        assert!(means(of(pattern("HelmRelease/media/*"), None), &[]));
        assert!(means(of(pattern("HelmRelease/media/*"), pattern("apps")), &[]));
        assert!(!means(of(pattern("HelmRelease/media/*"), pattern("infra")), &[]));
        assert!(!means(of(pattern("HelmRelease/other/*"), pattern("apps")), &[]));
    }

    #[test]
    fn paths_count_from_the_folder_of_the_file_that_names_them() {
        let seen = |folder: &str, root: &str, path: &str| seen_from(Path::new(folder), Path::new(root), path);
        assert_eq!(seen("/repo", "/repo", "apps/a.yaml").as_deref(), Some("apps/a.yaml"));
        assert_eq!(seen("/repo", "/repo/kubernetes", "apps/a.yaml").as_deref(), Some("kubernetes/apps/a.yaml"));
        assert_eq!(seen("/repo", "/repo/kubernetes", "../vendor/a.yaml").as_deref(), Some("vendor/a.yaml"));
        assert_eq!(seen("/repo/clusters", "/repo", "clusters/a.yaml").as_deref(), Some("a.yaml"));
        assert_eq!(seen("/repo/clusters", "/repo", "apps/a.yaml"), None);
        assert_eq!(seen("/other", "/repo", "apps/a.yaml"), None);
    }

    #[test]
    fn a_finding_of_several_clusters_is_meant_where_all_of_them_are() {
        let of = || Ignore { cluster: Some("prod".to_owned()), ..Ignore::default() };
        assert!(means(of(), &["clusters/prod"]));
        assert!(!means(of(), &["clusters/prod", "clusters/dev"]));
        assert!(!means(of(), &[]));
    }
}
