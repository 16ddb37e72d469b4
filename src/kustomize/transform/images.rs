//! `images` (kustomize `ImageTagTransformer`).

use regex::Regex;
use smol_str::SmolStr;

use super::{
    fields::{FieldSpec, Make},
    pattern,
};
use crate::{
    kustomize::{Step, report::Report, resource::Resource},
    source::Span,
    yaml::{Node, Value},
};

struct Image<'k> {
    pattern: Regex,
    new_name: &'k str,
    new_tag: &'k str,
    digest: &'k str,
    suffix: &'k str,
    at: Span,
}

/// Changes the images that one entry names: first in every `containers` and `initContainers` list of an object, then at
/// the configured fields.
pub(in crate::kustomize) fn images(resources: &mut [Resource], entry: &Node, specs: &[FieldSpec], report: &mut Report) {
    let text = |key: &str| entry.find_str(&[key]).unwrap_or_default();
    let name = text("name");
    let at = entry.nearest_span(&["name"]);
    if !report.affords(pattern::cost([name].into_iter()) + resources.len() * (1 + specs.len()), at) {
        return;
    }
    let text_of = format!("^(?:{name})(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$");
    let Some(pattern) = pattern::compile(&text_of) else {
        report.error(entry.nearest_span(&["name"]), format!("`{name}` is no valid image name"));
        return;
    };
    let deciding = ["newTag", "digest", "newName", "tagSuffix"].iter().find_map(|key| entry.get(key));
    let image = Image {
        pattern,
        new_name: text("newName"),
        new_tag: text("newTag"),
        digest: text("digest"),
        suffix: text("tagSuffix"),
        at: deciding.map_or(entry.span, |node| node.span),
    };
    for resource in resources.iter_mut() {
        if !report.affords(1 + resource.size / 4, image.at) {
            break;
        }
        let mut changed = false;
        if resource.gvk().kind != "CustomResourceDefinition"
            && let Some(node) = in_containers(resource.node(), &image)
        {
            let change = resource.set_node(node);
            report.spend_change(change, image.at);
            changed = change.is_one;
        }
        for spec in specs {
            let found = spec.apply(resource.node(), Make::Nothing, image.at, &mut |old| Ok(image.apply(old)));
            match found {
                Ok(Some(node)) => {
                    let change = resource.set_node(node);
                    report.spend_change(change, image.at);
                    changed |= change.is_one;
                }
                Ok(None) => {}
                Err(error) => {
                    report.error_with(image.at, error, vec![(resource.object.source, "in this object".to_owned())]);
                }
            }
        }
        if changed {
            resource.changed(Step::Images, image.at);
        }
    }
}

impl Image<'_> {
    fn apply(&self, old: &Node) -> Option<Node> {
        let old = old.as_str()?;
        if !self.pattern.is_match(old) {
            return None;
        }
        let (name, mut tag, mut digest) = split(old);
        let name = if self.new_name.is_empty() { name } else { self.new_name };
        let suffixed;
        match (self.new_tag, self.digest) {
            ("", "") if !self.suffix.is_empty() => {
                suffixed = format!("{tag}{}", self.suffix);
                (tag, digest) = (&suffixed, "");
            }
            ("", "") => {}
            (new_tag, new_digest) => (tag, digest) = (new_tag, new_digest),
        }
        let mut new = name.to_owned();
        for (mark, part) in [(':', tag), ('@', digest)] {
            if !part.is_empty() {
                new.push(mark);
                new.push_str(part);
            }
        }
        Some(Node::str(SmolStr::from(new), self.at))
    }
}

/// Name, tag and digest of an image.
fn split(image: &str) -> (&str, &str, &str) {
    let start = image.find('/').filter(|at| *at > 0).unwrap_or(0);
    let rest = &image[start..];
    match (rest.find('@'), rest.find(':')) {
        (None, None) => (image, "", ""),
        (Some(at), colon) if colon.is_none_or(|colon| at < colon) => {
            (&image[..start + at], "", &image[start + at + 1..])
        }
        (Some(at), Some(colon)) => {
            (&image[..start + colon], &image[start + colon + 1..start + at], &image[start + at + 1..])
        }
        (_, Some(colon)) => (&image[..start + colon], &image[start + colon + 1..], ""),
        (Some(at), None) => (&image[..start + at], "", &image[start + at + 1..]),
    }
}

/// Every `image` of every item of every `containers` or `initContainers` list.
fn in_containers(node: &Node, image: &Image<'_>) -> Option<Node> {
    let mut changed: Option<Node> = None;
    match &node.value {
        Value::Map(map) => {
            for entry in map.entries() {
                let mut value = in_containers(&entry.value, image);
                if matches!(entry.key.as_str(), "containers" | "initContainers")
                    && let Some(list) = in_list(value.as_ref().unwrap_or(&entry.value), image)
                {
                    value = Some(list);
                }
                if let Some(value) = value {
                    changed.get_or_insert_with(|| node.clone()).set(&entry.key, value);
                }
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(new) = in_containers(item, image)
                    && let Some(items) = changed.get_or_insert_with(|| node.clone()).as_seq_mut()
                {
                    items[index] = new;
                }
            }
        }
        _ => {}
    }
    changed
}

fn in_list(list: &Node, image: &Image<'_>) -> Option<Node> {
    let mut changed: Option<Node> = None;
    for (index, item) in list.as_seq()?.iter().enumerate() {
        if let Some(new) = item.get("image").and_then(|old| image.apply(old))
            && let Some(items) = changed.get_or_insert_with(|| list.clone()).as_seq_mut()
        {
            items[index].set("image", new);
        }
    }
    changed
}
