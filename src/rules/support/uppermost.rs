//! A path that lies too far up: the build of an entry point that takes in several clusters, or bases beside what is made of
//! them, and fails for what it then has twice.

use std::collections::BTreeSet;

use super::super::{Context, Situation, build_failure, overlapping_path::kustomization_file};
use crate::{
    cluster::{Folder, Node, ObjectKey},
    finding::{Finding, Related, Subject},
    kustomize::Error,
    rules::support::wording::short_list,
    source::{Span, parent},
};

/// The faults of such a build.
pub(in crate::rules) struct Uppermost<'a> {
    node: &'a Node,
    folder: &'a str,
    /// What is there twice, and where: one place where a document is taken in twice.
    clashes: Vec<Clash>,
    /// The folders that each hold one of two.
    parts: BTreeSet<String>,
}

struct Clash {
    subject: Subject,
    first: Span,
    second: Span,
}

/// Names of folders that hold a folder for each cluster or environment.
const ABOVE: [&str; 7] = ["clusters", "cluster", "environments", "environment", "envs", "overlays", "stages"];

/// Names of environments.
const STAGES: [&str; 12] =
    ["prod", "production", "live", "preprod", "staging", "stage", "stg", "dev", "development", "test", "qa", "uat"];

/// Places that are shown.
const SHOWN: usize = 3;

impl<'a> Uppermost<'a> {
    /// That of `node`, where its path is one. What a kustomization file lists is meant to be there.
    pub(in crate::rules) fn new(context: &Context<'_>, node: &'a Node) -> Option<Self> {
        let errors = &node.applied.build.errors;
        let Folder::Here(folder) = &node.folder else { return None };
        if !node.is_entry || errors.is_empty() || kustomization_file(context.tree, folder).is_some() {
            return None;
        }
        let clashes: Vec<Clash> = errors.iter().filter_map(clash).collect();
        let path = |span: Span| context.tree.path(span.file);
        let is_again = |clash: &Clash| clash.first == clash.second;
        let (mut parts, mut apart, mut is_told) = (BTreeSet::new(), 0, false);
        for clash in clashes.iter().filter(|clash| !is_again(clash) && is_flux(clash)) {
            let Some(fork) = Fork::of(path(clash.first), path(clash.second)) else { continue };
            apart += 1;
            is_told |= fork.is_told();
            parts.extend([fork.one, fork.other].map(str::to_owned));
        }
        let is_uppermost = clashes.iter().any(is_again) || apart > 1 || apart == 1 && is_told;
        is_uppermost.then_some(Self { node, folder, clashes, parts })
    }

    /// What there is to say of it.
    pub(in crate::rules) fn report(&self, situation: &Situation<'_>) -> Finding {
        let Self { node, folder, clashes, parts } = self;
        let subject = node.subject();
        let span = node.kustomization.span(&["spec", "path"]);
        let parts: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
        let written = node.kustomization.spec.path.as_deref().unwrap_or("./");
        let all = if folder.is_empty() { "the whole repository".to_owned() } else { format!("all of `{folder}`") };
        let what = clashes.iter().find(|clash| clash.first != clash.second && is_flux(clash)).or(clashes.first());
        let what = what.map(|clash| clash.subject.to_string()).unwrap_or_default();
        let twice = match parts.is_empty() {
            true => format!("{what} is in it more than once"),
            false => format!("{} each define {what}", short_list(&parts, 4)),
        };
        let message = format!("the build of {subject} fails: its path `{written}` takes in {all}, and {twice}");
        let mut finding = situation.finding(&build_failure::RULE.info, subject, span, message);
        finding.label = format!("takes in {all}");
        finding.key = "path".to_owned();
        for clash in clashes.iter().take(SHOWN) {
            let related = |text: &str, span| Related::new(text.to_owned(), Some(clash.subject.clone()), span);
            finding.related.push(related("taken in", clash.first));
            if clash.first != clash.second {
                finding.related.push(related("taken in too", clash.second));
            }
        }
        finding.why = "Where a path has no kustomization file, Flux takes in every manifest below it, and kustomize refuses two objects of one \
                       name. It ends with Ready=False, reason BuildFailed; nothing of it is applied."
            .to_owned();
        let example = self.parts.first().map_or_else(String::new, |part| format!(", such as `./{part}`"));
        finding.help = format!("set `spec.path` to the folder of this cluster alone{example}");
        finding
    }
}

/// The object that a fault says is there twice.
fn clash(error: &Error) -> Option<Clash> {
    let id = error.twice.as_ref()?;
    let (first, _) = error.related.first()?;
    Some(Clash { subject: ObjectKey::from(id.clone()).subject(), first: *first, second: error.span })
}

fn is_flux(clash: &Clash) -> bool {
    matches!(clash.subject.kind.as_str(), "Kustomization" | "HelmRelease")
}

/// Two paths that are alike but for one folder.
struct Fork<'p> {
    one: &'p str,
    other: &'p str,
}

impl<'p> Fork<'p> {
    fn of(one: &'p str, other: &'p str) -> Option<Self> {
        let (left, right): (Vec<&str>, Vec<&str>) = (one.split('/').collect(), other.split('/').collect());
        let differ = || left.iter().zip(&right).enumerate().filter(|(_, (left, right))| left != right);
        let (at, _) = differ().next()?;
        let is_one = left.len() == right.len() && differ().count() == 1 && at + 1 < left.len();
        let end = |parts: &[&str]| parts[..=at].iter().map(|part| part.len() + 1).sum::<usize>() - 1;
        is_one.then(|| Self { one: &one[..end(&left)], other: &other[..end(&right)] })
    }

    /// Whether the names say that these are clusters or environments.
    fn is_told(&self) -> bool {
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let is_stage = |path: &str| STAGES.contains(&name(path).as_str());
        ABOVE.contains(&name(parent(self.one)).as_str()) || is_stage(self.one) && is_stage(self.other)
    }
}
