//! What a form says of an attribute: made of its description.

use policy::{AttributeDescription, ValueType};

/// Characters of a value that a message shows.
const LONGEST_ODD: usize = 80;

/// `suppression_days` → `Suppression days`.
pub(crate) fn label(name: &str) -> String {
    let words = name.split('_').enumerate().map(|(n, word)| match (n, word) {
        (_, "url") => "URL".to_owned(),
        (_, "id") => "ID".to_owned(),
        (0, word) => capital(word),
        (_, word) => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Markdown of the declaration as plain text.
pub(crate) fn plain(markdown: &str) -> String {
    markdown.replace('`', "")
}

/// What the attribute is for, how to write it, and what is used without it.
pub(crate) fn hint(description: &AttributeDescription) -> String {
    let mut sentences = vec![plain(description.sentence)];
    let how = match &description.value_type {
        ValueType::Count(least, most) => format!("A whole number from {least} to {most}."),
        ValueType::Days(least, most) => format!("Days, from {least} to {most}."),
        ValueType::Minutes(most) => format!("Minutes, from 0 to {most}."),
        ValueType::MinutesBySource(most) => format!("Minutes, from 0 to {most}."),
        ValueType::List | ValueType::AnyOf(_) => "One a line.".to_owned(),
        ValueType::Domains => "One a line, such as example.com.".to_owned(),
        ValueType::Mailbox => {
            "Such as help@example.com or Example Support <help@example.com>.".to_owned()
        }
        ValueType::Colour => "Such as #1F6F54.".to_owned(),
        ValueType::WebUrl => "It begins with https:// (or http://).".to_owned(),
        ValueType::Language => "Such as en or pt-BR.".to_owned(),
        ValueType::Text(_) | ValueType::Switch | ValueType::OneOf(_) => String::new(),
    };
    sentences.push(how);
    let default = plain(&description.default);
    let in_options = matches!(description.value_type, ValueType::Switch | ValueType::OneOf(_));
    if !default.is_empty() && !in_options {
        sentences.push(format!("If left empty: {default}."));
    }
    if description.required {
        sentences.push("It has to be set.".to_owned());
    }
    sentences.retain(|sentence| !sentence.is_empty());
    sentences.join(" ")
}

/// What may stand there, as advice.
pub(crate) fn may_say(value_type: &ValueType) -> String {
    match value_type {
        ValueType::Text(longest) => format!("Write a text of at most {longest} bytes."),
        ValueType::Switch => "It may say yes or no.".to_owned(),
        ValueType::Count(least, most) => {
            format!("Write a whole number from {least} to {most}, in digits.")
        }
        ValueType::Days(least, most) => {
            format!("Write a whole number of days from {least} to {most}, in digits.")
        }
        ValueType::Minutes(most) | ValueType::MinutesBySource(most) => {
            format!("Write whole numbers of minutes from 0 to {most}, in digits.")
        }
        ValueType::Mailbox => "Write one address, such as help@example.com, or a name and an \
                               address, such as Example Support <help@example.com>."
            .to_owned(),
        ValueType::List => {
            "Write one entry a line: at most 200, each of at most 4096 bytes.".to_owned()
        }
        ValueType::Domains => "Write one mail domain a line, such as example.com: no web address \
                               and no e-mail address."
            .to_owned(),
        ValueType::OneOf(names) => format!("It may say {}.", alternatives(names)),
        ValueType::AnyOf(names) => {
            format!("Each line may say {}.", alternatives(names))
        }
        ValueType::Language => {
            format!("Write the tag of a language that there are texts in: {}.", spoken())
        }
        ValueType::Colour => "Write a colour as # and six digits or letters a to f, such as \
                              #1F6F54."
            .to_owned(),
        ValueType::WebUrl => "Write an address that begins with https:// (or http://), without \
                              blanks and quotation marks."
            .to_owned(),
    }
}

/// What to do about a value that no input can show, and that was left as it stands.
pub(super) fn left_standing(odd: &str, value_type: &ValueType) -> String {
    let cut = |text: &str| text.chars().take(LONGEST_ODD - 1).chain(['…']).collect();
    let odd = if odd.chars().count() > LONGEST_ODD { cut(odd) } else { odd.to_owned() };
    format!(
        "It says {odd}, which cannot be understood. {} Or tick the box that removes it.",
        may_say(value_type)
    )
}

fn alternatives(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// The tags of the languages that there are texts in.
pub(crate) fn spoken() -> String {
    language::ALL.iter().map(|texts| texts.tag).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use policy::config_table::{KINDS, company};

    use super::*;

    #[test]
    fn a_label_is_made_of_the_name() {
        for (name, shown) in [
            ("from", "From"),
            ("suppression_days", "Suppression days"),
            ("logo_url", "Logo URL"),
            ("custom_id", "Custom ID"),
        ] {
            assert_eq!(label(name), shown);
        }
    }

    #[test]
    fn every_attribute_has_a_hint_and_advice_in_plain_text() {
        for description in KINDS.iter().flat_map(policy::Kind::attributes) {
            let (hint, advice) = (hint(&description), may_say(&description.value_type));
            for text in [&hint, &advice] {
                assert!(text.ends_with('.') && !text.contains('`'), "{text}");
            }
        }
        let days = company::KIND.attributes().find(|a| a.name == "suppression_days").unwrap();
        assert_eq!(
            hint(&days),
            "A customer gets at most one survey in this time; 0 means no limit. Days, from 0 to \
             3650. If left empty: 7."
        );
    }
}
