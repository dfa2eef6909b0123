//! Entry point: configuration, clients, run.

use gladly_resolve::{Gladly, Resolver};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log();
    let resolver = &Resolver {
        store: Store::from_env(&bootstrap::aws("DYNAMODB"))?,
        gladly: Gladly::from_env()?,
    };
    let handler = |event: LambdaEvent<Value>| async move {
        Ok::<_, Error>(resolver.handle(&event.payload, Timestamp::now()).await)
    };
    run(service_fn(handler)).await
}
