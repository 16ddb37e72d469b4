//! What tests share: small repositories, the program as a process, the library, and the folders that hold real data.

mod data;
mod folders;
mod model;
mod program;
mod repository;

pub(crate) use data::{cases, corpus, recorded, repositories};
pub(crate) use folders::{copy_folder, entries, files, fixture, fixtures, name, root};
pub(crate) use model::{Fate, Reason, actor, actors, fate, reached, reasons};
pub(crate) use program::{Done, Program, fluxdag, git, program};
pub(crate) use repository::{Repository, SYNC, SYNC_FILE, ask, config_map, sync};
