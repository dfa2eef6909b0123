//! Entry point: configuration, clients, run.

use aws_config::BehaviorVersion;
use intake::Intake;
use jiff::Timestamp;
use lambda_http::{Error, run, service_fn, tracing};
use store::Store;
use zendesk::{Signature, Zendesk};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let aws = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let zendesk = Zendesk { intake: Intake::new(Store::from_env(&aws)?), signature: Signature::from_env() };
    run(service_fn(|request| zendesk.handle(request, Timestamp::now()))).await
}
