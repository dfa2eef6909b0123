//! What a browser posts, or a mail provider for its one-click unsubscribe.

use lambda_http::Request;
use lambda_http::aws_lambda_events::encodings::Body;

/// How many bytes of a form are read at most. A comment of 2,000 characters has up to 24,000 bytes
/// when it is encoded. A longer comment is shown again, so that the customer can shorten it; the
/// page, in which a byte takes up to five, must fit into Lambda's 6 MB.
const LARGEST_FORM: usize = 256 * 1024;

/// The fields of our forms. Others are ignored.
const FIELDS: [&str; 6] = ["stars", "topics", "comment", "lang", "scope", "undo"];

/// The fields of a posted form, in order. A body that is not a form has none.
pub(crate) struct Submission {
    fields: Vec<(String, String)>,
    /// Whether the form was larger than what is read, so that its end is missing.
    pub(crate) cut: bool,
}

impl Submission {
    pub(crate) fn read(request: &Request) -> Self {
        let body: &[u8] = match request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        };
        let read = body.get(..LARGEST_FORM).unwrap_or(body);
        let ours = form_urlencoded::parse(read).filter(|(name, _)| FIELDS.contains(&name.as_ref()));
        let fields = ours.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        Self { fields, cut: body.len() > LARGEST_FORM }
    }

    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}
