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
    /// Several objects have this name.
    #[error("`{name}` names {number} objects")]
    Ambiguous {
        /// The name.
        name: String,
        /// How many have it.
        number: usize,
        /// Arguments that tell them apart, the first of them.
        choices: Vec<String>,
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
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NoName(_) => Some("name one as `apps`, `flux-system/apps` or `HelmRelease/media/plex`".to_owned()),
            Self::Unknown { help, .. } => Some(help.clone()),
            Self::NoEvents { owner, .. } => owner.as_ref().map(|owner| format!("ask about what applies it: `{owner}`")),
            Self::Ambiguous { number, choices, .. } => {
                let mut help = format!("name one of them:\n{}", choices.join("\n"));
                if *number > choices.len() {
                    help.push_str(&format!("\nand {} more", number - choices.len()));
                }
                Some(help)
            }
            Self::Apart { names: [one, other], clusters: [first, second] } => {
                Some(format!("`{one}` is in {first}, `{other}` in {second}"))
            }
            Self::Same { names: [name, _] } => Some(format!("`fluxdag why {name}` says whether it waits for itself")),
        }
    }
}
