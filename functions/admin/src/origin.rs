//! Where a `POST` comes from.

use lambda_http::Request;

use crate::error::AdminError;

/// Refuses what a browser says comes from another site: by `Sec-Fetch-Site`, or, in browsers that
/// do not send it, by `Origin`. A program sends neither; what it posts by a session's cookie needs
/// the form's token too.
///
/// # Errors
/// [`AdminError::CrossSite`].
pub(crate) fn require_own(request: &Request) -> Result<(), AdminError> {
    let header = |name: &str| request.headers().get(name).map(|value| value.as_bytes());
    let own = match (header("sec-fetch-site"), header("origin")) {
        (Some(site), _) => matches!(site, b"same-origin" | b"none"),
        (None, Some(origin)) => header("host").is_some_and(|host| same_host(origin, host)),
        (None, None) => true,
    };
    // Both are sent by a browser of today: neither may be foreign.
    let origin_fits = match (header("origin"), header("host")) {
        (Some(origin), Some(host)) => same_host(origin, host),
        _ => true,
    };
    if own && origin_fits { Ok(()) } else { Err(AdminError::CrossSite) }
}

fn same_host(origin: &[u8], host: &[u8]) -> bool {
    let origin = std::str::from_utf8(origin).unwrap_or_default();
    let named = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    named.is_some_and(|named| named.as_bytes().eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, http};

    use super::*;

    #[test]
    fn what_comes_from_elsewhere_is_refused() {
        let cases: [(&[(&str, &str)], bool); 9] = [
            (&[], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("origin", "https://a.example")], true),
            (&[("origin", "https://a.example.evil.example")], false),
            (&[("origin", "null")], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://a.example")], false),
        ];
        for (headers, own) in cases {
            let mut request = http::Request::new(Body::Empty);
            request.headers_mut().insert("host", "a.example".parse().unwrap());
            for (name, value) in headers {
                request.headers_mut().insert(*name, value.parse().unwrap());
            }
            assert_eq!(require_own(&request).is_ok(), own, "{headers:?}");
        }
    }
}
