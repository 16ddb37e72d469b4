use std::collections::BTreeSet;

use rayon::prelude::*;

use super::{Cluster, Scope};
use crate::{
    finding::{CommentReader, MARK, Reach, Suppression},
    source::{FileId, is_yaml},
    yaml::{Store, comments},
};

/// What a run looks at, for telling which comments it can judge.
#[derive(Debug, Default)]
pub struct SuppressionScope {
    scope: Scope,
    part: Option<Part>,
}

/// What a run looks at that leaves clusters out.
#[derive(Debug)]
struct Part {
    looked_at: BTreeSet<FileId>,
    left_out: BTreeSet<FileId>,
}

impl SuppressionScope {
    /// All clusters there are.
    #[must_use]
    pub const fn all(scope: Scope) -> Self {
        Self { scope, part: None }
    }

    /// Some clusters of `scope`, and not the others.
    #[must_use]
    pub fn part(scope: Scope, looked_at: &[Cluster], left_out: &[Cluster]) -> Self {
        Self { scope, part: Some(Part { looked_at: files(looked_at), left_out: files(left_out) }) }
    }

    /// Whether faults of comments in the file are worth telling.
    fn is_ours(&self, file: FileId, path: &str) -> bool {
        let is_foreign = |part: &Part| part.left_out.contains(&file) && !part.looked_at.contains(&file);
        self.scope.covers(path) && !self.part.as_ref().is_some_and(is_foreign)
    }

    /// Whether whatever could point into the file is looked at.
    fn is_settled(&self, file: FileId, path: &str) -> bool {
        let is_whole = |part: &Part| part.looked_at.contains(&file) && !part.left_out.contains(&file);
        self.scope.covers(path) && self.part.as_ref().is_none_or(is_whole)
    }
}

/// The files that hold the objects of some clusters.
fn files(clusters: &[Cluster]) -> BTreeSet<FileId> {
    let nodes = || clusters.iter().flat_map(|cluster| &cluster.nodes);
    let defined = nodes().flat_map(|node| &node.manifests).map(|manifest| manifest.object.source.file);
    let built = nodes().flat_map(|node| &node.applied.build.objects).map(|object| object.source.file);
    defined.chain(built).collect()
}

/// The comments that silence findings, in path order: of every YAML file of the repository, and of what was read besides.
#[must_use]
pub fn suppressions(store: &Store, sight: &SuppressionScope, require_reason: bool) -> Vec<Suppression> {
    let tree = store.tree();
    let own: BTreeSet<FileId> = tree.files().filter(|file| is_yaml(tree.path(*file))).collect();
    let mut files: Vec<FileId> = store.parsed().map(|(file, _)| file).filter(|file| !own.contains(file)).collect();
    files.extend(&own);
    files.sort_by_key(|file| tree.path(*file));
    let read = |file: FileId| {
        let Some(text) = tree.text(file).filter(|text| text.contains(MARK)) else { return Vec::new() };
        let parsed = store.parse(file);
        let mut reader = CommentReader::new(text, require_reason);
        let comments = comments(file, text).into_iter();
        let mut found: Vec<Suppression> =
            comments.flat_map(|comment| reader.read(comment.span, comment.trailing)).collect();
        if found.is_empty() {
            return found;
        }
        let values = parsed.values_below(text);
        let is_own = own.contains(&file);
        for suppression in &mut found {
            if let Reach::Line(start, end) = suppression.reach {
                suppression.value = values.of(start..end);
            }
            suppression.is_ours = is_own && sight.is_ours(file, tree.path(file));
            suppression.is_settled = is_own && sight.is_settled(file, tree.path(file));
        }
        found
    };
    let found: Vec<Vec<Suppression>> = files.into_par_iter().map(read).collect();
    found.into_iter().flatten().collect()
}
