//! What every function does before its first event: logging, and the AWS configuration.
//!
//! Both are smaller than what the SDK and the runtime would do by default. The default credential
//! chain brings STS, profiles and the metadata service along, and the default log filter a regex
//! engine: a sixth of an inbound function's binary, for a Lambda function, whose region and
//! credentials stand in the environment.
//!
//! **Invariant:** no network call.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use tracing_subscriber::filter::LevelFilter;

/// Logs JSON lines to standard output, from the level in `AWS_LAMBDA_LOG_LEVEL` or `RUST_LOG` on
/// (`trace` to `error`; default `info`). A release build has nothing below `info`: see the
/// workspace's `tracing`.
///
/// No time stamps (CloudWatch has its own), no spans: a line says what happened in its own fields.
pub fn log() {
    let level = ["AWS_LAMBDA_LOG_LEVEL", "RUST_LOG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok()?.parse::<LevelFilter>().ok());
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .without_time()
        .with_max_level(level.unwrap_or(LevelFilter::INFO))
        .init();
}

/// How long an unused connection to SES is kept: from one mail of a batch to the next.
const IDLE: Duration = Duration::from_secs(3);

/// The SDK's configuration from the environment: region, credentials as Lambda gives them, and for
/// `sam local` the endpoint in `AWS_ENDPOINT_URL_<service>` (`DYNAMODB`, `SESV2`), if it is set.
pub fn aws(service: &str) -> SdkConfig {
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
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

/// As [`aws`] for SES, whose connections are not kept: Lambda freezes a function between two
/// events, and one that was closed meanwhile fails at its next use. DynamoDB is asked again then;
/// of a mail nobody would know whether it left.
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
