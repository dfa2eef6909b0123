//! Entry point: configuration, clients, run.

use aws_config::BehaviorVersion;
use intake::Intake;
use jiff::Timestamp;
use lambda_http::{Error, run, service_fn, tracing};
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let aws = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let intake = Intake::new(Store::from_env(&aws)?);
    run(service_fn(|request| gladly::handle(&intake, request, Timestamp::now()))).await
}
