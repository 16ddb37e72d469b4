use std::{collections::BTreeSet, sync::Arc};

use rustc_hash::FxHashMap;

use super::limits;
use crate::{
    kustomize::{Budget, Cost, ReadSet, Unit, id::ResId, report::Report, resource::Resource, schema::config::Config},
    source::Span,
    yaml::Node,
};

/// What accumulating a folder gives. Depends on nothing above the folder.
#[derive(Debug, Clone)]
pub(in crate::kustomize) struct Accumulated {
    pub(in crate::kustomize) resources: Vec<Resource>,
    pub(super) config: Arc<Config>,
    pub(super) report: Report,
    /// The `vars` of all kustomizations.
    pub(super) vars: Vec<Node>,
    /// What was read for it.
    pub(super) reads: Arc<ReadSet>,
    /// The folders that took part.
    pub(super) visited: BTreeSet<String>,
    /// Whether a loop cut it short, so that it depends on where the build began.
    pub(super) looped: bool,
    /// The kustomization file, where it is empty. Whoever uses the folder tells, with the place that names it: what is
    /// shared between builds knows none of them.
    pub(super) empty: Option<Span>,
    /// What it takes to accumulate it.
    pub(super) cost: Cost,
}

impl Default for Accumulated {
    fn default() -> Self {
        Self {
            resources: Vec::new(),
            config: Config::built_in(),
            report: Report::default(),
            vars: Vec::new(),
            reads: Arc::default(),
            visited: BTreeSet::new(),
            looped: false,
            empty: None,
            cost: Cost::default(),
        }
    }
}

impl Accumulated {
    /// Nothing yet, and no more than `budget` has left.
    pub(super) fn new(budget: &Arc<Budget>) -> Self {
        Self { report: Report::new(budget), ..Self::default() }
    }

    /// The record of what was read, to add to it.
    pub(super) fn reads_mut(&mut self) -> &mut ReadSet {
        Arc::make_mut(&mut self.reads)
    }

    /// Adds resources, but none whose id is taken.
    pub(super) fn append(&mut self, found: Vec<Resource>, at: Span, ids: &mut FxHashMap<ResId, Span>) {
        let copies = found.iter().map(Resource::copy_size).sum();
        if !self.report.affords(found.len() * limits::COPY, at) || !self.report.spend(Unit::Nodes, copies, at) {
            return;
        }
        for resource in found {
            let (id, source) = (resource.id(), resource.object.place());
            if let Some(first) = ids.get(&id) {
                let related = vec![(*first, "first defined here".to_owned()), (at, "listed here".to_owned())];
                self.report.twice(resource.object.id(), source, related);
                continue;
            }
            if self.resources.len() >= limits::OBJECTS {
                self.report.limit(at, "it has more than 20,000 objects");
                return;
            }
            ids.insert(id, source);
            self.resources.push(resource);
        }
    }
}
