use std::path::PathBuf;

use crate::{
    cluster::{EditError, NodeKey, ObjectQueryError},
    finding::Subject,
    source::printable,
};

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A text has no form of a name.
    #[error("`{0}` is no name of an object")]
    NoName(String),
    /// Nothing has this name.
    #[error("there is no `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// What is there instead.
        help: String,
    },
    /// Something has this name, and nothing is known of what it waits for.
    #[error("nothing waits for `{name}`, and it waits for nothing that is known")]
    NoEvents {
        /// The name.
        name: String,
        /// What applies it, where something does.
        owner: Option<String>,
    },
    /// No Kustomization has this name.
    #[error("there is no Kustomization `{name}`")]
    UnknownKustomization {
        /// The name.
        name: String,
        /// What is there instead.
        help: String,
    },
    /// A text is no name of a Kustomization.
    #[error(transparent)]
    NoKustomizationName(#[from] ObjectQueryError),
    /// Several objects have this name.
    #[error("`{name}` names {number} {what}s")]
    Ambiguous {
        /// The name.
        name: String,
        /// What they are.
        what: &'static str,
        /// How many have it.
        number: usize,
        /// Arguments that tell them apart, the first of them.
        choices: Vec<String>,
    },
    /// A path leads nowhere.
    #[error("there is no file `{path}`")]
    NoFile {
        /// The path.
        path: String,
        /// A path that is very much like it.
        similar: Option<String>,
    },
    /// A path leads out of the repository.
    #[error("`{path}` lies outside the repository")]
    Outside {
        /// The path.
        path: String,
        /// The folder that was read.
        root: PathBuf,
    },
    /// Two objects are in different clusters.
    #[error("no cluster has both `{}` and `{}`", .names[0], .names[1])]
    Apart {
        /// Their names.
        names: [String; 2],
        /// The cluster of each.
        clusters: [String; 2],
    },
    /// Two names are of one object.
    #[error("`{}` and `{}` are the same object", .names[0], .names[1])]
    Same {
        /// The names.
        names: [String; 2],
    },
    /// There is no change to compute with.
    #[error("there is nothing to change")]
    NoChange,
    /// It is not said which cluster is meant.
    #[error("there are several clusters")]
    SeveralClusters(Vec<String>),
    /// One name is of another cluster than those before.
    #[error("`{0}` is of another cluster than the rest")]
    OtherCluster(String),
    /// A name is of something that is no Kustomization.
    #[error("{0} is no Kustomization")]
    NoKustomization(Subject),
    /// An object cannot be moved.
    #[error("no Kustomization applies {0}")]
    NotApplied(Subject),
    /// A Kustomization cannot be split.
    #[error("{0} has no HelmRelease that takes much longer than its others")]
    NothingHeavy(NodeKey),
    /// No HelmRelease has this chart.
    #[error("no HelmRelease is of a chart `{0}`")]
    NoChart(String),
    /// A change does not fit the cluster.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NoName(_) => Some("name one as `apps`, `flux-system/apps` or `HelmRelease/media/plex`".to_owned()),
            Self::Unknown { help, .. } | Self::UnknownKustomization { help, .. } => Some(help.clone()),
            Self::NoKustomizationName(_) => Some(
                "name one as `apps`, `flux-system/apps` or `Kustomization/flux-system/apps`; a folder is built with --path"
                    .to_owned(),
            ),
            Self::NoEvents { owner, .. } => owner.as_ref().map(|owner| format!("ask about what applies it: `{owner}`")),
            Self::Ambiguous { number, choices, .. } => {
                let choices: Vec<_> = choices.iter().map(|choice| printable(choice)).collect();
                let mut help = format!("name one of them:\n{}", choices.join("\n"));
                if *number > choices.len() {
                    help.push_str(&format!("\nand {} more", number - choices.len()));
                }
                Some(help)
            }
            Self::NoFile { similar: None, .. } => Some(
                "paths are taken from the working directory or the artifact root; a deleted file is built into nothing: \
                 ask in a revision that has it"
                    .to_owned(),
            ),
            Self::NoFile { similar: Some(similar), .. } => Some(format!(
                "did you mean `{similar}`? A deleted file is built into nothing: ask in a revision that has it"
            )),
            Self::Outside { root, .. } => {
                Some(format!("what was read is {}; a path behind `--` names another repository", root.display()))
            }
            Self::Apart { names: [one, other], clusters: [first, second] } => {
                Some(format!("`{one}` is in {first}, `{other}` in {second}"))
            }
            Self::NoChange => Some(
                "name a change: --unset-wait NODE, --drop-edge NODE:DEPENDENCY, --add-edge NODE:DEPENDENCY, --move OBJECT:NODE, --split NODE, --timeout NODE=15m, --slow CHART=2x or \
                 --fail NODE"
                    .to_owned(),
            ),
            Self::SeveralClusters(roots) => Some(format!("pick one with --cluster: {}", roots.join(", "))),
            Self::OtherCluster(_) => Some("ask about one cluster at a time, with --cluster".to_owned()),
            Self::NothingHeavy(_) => Some("name what is to go with --move OBJECT:NODE".to_owned()),
            Self::NoKustomization(_) | Self::NotApplied(_) | Self::NoChart(_) | Self::Edit(_) => None,
            Self::Same { names: [name, _] } => Some(format!("`fluxdag why {name}` says whether it waits for itself")),
        }
    }
}
