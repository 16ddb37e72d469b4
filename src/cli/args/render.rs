use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use super::{Configuration, Scope};
use crate::cli::candidates;

const RENDER_EXAMPLES: &str = "\
Examples:
  fluxdag render apps                              What the Kustomization `apps` applies
  fluxdag render flux-system/apps clusters/prod    The same, of the cluster in that folder
  fluxdag render apps --cluster prod               The same, where several clusters have one
  fluxdag render apps --origin                     Say which file and line decided each value
  fluxdag render apps -o json --origin             All of that for a program
  fluxdag render --path apps/base                  What `kustomize build` makes of a folder

Exit codes:
  0  built
  1  the build fails; what could be built is printed
  2  the job could not be done";

/// Print what a Kustomization applies, and where every value of it comes from
///
/// Builds it as Flux does, with its patches, components, target namespace, variables and common metadata, and prints the
/// objects as `kustomize build` would. What cannot be known from the files stays as it is written and is noted on
/// standard error.
#[derive(Debug, Args)]
#[command(after_help = RENDER_EXAMPLES)]
pub(in crate::cli) struct Render {
    /// The Kustomization: NAME, NAMESPACE/NAME or Kustomization/NAMESPACE/NAME
    #[arg(value_name = "NODE", required_unless_present = "path", add = ArgValueCompleter::new(candidates::nodes))]
    pub(in crate::cli) node: Option<String>,
    /// Files or folders: which cluster, and which of several Kustomizations is meant
    #[arg(value_name = "PATH", default_value = ".")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    /// Build this folder instead, as `kustomize build` does, without what a Kustomization adds
    #[arg(long, value_name = "DIR", conflicts_with_all = ["node", "paths", "cluster"])]
    pub(in crate::cli) path: Option<PathBuf>,

    /// How to write the objects
    #[arg(short = 'o', long = "format", value_name = "FMT", default_value = "yaml", help_heading = "Output")]
    pub(in crate::cli) format: ObjectFormat,
    /// In which order to write them
    #[arg(long, value_name = "ORDER", default_value = "none", help_heading = "Output")]
    pub(in crate::cli) sort: ObjectOrder,
    /// Say where each object comes from, what changed it, and which text decided each value
    #[arg(long, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "changed",
        help_heading = "Output")]
    pub(in crate::cli) origin: Option<ShownOrigin>,

    #[command(flatten)]
    pub(in crate::cli) scope: Scope,
    #[command(flatten)]
    pub(in crate::cli) configuration: Configuration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ObjectFormat {
    /// One document for each object
    Yaml,
    /// One array of objects
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ObjectOrder {
    /// As they are built
    None,
    /// As `kubectl kustomize` prints them: Namespaces and CRDs first, webhooks last
    Legacy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ShownOrigin {
    /// In YAML only values that do not stand in the object's own document; in JSON all
    Changed,
    /// All values
    All,
}
