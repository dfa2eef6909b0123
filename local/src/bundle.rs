//! The real functions, as Lambda would run them: one value each, made once, invoked with events.

use std::fmt;
use std::sync::Arc;

use admin::Admin;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use dispatch::Dispatch;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use intake::Intake;
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request, Response};
use links::{Links, SubjectSecret, TokenSecrets};
use mail::Ses;
use serde_json::Value;
use store::{Store, Tables};
use survey::Survey;
use zendesk::{Signature, Zendesk};

use crate::functions::{FunctionError, Functions};

/// What the local functions' `SUBJECT_SECRET` is; also in `events/env.json`, so that
/// `sam local` functions meet the same subjects.
pub const SUBJECT_SECRET: &str = "local-subject-secret";
/// Likewise `TOKEN_SECRETS`.
pub const TOKEN_SECRETS: &str = "v1:local-token-secret";

/// Tells each function the time, which it has from a machine of its own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn(&str) -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's.
    pub fn system() -> Self {
        Self::new(|_| Timestamp::now())
    }

    /// Any other. It is given the name of the function's folder, and asked once for each
    /// invocation, by `dispatch` once more for each mail.
    pub fn new(clock: impl Fn(&str) -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(clock))
    }

    /// The time as this function has it.
    pub fn now(&self, function: &str) -> Timestamp {
        (self.0)(function)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock(…)")
    }
}

/// Where the functions find what they call.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// DynamoDB.
    pub dynamodb: String,
    /// SES v2.
    pub ses: String,
    /// The API's own public URL, for the links in mails.
    pub survey_url: String,
    /// `GLADLY_TOKEN`.
    pub gladly_token: String,
    /// `ZENDESK_SIGNING_SECRET`.
    pub zendesk_secret: String,
    /// `SUBJECT_SECRET`.
    pub subject_secret: String,
    /// `TOKEN_SECRETS`.
    pub token_secrets: String,
}

/// All functions of the bundle.
#[derive(Debug)]
pub struct Bundle {
    admin: Admin,
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
    /// The functions on these endpoints, at the time of this clock.
    ///
    /// # Errors
    /// If a function cannot be set up.
    pub fn new(endpoints: &Endpoints, clock: Clock) -> Result<Self, FunctionError> {
        let tables = Tables::default();
        // Each function has its own process in production, and so its own cache of the
        // configuration.
        let store = |function: &str| {
            let secret = SubjectSecret::new(&endpoints.subject_secret);
            Store::new(&aws(&endpoints.dynamodb, function), tables.clone(), secret)
        };
        let secrets = TokenSecrets::parse(&endpoints.token_secrets)?;
        let ses = Ses {
            client: mail::client(&aws(&endpoints.ses, "dispatch")),
            configuration_set: Some("afterword".into()),
        };
        Ok(Self {
            admin: Admin { store: store("admin"), secrets: secrets.clone() },
            requests: Intake::new(store("requests")),
            freshdesk: Intake::new(store("freshdesk")),
            gladly: Intake::new(store("gladly")),
            gorgias: Intake::new(store("gorgias")),
            answers: Intake::new(store("answers")),
            sweep: store("sweep"),
            mail_events: store("mail_events"),
            zendesk: Zendesk {
                intake: Intake::new(store("zendesk")),
                signature: Signature::new(&endpoints.zendesk_secret),
            },
            survey: Survey { store: store("survey"), secrets: secrets.clone() },
            dispatch: Dispatch {
                store: store("dispatch"),
                ses,
                links: Links::new(&endpoints.survey_url, secrets)?,
                sender: policy::Mailbox::parse("survey@afterword.example")
                    .map(|mailbox| mailbox.address),
                time_out: SignedDuration::from_secs(60),
            },
            resolver: gladly_resolve::Resolver::new(
                store("gladly_resolve"),
                &endpoints.gladly_token,
                LOCAL_GLADLY_HOSTS,
            )?,
            clock,
        })
    }

    /// The tables, as a function sees them.
    pub fn store(&self) -> &Store {
        &self.requests.store
    }
}

/// Gladly's own hosts, and the fake on loopback.
const LOCAL_GLADLY_HOSTS: &str = "*.gladly.com,*.gladly.qa,127.0.0.1,localhost";

/// The SDK's configuration for one local endpoint: nothing is read from the environment. The
/// function's name stands in `user-agent`, so that a proxy knows who calls.
fn aws(endpoint: &str, function: &str) -> SdkConfig {
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("local"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "local", "local", None, None, "local",
        )))
        .endpoint_url(endpoint)
        // Plain HTTP: the default client would read the machine's certificates first, for each
        // function anew.
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    config.set_app_name(AppName::new(function.to_owned()).ok());
    config.build()
}

/// The bundle behind the seam to the local services.
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
                "admin" => bundle.admin.handle(request, now).await?,
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
                "dispatch" => bundle.dispatch.handle(&event, || bundle.clock.now("dispatch")).await,
                "gladly_resolve" => bundle.resolver.handle(&event, now).await,
                "sweep" => serde_json::to_value(sweep::sweep(&bundle.sweep, now).await?)?,
                "mail_events" => mail_events::handle(&bundle.mail_events, &event, now).await?,
                other => return Err(format!("there is no function {other} for events").into()),
            })
        }
        .boxed()
    }
}
