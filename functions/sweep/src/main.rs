//! Entry point: configuration, clients, run.

use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use store::Store;
use sweep::sweep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log();
    let store = &Store::from_env_without_secret(&bootstrap::aws("DYNAMODB"));
    let handler = |_: LambdaEvent<Value>| async move {
        sweep(store, Timestamp::now()).await.map_err(Error::from)
    };
    run(service_fn(handler)).await
}
