use std::{fmt, str::FromStr};

/// The hardware that durations are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// A homelab: three nodes of two to four slow cores, SATA or eMMC disks, 5–10 MB/s from the registry for all of them.
    #[default]
    Slow,
    /// A datacentre or cloud: three or more nodes of four or more fast cores, NVMe, 20–40 MB/s from the registry per node.
    Fast,
}

impl Profile {
    /// How the values are written.
    pub const VALUES: [&'static str; 2] = ["slow", "fast"];

    /// How the profile is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Fast => "fast",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "slow" => Ok(Self::Slow),
            "fast" => Ok(Self::Fast),
            text => Err(format!("`{text}` is not one of {}", Self::VALUES.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_read_as_they_are_written() {
        assert_eq!(Profile::VALUES.map(|text| text.parse::<Profile>().expect("known").to_string()), Profile::VALUES);
        assert!("medium".parse::<Profile>().is_err_and(|error| error.contains("slow, fast")));
        assert_eq!(Profile::default(), Profile::Slow);
    }
}
