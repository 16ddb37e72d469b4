//! What several rules share.

pub(super) mod attempts;
pub(super) mod changed;
pub(super) mod deadlocks;
pub(super) mod dependencies;
pub(super) mod health;
pub(super) mod loss;
pub(super) mod order;
pub(super) mod references;
pub(super) mod removal;
pub(super) mod split;
pub(super) mod twins;
pub(super) mod uppermost;
pub(super) mod wording;

use super::Context;
use crate::situation::Situation;
