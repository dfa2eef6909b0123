//! Starts the services and the functions, and connects them. `cargo run` and the end-to-end tests
//! use it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fakes::gladly::Gladly;
use fakes::mailbox::Mailbox;
use fakes::ses::{self, Events};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::bundle::{Bundle, Clock, Endpoints, Invoker, SUBJECT_SECRET, TOKEN_SECRETS};
use crate::database::{self, Database};
use crate::faults::Proxy;
use crate::front_page::FrontPage;
use crate::functions::{FunctionError, Functions, Timed, call_event};
use crate::listen::listen;
use crate::streams::{Failures, Pump};
use crate::template::{Schedule, TEMPLATE, Template};
use crate::{gallery, gateway, schedule, seed};

/// What to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address of all three endpoints.
    pub bind: IpAddr,
    /// Port of the API; 0 = any free one, as for the others.
    pub port: u16,
    /// Port of DynamoDB.
    pub dynamodb_port: u16,
    /// Port of SES and the mailbox.
    pub mail_port: u16,
    /// Folder of the tables and the stream positions; `None` keeps them in memory.
    pub data_dir: Option<PathBuf>,
    /// The functions' clocks.
    pub clock: Clock,
    /// Whether schedules, streams and the queue run by themselves. Tests that break calls turn this
    /// off, and run them one by one.
    pub automatic: bool,
    /// `GLADLY_TOKEN`.
    pub gladly_token: String,
    /// `ZENDESK_SIGNING_SECRET`; empty if there is none.
    pub zendesk_secret: String,
    /// `SUBJECT_SECRET`.
    pub subject_secret: String,
    /// `TOKEN_SECRETS`.
    pub token_secrets: String,
    /// Whether functions reach each endpoint through a [`Proxy`], which records and breaks calls.
    pub proxied: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            dynamodb_port: 0,
            mail_port: 0,
            data_dir: None,
            clock: Clock::system(),
            automatic: true,
            gladly_token: "local".to_owned(),
            zendesk_secret: String::new(),
            subject_secret: SUBJECT_SECRET.to_owned(),
            token_secrets: TOKEN_SECRETS.to_owned(),
            proxied: false,
        }
    }
}

/// The proxies through which functions call DynamoDB, SES and Gladly.
pub struct Proxies {
    /// In front of DynamoDB.
    pub dynamodb: Proxy,
    /// In front of SES.
    pub ses: Proxy,
    /// In front of the fake of Gladly.
    pub gladly: Proxy,
}

/// How long the queue waits before it delivers a message again whose function failed.
const REDELIVERY_WAIT: Duration = Duration::from_secs(2);
/// How often the queue delivers a message again before it gives it up.
const MAX_REDELIVERIES: usize = 100;

/// A running stack. Dropping it stops it.
pub struct Stack {
    /// Address of the API.
    pub api: SocketAddr,
    /// Address of DynamoDB.
    pub dynamodb: SocketAddr,
    /// Address of SES, the mailbox and the fake of Gladly.
    pub mail: SocketAddr,
    /// DynamoDB's engine, for calls without HTTP.
    pub database: Database,
    /// The mails that were sent.
    pub mailbox: Mailbox,
    /// The organisation of the fake of Gladly.
    pub gladly: Gladly,
    /// The streams' failure destination.
    pub failures: Failures,
    /// The functions.
    pub bundle: Arc<Bundle>,
    /// Present with [`Options::proxied`].
    pub proxies: Option<Proxies>,
    /// The streams. Empty with [`Options::automatic`], which runs them.
    pub pumps: Vec<Pump>,
    /// The events that SES publishes. `None` with [`Options::automatic`], which delivers them.
    pub events: Option<Events>,
    untimed: Arc<dyn Functions>,
    tasks: JoinSet<()>,
}

impl Stack {
    /// Starts everything.
    ///
    /// # Errors
    /// A port that is taken. A folder or a database that cannot be used.
    pub async fn start(options: Options) -> Result<Self, FunctionError> {
        let template = Template::parse(TEMPLATE)?;
        let api_listener = listen(options.bind, options.port, "--port").await?;
        let dynamodb_listener =
            listen(options.bind, options.dynamodb_port, "--dynamodb-port").await?;
        let mail_listener = listen(options.bind, options.mail_port, "--mail-port").await?;
        let [api, dynamodb, mail] =
            [&api_listener, &dynamodb_listener, &mail_listener].map(TcpListener::local_addr);
        let (api, dynamodb, mail) = (api?, dynamodb?, mail?);
        // The function that asks Gladly speaks plain HTTP with loopback only.
        let gladly_listener = match loopback_of(options.bind) {
            Some(loopback) => Some(listen(loopback, 0, "--bind").await?),
            None => None,
        };
        let gladly_address = match &gladly_listener {
            Some(listener) => listener.local_addr()?,
            None => mail,
        };

        let database = database::open(options.data_dir.as_deref(), &template.tables)?;
        let proxies = match options.proxied {
            true => {
                let (dynamodb, ses, gladly) = tokio::try_join!(
                    Proxy::start(dynamodb),
                    Proxy::start(mail),
                    Proxy::start(gladly_address)
                )?;
                Some(Proxies { dynamodb, ses, gladly })
            }
            false => None,
        };
        let through = |proxy: fn(&Proxies) -> &Proxy, address| {
            proxies.as_ref().map_or_else(|| url(address), |all| proxy(all).url())
        };
        seed::seed(&database, &through(|all| &all.gladly, gladly_address))?;
        let endpoints = Endpoints {
            dynamodb: through(|all| &all.dynamodb, dynamodb),
            ses: through(|all| &all.ses, mail),
            survey_url: url(api),
            gladly_token: options.gladly_token,
            zendesk_secret: options.zendesk_secret,
            subject_secret: options.subject_secret,
            token_secrets: options.token_secrets,
        };
        let bundle = Arc::new(Bundle::new(&endpoints, options.clock)?);
        let untimed: Arc<dyn Functions> = Arc::new(Invoker(bundle.clone()));
        let ended = watch::Sender::default();
        let invocations = ended.subscribe();
        let functions: Arc<dyn Functions> =
            Arc::new(Timed { functions: untimed.clone(), time_outs: template.time_outs, ended });

        let (mailbox, gladly, failures) =
            (Mailbox::default(), Gladly::sample(), Failures::default());
        let (ses, events) = ses::router(&mailbox);
        let mut tasks = JoinSet::new();
        let engine = database.clone();
        tasks.spawn(async move {
            report(
                "DynamoDB",
                database::serve(dynamodb_listener, engine, std::future::pending()).await,
            )
        });
        let router = ses.merge(gladly.router()).merge(gallery::router());
        tasks.spawn(async move { report("SES", ses::serve(mail_listener, router).await) });
        if let Some(listener) = gladly_listener {
            let gladly = gladly.clone();
            tasks.spawn(
                async move { report("Gladly", fakes::gladly::serve(listener, gladly).await) },
            );
        }
        let (routes, invoked) = (template.routes, functions.clone());
        let front_page = FrontPage {
            api: url(api),
            dynamodb: url(dynamodb),
            mail: url(mail),
            key: seed::LIVE_KEY,
            admin_key: seed::ADMIN_KEY,
            routes: routes.clone(),
        };
        tasks.spawn(async move {
            match gateway::serve(api_listener, routes, invoked, Some(front_page)).await {}
        });

        let mut pumps = Vec::new();
        for source in template.streams {
            let file = options
                .data_dir
                .as_ref()
                .map(|dir| dir.join(format!("{}.position", source.function)));
            pumps.push(Pump::new(
                source,
                database.clone(),
                functions.clone(),
                failures.clone(),
                file,
            )?);
        }
        let mut stack = Self {
            api,
            dynamodb,
            mail,
            database,
            mailbox,
            gladly,
            failures,
            bundle,
            proxies,
            pumps,
            events: Some(events),
            untimed,
            tasks,
        };
        if options.automatic {
            let consumers = template.queue_functions;
            stack.automate(template.schedules, consumers, &functions, &invocations);
        }
        Ok(stack)
    }

    /// Makes streams, schedules and the queue of SES's events run by themselves.
    fn automate(
        &mut self,
        schedules: Vec<Schedule>,
        consumers: Vec<String>,
        functions: &Arc<dyn Functions>,
        invocations: &watch::Receiver<()>,
    ) {
        for pump in self.pumps.drain(..) {
            self.tasks.spawn(pump.run(invocations.clone()));
        }
        for schedule in schedules {
            self.tasks.spawn(schedule::run(schedule, functions.clone()));
        }
        let Some(mut events) = self.events.take() else { return };
        let functions = functions.clone();
        self.tasks.spawn(async move {
            while let Some(event) = events.recv().await {
                for function in &consumers {
                    deliver(functions.clone(), function.clone(), event.clone()).await;
                }
            }
        });
    }

    /// Invokes a function with the JSON of an event, without a time-out.
    ///
    /// # Errors
    /// The function's error.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, FunctionError> {
        call_event(&self.untimed, function, event).await
    }
}

/// Hands an event to a function. If the function fails, the event is delivered again later, while
/// other events go on.
async fn deliver(functions: Arc<dyn Functions>, function: String, event: Value) {
    let Err(error) = call_event(&functions, &function, event.clone()).await else { return };
    tracing::error!(function, %error, "the function failed on an event, which will be redelivered");
    tokio::spawn(async move {
        for _ in 0..MAX_REDELIVERIES {
            tokio::time::sleep(REDELIVERY_WAIT).await;
            if call_event(&functions, &function, event.clone()).await.is_ok() {
                return;
            }
        }
        tracing::error!(function, "the event will not be delivered again");
    });
}

/// The loopback address of the family of `bind`; `None` if who listens on `bind` can be reached on
/// loopback anyway.
fn loopback_of(bind: IpAddr) -> Option<IpAddr> {
    match bind {
        _ if bind.is_loopback() || bind.is_unspecified() => None,
        IpAddr::V4(_) => Some(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(_) => Some(Ipv6Addr::LOCALHOST.into()),
    }
}

/// The URL of an endpoint. An endpoint that listens on every address is reached on loopback.
pub fn url(address: SocketAddr) -> String {
    let ip =
        if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// Logs that a server stopped while the stack runs.
fn report<E: std::fmt::Display>(what: &str, ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::error!(what, %error, "stopped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_on_another_address_has_its_fake_of_gladly_on_loopback() {
        for (bind, loopback) in [
            ("127.0.0.1", None),
            ("::1", None),
            ("0.0.0.0", None),
            ("172.17.0.1", Some("127.0.0.1")),
            ("2001:db8::1", Some("::1")),
        ] {
            let loopback = loopback.map(|address| address.parse().unwrap());
            assert_eq!(loopback_of(bind.parse().unwrap()), loopback, "{bind}");
        }
    }
}
