use std::fmt;

/// The object a finding is about, printed as `Kind/namespace/name`, the form of `flux tree`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
pub struct Subject {
    /// Kind, for instance `Kustomization`; `File` where no object could be read.
    pub kind: String,
    /// Namespace, where it has one.
    pub namespace: Option<String>,
    /// Name; the path for a file.
    pub name: String,
}

impl Subject {
    /// The kind of a file as a subject.
    pub const FILE: &str = "File";

    /// A file as a subject: for what keeps its objects from being read.
    #[must_use]
    pub fn file(path: impl Into<String>) -> Self {
        Self { kind: Self::FILE.to_owned(), namespace: None, name: path.into() }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{namespace}/{}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}
