//! What a run cannot judge: findings about objects that a build which fails now would hold.

use rustc_hash::FxHashSet;

use super::Situation;
use crate::{cluster::Folder, finding::Subject};

/// Which objects a run knows nothing of, since a build fails. A finding about one is neither fixed nor gone because nobody
/// finds it.
#[derive(Debug, Clone, Default)]
pub struct Masking {
    /// Objects of the builds that work, as text; `None` where every build works.
    known: Option<FxHashSet<String>>,
}

impl Masking {
    /// That of a run.
    #[must_use]
    pub fn new(situations: &[Situation<'_>]) -> Self {
        let reached = || situations.iter().map(|situation| situation.cluster).filter(|cluster| cluster.reached);
        let fails = |node: &crate::cluster::Node| {
            !node.applied.build.errors.is_empty() || matches!(node.folder, Folder::Missing { .. })
        };
        if !reached().any(|cluster| cluster.nodes.iter().any(fails)) {
            return Self::default();
        }
        let mut known = FxHashSet::default();
        for cluster in reached() {
            known.extend(cluster.objects.keys().map(|key| key.subject().to_string()));
            known.extend(cluster.nodes.iter().map(|node| node.subject().to_string()));
        }
        Self { known: Some(known) }
    }

    /// Whether the object is one that a failing build may hold.
    #[must_use]
    pub fn hides(&self, subject: &str) -> bool {
        self.known.as_ref().is_some_and(|known| !known.contains(subject))
    }

    /// Whether a finding about `subject` may be there all the same.
    #[must_use]
    pub fn hides_object(&self, subject: &Subject) -> bool {
        subject.kind != Subject::FILE && self.hides(&subject.to_string())
    }
}
