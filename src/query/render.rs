//! What a Kustomization or a folder builds.

mod document;

use std::collections::BTreeSet;

use super::{
    Error,
    names::{LISTED, prefer},
};
use crate::{
    cluster::{Cluster, Focus, Folder, Node, ObjectQuery},
    finding::{Confidence, Finding, Location, Related, Severity, Subject, count},
    kustomize::{self, Build, Object, Unresolved},
    source::{Span, shell_word},
};

pub use document::{Manifest, Rendered, RenderedCluster, RenderedObject, Trace, TraceStep};

/// What was built.
#[derive(Debug, Clone)]
pub struct Rendering {
    /// The Kustomization, and the root of its cluster; `None` for a folder.
    pub of: Option<(String, Subject)>,
    /// The folder that was built, from the artifact root; `None` for a Kustomization.
    pub folder: Option<String>,
    /// The objects, as they are built.
    pub objects: Vec<Object>,
    /// Why the build fails.
    pub findings: Vec<Finding>,
    /// What is not known of it.
    pub unresolved: Vec<Unresolved>,
}

/// What the Kustomization of a name applies. Where several have it, one that `focus` reports is meant.
///
/// # Errors
/// Where the name is not that of one Kustomization.
pub fn render(clusters: &[Cluster], focus: &Focus, name: &str) -> Result<Rendering, Error> {
    let wanted = ObjectQuery::kustomization(name)?;
    let mut found = wanted.find(clusters);
    let position =
        |cluster: &Cluster| clusters.iter().position(|other| std::ptr::eq(other, cluster)).unwrap_or_default();
    prefer(&mut found, |(cluster, _)| focus.has_cluster(position(cluster)));
    prefer(&mut found, |(cluster, node)| {
        focus.subjects(position(cluster), cluster).is_none_or(|reported| reported.contains(&node.subject()))
    });
    let (cluster, node) = match found.as_slice() {
        [one] => *one,
        [] => return Err(unknown(name, &wanted, clusters)),
        several => {
            let choices = several.iter().take(LISTED);
            let choices = choices
                .map(|(cluster, node)| {
                    format!("{} --cluster {}", shell_word(&node.key.to_string()), shell_word(&cluster.root))
                })
                .collect();
            return Err(Error::Ambiguous {
                name: name.to_owned(),
                what: "Kustomization",
                number: several.len(),
                choices,
            });
        }
    };
    Ok(Rendering {
        of: Some((cluster.root.clone(), node.subject())),
        folder: None,
        objects: node.applied.build.objects.clone(),
        findings: faults(cluster, node),
        unresolved: node.unresolved.clone(),
    })
}

/// What a folder, seen from the artifact root, builds without a Kustomization.
#[must_use]
pub fn render_folder(folder: &str, build: Build) -> Rendering {
    let name = if folder.is_empty() { "." } else { folder };
    let subject = Subject { kind: "Folder".to_owned(), namespace: None, name: name.to_owned() };
    Rendering {
        of: None,
        folder: Some(name.to_owned()),
        findings: build.errors.iter().map(|error| of_error(error, &subject, Span::NONE)).collect(),
        objects: build.objects,
        unresolved: build.unresolved,
    }
}

fn unknown(name: &str, wanted: &ObjectQuery, clusters: &[Cluster]) -> Error {
    let nodes = clusters.iter().map(|cluster| cluster.nodes.len()).sum();
    let help = wanted.similar(clusters).map_or_else(
        || format!("there are {}; a folder is built with --path", count(nodes, "Kustomization")),
        |similar| format!("did you mean `{similar}`?"),
    );
    Error::UnknownKustomization { name: name.to_owned(), help }
}

/// Why the build of `node` fails.
fn faults(cluster: &Cluster, node: &Node) -> Vec<Finding> {
    let path = node.kustomization.span(&["spec", "path"]);
    let subject = node.subject();
    let mut faults = Vec::new();
    if let Folder::Missing { path: folder, similar, .. } = &node.folder {
        let message = format!("the build of {subject} fails: `spec.path` `{folder}` is not a folder of the source");
        let help = similar.as_ref().map_or_else(String::new, |similar| format!("did you mean `{similar}`?"));
        faults.push(Finding { rule: "missing-path", help, ..fault(message, subject.clone(), path) });
    }
    faults.extend(node.applied.build.errors.iter().map(|error| of_error(error, &subject, path)));
    let of_variable = |fault| Finding { rule: "unset-variable", ..fault };
    faults.extend(node.applied.expression_errors.iter().map(|error| of_variable(of_error(error, &subject, path))));
    if cluster.controllers.has_strict_substitution(cluster.version) {
        let mut seen = BTreeSet::new();
        for used in node.applied.unset_variables.iter().filter(|used| seen.insert(&used.name)) {
            let message = format!("the build of {subject} fails: `{}` is set nowhere and has no default", used.name);
            let mut fault = of_variable(fault(message, subject.clone(), used.span));
            if cluster.version.is_none() && cluster.controllers.strict_substitution_gate().is_none() {
                fault.severity = Severity::Warning;
                fault.why = "Since Flux 2.9 substitution is strict. Which release runs here is not in the repository."
                    .to_owned();
            }
            faults.push(fault);
        }
    }
    faults
}

fn of_error(error: &kustomize::Error, subject: &Subject, path: Span) -> Finding {
    let message = format!("the build of {subject} fails: {}", error.message);
    let mut fault = fault(message, subject.clone(), error.span.or(path));
    fault.related = error.related.iter().map(|(span, text)| Related::new(text.clone(), None, *span)).collect();
    fault
}

fn fault(message: String, subject: Subject, at: Span) -> Finding {
    Finding {
        rule: "build-failure",
        severity: Severity::Error,
        confidence: Confidence::High,
        message,
        subject,
        clusters: Vec::new(),
        location: Location::from(at),
        label: "here".to_owned(),
        related: Vec::new(),
        why: String::new(),
        help: String::new(),
        edits: Vec::new(),
        key: String::new(),
        cause: String::new(),
        group: String::new(),
        members: Vec::new(),
        fingerprint: String::new(),
        suppressed: None,
    }
}
