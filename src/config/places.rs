//! Where a configuration file is found, and where the paths in it lead.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::{ConfigError, error::position};

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

/// The text of a configuration file, and where it lies.
pub(super) struct ConfigText<'a> {
    pub(super) text: &'a str,
    pub(super) path: &'a Path,
    /// What paths must not lead out of.
    pub(super) within: Option<&'a Path>,
}

const OUTSIDE: &str =
    "a repository may not make fluxdag read what is around it; where you trust this file, pass it with --config";

impl ConfigText<'_> {
    /// An error at byte `start`: what is wrong, and what to do about it.
    pub(super) fn fault(&self, start: usize, message: String, help: Option<&str>) -> ConfigError {
        ConfigError::at(self.path, self.text, start, message, help.map(str::to_owned))
    }

    /// The line of byte `start`.
    pub(super) fn line(&self, start: usize) -> usize {
        position(self.text, start).0
    }

    /// The folder of the file.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or_else(|| Path::new(""))
    }

    /// A folder that has to be there.
    pub(super) fn existing_folder(&self, written: &Spanned<String>) -> Result<PathBuf, ConfigError> {
        self.existing(written, "folder", &|path| path.is_dir())
    }

    /// A file or folder that has to be there.
    pub(super) fn existing_path(&self, written: &Spanned<String>) -> Result<PathBuf, ConfigError> {
        self.existing(written, "file or folder", &|path| path.exists())
    }

    fn existing(
        &self,
        written: &Spanned<String>,
        what: &str,
        is_there: &dyn Fn(&Path) -> bool,
    ) -> Result<PathBuf, ConfigError> {
        let target = self.folder().join(written.get_ref());
        if let Some(real) = target.canonicalize().ok().filter(|real| is_there(real)) {
            if self.is_outside(&real) {
                return Err(self.outside(written));
            }
            return Ok(target);
        }
        let message = format!("`{}` is no {what}; paths count from the folder of this file", written.get_ref());
        let help = "correct the path, or put the folder there before fluxdag runs";
        Err(self.fault(written.span().start, message, Some(help)))
    }

    /// A file that may have to be written first.
    pub(super) fn file(&self, written: &Spanned<String>) -> Result<PathBuf, ConfigError> {
        let target = self.folder().join(written.get_ref());
        if self.within.is_some() {
            // What is not there yet lies where the nearest folder above it does. A link may lead anywhere.
            let here =
                |above: &Path| if above.as_os_str().is_empty() { Path::new(".").to_owned() } else { above.to_owned() };
            let real = target.ancestors().find_map(|above| here(above).canonicalize().ok());
            let climbs = Path::new(written.get_ref()).components().any(|part| part == std::path::Component::ParentDir);
            let is_inside = real.is_some_and(|real| !self.is_outside(&real)) && !target.is_symlink();
            if !is_inside || (climbs && !target.exists()) {
                return Err(self.outside(written));
            }
        }
        if target.is_dir() || written.get_ref().is_empty() {
            let message = format!("`{}` is a folder, and a file is asked for", written.get_ref());
            return Err(self.fault(written.span().start, message, None));
        }
        Ok(target)
    }

    fn is_outside(&self, real: &Path) -> bool {
        self.within.is_some_and(|top| !real.starts_with(top.canonicalize().as_deref().unwrap_or(top)))
    }

    fn outside(&self, written: &Spanned<String>) -> ConfigError {
        let message = format!("`{}` lies outside the repository", written.get_ref());
        self.fault(written.span().start, message, Some(OUTSIDE))
    }
}
