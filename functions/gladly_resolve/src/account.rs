//! The company's account at Gladly: its host, and the agent in whose name calls are made.
//!
//! In: the config item `integration/gladly`, and the hosts that the environment allows. Out: an
//! [`Account`], which makes the URLs of all calls.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use policy::Item;
use policy::config_table::integration;
use reqwest::Url;
use serde_json::{Map, Value};

use crate::error::LookupError;

/// All ASCII characters but the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The hosts that may be called, whatever the config table says: a person who may edit the table
/// must not be able to send the token to another host.
#[derive(Clone, Debug)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// Gladly's own hosts (docs/facts.md, Gladly 2).
    pub const GLADLY: &'static str = "*.gladly.com,*.gladly.qa";

    /// From a comma-separated list of hosts without ports. Case does not matter. `*.` at the start
    /// of a host stands for one or more labels.
    pub fn new(patterns: &str) -> Self {
        Self(
            patterns
                .split(',')
                .map(|pattern| pattern.trim().to_lowercase())
                .filter(|pattern| !pattern.is_empty())
                .collect(),
        )
    }

    fn allow(&self, host: &str) -> bool {
        self.0.iter().any(|pattern| match pattern.strip_prefix('*') {
            Some(end) => end.starts_with('.') && host.len() > end.len() && host.ends_with(end),
            None => pattern == host,
        })
    }
}

/// `integration/gladly` of the config table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Account {
    /// Scheme and host, without a path.
    base: Url,
    /// The user name of all calls.
    pub(crate) agent_email: String,
}

impl Account {
    /// Reads the config item.
    ///
    /// # Errors
    /// [`LookupError::Misconfigured`] with the attribute: it is missing or cannot be understood,
    /// the URL is not HTTPS (HTTP is allowed on loopback), or its host is not allowed.
    pub(crate) fn read(
        item: Option<&Map<String, Value>>,
        hosts: &AllowedHosts,
    ) -> Result<Self, LookupError> {
        let item = Item::new(
            item.ok_or_else(|| LookupError::misconfigured("base_url", "the item is missing"))?,
        );
        let base = item
            .read(&integration::BASE_URL)?
            .ok_or_else(|| LookupError::misconfigured("base_url", "is missing"))?;
        let base = Url::parse(&base)
            .map_err(|_| LookupError::misconfigured("base_url", "is not a URL"))?;
        let host = base.host_str().unwrap_or_default();
        if !hosts.allow(host) {
            return Err(LookupError::misconfigured(
                "base_url",
                "is not among GLADLY_ALLOWED_HOSTS",
            ));
        }
        if base.scheme() != "https" && !(base.scheme() == "http" && is_loopback(&base)) {
            return Err(LookupError::misconfigured("base_url", "must start with https://"));
        }
        if !base.username().is_empty()
            || base.password().is_some()
            || base.path() != "/"
            || base.query().is_some()
            || base.fragment().is_some()
        {
            return Err(LookupError::misconfigured(
                "base_url",
                "must be a host alone, as in https://example.gladly.com",
            ));
        }
        let agent_email = item
            .read(&integration::AGENT_EMAIL)?
            .ok_or_else(|| LookupError::misconfigured("agent_email", "is missing"))?;
        if agent_email.contains(|c: char| c == ':' || c.is_control()) {
            return Err(LookupError::misconfigured("agent_email", "is not an e-mail address"));
        }
        Ok(Self { base, agent_email })
    }

    /// The URL of the resource with this path below `api/v1`. `None` if a segment cannot be an id.
    /// Segments come from outside, so each is encoded, and none can change the rest of the path.
    pub(crate) fn url(&self, segments: &[&str]) -> Option<Url> {
        let mut path = String::from("api/v1");
        for segment in segments {
            if segment.chars().all(|c| c == '.') {
                return None; // empty, or `..`, which leads up the path
            }
            path.push('/');
            path.extend(utf8_percent_encode(segment, RESERVED));
        }
        Some(self.base.join(&path).expect("a relative path of encoded segments joins a host"))
    }
}

/// Whether the host is this machine. `host.docker.internal` is, seen from a container of
/// `sam local`.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    ["localhost", "host.docker.internal"].contains(&host)
        || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(base_url: &str) -> Result<Account, String> {
        let item = json!({ "base_url": base_url, "agent_email": "api@example.com" });
        let hosts =
            AllowedHosts::new("*.gladly.com, *.gladly.qa,127.0.0.1,[::1],host.docker.internal");
        Account::read(item.as_object(), &hosts).map_err(|error| error.to_string())
    }

    #[test]
    fn calls_allowed_hosts_only() {
        for good in [
            "https://example.gladly.com",
            " https://Example.GLADLY.qa/ ",
            "http://127.0.0.1:8026",
            "http://[::1]:1",
            "https://127.0.0.1",
            "http://host.docker.internal:8025",
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in [
            "https://gladly.com",
            "https://evilgladly.com",
            "https://example.gladly.com.evil.example",
            "https://example.gladly.com@evil.example",
            "https://169.254.169.254",
            "https://localhost",
        ] {
            assert_eq!(
                read(bad).unwrap_err(),
                "integration/gladly base_url: is not among GLADLY_ALLOWED_HOSTS",
                "{bad}"
            );
        }
        assert_eq!(
            read("http://example.gladly.com").unwrap_err(),
            "integration/gladly base_url: must start with https://"
        );
        assert_eq!(
            read("example.gladly.com").unwrap_err(),
            "integration/gladly base_url: is not a URL"
        );
        for bad in [
            "https://example.gladly.com/v2",
            "https://me:secret@example.gladly.com",
            "https://example.gladly.com?x",
        ] {
            assert!(read(bad).unwrap_err().contains("must be a host alone"), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn an_id_stays_one_segment(id in ".{1,40}") {
            let account = read("https://example.gladly.com").unwrap();
            if let Some(url) = account.url(&["conversations", &id, "items"]) {
                let segments: Vec<&str> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 5);
                prop_assert_eq!(segments[4], "items");
                prop_assert_eq!(url.host_str(), Some("example.gladly.com"));
                prop_assert!(url.query().is_none() && url.fragment().is_none());
            } else {
                prop_assert!(id.chars().all(|c| c == '.'));
            }
        }
    }
}
