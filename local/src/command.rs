//! The command line of the local stack: `cargo run -- FLAGS`.

use std::ffi::OsString;

use crate::flags::{Flags, HELP};
use crate::functions::FunctionError;
use crate::stack::{Options, Stack, url};
use crate::{history, samples, seed};

/// Starts the stack that the arguments (without the program's name) ask for, prints where it is,
/// writes the history, plays the samples, and runs until Ctrl-C. `print` takes one line or several at a time.
///
/// # Errors
/// An argument, port or folder that cannot be used. A sample that could not be posted.
pub async fn run(
    arguments: impl IntoIterator<Item = OsString>,
    print: impl Fn(&str),
) -> Result<(), FunctionError> {
    let flags = Flags::parse(arguments)?;
    if flags.help {
        print(HELP);
        return Ok(());
    }
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let options = Options {
        bind: flags.bind,
        port: flags.port,
        dynamodb_port: flags.dynamodb_port,
        mail_port: flags.mail_port,
        data_dir: flags.data_dir,
        gladly_token: environment("GLADLY_TOKEN").unwrap_or_else(|| "local".to_owned()),
        zendesk_secret: environment("ZENDESK_SIGNING_SECRET").unwrap_or_default(),
        ..Options::default()
    };
    let clock = options.clock.clone();
    let stack = Stack::start(options).await?;
    print(&addresses(&stack));
    if flags.samples {
        let written = history::write(&stack, clock.now("history")).await?;
        if written.requests > 0 {
            print(&format!(
                "Three weeks of the sample company: {} requests, {} answers.\n",
                written.requests, written.answers
            ));
        }
        print("Samples from events/:");
        let outcomes = samples::play(&stack).await?;
        print(&samples::report(&stack, &outcomes));
    }
    print("Ready. Ctrl-C stops it.");
    tokio::signal::ctrl_c().await?;
    Ok(())
}

fn addresses(stack: &Stack) -> String {
    let [api, dynamodb, mail] = [stack.api, stack.dynamodb, stack.mail].map(url);
    format!(
        "Afterword runs on this machine.\n
  Admin     {api}/admin   any name, key {}
  API       {api}   keys {}, {}
  DynamoDB  {dynamodb}   tables config, interactions, suppression, responses, audit
  Mailbox   {mail}   also the SES v2 endpoint
  Gallery   {mail}/gallery   every mail and page
",
        seed::ADMIN_KEY,
        seed::TEST_KEY,
        seed::LIVE_KEY
    )
}
