//! Entry point: configuration, clients, run.

use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use mail_events::handle;
use serde_json::Value;
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log();
    let store = &Store::from_env(&bootstrap::aws("DYNAMODB"))?;
    let handler = |event: LambdaEvent<Value>| async move {
        handle(store, &event.payload, Timestamp::now()).await.map_err(Error::from)
    };
    run(service_fn(handler)).await
}
