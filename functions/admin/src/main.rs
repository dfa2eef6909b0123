//! Entry point: configuration, clients, run.

use admin::Admin;
use jiff::Timestamp;
use lambda_http::{Error, run, service_fn};
use links::TokenSecrets;
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log();
    let secrets = TokenSecrets::parse(&std::env::var("TOKEN_SECRETS").unwrap_or_default())?;
    let admin = Admin { store: Store::from_env(&bootstrap::aws("DYNAMODB"))?, secrets };
    run(service_fn(|request| admin.handle(request, Timestamp::now()))).await
}
