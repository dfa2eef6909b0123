//! Entry point: configuration, clients, run.

use jiff::Timestamp;
use lambda_http::{Error, run, service_fn};
use links::TokenSecrets;
use store::Store;
use survey::Survey;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log();
    let secrets = TokenSecrets::parse(&std::env::var("TOKEN_SECRETS").unwrap_or_default())?;
    let survey =
        Survey { store: Store::from_env_without_secret(&bootstrap::aws("DYNAMODB")), secrets };
    run(service_fn(|request| survey.handle(request, Timestamp::now()))).await
}
