//! Where a repository tells how the controllers are run.

use std::collections::BTreeMap;

use super::draft::Draft;
use crate::{
    cluster::{Folder, NodeKey},
    flux::{
        Artifacts, Controllers, Instance, Selection,
        api::kinds::{FLUX_INSTANCE, HELM_RELEASE},
        instance_of,
    },
    kustomize::Object,
    source::parent,
    yaml::Node,
};

/// What the cluster of `drafts` tells of its controllers: the Deployments that it builds, then a FluxInstance that it
/// builds, then `reported`, what its entry point says, then patches of manifests that are not in the repository. `known` is the
/// last FluxInstance that was read: it is the same round after round.
pub(in crate::cluster) fn controllers(
    artifacts: &Artifacts<'_>,
    drafts: &BTreeMap<NodeKey, Draft>,
    reported: Option<&Controllers>,
    known: &mut Option<(Node, Controllers)>,
) -> Controllers {
    let objects = || drafts.values().flat_map(Draft::local_objects);
    if let Some(built) = Controllers::of_deployments(objects()) {
        return built;
    }
    let kustomize = artifacts.git(&Selection::default());
    let instance = |object: &Object| {
        let instance = instance_of(&object.node).filter(is_of_flux)?;
        if let Some((_, controllers)) = known.as_ref().filter(|(node, _)| *node == object.node) {
            return Some(controllers.clone());
        }
        let controllers = Controllers::of_instance(instance.spec, &instance.namespace, &kustomize);
        *known = Some((object.node.clone(), controllers.clone()));
        Some(controllers)
    };
    let is_candidate =
        |object: &&Object| [FLUX_INSTANCE, HELM_RELEASE].iter().any(|kind| kind.is_kind_of(&object.node));
    let built = objects().filter(is_candidate).find_map(instance);
    built.or_else(|| reported.cloned()).or_else(|| patched(artifacts, drafts)).unwrap_or_default()
}

/// Whether values that look like those of the `flux-instance` chart are: others have an `instance` too.
fn is_of_flux(instance: &Instance<'_>) -> bool {
    ["sync", "distribution", "kustomize"].iter().any(|key| instance.spec.get(key).is_some())
}

/// The fields of a kustomization file that hold patches.
const PATCHES: [&str; 3] = ["patches", "patchesStrategicMerge", "patchesJson6902"];

fn patched(artifacts: &Artifacts<'_>, drafts: &BTreeMap<NodeKey, Draft>) -> Option<Controllers> {
    let kustomize = artifacts.git(&Selection::default());
    let of_file = |folder: &str| {
        let file = kustomize.kustomization_node(folder)?;
        let patches: Vec<Node> =
            PATCHES.iter().filter_map(|field| file.get(field)).flat_map(Node::items).map(entry).collect();
        Controllers::of_patches(&kustomize, folder, &patches)
    };
    let system =
        |folder: &str| if folder.is_empty() { "flux-system".to_owned() } else { format!("{folder}/flux-system") };
    let of_folder = |folder: &str| of_file(&system(folder)).or_else(|| of_file(folder));
    let tree = kustomize.store().tree();
    let of_entry = drafts.values().filter(|draft| draft.is_entry).find_map(|draft| {
        let built = if let Folder::Here(folder) = &draft.folder { of_folder(folder) } else { None };
        // Bootstrap left its folder beside what is applied by hand.
        let file = draft.kustomization.object.source.file;
        let is_written = draft.kustomization.object.source.is_some();
        built.or_else(|| is_written.then(|| of_file(&system(parent(tree.path(file)))))?)
    });
    of_entry.or_else(|| {
        let mut elsewhere = drafts.values().filter(|draft| matches!(draft.folder, Folder::Elsewhere(_)));
        elsewhere.find_map(|draft| {
            let patches = draft.kustomization.object.node.find(&["spec", "patches"])?;
            let of_controllers: Vec<Node> =
                patches.items().filter(|patch| names_a_controller(patch)).cloned().collect();
            Controllers::of_patches(&kustomize, "", &of_controllers)
        })
    })
}

/// An entry of one of the older fields as an entry of `patches`: that of `patchesStrategicMerge` is the patch or a path.
fn entry(item: &Node) -> Node {
    let Some(text) = item.as_str() else { return item.clone() };
    let mut entry = Node::empty_map(item.span);
    entry.set(if text.contains('\n') { "patch" } else { "path" }, item.clone());
    entry
}

/// Whether a patch speaks of the controllers by name: one of every Deployment may be meant for anything.
fn names_a_controller(patch: &Node) -> bool {
    let texts = [patch.find_str(&["target", "name"]), patch.find_str(&["patch"])];
    texts.into_iter().flatten().any(|text| text.contains("kustomize-controller") || text.contains("helm-controller"))
}
