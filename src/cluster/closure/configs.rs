use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::draft::Draft;
use crate::{
    cluster::NodeKey,
    flux::api::kinds::{CONFIG_MAP, SECRET},
    kustomize::Object,
    yaml,
};

/// Copies the data of a ConfigMap or Secret, given as `namespace/name`, into an object of a ResourceSet (flux-operator
/// v0.58, `resourceset_controller.go`, `copyResources`).
const COPY_FROM: &str = "fluxcd.controlplane.io/copyFrom";

/// Kind, namespace and name.
pub(in crate::cluster) type ConfigKey = (SmolStr, SmolStr, SmolStr);

/// The ConfigMaps and Secrets that some node applies.
pub(in crate::cluster) fn configs(drafts: &BTreeMap<NodeKey, Draft>) -> BTreeMap<ConfigKey, yaml::Node> {
    let mut configs = BTreeMap::new();
    let is_config = |object: &&Object| [CONFIG_MAP, SECRET].iter().any(|kind| kind.is_kind_of(&object.node));
    let key = |object: &Object| {
        let id = object.id();
        (id.kind, id.namespace.unwrap_or_default(), id.name)
    };
    let mut copies: Vec<(&Object, &str)> = Vec::new();
    for draft in drafts.values() {
        let local = !draft.kustomization.spec.is_remote();
        for object in draft.applied.build.objects.iter().filter(|_| local).filter(is_config) {
            configs.entry(key(object)).or_insert_with(|| object.node.clone());
        }
        for object in draft.made().filter(|_| local).filter(is_config) {
            match object.node.find_str(&["metadata", "annotations", COPY_FROM]) {
                Some(from) => copies.push((object, from)),
                None => drop(configs.entry(key(object)).or_insert_with(|| object.node.clone())),
            }
        }
    }
    for (object, from) in copies {
        let Some((namespace, name)) = from.split_once('/') else { continue };
        let (kind, own, own_name) = key(object);
        // A copy of what is not in the repository is unknown as well.
        if let Some(original) = configs.get(&(kind.clone(), namespace.into(), name.into())).cloned() {
            configs.entry((kind, own, own_name)).or_insert(original);
        }
    }
    configs
}
