//! The HTTP client for Gladly's API: Basic authentication with the agent's e-mail and the token, no
//! redirects, and limits on time, size and concurrent calls.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use tokio::sync::Semaphore;

use crate::account::{Account, AllowedHosts};
use crate::error::{LookupError, retry_after};

/// The time limit of one call, from connecting to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most calls at the same time. Gladly allows 10 a second (docs/facts.md, Gladly 3), and a call
/// takes some tenths of a second.
const CONCURRENT_CALLS: usize = 6;
/// The most bytes that are read of a response.
const MAX_RESPONSE: usize = 8 * 1024 * 1024;

/// The HTTP client cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("HTTP client: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// A client for the hosts that may be called.
pub(crate) struct Client {
    http: reqwest::Client,
    token: String,
    hosts: AllowedHosts,
    timeout: Duration,
    calls: Semaphore,
}

/// A response that is not an error.
pub(crate) enum Fetched {
    /// 200, with the body.
    Found(Vec<u8>),
    /// 301, with the body: the resource was merged into another one.
    Moved(Vec<u8>),
    /// 404.
    Missing,
}

impl Fetched {
    /// The body of a resource that must be there and cannot be merged.
    ///
    /// # Errors
    /// 301 or 404. A conversation that Gladly does not know may be another organisation's, so the
    /// error is temporary: an admin can still correct `base_url`.
    pub(crate) fn found(self, resource: &'static str) -> Result<Vec<u8>, LookupError> {
        match self {
            Fetched::Found(body) => Ok(body),
            Fetched::Moved(_) => {
                Err(LookupError::temporary(resource, "301, which only customers may have"))
            }
            Fetched::Missing => {
                Err(LookupError::temporary(resource, "404: does it belong to this organisation?"))
            }
        }
    }
}

impl Client {
    /// With Gladly's API token. Makes no network call.
    ///
    /// # Errors
    /// The HTTP client cannot be built.
    pub(crate) fn new(token: &str, hosts: AllowedHosts) -> Result<Self, ClientError> {
        let agent = concat!("afterword/", env!("CARGO_PKG_VERSION"));
        let client = || reqwest::Client::builder().redirect(Policy::none()).user_agent(agent);
        // A machine without any root certificate, such as a bare container under `sam local`, can
        // still call plain HTTP on loopback.
        let http = client().build().or_else(|error| {
            tracing::warn!(
                error = describe(&error),
                "no root certificates: calls over HTTPS will fail"
            );
            client().tls_certs_only([]).build()
        })?;
        Ok(Self {
            http,
            token: token.trim().to_owned(),
            hosts,
            timeout: TIMEOUT,
            calls: Semaphore::new(CONCURRENT_CALLS),
        })
    }

    /// With another time limit for one call.
    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    pub(crate) fn allowed_hosts(&self) -> &AllowedHosts {
        &self.hosts
    }

    /// `GET /api/v1/…`, with `path` below that. `resource` is the name for the log. A path that
    /// cannot be a resource is [`Fetched::Missing`], without a call.
    ///
    /// # Errors
    /// Any status but 200, 301 and 404, a response that is too large, and everything that a network
    /// can do.
    pub(crate) async fn get(
        &self,
        account: &Account,
        resource: &'static str,
        path: &[&str],
        now: Timestamp,
    ) -> Result<Fetched, LookupError> {
        if self.token.is_empty() {
            return Err(LookupError::misconfigured("token", "GLADLY_TOKEN is not set"));
        }
        let Some(url) = account.url(path) else { return Ok(Fetched::Missing) };
        // The semaphore is never closed, so that there always is a permit.
        let _permit = self.calls.acquire().await;
        let request = self
            .http
            .get(url)
            .basic_auth(&account.agent_email, Some(&self.token))
            .timeout(self.timeout);
        let response = request.send().await.map_err(|error| failed(resource, error))?;
        let status = response.status();
        match status {
            StatusCode::OK => Ok(Fetched::Found(body(response, resource).await?)),
            StatusCode::MOVED_PERMANENTLY => Ok(Fetched::Moved(body(response, resource).await?)),
            StatusCode::NOT_FOUND => Ok(Fetched::Missing),
            StatusCode::UNAUTHORIZED => Err(LookupError::misconfigured(
                "agent_email",
                "Gladly refuses it with this GLADLY_TOKEN (401)",
            )),
            StatusCode::FORBIDDEN => {
                Err(LookupError::misconfigured("agent_email", "lacks a permission at Gladly (403)"))
            }
            _ if status.is_redirection() => Err(LookupError::misconfigured(
                "base_url",
                "Gladly answers with a redirect, which is not followed",
            )),
            _ => Err(LookupError::Temporary {
                resource,
                cause: status.to_string(),
                retry_after: retry_after(response.headers(), now),
            }),
        }
    }
}

/// The body of a response, read in pieces so that no more than [`MAX_RESPONSE`] bytes are held.
async fn body(mut response: Response, resource: &'static str) -> Result<Vec<u8>, LookupError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(resource, error))? {
        if body.len() + chunk.len() > MAX_RESPONSE {
            return Err(LookupError::temporary(resource, "the response is larger than 8 MiB"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A call that failed. The URL is left out of the text, since it contains ids.
fn failed(resource: &'static str, error: reqwest::Error) -> LookupError {
    LookupError::temporary(resource, describe(&error.without_url()))
}

/// An error with all its causes. The text of reqwest's own error names only the step that failed.
fn describe(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// The token is not shown.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("hosts", &self.hosts)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
