//! The same thing under another name: what a change deletes, and what it makes in its place.

use std::collections::{BTreeMap, BTreeSet};

use super::loss::{Lost, Step};
use crate::{
    cluster::{Cluster, NodeKey, ObjectKey, Provider, chart_of},
    flux::api::kinds::{HELM_RELEASE, KUSTOMIZATION},
    yaml::Node,
};

/// Which objects may take the place of which.
type Candidates<'k> = BTreeMap<&'k ObjectKey, BTreeSet<&'k ObjectKey>>;

impl Step<'_> {
    /// The object that takes the place of one that is deleted and not made again: the same under another name or in another
    /// namespace, by the same owner.
    pub(in crate::rules) fn twin(&self, lost: &Lost) -> Option<ObjectKey> {
        self.twins.get_or_init(|| self.find_twins()).get(&lost.key).cloned()
    }

    fn find_twins(&self) -> BTreeMap<ObjectKey, ObjectKey> {
        let (before, after) = (self.before.cluster, self.after.cluster);
        let mut new: BTreeMap<(&str, &str), Vec<(&ObjectKey, Provider)>> = BTreeMap::new();
        for (key, providers) in after.objects.iter().filter(|(key, _)| !before.objects.contains_key(*key)) {
            let of_kind = new.entry((key.group.as_str(), key.kind.as_str())).or_default();
            of_kind.extend(providers.iter().map(|provider| (key, *provider)));
        }
        let mut candidates = Candidates::new();
        for (key, _) in self.fates.deleted().filter(|(key, _)| !after.objects.contains_key(*key)) {
            let Some(provider) = before.objects.get(key).and_then(|providers| providers.first()) else { continue };
            let of_kind = new.get(&(key.group.as_str(), key.kind.as_str())).into_iter().flatten();
            let fits = of_kind.filter(|(other, to)| self.are_same((key, *provider), (other, *to)));
            let fits: BTreeSet<&ObjectKey> = fits.map(|(other, _)| *other).collect();
            if !fits.is_empty() {
                candidates.insert(key, fits);
            }
        }
        // Several may come from one file: the name or the end of it says which.
        let mut near = candidates.clone();
        for (key, fits) in &mut near {
            fits.retain(|other| is_near(key, other));
        }
        let mut found = BTreeMap::new();
        pair(near, &mut found);
        pair(candidates, &mut found);
        found.into_iter().map(|(key, other)| (key.clone(), other.clone())).collect()
    }

    /// Whether two objects of one kind are the same thing under two names. Both come from one file, or say just the same.
    fn are_same(&self, one: (&ObjectKey, Provider), other: (&ObjectKey, Provider)) -> bool {
        let (before, after) = (self.before.cluster, self.after.cluster);
        let (from, to) = (before.object(one.1), after.object(other.1));
        if before.node(one.1.node).key != after.node(other.1.node).key || !to.source.is_some() {
            return false;
        }
        let (spec, now) = (from.node.get("spec"), to.node.get("spec"));
        let is_equal = spec.is_some() && spec == now;
        let is_one_file = self.trees.before.path(from.source.file) == self.trees.after.path(to.source.file);
        if !is_equal && !is_one_file {
            return false;
        }
        if one.0.is(HELM_RELEASE) {
            return is_one_chart((before, one.0), (after, other.0)) && share_images(&from.node, &to.node);
        }
        match (images(&from.node), images(&to.node)) {
            (Some(one), Some(other)) => one == other,
            _ if one.0.is(KUSTOMIZATION) => is_equal,
            _ => (is_equal && is_one_file) || (is_near(one.0, other.0) && spec.is_some() == now.is_some()),
        }
    }
}

/// Whether one name begins or ends with the other.
fn is_near(one: &ObjectKey, other: &ObjectKey) -> bool {
    let (one, other) = if one.name.len() < other.name.len() { (one, other) } else { (other, one) };
    other.name.starts_with(one.name.as_str()) || other.name.ends_with(one.name.as_str())
}

/// Adds the pairs that no other object has a claim to, until there are none left. Where two could have taken the place of one, or
/// one that of two, nothing tells which is which.
fn pair<'k>(mut candidates: Candidates<'k>, found: &mut BTreeMap<&'k ObjectKey, &'k ObjectKey>) {
    loop {
        let taken: BTreeSet<&ObjectKey> = found.values().copied().collect();
        candidates.retain(|key, fits| {
            fits.retain(|other| !taken.contains(other));
            !found.contains_key(key) && !fits.is_empty()
        });
        let mut wanted: BTreeMap<&ObjectKey, Vec<&ObjectKey>> = BTreeMap::new();
        for (key, fits) in &candidates {
            if let (1, Some(only)) = (fits.len(), fits.first()) {
                wanted.entry(*only).or_default().push(*key);
            }
        }
        let known = found.len();
        found.extend(wanted.into_iter().filter_map(|(other, keys)| match keys.as_slice() {
            [only] => Some((*only, other)),
            _ => None,
        }));
        if found.len() == known {
            return;
        }
    }
}

/// Whether two HelmReleases install one chart of one source.
fn is_one_chart(one: (&Cluster, &ObjectKey), other: (&Cluster, &ObjectKey)) -> bool {
    let chart = |(cluster, key): (&Cluster, &ObjectKey)| {
        let index = cluster.release(&NodeKey::new(key.namespace.clone(), key.name.clone()))?;
        let release = &cluster.releases[index];
        let chart = chart_of(cluster, release)?;
        let spec = &release.helm.spec;
        let source = spec.chart.as_ref().map(|chart| chart.spec.source_ref.name.clone());
        // Where the repository does not tell the address, the name of the source stands for it.
        let source = chart.url.or(source).or_else(|| Some(spec.chart_ref.as_ref()?.name.clone()));
        Some((chart.name, source))
    };
    chart(one).is_some_and(|one| chart(other) == Some(one))
}

/// Whether the values of two HelmReleases run an image in common, as far as they name any: a chart that takes its image from the
/// values is that of many apps.
fn share_images(one: &Node, other: &Node) -> bool {
    let of = |node: &Node| {
        let mut found = BTreeSet::new();
        if let Some(values) = node.find(&["spec", "values"]) {
            repositories(values, &mut found);
        }
        found
    };
    let (one, other) = (of(one), of(other));
    one.is_empty() || other.is_empty() || !one.is_disjoint(&other)
}

/// The values of `repository` in every `image` of some values.
fn repositories(values: &Node, found: &mut BTreeSet<String>) {
    for entry in values.entries() {
        if entry.key.as_str() == "image" {
            found.extend(entry.value.find_str(&["repository"]).map(str::to_owned));
            found.extend(entry.value.as_str().map(|image| repository(image).to_owned()));
        }
        repositories(&entry.value, found);
    }
    for item in values.items() {
        repositories(item, found);
    }
}

/// The repositories of the images that the containers of a pod template run; `None` of anything that has none.
fn images(object: &Node) -> Option<BTreeSet<&str>> {
    let containers = object.find(&["spec", "template", "spec", "containers"])?;
    let found: BTreeSet<&str> = containers.items().filter_map(|one| one.find_str(&["image"])).map(repository).collect();
    (!found.is_empty()).then_some(found)
}

/// An image without tag and digest.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let name = image.rfind('/').map_or(0, |at| at + 1);
    image[name..].find(':').map_or(image, |at| &image[..name + at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_one_to_one_or_none() {
        let key = |name: &str| ObjectKey::new(HELM_RELEASE, "a", name);
        let pairs = |fits: &[(&str, &[&str])]| {
            let keys: Vec<(ObjectKey, Vec<ObjectKey>)> =
                fits.iter().map(|(one, others)| (key(one), others.iter().map(|other| key(other)).collect())).collect();
            let mut found = BTreeMap::new();
            pair(keys.iter().map(|(one, others)| (one, others.iter().collect())).collect(), &mut found);
            found.into_iter().map(|(one, other)| format!("{}-{}", one.name, other.name)).collect::<Vec<_>>()
        };
        assert_eq!(pairs(&[("a", &["x"])]), ["a-x"]);
        assert_eq!(pairs(&[("a", &["x"]), ("b", &["x"])]), [""; 0]);
        assert_eq!(pairs(&[("a", &["x", "y"])]), [""; 0]);
        assert_eq!(pairs(&[("a", &["x", "y"]), ("b", &["y"])]), ["a-x", "b-y"]);
    }

    #[test]
    fn an_image_is_the_same_with_another_tag() {
        for image in ["r.io:5000/a/b:1", "r.io:5000/a/b", "r.io:5000/a/b@sha256:00", "r.io:5000/a/b:1@sha256:00"] {
            assert_eq!(repository(image), "r.io:5000/a/b");
        }
    }
}
