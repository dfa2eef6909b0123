//! The form of a send box: what may be chosen, what was typed, and the request that it makes.

use normalize::Address;
use policy::{Channel, ChannelMode};
use serde_json::{Map, Value, json};
use store::Settings;
use uuid::Uuid;

use crate::form::Form;

/// Characters of a field at most.
const LONGEST: usize = 500;

/// Something that is wrong, at a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) field: &'static str,
    pub(super) text: String,
}

impl Trouble {
    pub(super) fn new(field: &'static str, text: &str) -> Self {
        Self { field, text: text.to_owned() }
    }
}

/// What the company lets an agent choose from.
pub(super) struct Choices {
    /// Channels whose surveys agents send.
    pub(super) channels: Vec<String>,
    /// Signifier and name of each active brand, if there are several.
    pub(super) brands: Vec<(String, String)>,
    /// Whether a survey can go out without a brand being chosen.
    pub(super) brand_optional: bool,
    /// Languages, if there are several.
    pub(super) languages: Vec<String>,
    /// Whether a survey can go out without a language being chosen.
    pub(super) language_optional: bool,
}

impl Choices {
    pub(super) fn of(settings: &Settings) -> Self {
        // A channel with a fault in it is in manual mode only until the fault is mended.
        let by_hand = |channel: &&Channel| {
            channel.enabled && channel.mode == ChannelMode::Manual && channel.faults.is_empty()
        };
        let active = settings.brands.iter().filter(|brand| brand.active);
        let brands: Vec<_> = active.map(|b| (b.signifier.clone(), b.name.clone())).collect();
        let languages: Vec<_> = settings.languages.iter().map(ToString::to_string).collect();
        Self {
            channels: settings.channels.iter().filter(by_hand).map(|c| c.name.clone()).collect(),
            brand_optional: settings.company.default_brand.is_some(),
            brands: if brands.len() > 1 { brands } else { Vec::new() },
            language_optional: settings.company.default_language.is_some(),
            languages: if languages.len() > 1 { languages } else { Vec::new() },
        }
    }
}

/// What was typed.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    /// The same in each repetition of this form, so that it sends once.
    pub(super) nonce: Uuid,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) channel: String,
    pub(super) ticket: String,
    pub(super) brand: String,
    pub(super) language: String,
}

impl Typed {
    /// A form that nobody has typed in. What there is one of is chosen.
    pub(super) fn empty(choices: &Choices) -> Self {
        let only = match choices.channels.as_slice() {
            [only] => only.clone(),
            _ => String::new(),
        };
        Self {
            nonce: Uuid::now_v7(),
            name: String::new(),
            email: String::new(),
            channel: only,
            ticket: String::new(),
            brand: String::new(),
            language: String::new(),
        }
    }

    pub(super) fn read(form: &Form) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self {
            nonce: form.text("nonce").parse().unwrap_or_else(|_| Uuid::now_v7()),
            name: text("name"),
            email: text("email"),
            channel: text("channel"),
            ticket: text("ticket"),
            brand: text("brand"),
            language: text("language"),
        }
    }

    /// The next attempt is another survey.
    pub(super) fn begin_anew(&mut self) {
        self.nonce = Uuid::now_v7();
    }

    /// What is wrong with it, in the order of the form.
    pub(super) fn check(&self, choices: &Choices, settings: &Settings) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        let mut trouble = |field, text: &str| troubles.push(Trouble::new(field, text));
        if self.email.is_empty() {
            trouble("email", "Type the customer's e-mail address.");
        } else if Address::parse(&self.email).is_none() {
            trouble("email", "This is no e-mail address. Type one like name@example.com.");
        }
        let texts = [("name", &self.name), ("ticket", &self.ticket)];
        for (field, _) in texts.iter().filter(|(_, text)| text.chars().count() > LONGEST) {
            trouble(field, "This is too long. Type at most 500 characters.");
        }
        if self.channel.is_empty() {
            trouble("channel", "Choose how you were in contact.");
        } else if !choices.channels.contains(&self.channel) {
            trouble("channel", why_not(&settings.channels, &self.channel));
        }
        let brand = &self.brand;
        if !brand.is_empty() && !choices.brands.iter().any(|(signifier, _)| signifier == brand) {
            trouble("brand", "This brand cannot be chosen. Choose one of the list.");
        } else if brand.is_empty() && !choices.brands.is_empty() && !choices.brand_optional {
            trouble("brand", "Choose the brand that the customer knows.");
        }
        let language = &self.language;
        if !language.is_empty() && !choices.languages.contains(language) {
            trouble("language", "This language cannot be chosen. Choose one of the list.");
        } else if language.is_empty() && !choices.languages.is_empty() && !choices.language_optional
        {
            trouble("language", "Choose the customer's language.");
        }
        troubles
    }

    /// The body of `/v1/requests`; what is empty is left out.
    pub(super) fn body(&self, employee: &str) -> Value {
        let given = |pairs: &[(&str, &String)]| -> Map<String, Value> {
            let pairs = pairs.iter().filter(|(_, text)| !text.is_empty());
            pairs.map(|(name, text)| ((*name).to_owned(), json!(text))).collect()
        };
        let mut body = given(&[
            ("channel", &self.channel),
            ("ext_interaction_id", &self.ticket),
            ("brand", &self.brand),
            ("language", &self.language),
        ]);
        let customer = given(&[("name", &self.name), ("email", &self.email)]);
        body.insert("customer".into(), Value::Object(customer));
        body.insert("employee".into(), json!({ "email": employee }));
        Value::Object(body)
    }
}

/// Why a channel is none that an agent sends on.
fn why_not(channels: &[Channel], name: &str) -> &'static str {
    match Channel::find(channels, name) {
        Some(channel) if channel.enabled && channel.mode == ChannelMode::Integrated => {
            "Surveys of this channel go out by themselves. Choose another one."
        }
        _ => "This channel is switched off, or does not exist. Choose another one.",
    }
}

/// Places of a problem document, at the fields of the form.
pub(super) fn troubles(problem: &Value) -> Vec<Trouble> {
    let places = problem.get("errors").and_then(Value::as_array);
    let mut troubles: Vec<Trouble> = places
        .into_iter()
        .flatten()
        .map(|place| {
            let text = |name: &str| place.get(name).and_then(Value::as_str).unwrap_or_default();
            let field = match text("pointer") {
                "/customer/name" => "name",
                "/channel" => "channel",
                "/ext_interaction_id" => "ticket",
                "/brand" => "brand",
                "/language" => "language",
                _ => "email",
            };
            Trouble::new(field, &format!("It {}.", text("detail")))
        })
        .collect();
    if troubles.is_empty() {
        troubles.push(Trouble::new("email", "The form was not understood. Send it once more."));
    }
    troubles
}
