use std::fmt;

use smol_str::SmolStr;

/// What a field must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Anything.
    Any,
    /// Text.
    Text,
    /// True or false.
    Truth,
    /// A mapping.
    Map,
    /// A duration of Flux's own pattern.
    Duration,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Text of at least and at most so many letters.
    Length(usize, usize),
    /// A key of a ConfigMap or Secret (fluxcd/pkg `meta.ValuesReference`, `^[\\-._a-zA-Z0-9]+$`).
    Key,
    /// A path in values (fluxcd/pkg `meta.ValuesReference`, `^([a-zA-Z0-9_\\-.\\\\\\/]|\\[[0-9]{1,5}\\])+$`).
    ValuePath,
    /// A URL of one of these schemes.
    Url(&'static [&'static str]),
}

/// What is wrong with a field. It prints as what follows the path of the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It has to be there and is not.
    Missing(Form),
    /// It is of another type.
    Type {
        /// What it is.
        is: &'static str,
        /// What is wanted.
        wanted: &'static str,
        /// Where text is wanted and there is none: what takes the quotes away.
        unquoted: Option<Unquoted>,
    },
    /// The text is no duration.
    NoDuration(String),
    /// The text is none of those that are allowed.
    NotAmong {
        /// The text.
        text: String,
        /// What is allowed.
        values: Vec<SmolStr>,
    },
    /// The text is too short or too long.
    Length {
        /// How many letters it has.
        letters: usize,
        /// The fewest and the most that are allowed.
        allowed: (usize, usize),
    },
    /// The schema asks for something else, which the decoder describes.
    Schema(String),
    /// A release has both `chart` and `chartRef`.
    TwoCharts,
    /// A release has neither `chart` nor `chartRef`.
    NoChart,
    /// The text is no DNS subdomain.
    NoName(String),
    /// The text has other letters than those that are allowed.
    NoPattern {
        /// The text.
        text: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The text is no DNS label: it has a dot, or more than 63 letters.
    NoDnsLabel(String),
    /// The text is no value of a label.
    NoLabel(String),
    /// The value of a label has too many letters.
    LongLabel(usize),
    /// The text is no key of a label or annotation.
    NoKey {
        /// The text.
        key: String,
        /// The part of it that is wrong.
        fault: KeyFault,
    },
    /// An earlier entry of the list has the same key, which is given.
    Twice(String),
    /// The text has too many letters for a DNS subdomain.
    LongName(usize),
    /// The text is no URL of a scheme that is allowed.
    NoUrl {
        /// The text.
        text: String,
        /// The schemes.
        schemes: &'static [&'static str],
    },
    /// A number with a fraction, where a whole one is wanted.
    Fraction(String),
    /// The CRD does not serve the version of the object.
    NotServed {
        /// Group and version of the object.
        version: String,
        /// The versions that the CRD serves.
        served: Vec<SmolStr>,
    },
    /// A check of the API server beyond the schema.
    Check {
        /// What is wrong, as it follows the path of the field.
        is: String,
        /// What the API server says.
        said: &'static str,
        /// What to do about it.
        cure: String,
    },
}

/// The part of the key of a label or annotation that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// It has more than one `/`.
    Slashes,
    /// What stands before the `/` is no DNS subdomain.
    Prefix,
    /// The name has other letters than those that are allowed, or none.
    Name,
    /// The name has too many letters.
    LongName,
}

/// Why a text is read as a number or a truth value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unquoted {
    /// It has no quotes.
    Written,
    /// It comes out of a variable: substitution works on text whose quotes kustomize has taken away.
    Substituted,
}

impl Flaw {
    /// Whether something is left out that may be there already, where the object is.
    pub(super) const fn is_about_what_is_missing(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::NoChart | Self::Check { .. })
    }

    /// What the API server says of it.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Missing(_) => "Required value",
            Self::NotAmong { .. } => "Unsupported value",
            Self::TwoCharts | Self::NoChart => "Invalid value: either chart or chartRef must be set",
            Self::NoName(_) | Self::LongName(_) => {
                "Invalid value: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'"
            }
            Self::NoLabel(_) => {
                "Invalid value: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'"
            }
            Self::LongLabel(_) => "Invalid value: must be no more than 63 bytes",
            Self::NoKey { fault, .. } => match fault {
                KeyFault::Slashes => {
                    "Invalid value: a qualified name must consist of alphanumeric characters, '-', '_' or '.', … with an optional DNS subdomain \
                     prefix and '/'"
                }
                KeyFault::Prefix => {
                    "Invalid value: prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'"
                }
                KeyFault::Name => "Invalid value: name part must consist of alphanumeric characters, '-', '_' or '.'",
                KeyFault::LongName => "Invalid value: name part must be no more than 63 bytes",
            },
            Self::NoDnsLabel(_) => {
                "Invalid value: a lowercase RFC 1123 label must have at most 63 characters and no '.'"
            }
            Self::Twice(_) => "duplicate entries for key",
            Self::NoPattern { .. } => "Invalid value: should match its pattern",
            Self::Fraction(_) => "Invalid value: must be of type integer",
            Self::NotServed { .. } => "no matches for kind",
            Self::NoUrl { .. } => "Invalid value: should match '^(…)://.*$'",
            Self::Check { said, .. } => said,
            Self::Type { .. } | Self::NoDuration(_) | Self::Length { .. } | Self::Schema(_) => "Invalid value",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(_) => f.write_str("is missing"),
            Self::Type { is, wanted, .. } => write!(f, "is {is}, where {wanted} is wanted"),
            Self::NoDuration(text) => write!(f, "is `{}`, which is no duration", brief(text)),
            Self::NotAmong { text, values } => {
                write!(f, "is `{}`, where only {} are known", brief(text), any_of(values, "and"))
            }
            Self::Length { letters, allowed: (least, most) } => {
                write!(f, "has {letters} letters, where {least} to {most} are allowed")
            }
            Self::Schema(what) => write!(f, "is not what its schema asks for: {what}"),
            Self::TwoCharts => f.write_str("has both `chart` and `chartRef`"),
            Self::NoChart => f.write_str("has neither `chart` nor `chartRef`"),
            Self::NoName(text) => write!(
                f,
                "is `{}`, where only small letters, digits, `-` and `.` are allowed, letters or digits at both ends",
                brief(text)
            ),
            Self::NoPattern { text, allowed } => write!(f, "is `{}`, where only {allowed} are allowed", brief(text)),
            Self::NoDnsLabel(text) => {
                write!(f, "is `{}`, where at most 63 letters and no dots are allowed", brief(text))
            }
            Self::NoLabel(text) => write!(
                f,
                "is `{}`, where only letters, digits, `-`, `_` and `.` are allowed, letters or digits at both ends",
                brief(text)
            ),
            Self::LongLabel(letters) => write!(f, "has {letters} letters, where 63 are allowed"),
            Self::NoKey { fault, .. } => f.write_str(match fault {
                KeyFault::Slashes => "is no key for a label or annotation: it has more than one `/`",
                KeyFault::Prefix => {
                    "is no key for a label or annotation: what stands before the `/` is no DNS name in small letters"
                }
                KeyFault::Name => {
                    "is no key for a label or annotation: its name may have letters, digits, `-`, `_` and `.`, with letters or digits at both ends"
                }
                KeyFault::LongName => "is no key for a label or annotation: its name has more than 63 letters",
            }),
            Self::Twice(key) => write!(f, "has the same key as an earlier entry (`{key}`)"),
            Self::LongName(letters) => write!(f, "has {letters} letters, where 253 are allowed"),
            Self::NoUrl { text, schemes } => {
                write!(f, "is `{}`, where a URL that begins with {} is wanted", brief(text), urls(schemes))
            }
            Self::Fraction(number) => write!(f, "is {number}, where a whole number is wanted"),
            Self::NotServed { version, served } => {
                write!(f, "is `{version}`, and the CRD serves {}", any_of(served, "and"))
            }
            Self::Check { is, .. } => f.write_str(is),
        }
    }
}

/// `a, b or c`.
#[must_use]
pub fn any_of<S: AsRef<str>>(values: &[S], and: &str) -> String {
    let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
    match values.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} {and} {last}", most.join(", ")),
        _ => values.join(""),
    }
}

/// The beginnings of URLs.
#[must_use]
pub fn urls(schemes: &[&str]) -> String {
    any_of(&schemes.iter().map(|scheme| format!("`{scheme}://`")).collect::<Vec<_>>(), "or")
}

/// The first line of a text, cut where it is long: a message is one line.
fn brief(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let start: String = line.chars().take(60).collect();
    if start == text { start } else { format!("{start}…") }
}
