//! The files that sources hand to the controllers.

pub(super) mod artifacts;
pub(super) mod glob;
pub(super) mod ignore_rules;
