//! `cargo run`: starts the whole bundle on loopback and plays the samples.

use std::io::Write as _;
use std::process::ExitCode;

use local::flags::{Flags, HELP};
use local::functions::FunctionError;
use local::samples;
use local::stack::{Options, Stack, url};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[tokio::main]
async fn main() -> ExitCode {
    let level = std::env::var("RUST_LOG")
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::WARN);
    // The engine warns of every condition that does not hold, which is what conditions are for.
    let filter = Targets::new().with_default(level).with_target("dynoxide", LevelFilter::ERROR);
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .with(filter)
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("afterword: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), FunctionError> {
    let flags = Flags::parse(std::env::args_os().skip(1))?;
    if flags.help {
        say(HELP);
        return Ok(());
    }
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let options = Options {
        bind: flags.bind,
        port: flags.port,
        dynamodb_port: flags.dynamodb_port,
        mail_port: flags.mail_port,
        data_dir: flags.data_dir,
        samples: flags.samples,
        gladly_token: environment("GLADLY_TOKEN").unwrap_or_else(|| "local".to_owned()),
        zendesk_secret: environment("ZENDESK_SIGNING_SECRET").unwrap_or_default(),
        ..Options::default()
    };
    let stack = Stack::start(options).await?;
    say(&format!(
        "Afterword runs on this machine.\n\n  API       {}   keys aw_test_local, aw_live_local\n  DynamoDB  {}   tables config, interactions, suppression, responses\n  Mailbox   {}   also the SES v2 endpoint\n  Gallery   {}/gallery   every mail and page\n",
        url(stack.api),
        url(stack.dynamodb),
        url(stack.mail),
        url(stack.mail)
    ));
    if flags.samples {
        say("Samples from events/:");
        let outcomes = samples::play(&stack).await?;
        say(&samples::report(&stack, &outcomes));
    }
    say("Ready. Ctrl-C stops it.");
    tokio::signal::ctrl_c().await?;
    Ok(())
}

fn say(text: &str) {
    // Nobody to tell when nobody reads.
    let _ = writeln!(std::io::stdout(), "{text}");
}
