//! Attributes of a config item as somebody wrote them, also where the readers of the item do not
//! understand them: a page shows what stands there.

use serde_json::{Map, Value};

/// The attribute as one text, trimmed; `None` if there is none, or if it holds something else.
pub(crate) fn text(attributes: &Map<String, Value>, name: &str) -> Option<String> {
    let text = match attributes.get(name)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// The entries of a list, or of a text, with commas between.
pub(crate) fn list(attributes: &Map<String, Value>, name: &str) -> String {
    match attributes.get(name) {
        Some(Value::Array(values)) => {
            let texts = values.iter().filter_map(Value::as_str).map(str::trim);
            texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
        }
        _ => text(attributes, name).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stands_there_is_one_line_of_text() {
        for (value, shown, listed) in [
            (json!(" Paul "), Some("Paul"), "Paul"),
            (json!(7), Some("7"), "7"),
            (json!("send, READ"), Some("send, READ"), "send, READ"),
            (json!(["send", " read ", ""]), None, "send, read"),
            (json!(["send", 7]), None, "send"),
            (json!("  "), None, ""),
            (json!(null), None, ""),
            (json!(true), None, ""),
            (json!({ "a": 1 }), None, ""),
        ] {
            let item = json!({ "name": value });
            let item = item.as_object().cloned().unwrap_or_default();
            assert_eq!(text(&item, "name").as_deref(), shown, "{value}");
            assert_eq!(list(&item, "name"), listed, "{value}");
        }
    }
}
