use std::fmt;

/// The way from the root of an object to one of its fields, as `spec.rules[0].host`. A walk passes it along, and only messages
/// spell it out.
#[derive(Debug, Clone, Copy)]
pub enum Trail<'t> {
    /// The root.
    Top,
    /// The value of a key.
    Key(&'t Self, &'t str),
    /// An item of a list.
    Item(&'t Self, usize),
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Key(Self::Top, key) => f.write_str(key),
            Self::Key(above, key) => write!(f, "{above}.{key}"),
            Self::Item(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_reads_as_people_write_it() {
        let rules = Trail::Key(&Trail::Key(&Trail::Top, "spec"), "rules").to_string();
        assert_eq!(rules, "spec.rules");
        let spec = Trail::Key(&Trail::Top, "spec");
        let rules = Trail::Key(&spec, "rules");
        assert_eq!(Trail::Key(&Trail::Item(&rules, 0), "host").to_string(), "spec.rules[0].host");
    }
}
