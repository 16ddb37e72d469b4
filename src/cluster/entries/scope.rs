use crate::source::{Span, Tree, is_below};

/// The part of a tree that the user asked about: folders or files, relative to the root of the tree.
#[derive(Debug, Clone)]
pub struct Scope {
    paths: Vec<String>,
}

impl Default for Scope {
    /// Everything.
    fn default() -> Self {
        Self { paths: vec![String::new()] }
    }
}

impl Scope {
    /// The scope of `paths`. An empty path is everything; no path at all is nothing.
    #[must_use]
    pub const fn new(paths: Vec<String>) -> Self {
        Self { paths }
    }

    /// The paths.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Whether the file or folder at `path` lies in it.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        self.paths.iter().any(|scope| is_below(path, scope))
    }

    /// Whether it is everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.covers("")
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
        assert!(Scope::default().covers("x") && Scope::default().is_everything());
        assert!(!Scope::new(Vec::new()).covers("x"));
    }
}
