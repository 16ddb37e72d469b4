use std::path::{Path, PathBuf};

use super::ConfigError;

/// The names of a configuration file. A folder holds one of them at most, and links do not count.
pub const NAMES: [&str; 2] = ["fluxdag.toml", ".fluxdag.toml"];

/// The configuration file in `start` or in the nearest folder around it that holds one, no further up than `top`.
///
/// # Errors
/// Where a folder holds two.
pub fn find(start: &Path, top: Option<&Path>) -> Result<Option<PathBuf>, ConfigError> {
    for folder in start.ancestors() {
        let mut present =
            NAMES.iter().map(|name| folder.join(name)).filter(|path| path.is_file() && !path.is_symlink());
        match (present.next(), present.next()) {
            (Some(first), Some(second)) => return Err(ConfigError::Both { first, second }),
            (Some(found), None) => return Ok(Some(found)),
            _ => {}
        }
        if Some(folder) == top {
            break;
        }
    }
    Ok(None)
}
