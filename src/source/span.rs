use std::fmt;

/// A file of a [`Tree`](super::Tree). Copyable, small, and stable for the life of the tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub(super) u32);

impl FileId {
    /// Marks values that no file holds: what the analyser itself made up.
    pub const NONE: Self = Self(u32::MAX);

    /// The file at `index`: the way back from [`FileId::index`].
    pub(crate) const fn from_index(index: u32) -> Self {
        Self(index)
    }

    /// Position in tables that hold one entry per file.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE { f.write_str("FileId(none)") } else { write!(f, "FileId({})", self.0) }
    }
}

/// Bytes `start..end` of one file. Offsets count from the start of the file, a byte order mark included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of a value that stands in no file.
    pub const NONE: Self = Self { file: FileId::NONE, start: 0, end: 0 };

    /// A span of `file`.
    #[must_use]
    pub const fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end }
    }

    /// The start of `file`: for statements about a whole file.
    #[must_use]
    pub const fn file_start(file: FileId) -> Self {
        Self { file, start: 0, end: 0 }
    }

    /// Whether some file holds this value.
    #[must_use]
    pub fn is_some(self) -> bool {
        self.file != FileId::NONE
    }

    /// This span, or `other` where no file holds this one.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.is_some() { self } else { other }
    }

    /// Whether `other` lies within this span of the same file.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}
