//! The transformers of a kustomization file, one after the other (kustomize `configureBuiltinTransformers`).

use super::{Affix, images, patch, replace};
use crate::kustomize::{
    Step,
    accumulate::{
        file::{Fields, Kustomization, Type, check},
        folder::Folder,
    },
    report::Report,
    resource::Resource,
    schema::config::Config,
    transform,
};

const IMAGE: Fields = &[
    ("name", Type::Text),
    ("newName", Type::Text),
    ("newTag", Type::Text),
    ("tagSuffix", Type::Text),
    ("digest", Type::Text),
];
const LABEL: Fields = &[
    ("pairs", Type::TextMap),
    ("includeSelectors", Type::Bool),
    ("includeTemplates", Type::Bool),
    ("fields", Type::Maps),
];
const REPLICA: Fields = &[("name", Type::Text), ("count", Type::Number)];

/// Is reported of every transformer that has run.
pub(in crate::kustomize) type Done<'d> = &'d dyn Fn(&mut [Resource], &str);

/// Runs the transformers of a kustomization file, in kustomize's order.
pub(in crate::kustomize) fn run(
    folder: &Folder<'_, '_>,
    file: &Kustomization,
    (resources, config, report): (&mut Vec<Resource>, &Config, &mut Report),
    done: Done<'_>,
) {
    for entry in file.items("patchesStrategicMerge") {
        patch::merge_entry(folder, resources, entry, report);
    }
    if file.items("patchesStrategicMerge").next().is_some() {
        done(resources, "PatchStrategicMergeTransformer");
    }
    for entry in file.items("patches") {
        patch::entry(folder, resources, entry, report);
        done(resources, "PatchTransformer");
    }
    if let Some(namespace) = file.text("namespace") {
        transform::namespace(resources, namespace, transform::NamespaceOptions::default(), &config.namespace, report);
        done(resources, "NamespaceTransformer");
    }
    if let Some(prefix) = file.text("namePrefix") {
        transform::affix(resources, Affix::Prefix, prefix, &config.name_prefix, report);
        done(resources, "PrefixTransformer");
    }
    if let Some(suffix) = file.text("nameSuffix") {
        transform::affix(resources, Affix::Suffix, suffix, &config.name_suffix, report);
        done(resources, "SuffixTransformer");
    }
    for entry in file.items("labels") {
        let entry = check(entry, LABEL, "label", report);
        if let Some(pairs) = entry.get("pairs") {
            let specs = transform::label_specs(&entry, config, report);
            transform::entries(resources, Step::Labels, pairs, &specs, report);
            done(resources, "LabelTransformer");
        }
    }
    if let Some(labels) = file.get("commonLabels") {
        transform::entries(resources, Step::Labels, labels, &config.common_labels, report);
    }
    if file.get("commonLabels").is_some() || file.items("labels").next().is_some() {
        done(resources, "LabelTransformer");
    }
    if let Some(annotations) = file.get("commonAnnotations") {
        transform::entries(resources, Step::Annotations, annotations, &config.common_annotations, report);
        done(resources, "AnnotationsTransformer");
    }
    for entry in file.items("patchesJson6902") {
        patch::json_entry(folder, resources, entry, report);
        done(resources, "PatchJson6902Transformer");
    }
    for entry in file.items("replicas") {
        transform::replicas(resources, &check(entry, REPLICA, "replica entry", report), &config.replicas, report);
        done(resources, "ReplicaCountTransformer");
    }
    for entry in file.items("images").chain(file.items("imageTags")) {
        images::images(resources, &check(entry, IMAGE, "image", report), &config.images, report);
        done(resources, "ImageTagTransformer");
    }
    for entry in file.items("replacements") {
        replace::entry(folder, resources, entry, report);
    }
    if file.items("replacements").next().is_some() {
        done(resources, "ReplacementTransformer");
    }
}
