//! Entry point: configuration, clients, run.

use intake::Intake;
use jiff::Timestamp;
use lambda_http::{Error, run, service_fn};
use store::Store;
use zendesk::{Signature, Zendesk};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log();
    let zendesk = Zendesk {
        intake: Intake::new(Store::from_env(&bootstrap::aws("DYNAMODB"))?),
        signature: Signature::from_env(),
    };
    run(service_fn(|request| zendesk.handle(request, Timestamp::now()))).await
}
