//! What the functions measure, and how a log line says it to CloudWatch.
//!
//! A function measures where it logs: the line has a field `metrics`, which [`of`] makes:
//!
//! ```
//! use metrics::Measure;
//! let field = metrics::of(&[Measure::Mails { outcome: "sent" }]);
//! assert_eq!(field.to_string(), r#"{"Mails":1,"Outcome":"sent"}"#);
//! ```
//!
//! `bootstrap` writes the line with the members of [`embedded`] in place of that field. They follow
//! CloudWatch's embedded metric format, so CloudWatch makes metrics of them: no call, no client.
//!
//! [`METRICS`] declares every metric. The alarms and the dashboard in `template.yaml` use these and
//! no others, and `docs/operating.md` explains them; `local/tests/metrics.rs` compares all three.
//!
//! **Invariant:** no I/O, no clock, no environment.

use std::fmt;

use serde_json::{Map, Value, json};

/// The namespace of every metric.
pub const NAMESPACE: &str = "Afterword";
/// The dimension that every metric has: the name of the stack.
pub const STACK: &str = "Stack";

/// What CloudWatch is told of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// CloudWatch's name of the unit.
    pub unit: &'static str,
    /// Its dimensions besides [`STACK`].
    pub dimensions: &'static [&'static str],
}

/// Declares each metric once: as a variant of [`Measure`], and as an entry of [`METRICS`].
macro_rules! metrics {
    ($(
        $(#[$doc:meta])*
        $name:ident $({ $($field:ident: $dimension:literal),+ })? $(($count:ty))?, $unit:literal;
    )*) => {
        /// One thing that was measured.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Measure<'a> {
            $(
                $(#[$doc])*
                $name $({ $(
                    #[doc = concat!("The dimension `", $dimension, "`.")]
                    $field: &'a str
                ),+ })? $(($count))?,
            )*
        }

        /// Every metric that there is.
        pub const METRICS: &[Metric] = &[$(Metric {
            name: stringify!($name),
            unit: $unit,
            dimensions: &[$($($dimension),+)?],
        }),*];
    };
}

metrics! {
    /// A call that asks for a survey, and what came of it.
    Requests { source: "Source", outcome: "Outcome" }, "Count";
    /// A call of a helpdesk, whatever came of it.
    WebhookDeliveries { source: "Source" }, "Count";
    /// A mail, and what became of it.
    Mails { outcome: "Outcome" }, "Count";
    /// A mail waits until somebody corrects something.
    HeldRequests, "Count";
    /// A call to SES ended without an answer.
    UnknownOutcomes, "Count";
    /// SES refused a mail, since the account is paused or has used up its quota.
    SendingPaused, "Count";
    /// A request ended as `failed`.
    GivenUp, "Count";
    /// For how long the oldest request has been due, in seconds.
    OldestDueSeconds(u64), "Seconds";
    /// A sweep ended well.
    Sweeps, "Count";
    /// Rows that a sweep has changed.
    SweptRows(u64), "Count";
    /// A live mail bounced for good.
    Bounces, "Count";
    /// Somebody complained about a live mail.
    Complaints, "Count";
    /// An item of the config table cannot be understood.
    ConfigurationFaults, "Count";
    /// A call was refused because the subject secret is another one.
    SubjectSecretMismatches, "Count";
    /// A 503 of our own.
    Unavailable, "Count";
}

impl Measure<'_> {
    /// Its members in the field: value, and dimensions.
    fn members(self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Requests { source, outcome } => {
                vec![("Requests", 1.into()), ("Source", source.into()), ("Outcome", outcome.into())]
            }
            Self::WebhookDeliveries { source } => {
                vec![("WebhookDeliveries", 1.into()), ("Source", source.into())]
            }
            Self::Mails { outcome } => vec![("Mails", 1.into()), ("Outcome", outcome.into())],
            Self::HeldRequests => vec![("HeldRequests", 1.into())],
            Self::UnknownOutcomes => vec![("UnknownOutcomes", 1.into())],
            Self::SendingPaused => vec![("SendingPaused", 1.into())],
            Self::GivenUp => vec![("GivenUp", 1.into())],
            Self::OldestDueSeconds(seconds) => vec![("OldestDueSeconds", seconds.into())],
            Self::Sweeps => vec![("Sweeps", 1.into())],
            Self::SweptRows(rows) => vec![("SweptRows", rows.into())],
            Self::Bounces => vec![("Bounces", 1.into())],
            Self::Complaints => vec![("Complaints", 1.into())],
            Self::ConfigurationFaults => vec![("ConfigurationFaults", 1.into())],
            Self::SubjectSecretMismatches => vec![("SubjectSecretMismatches", 1.into())],
            Self::Unavailable => vec![("Unavailable", 1.into())],
        }
    }
}

/// The field `metrics` of a log line: shown as JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field(Map<String, Value>);

/// What one line measures. A dimension has one value in a line, so no two measures of one line may
/// give it different ones.
pub fn of(measures: &[Measure<'_>]) -> Field {
    let members = measures.iter().flat_map(|measure| measure.members());
    Field(members.map(|(name, value)| (name.to_owned(), value)).collect())
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Value::from(self.0.clone()).to_string())
    }
}

/// The members of a log line for the text of a [`Field`], in the embedded metric format. `None` if
/// the text is no such field, or measures nothing.
pub fn embedded(field: &str, stack: &str, at_ms: i64) -> Option<Map<String, Value>> {
    let mut members: Map<String, Value> = serde_json::from_str(field).ok()?;
    let directives: Vec<Value> = METRICS
        .iter()
        .filter(|metric| members.contains_key(metric.name))
        .map(|Metric { name, unit, dimensions }| {
            let dimensions: Vec<&str> = [STACK].iter().chain(*dimensions).copied().collect();
            json!({
                "Namespace": NAMESPACE,
                "Dimensions": [dimensions],
                "Metrics": [{ "Name": name, "Unit": unit }],
            })
        })
        .collect();
    if directives.is_empty() {
        return None;
    }
    members.insert(STACK.to_owned(), stack.into());
    members
        .insert("_aws".to_owned(), json!({ "Timestamp": at_ms, "CloudWatchMetrics": directives }));
    Some(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_of_a_line_has_its_own_dimensions() {
        let field = of(&[Measure::Mails { outcome: "held" }, Measure::HeldRequests]).to_string();
        let members = Value::from(embedded(&field, "staging", 1_700_000_000_000).unwrap());
        assert_eq!(
            members,
            json!({
                "_aws": {
                    "Timestamp": 1_700_000_000_000_u64,
                    "CloudWatchMetrics": [
                        {
                            "Namespace": "Afterword",
                            "Dimensions": [["Stack", "Outcome"]],
                            "Metrics": [{ "Name": "Mails", "Unit": "Count" }],
                        },
                        {
                            "Namespace": "Afterword",
                            "Dimensions": [["Stack"]],
                            "Metrics": [{ "Name": "HeldRequests", "Unit": "Count" }],
                        },
                    ],
                },
                "Mails": 1, "HeldRequests": 1, "Outcome": "held", "Stack": "staging",
            })
        );
    }

    #[test]
    fn what_is_no_field_measures_nothing() {
        for text in ["", "{}", "1", "[]", "{\"Other\":1}"] {
            assert_eq!(embedded(text, "local", 0), None, "{text}");
        }
    }
}
