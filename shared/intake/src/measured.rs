//! What the line about a call measures: the call, and what came of it.

use metrics::{Field, Measure};
use normalize::Source;

/// A call of this source with this outcome. Helpdesks' calls are counted as deliveries, too.
pub(crate) fn measured(source: Source, outcome: &str) -> Field {
    let source_name = source.as_str();
    let request = Measure::Requests { source: source_name, outcome };
    match source {
        Source::Requests => metrics::of(&[request]),
        _ => metrics::of(&[request, Measure::WebhookDeliveries { source: source_name }]),
    }
}

/// A call that got a 503 of ours; the source, if it is a call that asks for a survey.
pub(crate) fn unavailable(source: Option<Source>) -> Field {
    match source {
        Some(source) if source != Source::Requests => metrics::of(&[
            Measure::Unavailable,
            Measure::WebhookDeliveries { source: source.as_str() },
        ]),
        _ => metrics::of(&[Measure::Unavailable]),
    }
}
