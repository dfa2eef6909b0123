//! What a browser, or a mail provider's one-click, posts.

use lambda_http::Request;
use lambda_http::aws_lambda_events::encodings::Body;

/// Bytes of a form that are read at most: a comment of 2,000 characters takes up to 24,000 when it is encoded.
const LARGEST_FORM: usize = 2 * 1024 * 1024;

/// The fields of a posted form, in order. One that is too large, or no form, has none.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn read(request: &Request) -> Self {
        let body: &[u8] = match request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        };
        let body = if body.len() > LARGEST_FORM { &[] } else { body };
        Self(form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}
