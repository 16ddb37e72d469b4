use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::{args::Lint, error::CliError};
use crate::Stdin;

/// The stream that the arguments ask for, where they do.
pub(super) fn read(lint: &Lint) -> Result<Option<Stdin>, CliError> {
    let dash = Path::new("-");
    if !lint.choices.paths.iter().any(|path| path == dash) {
        return match &lint.stdin_filename {
            None => Ok(None),
            Some(_) => {
                Err(CliError::new("--stdin-filename says what standard input stands for, and nothing reads that")
                    .with_help("give `-` as the path"))
            }
        };
    }
    if lint.choices.paths.len() > 1 {
        return Err(CliError::new("`-` is standard input, and there is more to check beside it")
            .with_help("give `-` alone; --stdin-filename says which file of the repository it stands for"));
    }
    if lint.since.is_some() {
        return Err(CliError::new("standard input has no revisions to compare")
            .with_help("drop --since, or check the files where they lie"));
    }
    if let Some(folder) = lint.stdin_filename.as_deref().filter(|name| name.is_dir()) {
        return Err(CliError::new(format!("--stdin-filename names a folder, {}", folder.display()))
            .with_help("name the file that standard input stands for; it need not be there yet"));
    }
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|error| CliError::new(format!("failed to read standard input: {error}")))?;
    Ok(Some(Stdin { file: lint.stdin_filename.as_deref().and_then(placed), bytes: bytes.into() }))
}

/// The file that a stream stands for, without links; `None` where not even its folder is there.
fn placed(name: &Path) -> Option<PathBuf> {
    if let Ok(file) = name.canonicalize() {
        return file.is_file().then_some(file);
    }
    let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(name.file_name()?))
}
