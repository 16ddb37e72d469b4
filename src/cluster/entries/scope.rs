use super::root::is_below;
use crate::{
    cluster::{Cluster, Folder},
    source::{Span, Tree},
};

/// The part of a tree that the user asked about: folders or files, relative to the root of the tree.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    paths: Vec<String>,
}

impl Scope {
    /// The scope of `paths`. An empty path is everything.
    #[must_use]
    pub fn new(paths: Vec<String>) -> Self {
        Self { paths }
    }

    /// Whether the file at `path` lies in it.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|scope| is_below(path, scope))
    }

    /// Whether it is everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.covers("")
    }

    /// The same scope, seen from a root that lies `prefix` further up.
    #[must_use]
    pub fn below(&self, prefix: &str) -> Self {
        if prefix.is_empty() {
            return self.clone();
        }
        let join = |path: &String| if path.is_empty() { prefix.to_owned() } else { format!("{prefix}/{path}") };
        let paths = if self.paths.is_empty() { vec![prefix.to_owned()] } else { self.paths.iter().map(join).collect() };
        Self { paths }
    }

    /// Leaves the clusters that the user asked about: those whose entry point lies in the scope. Where it holds no entry
    /// point, those that build something of it; then, and only then, the result is true: findings have to be narrowed
    /// to the scope as well. The clusters that are left out are the second part of it.
    pub fn narrow(&self, tree: &Tree, clusters: &mut Vec<Cluster>) -> (bool, Vec<Cluster>) {
        let in_scope = |span: Span| self.covers(tree.path(span.file));
        let is_entered = |cluster: &Cluster| {
            // Nodes that only each other apply have no entry point: each stands for the group.
            let is_circular = !cluster.nodes.iter().any(|node| node.is_entry);
            let mut entries = cluster.nodes.iter().filter(|node| node.is_entry || is_circular);
            entries.any(|node| {
                let inside = matches!(&node.folder, Folder::Here(folder) if self.covers(folder));
                inside || node.definitions.iter().any(|definition| in_scope(definition.object.source))
            })
        };
        if clusters.iter().any(|cluster| cluster.reached && is_entered(cluster)) {
            return (false, clusters.extract_if(.., |cluster| !is_entered(cluster)).collect());
        }
        let is_built = |cluster: &Cluster| {
            let mut definitions = cluster.nodes.iter().flat_map(|node| &node.definitions);
            definitions.any(|definition| in_scope(definition.object.source))
        };
        (true, clusters.extract_if(.., |cluster| !is_built(cluster)).collect())
    }

    /// Whether a finding at `location`, with `others` beside it, belongs to the scope.
    #[must_use]
    pub fn touches(&self, tree: &Tree, location: Option<Span>, mut others: impl Iterator<Item = Span>) -> bool {
        let covered = |span: Span| self.covers(tree.path(span.file));
        location.is_some_and(covered) || others.any(covered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_whole_names_only() {
        let scope = Scope::new(vec!["clusters/prod".to_owned()]);
        assert!(scope.covers("clusters/prod/a.yaml") && !scope.covers("clusters/production/a.yaml"));
        assert!(Scope::default().covers("x"));
        assert!(scope.below("repo").covers("repo/clusters/prod/a.yaml"));
    }
}
