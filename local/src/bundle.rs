//! The real functions. As in Lambda, each is set up once and then invoked with events.

use std::fmt;
use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use dispatch::Dispatch;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use intake::Intake;
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request, Response};
use links::{SubjectSecret, SurveyUrl, TokenSecrets};
use mail::Ses;
use serde_json::Value;
use store::{Store, Tables};
use survey::Survey;
use zendesk::{Signature, Zendesk};

use crate::functions::{FunctionError, Functions};

/// `SUBJECT_SECRET` of the local functions. `template.yaml` has the same one for `sam local`, so
/// that functions there find the same customers in the suppression table.
pub const SUBJECT_SECRET: &str = "local-subject-secret";
/// `TOKEN_SECRETS` of the local functions, also in `template.yaml`.
pub const TOKEN_SECRETS: &str = "v1:local-token-secret";

/// The time, by function: in production each function runs on a machine with its own clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn(&str) -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::new(|_| Timestamp::now())
    }

    /// Another clock. It is called once for each invocation, with the name of the function's
    /// folder.
    pub fn new(clock: impl Fn(&str) -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(clock))
    }

    /// The time on this function's clock.
    pub fn now(&self, function: &str) -> Timestamp {
        (self.0)(function)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock(…)")
    }
}

/// The services that the functions call, and what the functions know about them.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// DynamoDB.
    pub dynamodb: String,
    /// SES v2.
    pub ses: String,
    /// The API's public URL, for the links in mails.
    pub survey_url: String,
    /// `GLADLY_TOKEN`.
    pub gladly_token: String,
    /// `ZENDESK_SIGNING_SECRET`.
    pub zendesk_secret: String,
}

/// All functions of the bundle.
#[derive(Debug)]
pub struct Bundle {
    requests: Intake,
    freshdesk: Intake,
    gladly: Intake,
    gorgias: Intake,
    answers: Intake,
    sweep: Store,
    mail_events: Store,
    zendesk: Zendesk,
    survey: Survey,
    dispatch: Dispatch,
    resolver: gladly_resolve::Resolver,
    clock: Clock,
}

impl Bundle {
    /// Makes the functions. They call these endpoints, and take the time from this clock.
    ///
    /// # Errors
    /// A function that cannot be set up.
    pub fn new(endpoints: &Endpoints, clock: Clock) -> Result<Self, FunctionError> {
        let tables = ["config", "interactions", "suppression", "responses"].map(str::to_owned);
        let [config, interactions, suppression, responses] = tables;
        let tables = Tables { config, interactions, suppression, responses };
        let aws_dynamodb = aws(&endpoints.dynamodb);
        // In production each function has its own process, and so its own cache of the
        // configuration. The same here.
        let store =
            || Store::new(&aws_dynamodb, tables.clone(), SubjectSecret::new(SUBJECT_SECRET));
        let secrets = TokenSecrets::parse(TOKEN_SECRETS)?;
        let ses = Ses {
            client: mail::client(&aws(&endpoints.ses)),
            configuration_set: Some("afterword".into()),
        };
        Ok(Self {
            requests: Intake::new(store()),
            freshdesk: Intake::new(store()),
            gladly: Intake::new(store()),
            gorgias: Intake::new(store()),
            answers: Intake::new(store()),
            sweep: store(),
            mail_events: store(),
            zendesk: Zendesk {
                intake: Intake::new(store()),
                signature: Signature::new(&endpoints.zendesk_secret),
            },
            survey: Survey { store: store(), secrets: secrets.clone() },
            dispatch: Dispatch {
                store: store(),
                ses,
                secrets,
                survey_url: SurveyUrl::new(&endpoints.survey_url),
                sender: policy::Mailbox::parse("survey@afterword.example")
                    .map(|mailbox| mailbox.address),
                time_out: SignedDuration::from_secs(60),
            },
            resolver: gladly_resolve::Resolver::new(
                store(),
                &endpoints.gladly_token,
                LOCAL_GLADLY_HOSTS,
            )?,
            clock,
        })
    }

    /// The tables, through the store of one function.
    pub fn store(&self) -> &Store {
        &self.requests.store
    }
}

/// Gladly's own hosts, and loopback, where the fake of Gladly listens.
const LOCAL_GLADLY_HOSTS: &str = "*.gladly.com,*.gladly.qa,127.0.0.1,[::1],localhost";

/// The SDK's configuration for one local endpoint. It reads nothing from the environment.
fn aws(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("local"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "local", "local", None, None, "local",
        )))
        .endpoint_url(endpoint)
        // Plain HTTP. The default client would read the machine's certificates for each function.
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

/// Invokes the functions of a bundle.
#[derive(Clone, Debug)]
pub struct Invoker(pub Arc<Bundle>);

impl Functions for Invoker {
    fn http(
        &self,
        function: &str,
        request: Request,
    ) -> BoxFuture<'static, Result<Response<Body>, FunctionError>> {
        let (bundle, function) = (self.0.clone(), function.to_owned());
        async move {
            let now = bundle.clock.now(&function);
            Ok(match function.as_str() {
                "requests" => requests::handle(&bundle.requests, request, now).await?,
                "zendesk" => bundle.zendesk.handle(request, now).await?,
                "freshdesk" => freshdesk::handle(&bundle.freshdesk, request, now).await?,
                "gladly" => gladly::handle(&bundle.gladly, request, now).await?,
                "gorgias" => gorgias::handle(&bundle.gorgias, request, now).await?,
                "survey" => bundle.survey.handle(request, now).await?,
                "answers" => answers::handle(&bundle.answers, request, now).await?,
                other => return Err(format!("there is no function {other} for API events").into()),
            })
        }
        .boxed()
    }

    fn event(
        &self,
        function: &str,
        event: Value,
    ) -> BoxFuture<'static, Result<Value, FunctionError>> {
        let (bundle, function) = (self.0.clone(), function.to_owned());
        async move {
            let now = bundle.clock.now(&function);
            Ok(match function.as_str() {
                "dispatch" => bundle.dispatch.handle(&event, now).await,
                "gladly_resolve" => bundle.resolver.handle(&event, now).await,
                "sweep" => serde_json::to_value(sweep::sweep(&bundle.sweep, now).await?)?,
                "mail_events" => mail_events::handle(&bundle.mail_events, &event, now)
                    .await
                    .map(|()| Value::Null)?,
                other => return Err(format!("there is no function {other} for events").into()),
            })
        }
        .boxed()
    }
}
