//! The values that templates are rendered with.

/// A value of a ticket, or made of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Nothing,
    Truth(bool),
    Text(String),
    List(Vec<String>),
}

impl Value {
    pub(super) fn text(&self) -> String {
        match self {
            Value::Nothing => String::new(),
            Value::Truth(truth) => truth.to_string(),
            Value::Text(text) => text.clone(),
            Value::List(items) => items.concat(),
        }
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::List(items) => items.iter().map(|item| item.len() + 24).sum(),
            Value::Nothing | Value::Truth(_) => 0,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Value::Nothing | Value::Truth(false))
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Value::Nothing | Value::Truth(false) => true,
            Value::Truth(true) => false,
            Value::Text(text) => text.trim().is_empty(),
            Value::List(items) => items.is_empty(),
        }
    }
}
