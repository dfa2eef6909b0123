//! What a browser posts: `application/x-www-form-urlencoded`, and files as `multipart/form-data`.

use lambda_http::{Body, Request};

use crate::error::AdminError;

/// Bytes of a form at most. API Gateway passes on 10 MB, and Lambda 6 MB.
const LARGEST_FORM: usize = 5 * 1024 * 1024;

/// The fields of a posted form, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
    /// An uploaded file: its bytes.
    file: Option<Vec<u8>>,
}

impl Form {
    /// Reads the body.
    ///
    /// # Errors
    /// [`AdminError::TooLarge`]. A body that is no form has no fields.
    pub(crate) fn read(request: &Request) -> Result<Self, AdminError> {
        let body: &[u8] = match request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        };
        if body.len() > LARGEST_FORM {
            return Err(AdminError::TooLarge("5 MB: send less at once"));
        }
        let content_type =
            request.headers().get("content-type").and_then(|value| value.to_str().ok());
        if let Some(boundary) = content_type.and_then(boundary) {
            return Ok(Self::multipart(body, &boundary));
        }
        let fields = form_urlencoded::parse(body)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Ok(Self { fields, file: None })
    }

    fn multipart(body: &[u8], boundary: &str) -> Self {
        let mut form = Self::default();
        let delimiter = format!("--{boundary}");
        for part in split(body, delimiter.as_bytes()) {
            let part = part.strip_prefix(b"\r\n").unwrap_or(part);
            let Some(end) = part.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let (head, content) = (&part[..end], &part[end + 4..]);
            let content = content.strip_suffix(b"\r\n").unwrap_or(content);
            let head = String::from_utf8_lossy(head);
            let Some(name) = parameter(&head, "name=\"") else { continue };
            if parameter(&head, "filename=\"").is_some() {
                form.file = Some(content.to_vec());
            } else {
                form.fields.push((name, String::from_utf8_lossy(content).into_owned()));
            }
        }
        form
    }

    /// The first field of this name, as typed.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The first field of this name, trimmed; empty if it is absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.first(name).unwrap_or_default().trim()
    }

    /// Every field of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The uploaded file, if the form had one.
    pub(crate) fn file(&self) -> Option<&[u8]> {
        self.file.as_deref()
    }
}

fn boundary(content_type: &str) -> Option<String> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = rest.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
    Some(value.trim_matches('"').to_owned()).filter(|boundary| !boundary.is_empty())
}

fn parameter(head: &str, name: &str) -> Option<String> {
    let start = head.match_indices(name).map(|(at, _)| at).find(|at| {
        // `name="` is also the end of `filename="`.
        *at == 0 || !head.as_bytes()[at - 1].is_ascii_alphanumeric()
    })?;
    let rest = &head[start + name.len()..];
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

/// The parts between delimiters; what stands before the first and after the last is left out.
fn split<'a>(body: &'a [u8], delimiter: &[u8]) -> Vec<&'a [u8]> {
    let starts: Vec<usize> = body
        .windows(delimiter.len())
        .enumerate()
        .filter(|(_, window)| *window == delimiter)
        .map(|(at, _)| at)
        .collect();
    starts
        .iter()
        .zip(starts.iter().skip(1))
        .map(|(from, to)| &body[from + delimiter.len()..*to])
        .collect()
}

#[cfg(test)]
mod tests {
    use lambda_http::http;

    use super::*;

    #[test]
    fn both_kinds_of_form_are_read() {
        let plain = http::Request::new(Body::from("a=1&b=%C3%A9+x&a=2"));
        let form = Form::read(&plain).unwrap();
        assert_eq!((form.first("a"), form.text("b")), (Some("1"), "é x"));
        assert_eq!(form.all("a").collect::<Vec<_>>(), ["1", "2"]);
        let body = "--X\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nT\r\n--X\r\n\
                    Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\
                    Content-Type: text/csv\r\n\r\na;b\r\n1;2\r\n\r\n--X--\r\n";
        let mut upload = http::Request::new(Body::from(body));
        upload
            .headers_mut()
            .insert("content-type", "multipart/form-data; boundary=X".parse().unwrap());
        let form = Form::read(&upload).unwrap();
        assert_eq!(form.text("token"), "T");
        assert_eq!(form.file(), Some(&b"a;b\r\n1;2\r\n"[..]));
    }

    #[test]
    fn a_form_has_a_largest_size() {
        let large = http::Request::new(Body::from(vec![b'a'; LARGEST_FORM + 1]));
        assert!(matches!(Form::read(&large), Err(AdminError::TooLarge(_))));
    }
}
