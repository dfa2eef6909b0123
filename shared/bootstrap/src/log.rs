//! Log lines as Lambda's JSON logging takes them.
//!
//! Lambda keeps or drops a line by its `level`, and believes that only beside a `timestamp` of
//! RFC 3339; it takes any other line for `INFO`. A line that measures something carries the members
//! of CloudWatch's embedded metric format in place of its field `metrics` (see the crate of that
//! name).

use std::fmt;

use jiff::Timestamp;
use serde::Serializer as _;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Set by Lambda from the function's `ApplicationLogLevel`.
const LAMBDAS: &str = "AWS_LAMBDA_LOG_LEVEL";
/// Counts only where there is no Lambda: `sam local`, and a plain process.
const LOCAL: &str = "RUST_LOG";

/// Logs JSON lines to standard output, from the level in `AWS_LAMBDA_LOG_LEVEL` on (`trace` to
/// `error`; default `info`). Where that is not set, `RUST_LOG` says the level. A release build logs
/// nothing below `info`: see the workspace's `tracing`.
///
/// A line has no spans: what happened is in its fields. The metrics' dimension `Stack` is
/// `STACK_NAME`, or `local`.
pub fn log() {
    let variable = |name: &str| std::env::var(name).ok();
    let level = log_level(variable);
    let stack = variable("STACK_NAME").filter(|name| !name.is_empty());
    tracing_subscriber::fmt()
        .event_format(Lines {
            stack: stack.unwrap_or_else(|| "local".to_owned()),
            now: Timestamp::now,
        })
        .with_max_level(level.unwrap_or(LevelFilter::INFO))
        .init();
    if let Err(unknown) = level {
        tracing::warn!(variable = unknown.0, "not a log level: `info` is used instead");
    }
}

/// A variable whose value is not a log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct UnknownLevel(&'static str);

/// `FATAL` is Lambda's word for less than `error`; we log no such lines, so that it means `error`.
fn log_level(variable: impl Fn(&str) -> Option<String>) -> Result<LevelFilter, UnknownLevel> {
    let given = [LAMBDAS, LOCAL].into_iter().find_map(|name| {
        let value = variable(name)?.trim().to_owned();
        (!value.is_empty()).then_some((name, value))
    });
    match given {
        None => Ok(LevelFilter::INFO),
        Some((_, value)) if value.eq_ignore_ascii_case("fatal") => Ok(LevelFilter::ERROR),
        Some((name, value)) => value.parse().map_err(|_| UnknownLevel(name)),
    }
}

/// Writes each event as one line of JSON.
struct Lines {
    stack: String,
    now: fn() -> Timestamp,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let line = self.line(event).map_err(|_| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}

impl Lines {
    /// Time, level and message first, since people read the beginning.
    fn line(&self, event: &Event<'_>) -> Result<String, serde_json::Error> {
        let now = (self.now)();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let timestamp = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let metadata = event.metadata();
        let level = metadata.level().as_str();
        let mut members: Vec<(&str, Value)> =
            vec![("timestamp", timestamp.into()), ("level", level.into())];
        members.extend(fields.message.map(|message| ("message", message.into())));
        members.extend(fields.others);
        members.push(("target", metadata.target().into()));
        let embedded = fields
            .metrics
            .and_then(|field| metrics::embedded(&field, &self.stack, now.as_millisecond()));
        let embedded = embedded.unwrap_or_default();
        members.extend(embedded.iter().map(|(name, value)| (&**name, value.clone())));
        let mut line = Vec::with_capacity(256);
        serde_json::Serializer::new(&mut line).collect_map(members)?;
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}

/// The fields of an event.
#[derive(Default)]
struct Fields {
    message: Option<String>,
    metrics: Option<String>,
    others: Vec<(&'static str, Value)>,
}

impl Fields {
    fn text(&mut self, field: &Field, text: String) {
        match field.name() {
            "message" => self.message = Some(text),
            "metrics" => self.metrics = Some(text),
            name => self.others.push((name, text.into())),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.others.push((field.name(), value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.others.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.others.push((field.name(), value.into()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.others.push((field.name(), value.into()));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use metrics::Measure;
    use serde_json::json;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// The bytes that `logs` writes, at a known time.
    fn written(logs: impl FnOnce()) -> String {
        let written = Written::default();
        let now = || "2026-11-21T09:08:07.0654321Z".parse().unwrap();
        let subscriber = tracing_subscriber::fmt()
            .event_format(Lines { stack: "staging".to_owned(), now })
            .with_max_level(LevelFilter::INFO)
            .with_writer(written.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, logs);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_has_timestamp_level_and_message_and_then_its_fields() {
        let lines = written(|| {
            let nobody: Option<&str> = None;
            tracing::warn!(n = 3, ok = true, part = 0.5, why = %"a \"b\"\n", nobody, "it is {}", 1);
            tracing::debug!("not at this level");
        });
        assert_eq!(
            lines,
            "{\"timestamp\":\"2026-11-21T09:08:07.065Z\",\"level\":\"WARN\",\
             \"message\":\"it is 1\",\"n\":3,\"ok\":true,\"part\":0.5,\"why\":\"a \\\"b\\\"\\n\",\
             \"target\":\"bootstrap::log::tests\"}\n"
        );
    }

    #[test]
    fn a_line_that_measures_has_the_embedded_metric_format() {
        let lines = written(|| {
            let sent = metrics::of(&[Measure::Mails { outcome: "sent" }]);
            tracing::info!(request_id = "r", metrics = %sent, "sent");
            tracing::info!(metrics = "{}", "nothing measured");
        });
        let lines: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            lines[0],
            json!({
                "timestamp": "2026-11-21T09:08:07.065Z", "level": "INFO", "message": "sent",
                "request_id": "r", "target": "bootstrap::log::tests",
                "Mails": 1, "Outcome": "sent", "Stack": "staging",
                "_aws": { "Timestamp": 1_795_252_087_065_u64, "CloudWatchMetrics": [{
                    "Namespace": "Afterword", "Dimensions": [["Stack", "Outcome"]],
                    "Metrics": [{ "Name": "Mails", "Unit": "Count" }],
                }] },
            })
        );
        assert_eq!(lines[1].get("_aws"), None);
        assert_eq!(lines[1].get("metrics"), None);
    }

    fn variables(given: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| {
            let found = given.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn the_log_level_is_lambdas_and_rust_log_counts_without_it() {
        for (given, expected) in [
            (&[][..], Ok(LevelFilter::INFO)),
            (&[(LAMBDAS, "WARN")], Ok(LevelFilter::WARN)),
            (&[(LOCAL, "debug")], Ok(LevelFilter::DEBUG)),
            (&[(LAMBDAS, "error"), (LOCAL, "debug")], Ok(LevelFilter::ERROR)),
            (&[(LAMBDAS, " "), (LOCAL, "debug")], Ok(LevelFilter::DEBUG)),
            (&[(LAMBDAS, "FATAL")], Ok(LevelFilter::ERROR)),
            (&[(LAMBDAS, "inof"), (LOCAL, "debug")], Err(UnknownLevel(LAMBDAS))),
            (&[(LOCAL, "info,hyper=warn")], Err(UnknownLevel(LOCAL))),
        ] {
            assert_eq!(log_level(variables(given)), expected, "{given:?}");
        }
    }
}
