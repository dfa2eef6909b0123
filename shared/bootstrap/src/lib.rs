//! What every function does before its first event: logging, and the AWS configuration.
//!
//! Both are smaller than the SDK's and the runtime's defaults. The default credential chain brings
//! STS, profiles and the metadata service along, and the default log filter a regex engine:
//! together a sixth of an inbound function's binary. A Lambda function has its region and
//! credentials in the environment, and needs none of that.
//!
//! **Invariant:** no network call.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};

mod log;

pub use log::log;

/// How long an unused connection to SES is kept: enough for the next mail of the same batch.
const IDLE: Duration = Duration::from_secs(3);

/// The SDK's configuration from the environment: region, credentials as Lambda provides them, and
/// for `sam local` the endpoint in `AWS_ENDPOINT_URL_<service>` (`DYNAMODB`, `SESV2`), if there is
/// one.
pub fn aws(service: &str) -> SdkConfig {
    configuration(service, |name| std::env::var(name).ok())
}

fn configuration(service: &str, variable: impl Fn(&str) -> Option<String>) -> SdkConfig {
    let given = |name: &str| variable(name).filter(|value| !value.is_empty());
    let region = given("AWS_REGION").or_else(|| given("AWS_DEFAULT_REGION")).map(Region::new);
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region)
        .credentials_provider(SharedCredentialsProvider::new(
            EnvironmentVariableCredentialsProvider::new(),
        ));
    config.set_endpoint_url(given(&format!("AWS_ENDPOINT_URL_{service}")));
    config.build()
}

/// As [`aws`] for SES, but connections are kept for seconds only.
///
/// Lambda freezes a function between two events. A connection that the server closed meanwhile
/// fails when it is used next. A call to DynamoDB is then tried again. A mail is not, since nobody
/// would know whether the first attempt left.
pub fn aws_ses() -> SdkConfig {
    let https = Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = ConnectorBuilder::default()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .pool_idle_timeout(IDLE);
        connector
            .set_connector_settings(settings.cloned())
            .set_proxy_config(Some(ProxyConfig::from_env()));
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build()
    });
    aws("SESV2").into_builder().http_client(https).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(given: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| {
            let found = given.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn region_and_endpoint_come_from_the_environment() {
        let endpoint = ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8000");
        let config = configuration("DYNAMODB", variables(&[("AWS_REGION", "eu-west-1"), endpoint]));
        assert_eq!(config.region().map(Region::as_ref), Some("eu-west-1"));
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:8000"));
        let given = [("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "us-east-1"), endpoint];
        let config = configuration("SESV2", variables(&given));
        assert_eq!(config.region().map(Region::as_ref), Some("us-east-1"));
        assert_eq!(config.endpoint_url(), None, "the endpoint is another service's");
        assert!(config.credentials_provider().is_some());
    }
}
