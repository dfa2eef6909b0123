//! Everything started and connected: what `cargo run` runs, and what the end-to-end tests drive.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::bundle::{Bundle, Clock, Endpoints, Invoker};
use crate::database::{self, Database};
use crate::faults::Proxy;
use crate::functions::{FunctionError, Functions, Timed, call_event};
use crate::gladly::Gladly;
use crate::listen::listen;
use crate::mailbox::Mailbox;
use crate::ses::Events;
use crate::streams::{Failures, Pump};
use crate::template::{Schedule, TEMPLATE, Template};
use crate::{gallery, gateway, schedule, seed, ses};

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
    /// Folder to keep everything in; else it is in memory.
    pub data_dir: Option<PathBuf>,
    /// Seeds the people and brands that the samples are about.
    pub samples: bool,
    /// The functions' time.
    pub clock: Clock,
    /// Runs schedules and streams by themselves. Tests that break calls drive them one by one
    /// instead.
    pub automatic: bool,
    /// `GLADLY_TOKEN`.
    pub gladly_token: String,
    /// `ZENDESK_SIGNING_SECRET`; empty = none.
    pub zendesk_secret: String,
    /// Puts a [`Proxy`] before each endpoint that functions call, where tests record and break
    /// calls.
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
            samples: true,
            clock: Clock::system(),
            automatic: true,
            gladly_token: "local".to_owned(),
            zendesk_secret: String::new(),
            proxied: false,
        }
    }
}

/// What stands before DynamoDB, SES and Gladly.
pub struct Proxies {
    /// Before DynamoDB.
    pub dynamodb: Proxy,
    /// Before SES.
    pub ses: Proxy,
    /// Before the fake of Gladly.
    pub gladly: Proxy,
}

/// How long a message stays away that was not taken in, and how often it comes in all.
const AGAIN: Duration = Duration::from_secs(2);
const DELIVERIES: usize = 100;

/// A running stack. Dropping it stops it.
pub struct Stack {
    /// Where the API is.
    pub api: SocketAddr,
    /// Where DynamoDB is.
    pub dynamodb: SocketAddr,
    /// Where SES, the mailbox and the fake of Gladly are.
    pub mail: SocketAddr,
    /// The engine itself.
    pub database: Database,
    /// What was mailed.
    pub mailbox: Mailbox,
    /// The fake organisation.
    pub gladly: Gladly,
    /// What went to the streams' failure destination.
    pub failures: Failures,
    /// The functions.
    pub bundle: Arc<Bundle>,
    /// With [`Options::proxied`].
    pub proxies: Option<Proxies>,
    /// Not with [`Options::automatic`]: the streams, to be drained one by one.
    pub pumps: Vec<Pump>,
    /// Not with [`Options::automatic`]: what SES has published.
    pub events: Option<Events>,
    untimed: Arc<dyn Functions>,
    tasks: JoinSet<()>,
}

impl Stack {
    /// Starts everything.
    ///
    /// # Errors
    /// A port that is taken, a folder or a database that cannot be used.
    pub async fn start(options: Options) -> Result<Self, FunctionError> {
        let template = Template::parse(TEMPLATE)?;
        let api_listener = listen(options.bind, options.port, "--port").await?;
        let dynamodb_listener =
            listen(options.bind, options.dynamodb_port, "--dynamodb-port").await?;
        let mail_listener = listen(options.bind, options.mail_port, "--mail-port").await?;
        let [api, dynamodb, mail] =
            [&api_listener, &dynamodb_listener, &mail_listener].map(TcpListener::local_addr);
        let (api, dynamodb, mail) = (api?, dynamodb?, mail?);

        let database = database::open(options.data_dir.as_deref(), &template.tables)?;
        let proxies = match options.proxied {
            true => {
                let (dynamodb, ses, gladly) = tokio::try_join!(
                    Proxy::start(dynamodb),
                    Proxy::start(mail),
                    Proxy::start(mail)
                )?;
                Some(Proxies { dynamodb, ses, gladly })
            }
            false => None,
        };
        let through = |proxy: fn(&Proxies) -> &Proxy, address| {
            proxies.as_ref().map_or_else(|| url(address), |all| proxy(all).url())
        };
        seed::seed(&database, &through(|all| &all.gladly, mail), options.samples)?;
        let endpoints = Endpoints {
            dynamodb: through(|all| &all.dynamodb, dynamodb),
            ses: through(|all| &all.ses, mail),
            survey_url: url(api),
            gladly_token: options.gladly_token,
            zendesk_secret: options.zendesk_secret,
        };
        let bundle = Arc::new(Bundle::new(&endpoints, options.clock)?);
        let untimed: Arc<dyn Functions> = Arc::new(Invoker(bundle.clone()));
        let functions: Arc<dyn Functions> =
            Arc::new(Timed { functions: untimed.clone(), time_outs: template.time_outs });

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
        let (routes, invoked) = (template.routes, functions.clone());
        tasks.spawn(async move { match gateway::serve(api_listener, routes, invoked).await {} });

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
            stack.automate(template.schedules, template.queue_functions, &functions);
        }
        Ok(stack)
    }

    /// Streams, schedules and the queue of SES's events run by themselves.
    fn automate(
        &mut self,
        schedules: Vec<Schedule>,
        consumers: Vec<String>,
        functions: &Arc<dyn Functions>,
    ) {
        for pump in self.pumps.drain(..) {
            self.tasks.spawn(pump.run());
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

    /// Invokes a function by hand with the JSON of an event, and waits for it as long as it takes.
    ///
    /// # Errors
    /// What the function fails with.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, FunctionError> {
        call_event(&self.untimed, function, event).await
    }
}

/// Hands an event to a function; one that is not taken in comes again, while others go on.
async fn deliver(functions: Arc<dyn Functions>, function: String, event: Value) {
    let Err(error) = call_event(&functions, &function, event.clone()).await else { return };
    tracing::error!(function, %error, "the event was not taken in, and comes again");
    tokio::spawn(async move {
        for _ in 0..DELIVERIES {
            tokio::time::sleep(AGAIN).await;
            if call_event(&functions, &function, event.clone()).await.is_ok() {
                return;
            }
        }
        tracing::error!(function, "the event is given up");
    });
}

/// The URL of an endpoint: on loopback when it is bound to every address.
pub fn url(address: SocketAddr) -> String {
    let ip =
        if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// A server that stops while the stack runs is told.
fn report<E: std::fmt::Display>(what: &str, ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::error!(what, %error, "stopped");
    }
}
