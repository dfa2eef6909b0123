//! Event filters of Lambda's event source mappings: the rules that `template.yaml` may use.
//!
//! Rules: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>. A pattern
//! has the shape of the event, with an array of alternatives at each leaf. All fields of a pattern
//! must match; one alternative is enough; one pattern of several is enough.

use serde_json::{Map, Value};

use crate::{Error, Result};

/// One filter pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Vec<(String, Node)>);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Object(Pattern),
    Leaf(Vec<Rule>),
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Equals(Value),
    Exists(bool),
}

impl Pattern {
    /// Reads the JSON text of a `Pattern`; `place` is named by errors.
    ///
    /// # Errors
    /// [`Error::Template`] if the text is not a pattern, or has a rule that this module does not
    /// know: to ignore it would let other events pass than in production.
    pub fn parse(text: &str, place: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text)
            .map_err(|e| Error::template(place, format!("the pattern is not JSON: {e}")))?;
        match value {
            Value::Object(fields) => pattern(&fields, place),
            _ => Err(Error::template(place, "the pattern is not an object")),
        }
    }

    /// Whether the event passes.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        self.matches_in(Some(event))
    }

    fn matches_in(&self, event: Option<&Value>) -> bool {
        self.0.iter().all(|(name, node)| {
            let value = event.and_then(|event| event.get(name));
            match node {
                Node::Object(pattern) => pattern.matches_in(value),
                Node::Leaf(rules) => rules.iter().any(|rule| rule.matches(value)),
            }
        })
    }
}

impl Rule {
    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            // `exists` is about leaves only, so an object counts as absent.
            (Self::Exists(wanted), value) => {
                *wanted == value.is_some_and(|value| !value.is_object())
            }
            (Self::Equals(wanted), Some(Value::Array(values))) => values.contains(wanted),
            (Self::Equals(wanted), value) => value == Some(wanted),
        }
    }
}

fn pattern(fields: &Map<String, Value>, place: &str) -> Result<Pattern> {
    let nodes = fields.iter().map(|(name, value)| {
        let place = format!("{place}.{name}");
        let node = match value {
            Value::Object(fields) => Node::Object(pattern(fields, &place)?),
            Value::Array(rules) if !rules.is_empty() => {
                Node::Leaf(rules.iter().map(|value| rule(value, &place)).collect::<Result<_>>()?)
            }
            _ => {
                return Err(Error::template(
                    place,
                    "a pattern holds objects and non-empty arrays only",
                ));
            }
        };
        Ok((name.clone(), node))
    });
    Ok(Pattern(nodes.collect::<Result<_>>()?))
}

fn rule(value: &Value, place: &str) -> Result<Rule> {
    let known = match value {
        Value::Object(fields) if fields.len() == 1 => {
            fields.get("exists").and_then(Value::as_bool).map(Rule::Exists)
        }
        Value::Object(_) | Value::Array(_) => None,
        scalar => Some(Rule::Equals(scalar.clone())),
    };
    known.ok_or_else(|| {
        Error::template(place, format!("the local stack does not know the rule {value}"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn matches(pattern: Value, event: Value) -> bool {
        Pattern::parse(&pattern.to_string(), "test").unwrap().matches(&event)
    }

    #[test]
    fn every_field_and_one_alternative() {
        let pattern = json!({"eventName": ["INSERT", "MODIFY"],
            "dynamodb": {"NewImage": {"status": {"S": ["queued"]}}}});
        let image = |name: &str, status: &str| {
            json!({"eventName": name,
            "dynamodb": {"NewImage": {"status": {"S": status}}}, "x": 1})
        };
        assert!(matches(pattern.clone(), image("INSERT", "queued")));
        assert!(matches(pattern.clone(), image("MODIFY", "queued")));
        assert!(!matches(pattern.clone(), image("REMOVE", "queued")));
        assert!(!matches(pattern.clone(), image("INSERT", "sent")));
        assert!(!matches(pattern, json!({"eventName": "INSERT"})));
        assert!(matches(json!({}), json!({"a": 1})));
        assert!(
            matches(json!({"a": [null]}), json!({"a": null}))
                && !matches(json!({"a": [null]}), json!({}))
        );
        assert!(matches(json!({"a": ["x"]}), json!({"a": ["y", "x"]})));
    }

    #[test]
    fn exists_looks_at_leaves() {
        let there = json!({"a": {"N": [{"exists": true}]}});
        assert!(matches(there.clone(), json!({"a": {"N": "1"}})));
        assert!(!matches(there.clone(), json!({"a": {}})));
        assert!(!matches(there.clone(), json!({})));
        assert!(!matches(there, json!({"a": {"N": {"b": 1}}})));
        let absent = json!({"a": {"N": [{"exists": false}]}});
        assert!(matches(absent.clone(), json!({})));
        assert!(!matches(absent, json!({"a": {"N": "1"}})));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for pattern in [
            "[]",
            "{",
            r#"{"a": []}"#,
            r#"{"a": "b"}"#,
            r#"{"a": [["b"]]}"#,
            r#"{"a": [{"exists": "yes"}]}"#,
            r#"{"a": [{"exists": true, "prefix": "b"}]}"#,
        ] {
            assert!(Pattern::parse(pattern, "test").is_err(), "{pattern}");
        }
        let problem =
            Pattern::parse(r#"{"a": [{"prefix": "b"}]}"#, "test").unwrap_err().to_string();
        let unknown =
            r#"template.yaml: test.a: the local stack does not know the rule {"prefix":"b"}"#;
        assert_eq!(problem, unknown);
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_an_error(text in ".*") {
            let _ = Pattern::parse(&text, "test");
        }
    }
}
