//! Files that the command line or a configuration names: how they are read, and where nothing is written.
//!
//! A repository decides what lies at its paths. So writing follows no link that lies in a repository, leaves Git's own folders
//! alone, and replaces a file by renaming a new one over it. What is no regular file (a pipe, a device, a socket) is used only where the
//! command line names it, outside of any repository: `/dev/stdout`, `/dev/null`, `>(…)` of a shell.

use std::{
    ffi::OsStr,
    fs::{self, File, FileType, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process,
};

use crate::config;

/// What to do where a file could not be written.
pub(super) fn help(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::Other => {
            "name another file; links of a repository, Git's own files, devices and pipes are not written"
        }
        _ => "check the path, and the space left",
    }
}

const OTHER: &str = "it is there and is no regular file";

/// Who named a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamedBy {
    /// Whoever started the program.
    User,
    /// A file of the repository, or nobody.
    Repository,
}

/// The text of a file of at most `most` bytes.
pub(super) fn read(path: &Path, named_by: NamedBy, most: u64) -> io::Result<String> {
    let kind = match named_by {
        NamedBy::User => fs::metadata(path)?,
        NamedBy::Repository => fs::symlink_metadata(path)?,
    };
    let is_readable = kind.is_file() || (named_by == NamedBy::User && !kind.is_dir());
    if !is_readable {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it has more than {most} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no UTF-8"))
}

/// Fails where no regular file can be written at `path`.
pub(super) fn check(path: &Path, top: Option<&Path>) -> io::Result<()> {
    match Place::new(path, top)?.kind()? {
        Some(kind) if !kind.is_file() => Err(io::Error::other(OTHER)),
        _ => Ok(()),
    }
}

/// Writes a file. `top` is the folder that was analysed: what lies in there is as little trusted as in a Git repository.
pub(super) fn write(path: &Path, named_by: NamedBy, top: Option<&Path>, bytes: &[u8]) -> io::Result<()> {
    let place = Place::new(path, top)?;
    match place.kind()? {
        Some(kind) if is_stream(kind) && named_by == NamedBy::User && !place.is_in_repository => {
            OpenOptions::new().write(true).open(&place.path)?.write_all(bytes)
        }
        Some(kind) if !kind.is_file() => Err(io::Error::other(OTHER)),
        _ => place.replace(bytes),
    }
}

/// Makes a folder, and those above it that are missing.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    refuse_links(&std::path::absolute(path)?, None)?;
    fs::create_dir_all(path)
}

/// Fails where a link that lies in a repository is on the way to `path`, or is there.
fn refuse_links(path: &Path, top: Option<&Path>) -> io::Result<()> {
    let mut at = PathBuf::new();
    for part in path.components() {
        let above = at.clone();
        at.push(part);
        if at.is_symlink() && is_in_repository(&above, top) {
            return Err(io::Error::other(format!("{} is a link in a repository, and is not followed", at.display())));
        }
    }
    Ok(())
}

/// Where a file goes that is to be written.
struct Place {
    path: PathBuf,
    folder: PathBuf,
    is_in_repository: bool,
}

impl Place {
    /// Follows `path`, and refuses the links of repositories and what belongs to Git.
    fn new(path: &Path, top: Option<&Path>) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::other("it names no file"));
        };
        refuse_links(parent, top)?;
        let is_git_name = |name: &OsStr| [".git", "git~1"].iter().any(|git| name.eq_ignore_ascii_case(git));
        let of_git = || io::Error::other("it belongs to Git, whose files are left alone");
        if path.iter().any(is_git_name) {
            return Err(of_git());
        }
        let folder = parent.canonicalize()?;
        let is_git = |folder: &Path| {
            folder.file_name().is_some_and(is_git_name)
                || ["HEAD", "objects", "refs"].iter().all(|part| folder.join(part).exists())
        };
        if folder.ancestors().any(is_git) {
            return Err(of_git());
        }
        let is_in_repository = is_in_repository(&folder, top);
        Ok(Self { path: folder.join(name), folder, is_in_repository })
    }

    /// What is there. A link stands for a stream that it leads to, as in `/dev`, and for nothing else.
    fn kind(&self) -> io::Result<Option<FileType>> {
        let kind = match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            kind => kind?.file_type(),
        };
        if !kind.is_symlink() {
            return Ok(Some(kind));
        }
        let target = fs::metadata(&self.path).map(|target| target.file_type()).ok();
        match target.filter(|target| is_stream(*target) || self.is_device()) {
            Some(target) if !self.is_in_repository => Ok(Some(target)),
            _ => Err(io::Error::other("it is a link, which is not followed")),
        }
    }

    /// Whether it stands for a file that the process has open.
    fn is_device(&self) -> bool {
        self.folder == Path::new("/dev") || self.folder.starts_with("/proc")
    }

    /// Puts a file of these bytes in the place of what is there, all of it at once.
    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        if self.is_device() {
            // `/dev/stdout` where standard output is a file.
            return OpenOptions::new().append(true).open(&self.path)?.write_all(bytes);
        }
        let (mut file, new) = self.new_file()?;
        let written = file.write_all(bytes).and_then(|()| {
            // Who may read it stays as it was.
            fs::metadata(&self.path).map_or(Ok(()), |old| fs::set_permissions(&new, old.permissions()))?;
            fs::rename(&new, &self.path)
        });
        if written.is_err() {
            // What cannot be removed either is the lesser fault.
            let _ = fs::remove_file(&new);
        }
        written
    }

    /// A file that nobody else has, beside the one that it is to become.
    fn new_file(&self) -> io::Result<(File, PathBuf)> {
        let mut number = 0;
        loop {
            let path = self.folder.join(format!(".fluxdag-{}-{number}.tmp", process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => number += 1,
                file => return file.map(|file| (file, path)),
            }
        }
    }
}

/// Whether `folder` is what was analysed, or lies in it, in a Git repository or beside a configuration.
fn is_in_repository(folder: &Path, top: Option<&Path>) -> bool {
    let Ok(real) = folder.canonicalize() else { return false };
    let is_marked =
        |above: &Path| [".git"].iter().chain(&config::NAMES).any(|mark| above.join(mark).symlink_metadata().is_ok());
    top.is_some_and(|top| !top.as_os_str().is_empty() && real.starts_with(top)) || real.ancestors().any(is_marked)
}

/// Whether it passes on what is written, and holds nothing.
#[cfg(unix)]
fn is_stream(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    kind.is_fifo() || kind.is_char_device()
}

#[cfg(not(unix))]
fn is_stream(_: FileType) -> bool {
    false
}
