//! Which Kustomizations are built from a file.

use rustc_hash::FxHashSet;

use super::{Cluster, Node, NodeId};
use crate::{
    kustomize::{self, Object},
    source::FileId,
    yaml::{self, Value},
};

/// What files have to do with a Kustomization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Use {
    /// They define it: its spec changes with them.
    pub defines: bool,
    /// They hold, or decide something of, this many of the objects it applies.
    pub objects: usize,
    /// Its build reads them: kustomization files, patches, files of generators.
    pub reads: bool,
}

impl Use {
    const fn is_any(self) -> bool {
        self.defines || self.objects > 0 || self.reads
    }
}

/// The Kustomizations of `cluster` that any of `files` matters to, in the order of the cluster.
#[must_use]
pub fn builders(cluster: &Cluster, files: &FxHashSet<FileId>) -> Vec<(NodeId, Use)> {
    let mut known = kustomize::Known::default();
    let is_made = |object: &Object| is_decided_by(object, files);
    let mut of = |node: &Node| {
        let own = &node.applied.build.objects;
        let made = node.resource_sets.iter().flat_map(|set| &set.objects);
        Use {
            defines: node.manifests.iter().any(|manifest| is_made(&manifest.object)),
            objects: own.iter().chain(made).filter(|object| is_made(object)).count(),
            reads: node.applied.build.reads.reads(&|file| files.contains(&file), &mut known),
        }
    };
    let uses = cluster.nodes().map(|(id, node)| (id, of(node)));
    uses.filter(|(_, of)| of.is_any()).collect()
}

/// Whether any text of `files` made or changed the object.
#[must_use]
pub fn is_decided_by(object: &Object, files: &FxHashSet<FileId>) -> bool {
    files.contains(&object.source.file)
        || object.changes.iter().any(|change| files.contains(&change.at.file))
        || holds(&object.node, files)
}

fn holds(node: &yaml::Node, files: &FxHashSet<FileId>) -> bool {
    files.contains(&node.span.file)
        || match &node.value {
            Value::Map(map) => map.entries().iter().any(|entry| holds(&entry.value, files)),
            Value::Seq(items) => items.iter().any(|item| holds(item, files)),
            _ => false,
        }
}
