//! Accumulation: a kustomization file, its bases and components, to resources (kustomize `KustTarget.accumulateTarget`).

mod accumulated;
pub(super) mod file;
pub(super) mod finish;
pub(super) mod folder;
pub(super) mod generate;
mod hash;
pub(super) mod limits;
pub(super) mod load;
pub(super) mod metadata;
pub(super) mod order;
mod plugin;
pub(super) mod reads;
mod vars;

use std::{rc::Rc, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    Budget, Cost, Fault, Kustomize,
    id::ResId,
    report::Report,
    resource::Resource,
    schema::{crds, openapi::Schema},
    size,
    text::{parse_scalar, yaml_1_1},
    transform::steps,
};
use crate::{
    source::{Span, readable as shown},
    yaml::{Node, ProblemKind},
};
pub(super) use accumulated::Accumulated;
use file::Kustomization;
use folder::{Folder, Target, kustomization_files};
use metadata::{By, Metadata};

/// One build: the folders that are being accumulated, and those that are done.
pub(super) struct Session<'k, 't> {
    kustomize: &'k Kustomize<'t>,
    stack: Vec<String>,
    done: FxHashMap<String, Arc<Accumulated>>,
    /// What the build may cost.
    budget: Arc<Budget>,
    metadata: Metadata,
    schema: Rc<Schema<'t>>,
}

impl<'k, 't> Session<'k, 't> {
    pub(super) fn new(kustomize: &'k Kustomize<'t>, most: Cost) -> Self {
        Self {
            kustomize,
            stack: Vec::new(),
            done: FxHashMap::default(),
            budget: Arc::new(Budget::new(most)),
            metadata: Metadata::default(),
            schema: Rc::default(),
        }
    }

    /// The kustomization file of a folder, decoded.
    fn read(&self, path: &str, at: Span, all: &mut Accumulated) -> Option<Kustomization> {
        let files = kustomization_files(&self.kustomize.artifact, path);
        all.reads_mut().add_kustomization(path, &files);
        let report = &mut all.report;
        let Some(first) = files.first() else {
            report.error(at, format!("`{}` holds no kustomization file", shown(path)));
            return None;
        };
        if files.len() > 1 {
            report.error(Span::file_start(*first), format!("`{}` holds several kustomization files", shown(path)));
        }
        let parsed = self.kustomize.store.parse(*first);
        let start = Span::file_start(*first);
        let Some(document) = parsed.documents.first() else {
            return Some(Kustomization::decode(&Node::NULL, start, report));
        };
        if let Some(problem) = &document.error {
            report.error(problem.span, format!("malformed YAML: {}", problem.message));
            return None;
        }
        for problem in document.problems.iter().filter(|problem| problem.kind != ProblemKind::DuplicateKey) {
            report.error(problem.span, problem.message.clone());
        }
        let root = yaml_1_1(self.kustomize.store.tree(), &document.root);
        Some(Kustomization::decode(root.as_ref().unwrap_or(&document.root), start, report))
    }

    /// The build's own folder; `root` stands in for its kustomization file.
    pub(super) fn root(&mut self, path: &str, root: Option<&Node>) -> (Accumulated, Option<Kustomization>) {
        let mut all = Accumulated::new(&self.budget);
        let file = match root {
            Some(root) => Some(Kustomization::decode(root, root.span, &mut all.report)),
            None => self.read(path, Span::NONE, &mut all),
        };
        if let Some(file) = &file {
            self.metadata = Metadata::new(file, path);
            self.accumulate(path, file, &mut all);
        }
        (all, file)
    }

    /// A folder named in `resources`.
    fn base(&mut self, path: &str, at: Span, above: &mut Accumulated) -> Option<Arc<Accumulated>> {
        // Where the budget does not reach for all of it, it is accumulated as far as it does.
        let affords = |done: &Accumulated| self.budget.has(done.cost);
        let done = self.done.get(path).filter(|done| done.looped || !self.meets_stack(done));
        if let Some(done) = done.filter(|done| affords(done)).cloned() {
            self.budget.spend_all(done.cost);
            return Some(done);
        }
        let chosen = self.schema.is_chosen();
        let shared = !self.metadata.follows() && !chosen;
        let known = self.kustomize.known(path).filter(|known| shared && !self.meets_stack(known) && affords(known));
        if let Some(known) = known {
            self.budget.spend_all(known.cost);
            return Some(known);
        }
        let before = self.budget.spent();
        let mut all = Accumulated::new(&self.budget);
        let Some(file) = self.read(path, at, &mut all) else {
            above.report.absorb(&all.report);
            above.reads_mut().add_base(&all.reads);
            return None;
        };
        if file.component {
            above.report.error(at, format!("`{}` is a Component: it belongs under `components`", shown(path)));
        }
        all.empty = file.empty.then_some(file.span);
        self.accumulate(path, &file, &mut all);
        all.reads_mut().finish();
        all.cost = self.budget.spent().less(before);
        let is_whole = self.budget.excess().is_none();
        let all = Arc::new(all);
        // What was accumulated partly before the schema was chosen is not what it would give again.
        if is_whole && self.schema.is_chosen() == chosen {
            if shared && !all.looped {
                self.kustomize.remember(path, &all);
            }
            self.done.insert(path.to_owned(), all.clone());
        }
        Some(all)
    }

    fn meets_stack(&self, done: &Accumulated) -> bool {
        done.visited.iter().any(|visited| self.closes_loop(visited))
    }

    /// Whether a folder holds, or is, one that is being accumulated (kustomize `errIfArgEqualOrHigher`).
    fn closes_loop(&self, path: &str) -> bool {
        let holds = |open: &String| {
            path.is_empty() || open.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.stack.iter().any(holds)
    }

    /// Whether a folder may be entered; says why not.
    fn enter(&self, path: &str, at: Span, all: &mut Accumulated) -> bool {
        if self.closes_loop(path) {
            all.looped = true;
            let chain = self.stack.iter().map(|open| format!("`{}`", shown(open))).collect::<Vec<_>>().join(" → ");
            all.report
                .error(at, format!("cycle of bases: `{}` is, or holds, what is being built: {chain}", shown(path)));
            return false;
        }
        if self.stack.len() >= limits::BASES {
            all.report.limit(at, "its bases are nested more than 100 deep");
            return false;
        }
        true
    }

    fn accumulate(&mut self, path: &str, file: &Kustomization, all: &mut Accumulated) {
        if !all.report.affords(all.resources.len() * limits::ID + limits::FOLDER, file.span) {
            return;
        }
        self.stack.push(path.to_owned());
        all.visited.insert(path.to_owned());
        let folder = Folder::new(self.kustomize, path, self.schema.clone());
        self.choose_schema(&folder, file, &mut all.report);
        self.resources(&folder, file.items("resources").chain(file.items("bases")), all);
        configurations(&folder, file, all);
        for entry in file.items("crds") {
            if let Some(config) = crds::read(&folder, entry, &mut all.report)
                && all.report.affords(all.config.len() + config.len(), entry.span)
            {
                Arc::make_mut(&mut all.config).add(&config);
            }
        }
        generate::run(&folder, file, &mut all.resources, &mut all.report);
        let here = By::kustomization(&self.kustomize.artifact, folder.tree(), path);
        self.metadata.generated(&mut all.resources, &here);
        unresolved_charts(file, &mut all.report);
        for plugin in self.plugins(&folder, file.items("generators"), all) {
            plugin::generator(&folder, &plugin, &mut all.resources, &mut all.report);
            self.metadata.generated(&mut all.resources, &By::Plugin(&plugin));
        }
        self.components(&folder, file, all);
        let Accumulated { resources, config, report, .. } = &mut *all;
        let note = |resources: &mut [Resource], kind: &str| self.metadata.transformed(resources, kind, &here);
        steps::run(&folder, file, (resources, config, report), &note);
        for plugin in self.plugins(&folder, file.items("transformers"), all) {
            plugin::transformer(&folder, &plugin, &mut all.resources, &mut all.report);
            self.metadata.transformed(&mut all.resources, &plugin.gvk().kind, &By::Plugin(&plugin));
            all.resources.retain(|resource| !resource.deleted);
        }
        for plugin in self.plugins(&folder, file.items("validators"), all) {
            plugin::validator(&folder, &plugin, &mut all.resources, &mut all.report);
        }
        let names = file.get("vars").map(|_| vars::Names::new(&all.resources));
        for var in file.items("vars") {
            let Some(names) = names.as_ref().filter(|_| all.report.affords(limits::COPY, var.span)) else { break };
            vars::check(&all.resources, names, var, &mut all.report);
            all.vars.push(var.clone());
        }
        all.reads_mut().append(folder.into_reads());
        self.stack.pop();
    }

    fn choose_schema(&mut self, folder: &Folder<'_, 't>, file: &Kustomization, report: &mut Report) {
        let field = |key: &str| file.get("openapi").and_then(|openapi| openapi.get(key));
        let path = field("path");
        let found = path.map(|path| (path.span, folder.file(path.as_str().unwrap_or_default(), path.span, report)));
        if !self.schema.is_chosen() && self.schema.choose(folder.kustomize.store, found, field("version"), report) {
            self.done.clear();
        }
    }

    /// The configurations of plugins: YAML itself, files and folders.
    fn plugins<'n>(
        &mut self,
        folder: &Folder<'_, '_>,
        entries: impl Iterator<Item = &'n Node>,
        all: &mut Accumulated,
    ) -> Vec<Resource> {
        let mut found = Accumulated::new(&self.budget);
        let mut paths = Vec::new();
        for entry in entries {
            let text = entry.as_str().unwrap_or_default();
            if text.contains('\n') {
                if !all.report.affords(text.len(), entry.span) {
                    break;
                }
                let documents = parse_scalar(folder.tree(), text, entry.span);
                let mut inline = load::resources(folder.tree(), &documents, entry.span, &mut all.report);
                self.metadata.note_folder(&mut inline, &self.kustomize.artifact, folder.tree(), folder.path);
                found.resources.extend(inline);
            } else {
                paths.push(entry);
            }
        }
        self.resources(folder, paths.into_iter(), &mut found);
        all.report.absorb(&found.report);
        all.looped |= found.looped;
        all.reads_mut().append(Arc::unwrap_or_clone(found.reads));
        all.visited.append(&mut found.visited);
        found.resources
    }

    fn resources<'n>(
        &mut self,
        folder: &Folder<'_, '_>,
        entries: impl Iterator<Item = &'n Node>,
        all: &mut Accumulated,
    ) {
        let mut ids: FxHashMap<ResId, Span> =
            all.resources.iter().map(|resource| (resource.id(), resource.object.source)).collect();
        for entry in entries {
            let (path, at) = (entry.as_str().unwrap_or_default(), entry.span);
            let found = match folder.resolve(path) {
                Target::File(file) => {
                    let mut found = load::resources(folder.tree(), &folder.parse(file).documents, at, &mut all.report);
                    self.metadata.note_file(&mut found, folder.tree().path(file));
                    found
                }
                Target::Folder(base) if self.enter(&base, at, all) => {
                    let Some(base) = self.base(&base, at, all) else { continue };
                    all.report.absorb(&base.report);
                    all.reads_mut().add_base(&base.reads);
                    if let Some(span) = base.empty {
                        let used = vec![(at, "used here".to_owned())];
                        all.report.error_with(span, "this kustomization is empty", used);
                    }
                    all.looped |= base.looped;
                    let handed_on = base.resources.len() + base.vars.len() + base.visited.len();
                    if !all.report.affords(handed_on * limits::COPY + all.config.cost_of(&base.config), at) {
                        continue;
                    }
                    all.config.merge(&base.config);
                    all.vars.extend(base.vars.iter().cloned());
                    all.visited.extend(base.visited.iter().cloned());
                    base.resources.clone()
                }
                Target::Folder(_) => continue,
                Target::Remote => {
                    all.report.remote(at, "remote base", path);
                    continue;
                }
                Target::Nothing(why, fault) => {
                    all.report.fault(at, why, fault);
                    continue;
                }
            };
            self.schema.note(&found);
            all.append(found, at, &mut ids);
        }
    }

    fn components(&mut self, folder: &Folder<'_, '_>, file: &Kustomization, all: &mut Accumulated) {
        for entry in file.items("components") {
            let (path, at) = (entry.as_str().unwrap_or_default(), entry.span);
            match folder.resolve(path) {
                Target::Folder(component) => {
                    if !self.enter(&component, at, all) {
                        continue;
                    }
                    let Some(file) = self.read(&component, at, all) else { continue };
                    if !file.component {
                        all.report.error(at, format!("`{}` is not a Component", shown(&component)));
                        continue;
                    }
                    if file.empty {
                        all.report.error_with(file.span, "this component is empty", vec![(at, "used here".to_owned())]);
                    }
                    self.accumulate(&component, &file, all);
                }
                Target::File(_) => all.report.error(at, format!("`{path}` is a file; a component is a folder")),
                Target::Remote => {
                    all.report.remote(at, "remote component", path);
                }
                Target::Nothing(why, fault) => all.report.fault(at, why, fault),
            }
        }
    }
}

fn configurations(folder: &Folder<'_, '_>, file: &Kustomization, all: &mut Accumulated) {
    for entry in file.items("configurations") {
        let Some(id) = folder.file(entry.as_str().unwrap_or_default(), entry.span, &mut all.report) else { continue };
        for document in &folder.parse(id).documents {
            match &document.error {
                Some(problem) => {
                    all.report.error(problem.span, format!("malformed YAML: {}", problem.message));
                }
                None if all.report.affords(all.config.len() + size(&document.root), entry.span) => {
                    Arc::make_mut(&mut all.config).add_document(&document.root, &mut all.report);
                }
                None => return,
            }
        }
    }
}

/// Charts are rendered by the program helm, which kustomize starts under a flag that kustomize-controller does not set: `must specify
/// --enable-helm` (kustomize 5.8, `HelmChartInflationGenerator`).
fn unresolved_charts(file: &Kustomization, report: &mut Report) {
    for key in ["helmCharts", "helmChartInflationGenerator"] {
        for chart in file.items(key) {
            let name = chart.find_str(&["name"]).or_else(|| chart.find_str(&["chartName"])).unwrap_or_default();
            report.fault(chart.span, format!("Flux does not render the Helm chart `{name}` of `{key}`"), Fault::Chart);
            report.refused(chart.span, format!("Helm chart {name} of `{key}`"), "Flux refuses to render charts");
        }
    }
}
