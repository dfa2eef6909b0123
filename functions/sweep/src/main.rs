//! Entry point: configuration, clients, run.

use aws_config::BehaviorVersion;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde_json::Value;
use store::Store;
use sweep::sweep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let aws = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let store = &Store::from_env(&aws)?;
    let handler = |_: LambdaEvent<Value>| async move { sweep(store, Timestamp::now()).await.map_err(Error::from) };
    run(service_fn(handler)).await
}
