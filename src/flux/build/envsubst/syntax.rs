//! What the parser of `fluxcd/pkg/envsubst/parse` accepts, and what it refuses.

use std::{borrow::Cow, ops::Range};

use super::{SubstError, SubstErrorKind};

/// A piece of text.
#[derive(Debug)]
pub(super) enum Part<'t> {
    /// As it is, escapes resolved.
    Text(Cow<'t, str>),
    Expression(Expression<'t>),
}

/// `${…}`.
#[derive(Debug)]
pub(super) struct Expression<'t> {
    pub(super) at: Range<usize>,
    pub(super) name: &'t str,
    pub(super) operator: Operator,
    pub(super) operands: Vec<Part<'t>>,
}

/// What is done with the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// Nothing: `${v}`, and the mixed `${v,^}` and `${v^,}`.
    Plain,
    /// `${v:-d}`, `${v:=d}`, `${v=d}`, and `${v:+d}`, `${v:?d}`, which Flux does not tell from the others.
    Default,
    /// `${#v}`
    Length,
    /// `${v,}`
    LowerFirst,
    /// `${v,,}`
    Lower,
    /// `${v^}`
    UpperFirst,
    /// `${v^^}`
    Upper,
    /// `${v:n}`, `${v:n:len}`
    Substring,
    /// `${v#p}`
    TrimPrefix,
    /// `${v##p}`
    TrimLongestPrefix,
    /// `${v%p}`
    TrimSuffix,
    /// `${v%%p}`
    TrimLongestSuffix,
    /// `${v/p/r}`
    Replace,
    /// `${v//p/r}`
    ReplaceAll,
    /// `${v/#p/r}`
    ReplacePrefix,
    /// `${v/%p/r}`
    ReplaceSuffix,
}

impl Operator {
    /// Whether it looks for a pattern at each place of the value.
    pub(super) const fn is_trim(self) -> bool {
        matches!(self, Self::TrimPrefix | Self::TrimLongestPrefix | Self::TrimSuffix | Self::TrimLongestSuffix)
    }
}

impl Expression<'_> {
    pub(super) fn error(&self, kind: SubstErrorKind) -> SubstError {
        SubstError { kind, at: self.at.start, variable: Some(self.name.into()) }
    }
}

/// Deepest nesting of expressions.
const DEPTH: u32 = 64;

/// Takes `text` apart.
pub(super) fn parse(text: &str) -> Result<Vec<Part<'_>>, SubstError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let mut parts = Vec::new();
    let mut plain_from = 0;
    while let Some(dollar) = text[parser.at..].find('$') {
        let dollar = parser.at + dollar;
        match text.as_bytes().get(dollar + 1) {
            Some(b'{') => {
                push_text(&mut parts, &text[plain_from..dollar]);
                parser.at = dollar;
                parts.push(Part::Expression(parser.expression()?));
                plain_from = parser.at;
            }
            // Of a pair of dollar signs the second is dropped here, and means nothing to what follows it.
            Some(b'$') => {
                push_text(&mut parts, &text[plain_from..=dollar]);
                parser.at = dollar + 2;
                plain_from = parser.at;
            }
            _ => parser.at = dollar + 1,
        }
    }
    push_text(&mut parts, &text[plain_from..]);
    Ok(parts)
}

fn push_text<'t>(parts: &mut Vec<Part<'t>>, text: &'t str) {
    if !text.is_empty() {
        parts.push(Part::Text(Cow::Borrowed(text)));
    }
}

type Parsed<T> = Result<T, SubstErrorKind>;

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: u32,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Takes up to `most` characters that `wanted` accepts.
    fn take(&mut self, most: usize, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.chars().take(most).take_while(|letter| wanted(*letter)).map(char::len_utf8).sum();
        self.at += length;
        &rest[..length]
    }

    /// The expression that begins here.
    fn expression(&mut self) -> Result<Expression<'t>, SubstError> {
        let start = self.at;
        self.at += "${".len();
        self.depth += 1;
        let mut expression = Expression { at: start..start, name: "", operator: Operator::Plain, operands: Vec::new() };
        let parsed =
            if self.depth > DEPTH { Err(Failure::from(SubstErrorKind::TooLarge)) } else { self.body(&mut expression) };
        self.depth -= 1;
        expression.at.end = self.at;
        match parsed {
            Ok(()) => Ok(expression),
            Err(Failure::Inner(error)) => Err(error),
            Err(Failure::Here(kind)) => {
                let variable = (!expression.name.is_empty()).then(|| expression.name.into());
                Err(SubstError { kind, at: start, variable })
            }
        }
    }

    fn body(&mut self, expression: &mut Expression<'t>) -> Result<(), Failure> {
        let is_identifier = |letter: char| letter.is_alphanumeric() || letter == '_';
        if self.eat("#") {
            expression.operator = Operator::Length;
            expression.name = self.take(usize::MAX, is_identifier);
            let named = !expression.name.is_empty();
            return Ok(if named { self.close() } else { Err(SubstErrorKind::BadSubstitution) }?);
        }
        expression.name = self.take(usize::MAX, is_identifier);
        if expression.name.is_empty() {
            return Err(SubstErrorKind::BadVariableName.into());
        }
        match self.peek() {
            Some(':') => match self.text[self.at + 1..].chars().next() {
                Some('=' | '-' | '?' | '+') => self.default(expression, 2),
                // A character of several bytes throws the scanner off.
                Some(next) if !next.is_ascii() => Err(SubstErrorKind::BadSubstitution.into()),
                Some(_) => self.substring(expression),
                None => Err(SubstErrorKind::BadSubstitution.into()),
            },
            Some('=') => self.default(expression, 1),
            Some(',' | '^') => {
                expression.operator = match self.take(2, |letter| matches!(letter, ',' | '^')) {
                    "," => Operator::LowerFirst,
                    ",," => Operator::Lower,
                    "^" => Operator::UpperFirst,
                    "^^" => Operator::Upper,
                    _ => Operator::Plain,
                };
                Ok(self.close()?)
            }
            Some('/') => self.replacement(expression),
            Some(sign @ ('#' | '%')) => {
                expression.operator = match (sign, self.take(2, |letter| letter == sign).len()) {
                    ('#', 1) => Operator::TrimPrefix,
                    ('#', _) => Operator::TrimLongestPrefix,
                    (_, 1) => Operator::TrimSuffix,
                    _ => Operator::TrimLongestSuffix,
                };
                self.operand(expression, |letter| letter != '}', false)?;
                Ok(self.close()?)
            }
            Some('}') => Ok(self.close()?),
            _ => Err(SubstErrorKind::MissingClosingBrace.into()),
        }
    }

    fn close(&mut self) -> Parsed<()> {
        if self.eat("}") { Ok(()) } else { Err(SubstErrorKind::BadSubstitution) }
    }

    fn default(&mut self, expression: &mut Expression<'t>, operator: usize) -> Result<(), Failure> {
        self.at += operator;
        expression.operator = Operator::Default;
        while !self.eat("}") {
            self.operand(expression, |letter| letter != '}', false)?;
        }
        Ok(())
    }

    fn substring(&mut self, expression: &mut Expression<'t>) -> Result<(), Failure> {
        self.at += 1;
        expression.operator = Operator::Substring;
        self.operand(expression, |letter| !matches!(letter, ':' | '}'), false)?;
        if self.eat("}") {
            return Ok(());
        }
        if self.take(usize::MAX, |letter| letter == ':').is_empty() {
            return Err(SubstErrorKind::BadSubstitution.into());
        }
        self.operand(expression, |letter| letter != '}', false)?;
        Ok(self.close()?)
    }

    fn replacement(&mut self, expression: &mut Expression<'t>) -> Result<(), Failure> {
        self.at += 1;
        expression.operator = match self.take(1, |letter| matches!(letter, '/' | '#' | '%')) {
            "/" => Operator::ReplaceAll,
            "#" => Operator::ReplacePrefix,
            "%" => Operator::ReplaceSuffix,
            _ => Operator::Replace,
        };
        if self.peek() == Some('/') {
            expression.operands.push(Part::Text(Cow::Borrowed("")));
        } else {
            // A brace does not end the pattern.
            self.operand(expression, |letter| letter != '/', true)?;
        }
        if self.take(usize::MAX, |letter| letter == '/').is_empty() {
            return Err(SubstErrorKind::BadSubstitution.into());
        }
        if self.peek() != Some('}') {
            self.operand(expression, |letter| letter != '}', true)?;
        }
        Ok(self.close()?)
    }

    /// One operand: an expression, or text up to the next one or to what `accepts` refuses; never empty.
    fn operand(
        &mut self,
        expression: &mut Expression<'t>,
        accepts: impl Fn(char) -> bool,
        escapes: bool,
    ) -> Result<(), Failure> {
        if self.rest().starts_with("${") {
            expression.operands.push(Part::Expression(self.expression()?));
            return Ok(());
        }
        let start = self.at;
        let mut text = Cow::Borrowed("");
        let mut from = start;
        while let Some(letter) = self.peek() {
            let pair = self.rest().as_bytes().get(..2);
            if pair == Some(b"${") {
                break;
            }
            if escapes && matches!(pair, Some(b"$$" | b"\\/" | b"\\\\")) {
                text += &self.text[from..self.at];
                from = self.at + 1;
                self.at += 2;
            } else if accepts(letter) {
                self.at += letter.len_utf8();
            } else {
                break;
            }
        }
        if self.at == start {
            return Err(SubstErrorKind::BadOperand.into());
        }
        text += &self.text[from..self.at];
        expression.operands.push(Part::Text(text));
        Ok(())
    }
}

/// A failure of this expression, or of one inside it.
enum Failure {
    Here(SubstErrorKind),
    Inner(SubstError),
}

impl From<SubstErrorKind> for Failure {
    fn from(kind: SubstErrorKind) -> Self {
        Self::Here(kind)
    }
}

impl From<SubstError> for Failure {
    fn from(error: SubstError) -> Self {
        Self::Inner(error)
    }
}
