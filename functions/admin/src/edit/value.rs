//! A value of the config table as a form shows it, and back.

use normalize::Source;
use policy::{AttributeDescription, ValueType};
use serde_json::{Map, Value};

use crate::form::Form;

/// What the inputs of one attribute hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// One text for each input.
    pub(crate) texts: Vec<String>,
    /// Whether the box "none" is ticked: the value is there, and empty.
    pub(crate) none: bool,
    /// Whether the box is ticked that removes what no input can show.
    pub(crate) dropped: bool,
}

impl Shown {
    /// The text of an attribute that has one input.
    pub(crate) fn text(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }

    /// The same as a person reads it.
    pub(crate) fn in_words(&self, description: &AttributeDescription) -> String {
        if self.none {
            return "none".to_owned();
        }
        match &description.value_type {
            ValueType::Switch => match self.text() {
                "true" => "yes".to_owned(),
                "false" => "no".to_owned(),
                odd => odd.to_owned(),
            },
            ValueType::MinutesBySource(_) => {
                let pairs = Source::ALL.iter().zip(&self.texts);
                let set = pairs.filter(|(_, text)| !text.is_empty());
                set.map(|(source, text)| format!("{source} {text}")).collect::<Vec<_>>().join(", ")
            }
            _ => self.texts.join("").replace('\n', ", "),
        }
    }
}

/// The names of an attribute's inputs.
pub(crate) fn input_names(description: &AttributeDescription) -> Vec<String> {
    let name = description.name;
    match description.value_type {
        ValueType::MinutesBySource(_) => {
            Source::ALL.iter().map(|source| format!("{name}.{source}")).collect()
        }
        _ => vec![name.to_owned()],
    }
}

/// Whether the value is a list, one entry a line.
pub(crate) fn is_list(value_type: &ValueType) -> bool {
    matches!(value_type, ValueType::List | ValueType::Domains | ValueType::AnyOf(_))
}

/// The value as the form shows it, and, if no input can show it, what stands there as JSON.
pub(crate) fn shown(
    description: &AttributeDescription,
    value: Option<&Value>,
) -> (Shown, Option<String>) {
    let value = value.filter(|value| !value.is_null());
    let inputs = input_names(description).len();
    let of = |texts: Vec<String>| Shown { texts, ..Shown::default() };
    let empty = || of(vec![String::new(); inputs]);
    let Some(value) = value else { return (empty(), None) };
    let odd = || (empty(), Some(value.to_string()));
    let one = |text: &str| of(vec![normal(text)]);
    match (&description.value_type, value) {
        (ValueType::MinutesBySource(_), Value::Object(entries)) => {
            let text = |source: Source| match entries.get(source.as_str()) {
                Some(Value::String(text)) => normal(text),
                Some(Value::Number(number)) => number.to_string(),
                _ => String::new(),
            };
            let odd = Source::ALL.iter().any(|source| is_odd_entry(entries, *source));
            (of(Source::ALL.map(text).to_vec()), odd.then(|| value.to_string()))
        }
        (ValueType::MinutesBySource(_), _) => odd(),
        (value_type, value) if is_list(value_type) => match entries(value) {
            Some(entries) if entries.is_empty() => {
                (Shown { none: description.may_be_empty, ..empty() }, None)
            }
            Some(entries) => (one(&entries.join("\n")), None),
            None => odd(),
        },
        (ValueType::Switch, Value::Bool(value)) => (one(&value.to_string()), None),
        (ValueType::Switch, Value::String(text)) => (one(switch_word(text)), None),
        (ValueType::Switch, Value::Number(number)) => (one(switch_word(&number.to_string())), None),
        (ValueType::OneOf(names), Value::String(text)) => {
            let text = normal(text);
            let lower = text.to_lowercase();
            (one(if names.contains(&&*lower) { &lower } else { &text }), None)
        }
        (_, Value::String(text)) if text.trim().is_empty() => {
            (Shown { none: description.may_be_empty, ..empty() }, None)
        }
        (_, Value::String(text)) => (one(text), None),
        (_, Value::Number(number)) => (one(&number.to_string()), None),
        _ => odd(),
    }
}

/// Whether no input can show the minutes of the source.
fn is_odd_entry(entries: &Map<String, Value>, source: Source) -> bool {
    let entry = entries.get(source.as_str());
    entry.is_some_and(|entry| !(entry.is_null() || entry.is_string() || entry.is_number()))
}

/// Whether what no input can show still stands there after the form: nothing was written in its
/// place, and the box that removes it is not ticked.
pub(crate) fn leaves_odd(
    description: &AttributeDescription,
    typed: &Shown,
    before: Option<&Value>,
) -> bool {
    if typed.none || typed.dropped {
        return false;
    }
    match (&description.value_type, before) {
        (ValueType::MinutesBySource(_), Some(Value::Object(entries))) => {
            let mut pairs = Source::ALL.iter().zip(&typed.texts);
            pairs.any(|(source, text)| text.is_empty() && is_odd_entry(entries, *source))
        }
        _ => shown(description, before).1.is_some() && typed.texts.iter().all(String::is_empty),
    }
}

/// As the reader of the table understands it; a word that it does not know stays.
fn switch_word(text: &str) -> &str {
    match text.trim().to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => "true",
        "false" | "0" | "no" | "off" | "" => "false",
        _ => text,
    }
}

/// The entries of a list, or of one text with commas between.
fn entries(value: &Value) -> Option<Vec<String>> {
    let texts: Vec<&str> = match value {
        Value::Array(values) => values.iter().map(Value::as_str).collect::<Option<_>>()?,
        Value::String(text) => text.split(',').collect(),
        _ => return None,
    };
    Some(texts.into_iter().map(normal).filter(|text| !text.is_empty()).collect())
}

/// Line breaks as one character, since browsers post two; without blanks around it.
fn normal(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}

/// What was posted for an attribute under names with this prefix; `None` if the form did not have
/// the attribute.
pub(crate) fn typed(
    form: &Form,
    prefix: &str,
    description: &AttributeDescription,
) -> Option<Shown> {
    let names = input_names(description);
    let posted: Vec<Option<&str>> =
        names.iter().map(|name| form.first(&format!("{prefix}{name}"))).collect();
    let ticked =
        |what: &str| !form.text(&format!("{prefix}{}.{what}", description.name)).is_empty();
    let (none, dropped) = (ticked("none"), ticked("drop"));
    if posted.iter().all(Option::is_none) && !none && !dropped {
        return None;
    }
    let texts = posted.into_iter().map(|text| normal(text.unwrap_or_default()));
    let texts = match is_list(&description.value_type) {
        true => texts.map(|text| lines(&text).join("\n")).collect(),
        false => texts.collect(),
    };
    Some(Shown { texts, none: none && description.may_be_empty, dropped })
}

/// The lines of a list, without empty ones.
fn lines(text: &str) -> Vec<&str> {
    text.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// The value that the inputs stand for, in the plainest type; `None`: no value. `before` is the
/// value that it takes the place of.
pub(crate) fn value(
    description: &AttributeDescription,
    typed: &Shown,
    before: Option<&Value>,
) -> Option<Value> {
    let value_type = &description.value_type;
    if typed.none {
        return Some(match is_list(value_type) {
            true => Value::Array(Vec::new()),
            false => Value::String(String::new()),
        });
    }
    let text = typed.text();
    match value_type {
        ValueType::MinutesBySource(_) => minutes(typed, before),
        _ if text.is_empty() => None,
        ValueType::Switch => Some(match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            odd => Value::String(odd.to_owned()),
        }),
        ValueType::Count(..) | ValueType::Days(..) | ValueType::Minutes(_) => Some(number(text)),
        value_type if is_list(value_type) => {
            // An entry with a comma that stood there stays; typed on one line, commas part entries.
            let stood = before.filter(|value| value.is_array()).and_then(entries);
            let stood = stood.unwrap_or_default();
            let split = |line: &str| match stood.iter().any(|entry| entry == line) {
                true => vec![line.to_owned()],
                false => line.split(',').map(|part| part.trim().to_owned()).collect(),
            };
            let all = lines(text).into_iter().flat_map(split).filter(|entry| !entry.is_empty());
            Some(Value::Array(all.map(Value::String).collect()))
        }
        _ => Some(Value::String(text.to_owned())),
    }
}

/// Digits as a number; what is none stays a text, and is a fault.
fn number(text: &str) -> Value {
    text.parse::<u32>().map_or_else(|_| Value::String(text.to_owned()), Value::from)
}

/// The map, with what it has besides the sources, and with what no input can show of them.
fn minutes(typed: &Shown, before: Option<&Value>) -> Option<Value> {
    let mut entries: Map<String, Value> =
        before.and_then(Value::as_object).cloned().unwrap_or_default();
    for (source, text) in Source::ALL.iter().zip(&typed.texts) {
        if text.is_empty() {
            if typed.dropped || !is_odd_entry(&entries, *source) {
                entries.remove(source.as_str());
            }
        } else {
            entries.insert(source.to_string(), number(text));
        }
    }
    (!entries.is_empty()).then_some(Value::Object(entries))
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, http};
    use policy::config_table::{channel, company};
    use serde_json::json;

    use super::*;

    fn described(kind: &policy::Kind, name: &str) -> AttributeDescription {
        kind.attributes().find(|attribute| attribute.name == name).unwrap()
    }

    #[test]
    fn what_stands_there_is_shown_and_what_is_shown_means_the_same() {
        for (kind, name, stored, text, none, plain) in [
            (channel::KIND, "enabled", json!("Yes"), "true", false, Some(json!(true))),
            (channel::KIND, "enabled", json!(0), "false", false, Some(json!(false))),
            (channel::KIND, "enabled", json!(""), "false", false, Some(json!(false))),
            (channel::KIND, "enabled", json!("fales"), "fales", false, Some(json!("fales"))),
            (
                channel::KIND,
                "mode",
                json!(" Integrated "),
                "integrated",
                false,
                Some(json!("integrated")),
            ),
            (
                channel::KIND,
                "mode",
                json!("integratd"),
                "integratd",
                false,
                Some(json!("integratd")),
            ),
            (channel::KIND, "delay_minutes", json!("30"), "30", false, Some(json!(30))),
            (channel::KIND, "delay_minutes", json!("soon"), "soon", false, Some(json!("soon"))),
            (
                channel::KIND,
                "aliases",
                json!("a, b ,,c"),
                "a\nb\nc",
                false,
                Some(json!(["a", "b", "c"])),
            ),
            (channel::KIND, "aliases", json!([" a ", ""]), "a", false, Some(json!(["a"]))),
            (channel::KIND, "aliases", json!([]), "", false, None),
            (company::KIND, "default_language", json!(""), "", true, Some(json!(""))),
            (company::KIND, "do_not_send_tag", json!([]), "", true, Some(json!([]))),
            (company::KIND, "name", json!(7), "7", false, Some(json!("7"))),
            (company::KIND, "footer", json!("a\r\nb"), "a\nb", false, Some(json!("a\nb"))),
        ] {
            let description = described(&kind, name);
            let (shown, odd) = shown(&description, Some(&stored));
            assert_eq!((shown.text(), shown.none, odd), (text, none, None), "{name} {stored}");
            assert_eq!(value(&description, &shown, Some(&stored)), plain, "{name} {stored}");
        }
        for (kind, name, stored) in [
            (channel::KIND, "aliases", json!(7)),
            (channel::KIND, "aliases", json!(["a", 7])),
            (channel::KIND, "mode", json!(["manual"])),
            (company::KIND, "dedupe_minutes", json!("zendesk 10")),
            (company::KIND, "dedupe_minutes", json!({ "zendesk": true })),
            (company::KIND, "from", json!(true)),
        ] {
            let (shown, odd) = shown(&described(&kind, name), Some(&stored));
            assert_eq!((shown.text(), odd), ("", Some(stored.to_string())), "{name}");
        }
    }

    #[test]
    fn what_no_input_can_show_stays_until_something_takes_its_place() {
        let minutes = described(&company::KIND, "dedupe_minutes");
        let stored = json!({ "zendesk": [7], "gorgias": 5 });
        let (shown, _) = shown(&minutes, Some(&stored));
        let at = |source: Source| Source::ALL.iter().position(|other| *other == source).unwrap();
        let with = |source, text: &str, dropped| {
            let mut typed = Shown { dropped, ..shown.clone() };
            typed.texts[at(source)] = text.to_owned();
            typed
        };
        for (typed, left, written) in [
            (with(Source::Gorgias, "6", false), true, json!({ "zendesk": [7], "gorgias": 6 })),
            (with(Source::Gorgias, "6", true), false, json!({ "gorgias": 6 })),
            (with(Source::Zendesk, "9", false), false, json!({ "zendesk": 9, "gorgias": 5 })),
        ] {
            assert_eq!(leaves_odd(&minutes, &typed, Some(&stored)), left, "{written}");
            assert_eq!(value(&minutes, &typed, Some(&stored)), Some(written));
        }
        let tag = described(&company::KIND, "do_not_send_tag");
        for (text, none, dropped, left) in [
            ("", false, false, true),
            ("", true, false, false),
            ("", false, true, false),
            ("vip", false, false, false),
        ] {
            let typed = Shown { texts: vec![text.to_owned()], none, dropped };
            assert_eq!(leaves_odd(&tag, &typed, Some(&json!(["vip", 7]))), left);
            assert!(!leaves_odd(&tag, &typed, Some(&json!(["vip"]))));
            assert!(!leaves_odd(&tag, &typed, None));
        }
    }

    #[test]
    fn what_is_posted_is_read_line_by_line() {
        let body = "aliases=a%0D%0A%0D%0A+b%2C+c%0D%0Ax%2Cy&dedupe_minutes.zendesk=010&\
                    default_language=&default_language.none=1&was.aliases=a";
        let form = Form::read(&http::Request::new(Body::from(body))).unwrap();
        let aliases = described(&channel::KIND, "aliases");
        let read = typed(&form, "", &aliases).unwrap();
        assert_eq!(read.text(), "a\nb, c\nx,y");
        let stored = json!(["x,y"]);
        assert_eq!(value(&aliases, &read, Some(&stored)), Some(json!(["a", "b", "c", "x,y"])));
        assert_eq!(typed(&form, "was.", &aliases).unwrap().text(), "a");
        assert_eq!(typed(&form, "", &described(&channel::KIND, "mode")), None);
        let minutes = described(&company::KIND, "dedupe_minutes");
        let read = typed(&form, "", &minutes).unwrap();
        assert_eq!(
            value(&minutes, &read, Some(&json!({ "gorgias": 5, "other": 1 }))),
            Some(json!({ "other": 1, "zendesk": 10 })),
        );
        let language = described(&company::KIND, "default_language");
        let read = typed(&form, "", &language).unwrap();
        assert_eq!(value(&language, &read, None), Some(json!("")));
    }
}
