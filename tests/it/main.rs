//! The program and its parts from outside: one binary, one module for each subject.

mod cli;
