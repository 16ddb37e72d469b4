//! Folders that are there to be kept, copied or read, and that no cluster runs from.

use std::collections::BTreeSet;

use crate::source::{Tree, is_below, join, normalize};

/// Words that say so of a folder, alone or as the first or last word of its name.
const WORDS: [&str; 12] = [
    "archive",
    "archived",
    "archives",
    "attic",
    "bak",
    "deprecated",
    "disabled",
    "obsolete",
    "old",
    "retired",
    "template",
    "templates",
];

/// Names that say so: as a word among others they are part of the names of applications.
const NAMES: [&str; 11] = [
    "example",
    "examples",
    "fixture",
    "fixtures",
    "graveyard",
    "sample",
    "samples",
    "skeleton",
    "testdata",
    "trash",
    "unused",
];

/// Whether `folder`, or one that it lies in, says of itself that it is set aside: an archive, templates, examples, or hidden.
pub(in crate::cluster) fn is_aside(folder: &str) -> bool {
    folder.split('/').any(|part| {
        let is_hidden = part.starts_with('.') && !part.trim_start_matches('.').is_empty();
        let name = part.trim_matches(['.', '_', '-']).to_ascii_lowercase();
        let words = || name.split(['-', '_', '.']);
        let ends = [words().next(), words().next_back()];
        is_hidden
            || is_marked(part)
            || NAMES.contains(&name.as_str())
            || ends.into_iter().flatten().any(|word| WORDS.contains(&word))
    })
}

/// Parts of a path that stand for a name to be filled in, in lower case and with `-` between words.
const PLACEHOLDERS: [&str; 15] = [
    "cluster-name",
    "clustername",
    "env-name",
    "environment-name",
    "app-name",
    "appname",
    "tenant-name",
    "team-name",
    "changeme",
    "change-me",
    "replaceme",
    "replace-me",
    "placeholder",
    "todo",
    "xxx",
];

/// Whether a part of `path` stands for a name to be filled in.
pub(in crate::cluster) fn has_placeholder(path: &str) -> bool {
    path.split('/').any(|part| {
        let is_shouted = part.len() > 2 && part.bytes().all(|byte| byte.is_ascii_uppercase() || b"_-".contains(&byte));
        let part = part.to_ascii_lowercase();
        let name = part.trim_matches(['_', '-', '%', '@', '$', '#']).replace('_', "-");
        is_marked(&part) || is_shouted || name.starts_with("your-") || PLACEHOLDERS.contains(&name.as_str())
    })
}

/// Whether a name has marks that a template engine or a person replaces.
fn is_marked(part: &str) -> bool {
    let ends = ["__", "%%", "@@"]
        .iter()
        .any(|mark| part.len() > 2 * mark.len() && part.starts_with(mark) && part.ends_with(mark));
    ends || part.starts_with('<') || ["{{", "<<", "[[", "<%"].iter().any(|mark| part.contains(mark))
}

/// Files above this size are no scripts.
const LARGEST: usize = 1 << 18;

/// Folders that scripts of the repository copy under a name that they are called with: where a cluster is made of.
pub(in crate::cluster) fn copied_by_scripts(tree: &Tree) -> BTreeSet<String> {
    let scripts = tree.files().filter(|file| is_script(tree.path(*file)));
    let texts = scripts.filter_map(|file| tree.text(file)).filter(|text| text.len() <= LARGEST);
    texts.flat_map(str::lines).flat_map(copied).collect()
}

/// Whether the file is one of those that people and pipelines run.
pub(in crate::cluster) fn is_script(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).trim_start_matches('.').to_ascii_lowercase();
    let is_named = ["makefile", "justfile", "taskfile", "jenkinsfile"].iter().any(|start| name.starts_with(start));
    is_named || [".sh", ".bash", ".just", ".mk"].iter().any(|end| name.ends_with(end))
}

/// The folders that a line copies, with all they hold, into one whose name a variable gives.
fn copied(line: &str) -> Vec<String> {
    let commands = line.split([';', '&', '|']);
    let words = commands.filter_map(|command| {
        let mut words = command.split_whitespace().skip_while(|word| *word != "cp" && *word != "rsync");
        words.next().map(|_| words.collect::<Vec<_>>())
    });
    let mut folders = Vec::new();
    for words in words {
        let (flags, places): (Vec<&str>, Vec<&str>) = words.into_iter().partition(|word| word.starts_with('-'));
        let is_deep = flags.iter().any(|flag| flag.contains(['r', 'R', 'a']));
        let Some((_, from)) = places.split_last().filter(|(to, _)| is_deep && (to.contains('$') || to.contains("{{")))
        else {
            continue;
        };
        for place in from {
            let place = place.trim_matches(['"', '\'']).trim_end_matches(['*', '.']);
            let path = join("", place).map(|path| normalize(&path)).unwrap_or_default();
            if !path.is_empty() && !path.contains(['$', '{']) {
                folders.push(path);
            }
        }
    }
    folders
}

/// Whether `folder` is one of `copied` or lies below one.
pub(in crate::cluster) fn is_copied(folder: &str, copied: &BTreeSet<String>) -> bool {
    copied.iter().any(|copied| is_below(folder, copied))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_says_that_it_is_set_aside() {
        for aside in [
            ".archive/x",
            "archive/clusters/lab",
            "apps/old",
            "apps.bak",
            "clusters/template",
            "x/_templates/y",
            "examples/a",
            ".github/workflows",
            "cluster-template",
            "Archived-2023/x",
            "old-clusters/prod",
        ] {
            assert!(is_aside(aside), "{aside}");
        }
        for live in [
            "",
            "clusters/prod",
            "apps/example-app",
            "golden",
            "clusters/gold",
            "apps/archivebox",
            "backup/velero",
            "folder",
            "./clusters",
            "kubernetes/apps/templated",
        ] {
            assert!(!is_aside(live), "{live}");
        }
    }

    #[test]
    fn a_path_has_a_name_to_be_filled_in() {
        for open in [
            "clusters/cluster-name",
            "clusters/CLUSTER_NAME",
            "clusters/<name>",
            "apps/__ENV_NAME__",
            "your-app/x",
            "apps/__x__",
            "apps/CLUSTER",
        ] {
            assert!(has_placeholder(open), "{open}");
        }
        for plain in ["clusters/prod", "apps/name", "cluster/todo-app", "apps/xxxl"] {
            assert!(!has_placeholder(plain), "{plain}");
        }
    }

    #[test]
    fn scripts_copy_the_folder_that_clusters_are_made_of() {
        assert_eq!(
            copied("cp -r clusters/base-cluster clusters/$1; sed -i x clusters/$1/y"),
            ["clusters/base-cluster"]
        );
        assert_eq!(copied("  cp -a ./skel/. \"clusters/${NAME}\""), ["skel"]);
        assert_eq!(copied("\tcp -R skel clusters/{{.NAME}}"), ["skel"]);
        for other in ["cp a.yaml $1", "cp -r clusters/prod /tmp/x", "cp -r $1 clusters/$2", "scp -r a $b", "# copies"] {
            assert_eq!(copied(other), Vec::<String>::new(), "{other}");
        }
    }
}
