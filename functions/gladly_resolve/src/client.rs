//! Speaks HTTP with Gladly: Basic auth with the agent's e-mail and the token, no redirects, limits
//! on time, size and calls at once.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use tokio::sync::{Mutex, Semaphore};

use crate::account::{Account, AllowedHosts};
use crate::lookup::Topics;
use crate::trouble::{Trouble, not_before};

/// One call, from connecting to the last byte.
const ATTEMPT: Duration = Duration::from_secs(5);
/// Calls under way at once. Gladly takes 10 a second (docs/facts.md, Gladly 3), and each takes some
/// tenths of one.
const AT_ONCE: usize = 6;
/// Bytes of an answer.
const LARGEST: usize = 8 * 1024 * 1024;

/// The HTTP client cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("HTTP client: {0}")]
pub struct SetUpError(#[from] reqwest::Error);

/// The way to Gladly, with what this process remembers of it.
pub struct Gladly {
    http: Client,
    token: String,
    hosts: AllowedHosts,
    attempt: Duration,
    calls: Semaphore,
    pub(crate) topics: Mutex<Topics>,
}

/// An answer that is no trouble.
pub(crate) enum Fetched {
    Found(Vec<u8>),
    /// 301: merged into another. The body says which.
    Moved(Vec<u8>),
    /// 404
    Missing,
}

impl Gladly {
    /// From `GLADLY_TOKEN` (none: nothing can be asked until it is set) and `GLADLY_ALLOWED_HOSTS`
    /// ([`AllowedHosts::GLADLY`]).
    ///
    /// # Errors
    /// As [`Gladly::new`].
    pub fn from_env() -> Result<Self, SetUpError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let hosts = variable("GLADLY_ALLOWED_HOSTS");
        Self::new(
            &variable("GLADLY_TOKEN").unwrap_or_default(),
            AllowedHosts::new(hosts.as_deref().unwrap_or(AllowedHosts::GLADLY)),
        )
    }

    /// A client with an API token. No network call is made.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn new(token: &str, hosts: AllowedHosts) -> Result<Self, SetUpError> {
        let agent = concat!("afterword/", env!("CARGO_PKG_VERSION"));
        let client = || Client::builder().redirect(Policy::none()).user_agent(agent);
        // A machine that trusts nobody, such as a bare container under `sam local`, can still ask
        // over plain HTTP on loopback.
        let http = client().build().or_else(|error| {
            tracing::warn!(error = describe(&error), "no call over HTTPS will succeed");
            client().tls_certs_only([]).build()
        })?;
        let token = token.trim().to_owned();
        Ok(Self {
            http,
            token,
            hosts,
            attempt: ATTEMPT,
            calls: Semaphore::new(AT_ONCE),
            topics: Mutex::default(),
        })
    }

    /// With another limit on the time of one call; 5 s without.
    pub fn with_attempt(self, attempt: Duration) -> Self {
        Self { attempt, ..self }
    }

    pub(crate) fn allowed_hosts(&self) -> &AllowedHosts {
        &self.hosts
    }

    /// `GET /api/v1/…`; `resource` names it in the log.
    pub(crate) async fn get(
        &self,
        account: &Account,
        resource: &'static str,
        path: &[&str],
        now: Timestamp,
    ) -> Result<Fetched, Trouble> {
        if self.token.is_empty() {
            return Err(Trouble::set_up("token", "GLADLY_TOKEN is not set"));
        }
        let Some(url) = account.url(path) else { return Ok(Fetched::Missing) };
        let later =
            |error: reqwest::Error| Trouble::retry_later(resource, describe(&error.without_url()));
        let _permit = self.calls.acquire().await;
        let request = self
            .http
            .get(url)
            .basic_auth(&account.agent_email, Some(&self.token))
            .timeout(self.attempt);
        let response = request.send().await.map_err(later)?;
        let status = response.status();
        match status {
            StatusCode::OK => Ok(Fetched::Found(body(response, resource).await?)),
            StatusCode::MOVED_PERMANENTLY => Ok(Fetched::Moved(body(response, resource).await?)),
            StatusCode::NOT_FOUND => Ok(Fetched::Missing),
            StatusCode::UNAUTHORIZED => Err(Trouble::set_up(
                "agent_email",
                "Gladly refuses it with this GLADLY_TOKEN (401)",
            )),
            StatusCode::FORBIDDEN => {
                Err(Trouble::set_up("agent_email", "lacks a permission at Gladly (403)"))
            }
            _ if status.is_redirection() => Err(Trouble::set_up(
                "base_url",
                "Gladly answers with a redirect, which is not followed",
            )),
            _ => {
                let not_before = not_before(response.headers(), now);
                Err(Trouble::Later { resource, cause: status.to_string(), not_before })
            }
        }
    }
}

async fn body(mut response: Response, resource: &'static str) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| Trouble::retry_later(resource, describe(&error.without_url())))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(Trouble::retry_later(resource, "the answer is larger than 8 MiB"));
        }
    }
    Ok(body)
}

/// An error with its causes: reqwest's own text names the step alone.
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
impl fmt::Debug for Gladly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gladly")
            .field("hosts", &self.hosts)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
