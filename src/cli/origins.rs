//! Who decides a setting.

use std::collections::BTreeMap;

/// Where the value of a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// An argument, by its name.
    Flag(&'static str),
    /// A variable of the environment, by its name.
    Variable(&'static str),
    /// A line of the configuration file.
    File(usize),
    /// Nobody: it is built in.
    Default,
}

/// Where the values of all settings come from, noted as they are picked.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// The lines of what the file sets.
    lines: BTreeMap<String, usize>,
    origins: BTreeMap<&'static str, Origin>,
}

impl Origins {
    /// For a file that sets keys in these lines.
    pub(super) fn new(lines: BTreeMap<String, usize>) -> Self {
        Self { lines, origins: BTreeMap::new() }
    }

    /// The value of `key`: what the flag says, else what the file says, else `default`.
    pub(super) fn pick<T>(
        &mut self,
        key: &'static str,
        (name, flag): (&'static str, Option<T>),
        file: Option<T>,
        default: T,
    ) -> T {
        self.pick_any(key, (name, flag), file).unwrap_or(default)
    }

    /// The same where nothing is the default.
    pub(super) fn pick_any<T>(
        &mut self,
        key: &'static str,
        (name, flag): (&'static str, Option<T>),
        file: Option<T>,
    ) -> Option<T> {
        let origin = match (&flag, &file) {
            (Some(_), _) => Origin::Flag(name),
            (None, Some(_)) => self.lines.get(key).map_or(Origin::Default, |line| Origin::File(*line)),
            (None, None) => Origin::Default,
        };
        self.origins.insert(key, origin);
        flag.or(file)
    }

    /// Where the value of `key` comes from. Tables and lists of tables come from the file.
    pub(super) fn of(&self, key: &str) -> Origin {
        let line = || self.lines.get(key).map(|line| Origin::File(*line));
        self.origins.get(key).copied().or_else(line).unwrap_or(Origin::Default)
    }
}
