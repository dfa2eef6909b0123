//! `cargo run`: runs the local stack, and plays the samples.

use std::io::Write as _;
use std::process::ExitCode;

use local::command;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[tokio::main]
async fn main() -> ExitCode {
    let level = std::env::var("RUST_LOG")
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::WARN);
    // dynoxide logs a warning for each condition that does not hold. For us that is normal.
    let filter = Targets::new().with_default(level).with_target("dynoxide", LevelFilter::ERROR);
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .with(filter)
        .init();
    // A line that cannot be printed (a closed pipe) is no reason to stop.
    let print = |text: &str| drop(writeln!(std::io::stdout(), "{text}"));
    match command::run(std::env::args_os().skip(1), print).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print(&format!("afterword: {error}"));
            ExitCode::FAILURE
        }
    }
}
