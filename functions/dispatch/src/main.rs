//! Entry point: configuration, clients, run.

use aws_config::BehaviorVersion;
use dispatch::Dispatch;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let aws = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let dispatch = &Dispatch::from_env(&aws)?;
    let handler = |event: LambdaEvent<Value>| async move { Ok::<_, Error>(dispatch.handle(&event.payload, Timestamp::now()).await) };
    run(service_fn(handler)).await
}
