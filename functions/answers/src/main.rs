//! Entry point: configuration, clients, run.

use intake::Intake;
use jiff::Timestamp;
use lambda_http::{Error, run, service_fn};
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log();
    let intake = Intake::new(Store::from_env_without_secret(&bootstrap::aws("DYNAMODB")));
    run(service_fn(|request| answers::handle(&intake, request, Timestamp::now()))).await
}
