//! `kustomize build`, natively: files of an artifact in, objects with their origin out. Knows nothing of Flux.

mod object;

pub use object::{Build, Change, Error, Object, ObjectId, Step, Unresolved};
