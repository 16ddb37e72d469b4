//! The values of a HelmRelease, as far as the repository holds them.

use crate::{
    cluster::{Cluster, ObjectKey, Release},
    flux::api::kinds::CONFIG_MAP,
    source::FileId,
    yaml::{self, Node},
};

/// The values that helm-controller hands to the chart: those of `valuesFrom` in order, then the inline ones
/// (helm-controller v1.6, `chartutil.ChartValuesFromReferences`). ConfigMaps that the repository does not hold, and all
/// Secrets, are left out.
pub(super) fn values_of(cluster: &Cluster, release: &Release) -> Option<Node> {
    let inline = release.helm.object.node.find(&["spec", "values"]);
    let mut values: Option<Node> = None;
    for reference in release.helm.spec.values_from.iter().filter(|reference| reference.kind == CONFIG_MAP.kind) {
        let key = ObjectKey::new(CONFIG_MAP, release.key.namespace.clone(), reference.name.as_str());
        let Some(provider) = cluster.objects.get(&key).and_then(|providers| providers.first()) else { continue };
        let name = reference.values_key.as_deref().unwrap_or("values.yaml");
        let Some(text) = cluster.object(*provider).node.find_str(&["data", name]) else { continue };
        let file = yaml::parse(FileId::NONE, text.as_bytes());
        let Some(document) = file.documents.into_iter().next().filter(|document| document.root.as_map().is_some())
        else {
            continue;
        };
        match &mut values {
            Some(values) => merge(values, &document.root),
            None => values = Some(document.root),
        }
    }
    match (values, inline) {
        (Some(mut values), Some(inline)) => {
            merge(&mut values, inline);
            Some(values)
        }
        (values, inline) => values.or_else(|| inline.cloned()),
    }
}

/// Lays `over` over `base`: maps are merged, everything else is replaced.
fn merge(base: &mut Node, over: &Node) {
    if base.as_map().is_none() || over.as_map().is_none() {
        base.clone_from(over);
        return;
    }
    for entry in over.entries() {
        match base.get_mut(&entry.key) {
            Some(old) => merge(old, &entry.value),
            None => base.set(&entry.key, entry.value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_merged_and_everything_else_is_replaced() {
        let read = |text: &str| yaml::parse(FileId::NONE, text.as_bytes()).documents[0].root.clone();
        let mut base = read("a: {b: 1, c: [1, 2]}\nd: 1\n");
        merge(&mut base, &read("a: {c: [3]}\nd: {e: 2}\nf: 4\n"));
        assert_eq!(yaml::to_yaml(&base), yaml::to_yaml(&read("a: {b: 1, c: [3]}\nd: {e: 2}\nf: 4\n")));
    }
}
