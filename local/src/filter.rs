//! Event filters of Lambda's event source mappings, as far as `template.yaml` may use them.
//!
//! Rules: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>. A pattern has the shape of the event, with an array
//! of alternatives at each leaf. All fields of a pattern must match; one alternative is enough; one pattern of several is enough.

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
    EqualsIgnoreCase(String),
    Prefix(String),
    Suffix(String),
    AnythingBut(Vec<Value>),
    NumericEquals(f64),
    Exists(bool),
}

impl Pattern {
    /// Reads the JSON text of a `Pattern`; `place` is named by errors.
    ///
    /// # Errors
    /// [`Error::Template`] for what is no pattern, and for a rule that this module does not know: better refused than ignored.
    pub fn parse(text: &str, place: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text).map_err(|e| Error::template(place, format!("the pattern is not JSON: {e}")))?;
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
            // `exists` looks at leaves alone, so an object counts as absent.
            (Self::Exists(wanted), value) => *wanted == value.is_some_and(|value| !value.is_object()),
            (_, None | Some(Value::Object(_))) => false,
            (rule, Some(Value::Array(values))) => values.iter().any(|value| rule.matches_scalar(value)),
            (rule, Some(value)) => rule.matches_scalar(value),
        }
    }

    fn matches_scalar(&self, value: &Value) -> bool {
        match self {
            Self::Equals(wanted) => same(wanted, value),
            Self::EqualsIgnoreCase(wanted) => value.as_str().is_some_and(|text| text.to_lowercase() == wanted.to_lowercase()),
            Self::Prefix(prefix) => value.as_str().is_some_and(|text| text.starts_with(prefix)),
            Self::Suffix(suffix) => value.as_str().is_some_and(|text| text.ends_with(suffix)),
            Self::AnythingBut(unwanted) => !unwanted.iter().any(|unwanted| same(unwanted, value)),
            Self::NumericEquals(number) => value.as_f64() == Some(*number),
            Self::Exists(_) => false,
        }
    }
}

/// Numbers are equal by value, so that 1 is 1.0; everything else by identity.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn pattern(fields: &Map<String, Value>, place: &str) -> Result<Pattern> {
    let nodes = fields.iter().map(|(name, value)| {
        let place = format!("{place}.{name}");
        let node = match value {
            Value::Object(fields) => Node::Object(pattern(fields, &place)?),
            Value::Array(rules) if !rules.is_empty() => Node::Leaf(rules.iter().map(|value| rule(value, &place)).collect::<Result<_>>()?),
            _ => return Err(Error::template(place, "a pattern holds objects and non-empty arrays only")),
        };
        Ok((name.clone(), node))
    });
    Ok(Pattern(nodes.collect::<Result<_>>()?))
}

fn rule(value: &Value, place: &str) -> Result<Rule> {
    let fields = match value {
        Value::Object(fields) => fields,
        Value::Array(_) => return Err(Error::template(place, "an array inside an array")),
        scalar => return Ok(Rule::Equals(scalar.clone())),
    };
    let mut fields = fields.iter();
    let (Some((name, argument)), None) = (fields.next(), fields.next()) else {
        return Err(Error::template(place, "a rule has exactly one field"));
    };
    let known = match (name.as_str(), argument) {
        ("exists", Value::Bool(wanted)) => Some(Rule::Exists(*wanted)),
        ("prefix", Value::String(text)) => Some(Rule::Prefix(text.clone())),
        ("suffix", Value::String(text)) => Some(Rule::Suffix(text.clone())),
        ("equals-ignore-case", Value::String(text)) => Some(Rule::EqualsIgnoreCase(text.clone())),
        ("anything-but", Value::Array(values)) => Some(Rule::AnythingBut(values.clone())),
        ("anything-but", value @ (Value::String(_) | Value::Number(_))) => Some(Rule::AnythingBut(vec![value.clone()])),
        ("numeric", Value::Array(terms)) => match terms.as_slice() {
            [Value::String(sign), number] if sign == "=" => number.as_f64().map(Rule::NumericEquals),
            _ => None,
        },
        _ => None,
    };
    known.ok_or_else(|| Error::template(place, format!("the local stack does not know the rule {value}")))
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
        let pattern = json!({"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": {"status": {"S": ["queued"]}}}});
        let image = |name: &str, status: &str| json!({"eventName": name, "dynamodb": {"NewImage": {"status": {"S": status}}}, "x": 1});
        assert!(matches(pattern.clone(), image("INSERT", "queued")));
        assert!(matches(pattern.clone(), image("MODIFY", "queued")));
        assert!(!matches(pattern.clone(), image("REMOVE", "queued")));
        assert!(!matches(pattern.clone(), image("INSERT", "sent")));
        assert!(!matches(pattern, json!({"eventName": "INSERT"})));
        assert!(matches(json!({}), json!({"a": 1})));
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
    fn the_other_rules() {
        assert!(matches(json!({"a": [{"prefix": "ab"}]}), json!({"a": "abc"})));
        assert!(!matches(json!({"a": [{"prefix": "b"}]}), json!({"a": "abc"})));
        assert!(matches(json!({"a": [{"suffix": "bc"}]}), json!({"a": "abc"})));
        assert!(matches(json!({"a": [{"equals-ignore-case": "ABC"}]}), json!({"a": "abc"})));
        assert!(matches(json!({"a": [{"anything-but": ["x"]}]}), json!({"a": "y"})));
        assert!(!matches(json!({"a": [{"anything-but": "x"}]}), json!({"a": "x"})));
        assert!(!matches(json!({"a": [{"anything-but": "x"}]}), json!({})));
        assert!(matches(json!({"a": [{"numeric": ["=", 1]}]}), json!({"a": 1.0})));
        assert!(!matches(json!({"a": [{"numeric": ["=", 1]}]}), json!({"a": "1"})));
        assert!(matches(json!({"a": [null]}), json!({"a": null})));
        assert!(matches(json!({"a": ["x"]}), json!({"a": ["y", "x"]})));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for pattern in [
            "[]",
            "{",
            r#"{"a": []}"#,
            r#"{"a": "b"}"#,
            r#"{"a": [{"cidr": "10.0.0.0/24"}]}"#,
            r#"{"a": [{"numeric": [">", 1]}]}"#,
            r#"{"a": [{"prefix": "a", "suffix": "b"}]}"#,
        ] {
            assert!(Pattern::parse(pattern, "test").is_err(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_an_error(text in ".*") {
            let _ = Pattern::parse(&text, "test");
        }
    }
}
