//! The errors of every parser.
//!
//! In: what is wrong in a body, and where. Out: one [`Malformed`], from which `shared/intake` makes
//! the 400 reply.

/// A body that could not be read. The reply is HTTP 400.
///
/// The texts name places by the sender's own property names. They never contain a value of the
/// body, which could be personal data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Malformed {
    /// `malformed_json`, `duplicate_key` or `invalid_body`.
    pub code: &'static str,
    /// One sentence. Syntax errors name line and column, both counted from 1; a column is a byte.
    pub detail: String,
    /// The places that are wrong: at least one, and at most [`Malformed::MAX_PLACES`].
    pub errors: Vec<Place>,
}

/// One wrong place in a body.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// Pointer (RFC 6901), cut at 256 bytes. `""` is the whole body.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl Malformed {
    /// The most places that one error reports.
    pub const MAX_PLACES: usize = 50;

    /// The text is not JSON; the first wrong byte is at `offset`.
    pub(crate) fn syntax(text: &[u8], offset: usize, what: &str) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|&&b| b != b'\n').count() + 1;
        Self::at(line, column, what)
    }

    /// The text is not JSON; `line` and `column` count from 1.
    pub(crate) fn at(line: usize, column: usize, what: &str) -> Self {
        Self::not_json(&format!("{what} at line {line} column {column}"))
    }

    /// The body is not JSON, and no single place in it is at fault.
    pub(crate) fn not_json(detail: &str) -> Self {
        let detail = detail.to_owned();
        let place = Place::new("", &detail);
        Self { code: "malformed_json", detail, errors: vec![place] }
    }

    /// Keys that stand twice in one object.
    pub(crate) fn duplicates(errors: Vec<Place>) -> Self {
        Self::listing("duplicate_key", "stands twice", errors)
    }

    /// Values and keys that are valid JSON, but not what the source's schema allows.
    pub(crate) fn invalid(errors: Vec<Place>) -> Self {
        Self::listing("invalid_body", "is not understood", errors)
    }

    fn listing(code: &'static str, verb: &str, mut errors: Vec<Place>) -> Self {
        errors.truncate(Self::MAX_PLACES);
        let detail = match errors.as_slice() {
            [only] => format!("{}: {}", only.name(), only.detail),
            [first, rest @ ..] => {
                format!("{} and {} more: one property or more {verb}", first.name(), rest.len())
            }
            [] => format!("the body {verb}"),
        };
        Self { code, detail, errors }
    }
}

impl Place {
    pub(crate) fn new(pointer: &str, detail: &str) -> Self {
        Self { pointer: pointer.to_owned(), detail: detail.to_owned() }
    }

    fn name(&self) -> &str {
        if self.pointer.is_empty() { "the body" } else { &self.pointer }
    }
}
