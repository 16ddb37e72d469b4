//! Two revisions of a repository side by side: which findings are new, what became of the graph and of the minutes.

mod known;

pub use known::{fixed, mark_known, matched};
