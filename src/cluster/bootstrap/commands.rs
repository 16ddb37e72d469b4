//! The commands in scripts and READMEs: what they apply and create.

use smol_str::SmolStr;

use super::{
    Found, Maker,
    names::is_negative,
    places::{Place, Role},
};
use rustc_hash::FxHashSet;

use crate::source::{FileId, Tree, is_yaml, join, parent};

/// Reads the commands of one file.
pub(super) struct Commands<'a, 't> {
    pub(super) tree: &'t Tree,
    pub(super) place: &'a Place<'t>,
    pub(super) found: &'a mut Found,
    /// The folders of the tree.
    pub(super) folders: &'a FxHashSet<&'t str>,
}

/// Most paths behind a variable that are looked for in one file: each takes a walk over all files.
const SEARCHED: usize = 200;

impl Commands<'_, '_> {
    pub(super) fn read(mut self, text: &str) {
        if !text.contains("kubectl") && !text.contains("flux create secret") && !text.contains("kustomize") {
            return;
        }
        let applies =
            text.contains("kubectl") && (text.contains("apply") || text.contains("create") || text.contains("replace"));
        let checks_only = |line: &str| line.contains("--dry-run") && !line.contains("create");
        let is_script = applies && self.place.role != Role::Prose && !text.lines().any(checks_only);
        let mut searched = 0;
        let mut logical = String::new();
        for line in text.lines() {
            match line.trim_end().strip_suffix('\\') {
                Some(head) => {
                    logical.push_str(head);
                    logical.push(' ');
                }
                None => {
                    logical.push_str(line);
                    let line = std::mem::take(&mut logical);
                    self.line(&line, is_script, &mut searched);
                }
            }
        }
        self.line(&logical, is_script, &mut searched);
    }

    fn line(&mut self, line: &str, is_script: bool, searched: &mut usize) {
        if is_negative(line) {
            return;
        }
        let words: Vec<&str> = line.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
        let has = |word: &str| words.contains(&word);
        let is_kubectl = words.iter().any(|word| word.contains("kubectl"));
        // A dry run makes something only where it is piped into what applies it.
        let is_dry = line.contains("--dry-run");
        let applies = is_kubectl && (has("apply") || has("create") || has("replace")) && (!is_dry || has("create"));
        if (is_kubectl || has("flux")) && has("create") && (!is_dry || has("apply")) {
            self.created(&words);
        }
        let is_kustomize = words.windows(2).any(|pair| pair[0].ends_with("kustomize") && pair[1] == "build")
            || (is_kubectl && has("kustomize"));
        for (index, word) in words.iter().enumerate() {
            let before = if index > 0 { words[index - 1] } else { "" };
            let option = ["--kustomize=", "--filename=", "-k=", "-f="].iter().find_map(|name| word.strip_prefix(name));
            let is_option = option.is_some() || matches!(before, "-k" | "--kustomize" | "-f" | "--filename");
            let is_folder = is_option || (is_kustomize && matches!(before, "build" | "kustomize"));
            let path = option.unwrap_or(word);
            // Where kubectl reads a pipe, what the line names goes into it.
            let is_named = is_yaml(path) && (applies || is_script);
            if (is_folder && (applies || is_kustomize)) || is_named {
                self.path(path, is_folder, searched);
            }
        }
    }

    /// `kubectl create secret generic NAME`, `flux create secret git NAME` and their like.
    fn created(&mut self, words: &[&str]) {
        let Some(at) = words.iter().position(|word| *word == "create") else { return };
        let is_flux = words[..at].contains(&"flux");
        let mut plain = words[at + 1..].iter().enumerate().filter(|(index, word)| {
            let before = words[at + index];
            let is_value = before.starts_with('-') && !before.contains('=') && matches!(before, "-n" | "--namespace");
            !word.starts_with('-') && !is_value
        });
        let mut next = || plain.next().map(|(_, word)| *word);
        let (kind, name) = match next() {
            Some("secret" | "secrets") => (Some("Secret"), next().and_then(|_| next())),
            Some("configmap" | "cm") if !is_flux => (Some("ConfigMap"), next()),
            Some("namespace" | "ns") if !is_flux => (Some("Namespace"), next()),
            Some("serviceaccount" | "sa") if !is_flux => (Some("ServiceAccount"), next()),
            _ => (None, None),
        };
        let (Some(kind), Some(name)) = (kind, name) else { return };
        let behind = |index: usize| words.get(index + 1).copied();
        let namespace = words.iter().enumerate().find_map(|(index, word)| match *word {
            "-n" | "--namespace" => behind(index),
            word => word.strip_prefix("--namespace=").or_else(|| word.strip_prefix("-n=")),
        });
        let namespace = namespace.map(shell_variable);
        let name = shell_variable(name);
        let stem = SmolStr::default();
        self.found.made.push(Maker { kind: kind.into(), namespace, name, stem });
    }

    /// What a path of a command leads to.
    fn path(&mut self, path: &str, may_be_folder: bool, searched: &mut usize) {
        let (tail, is_behind_variable) = tail(path);
        if tail.is_empty() || tail.contains("://") {
            return;
        }
        if !is_behind_variable {
            let mut folder = self.place.folder();
            loop {
                if let Some(path) = join(folder, tail)
                    && self.take(&path, may_be_folder)
                {
                    return;
                }
                if folder.is_empty() {
                    break;
                }
                folder = parent(folder);
            }
            return;
        }
        *searched += 1;
        if *searched > SEARCHED {
            return;
        }
        let ending = format!("/{tail}");
        if is_yaml(tail) {
            let tree = self.tree;
            let is_it = |file: &FileId| tree.path(*file).ends_with(&ending) || tree.path(*file) == tail;
            self.found.files.extend(tree.files().filter(is_it));
        } else if may_be_folder && tail.contains('/') {
            let inside = format!("{ending}/");
            let begins = format!("{tail}/");
            let folders = self.tree.files().filter_map(|file| {
                let path = self.tree.path(file);
                let found = path.find(&inside).map(|at| at + ending.len());
                found.or_else(|| path.starts_with(&begins).then_some(tail.len())).map(|end| path[..end].to_owned())
            });
            let mut folders: Vec<String> = folders.collect();
            folders.sort_unstable();
            folders.dedup();
            self.found.folders.extend(folders);
        }
    }

    /// Takes the file or folder at `path`, where there is one.
    fn take(&mut self, path: &str, may_be_folder: bool) -> bool {
        if let Some(file) = self.tree.file(path) {
            self.found.files.push(file);
            return true;
        }
        let is_folder = may_be_folder && !path.is_empty() && self.folders.contains(path);
        if is_folder {
            self.found.folders.push(path.to_owned());
        }
        is_folder
    }
}

/// A word without quotes and what else stands around it.
fn bare(word: &str) -> &str {
    word.trim_matches(['"', '\'', '`', '(', ')', ';', ',', '[', ']'])
}

/// What follows the last variable of a path, and whether there is one.
fn tail(path: &str) -> (&str, bool) {
    let path = path.trim_end_matches('/');
    let end = path.rfind(['}', ')']).map(|at| at + 1).or_else(|| {
        let at = path.rfind('$')?;
        Some(path[at..].find('/').map_or(path.len(), |slash| at + slash))
    });
    match end {
        Some(end) => (path[end..].trim_start_matches(['"', '\'', '/']), true),
        None => (path, false),
    }
}

/// `$NAME` of a shell as a variable that is read like all others.
fn shell_variable(text: &str) -> SmolStr {
    match text.strip_prefix('$').filter(|name| !name.starts_with(['{', '('])) {
        Some(name) => smol_str::format_smolstr!("${{{name}}}"),
        None => text.into(),
    }
}
