//! Which form of a page a client wants: HTML for a browser, plain text for a terminal.

use axum::http::{HeaderMap, header};

/// Whether to reply with HTML: the client names `text/html` in `Accept`, or has no `Accept` at all.
/// `curl` sends `Accept: */*`, and gets plain text.
pub fn wants_html(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    accepted.peek().is_none()
        || accepted.any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_html_and_curl_gets_text() {
        let wants = |accept: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            wants_html(&headers)
        };
        assert!(wants(Some("text/html,application/xhtml+xml,*/*;q=0.8")));
        assert!(wants(None));
        assert!(!wants(Some("*/*")) && !wants(Some("application/json")));
    }
}
