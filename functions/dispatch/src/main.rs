//! Entry point: configuration, clients, run.

use dispatch::Dispatch;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log();
    let dispatch = &Dispatch::from_env(&bootstrap::aws("DYNAMODB"), &bootstrap::aws_ses())?;
    let handler = |event: LambdaEvent<Value>| async move {
        Ok::<_, Error>(dispatch.handle(&event.payload, Timestamp::now).await)
    };
    run(service_fn(handler)).await
}
