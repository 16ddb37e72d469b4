//! Which files set a cluster up.

use crate::source::parent;

/// Folders and files whose names begin so hold what people run before Flux.
const SETUP: [&str; 23] = [
    "ansible",
    "bootstrap",
    "cloud-init",
    "cloudinit",
    "helmfile",
    "ignition",
    "k0s",
    "k3s",
    "kubeadm",
    "opentofu",
    "packer",
    "playbook",
    "provision",
    "rke2",
    "scripts",
    "setup",
    "talconfig",
    "talos",
    "taskfile",
    "terraform",
    "terragrunt",
    "tofu",
    "justfile",
];

/// Ends of files that people run.
const SCRIPTS: [&str; 10] = ["bash", "fish", "just", "mk", "nu", "ps1", "sh", "tf", "tofu", "zsh"];

/// Files that tell people what to run.
const PROSE: [&str; 6] = ["bootstrap", "getting", "install", "quickstart", "readme", "setup"];

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It lies where a cluster is set up: each name in it counts.
    Setup,
    /// A script: what it runs counts.
    Script,
    /// Text for people: the commands in it count.
    Prose,
    /// A template: the objects in it count.
    Template,
}

/// A file that may set a cluster up.
#[derive(Debug)]
pub(super) struct Place<'t> {
    pub(super) path: &'t str,
    pub(super) role: Role,
}

impl<'t> Place<'t> {
    /// The role of the file at `path`; `None` where it has none.
    pub(super) fn of(path: &'t str) -> Option<Self> {
        let lower = path.to_ascii_lowercase();
        let name = lower.rsplit('/').next().unwrap_or_default();
        // Pipelines set up clusters to test on.
        if lower.starts_with(".github/") || lower.starts_with(".git/") || lower.starts_with(".forgejo/") {
            return None;
        }
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        let is_setup = || is_setup(&lower);
        let role = if matches!(end, "md" | "adoc" | "rst") {
            if !PROSE.iter().any(|begin| name.starts_with(begin)) && !is_setup() {
                return None;
            }
            Role::Prose
        } else if is_setup() {
            Role::Setup
        } else if SCRIPTS.contains(&end) || name.starts_with("makefile") {
            Role::Script
        } else if is_template(end) {
            Role::Template
        } else {
            return None;
        };
        Some(Self { path, role })
    }

    /// The folder of the file.
    pub(super) fn folder(&self) -> &'t str {
        parent(self.path)
    }

    /// Whether its name may be that of a file of a CRD, `<group>_<plural>`.
    pub(super) fn is_named_after_crd(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.role == Role::Setup && name.split_once('_').is_some_and(|(group, _)| group.contains('.'))
    }

    /// Its name, less what marks it as a template.
    pub(super) fn stem(&self) -> &'t str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').filter(|(_, end)| is_template(end)).map_or(name, |(stem, _)| stem)
    }
}

/// Whether a folder or file of the path, in small letters, is one of those that people run before Flux.
pub(super) fn is_setup(path: &str) -> bool {
    path.split('/').any(|part| SETUP.iter().any(|begin| part.trim_start_matches(['.', '_']).starts_with(begin)))
}

fn is_template(end: &str) -> bool {
    matches!(end, "gotmpl" | "j2" | "jinja" | "jinja2" | "tmpl" | "tpl" | "tftpl")
}
