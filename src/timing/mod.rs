//! Time: how long things take to become Ready.

pub mod catalog;

pub use catalog::{Catalog, ChartClass, ChartWeight, Range};
