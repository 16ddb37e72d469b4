//! What a repository may be made of to harm whoever looks at it: one test for each kind, on a small input made here. The
//! kinds, and what becomes of them, are listed in `SECURITY.md`.

mod build;
mod config;
mod door;
mod git;
mod write;
