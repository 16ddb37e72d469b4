//! The document of `fluxdag config show -o json`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::query::Document;

/// The settings in force: `fluxdag config show -o json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ShownSettings {
    /// None: settings belong to no cluster.
    pub clusters: [(); 0],
    /// The configuration file; `null` where there is none.
    pub file: Option<String>,
    /// The settings, in the order of the documentation.
    pub settings: Vec<ShownSetting>,
}

/// A setting.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Setting")]
pub struct ShownSetting {
    /// Its key in the configuration file.
    pub key: String,
    /// Its value, as the file would have it; `null` where it is not set.
    pub value: Value,
    /// What decides it.
    pub origin: SettingOrigin,
}

/// What decides a setting.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum SettingOrigin {
    /// An argument.
    Flag {
        /// Its name.
        name: &'static str,
    },
    /// A variable of the environment.
    Environment {
        /// Its name.
        name: &'static str,
    },
    /// The configuration file.
    File {
        /// The file, as it was found.
        path: String,
        /// The line, 1-based.
        line: usize,
    },
    /// Nothing: it is built in.
    Default,
}

impl Document for ShownSettings {
    const COMMAND: &'static str = "config show";
}
