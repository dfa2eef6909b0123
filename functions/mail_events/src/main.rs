//! Entry point: configuration, clients, run.

use aws_config::BehaviorVersion;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use mail_events::handle;
use serde_json::Value;
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let aws = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let store = &Store::from_env(&aws)?;
    let handler = |event: LambdaEvent<Value>| async move { handle(store, &event.payload, Timestamp::now()).await.map_err(Error::from) };
    run(service_fn(handler)).await
}
