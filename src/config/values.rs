//! Values that are written as text of some form.

use std::str::FromStr as _;

use serde::{Deserialize, Deserializer, de::Error as _};

use super::FailOn;
use crate::{
    finding::{Confidence, Severity},
    flux::{FluxVersion, parse_duration},
    timing::Profile,
};

/// A value that is written as text of some form.
pub(super) struct Checked<T>(pub(super) T);

pub(super) trait Written: Sized {
    fn read(text: &str) -> Result<Self, String>;
}

impl<'de, T: Written> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(&String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

impl Written for FluxVersion {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| format!("`{text}` is no Flux release; write it like 2.9"))
    }
}

impl Written for std::time::Duration {
    fn read(text: &str) -> Result<Self, String> {
        parse_duration(text).ok_or_else(|| format!("`{text}` is no duration; write it like 90s, 10m or 1h30m"))
    }
}

impl Written for FailOn {
    fn read(text: &str) -> Result<Self, String> {
        Self::from_str(text)
    }
}

impl Written for Profile {
    fn read(text: &str) -> Result<Self, String> {
        Self::from_str(text)
    }
}

impl Written for Severity {
    fn read(text: &str) -> Result<Self, String> {
        Self::from_str(text)
    }
}

impl Written for Confidence {
    fn read(text: &str) -> Result<Self, String> {
        Self::from_str(text)
    }
}

/// The severity of a rule; `None` where it is off.
pub(super) struct RuleSeverity(pub(super) Option<Severity>);

impl Written for RuleSeverity {
    fn read(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let level = text.parse().map_err(|_| format!("`{text}` is not one of error, warning, info, off"))?;
        Ok(Self(Some(level)))
    }
}
