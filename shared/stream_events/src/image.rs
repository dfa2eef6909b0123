//! The row in a record.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value};

use store::{Interaction, StoreError};

/// The interaction in a stream record's `NewImage` (DynamoDB JSON: `{"status": {"S": "queued"},
/// …}`).
///
/// # Errors
/// [`StoreError::Corrupt`] if it is not a row. No repetition of the record helps.
pub fn interaction_from_image(image: &Map<String, Value>) -> Result<Interaction, StoreError> {
    let corrupt = |name: &str| StoreError::Corrupt {
        table: "interactions",
        cause: format!("attribute `{name}` of a stream image"),
    };
    let attributes = image
        .iter()
        .map(|(name, value)| Ok((name.clone(), attribute(value).ok_or_else(|| corrupt(name))?)));
    Interaction::from_item(attributes.collect::<Result<HashMap<_, _>, StoreError>>()?)
}

fn attribute(value: &Value) -> Option<AttributeValue> {
    let (kind, inner) = value.as_object()?.iter().next()?;
    Some(match (kind.as_str(), inner) {
        ("S", Value::String(text)) => AttributeValue::S(text.clone()),
        ("N", Value::String(number)) => AttributeValue::N(number.clone()),
        ("BOOL", Value::Bool(flag)) => AttributeValue::Bool(*flag),
        ("NULL", _) => AttributeValue::Null(true),
        ("L", Value::Array(values)) => {
            AttributeValue::L(values.iter().map(attribute).collect::<Option<_>>()?)
        }
        ("M", Value::Object(map)) => AttributeValue::M(
            map.iter()
                .map(|(name, value)| Some((name.clone(), attribute(value)?)))
                .collect::<Option<_>>()?,
        ),
        ("SS", Value::Array(texts)) => AttributeValue::Ss(
            texts.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}
