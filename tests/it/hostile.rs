//! Input of strangers that asks for more than its size: work, memory, or an end of the process.

mod build;
