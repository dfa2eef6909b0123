//! The one description of the config table: each kind of item, and each of its attributes with its
//! type, range, default and purpose.
//!
//! The readers take these constants, so that no reader can know another default than the
//! documentation. The table in the documentation, the check for unknown names and the admins' forms
//! are made of [`KINDS`].

use std::marker::PhantomData;

use normalize::Source;
use serde_json::{Map, Value as Json};

use crate::attribute::{Attribute, ItemId, Kind};
use crate::ceiling::Ceiling;
use crate::choice_values::{AnyOf, OneOf, RequiredOneOf};
use crate::choices::{ChannelMode, EmployeeStatus, KeyMode, KeyScope, Mode};
use crate::fault::ConfigFault;
use crate::item::Item;
use crate::number_values::{Count, Days, Minutes, MinutesBySource, Switch};
use crate::text_values::{
    ColourText, Domains, Language, List, MailboxText, SHORT, Tags, Text, WORDS, WebUrl, Words,
};
use crate::value_type::{Value, ValueType};

/// Declares a kind: a module with a constant for each attribute, and one, `KIND`, for the kind.
macro_rules! kind {
    (
        $(#[$doc:meta])* $module:ident: $name:literal / $id:expr;
        $(
            $constant:ident $attribute:literal $(of $ids:expr)?,
            $type:ty = $value:expr,
            $sentence:literal;
        )*
        => later [$($later:literal),*]
    ) => {
        $(#[$doc])*
        pub mod $module {
            use super::*;

            $(
                #[doc = $sentence]
                pub const $constant: Attribute<$type> = Attribute {
                    name: $attribute,
                    value: $value,
                    sentence: $sentence,
                    ids: kind!(@ids $($ids)?),
                };
            )*

            /// The kind.
            pub const KIND: Kind = Kind {
                name: $name,
                id: $id,
                attributes: &[$(&$constant),*],
                known: &[$($attribute,)* $($later),*],
            };
        }
    };
    (@ids) => { &[] };
    (@ids $ids:expr) => { $ids };
}

kind! {
    /// `company/settings`.
    company: "company" / ItemId::OneOf(&["settings"]);
    NAME "name", Words = WORDS, "Name of the company, shown where a request has no brand.";
    TEST_EMAIL "test_email", MailboxText = MailboxText(""),
        "Address to which every mail of a test key goes; without it, those mails wait.";
    FROM "from", MailboxText = MailboxText("the stack's sender"),
        "Sender of the mails; its address must be the stack's `SenderAddress` or one of its \
         `AllowedSenders`.";
    REPLY_TO "reply_to", MailboxText = MailboxText("the sender"),
        "Address to which replies go; somebody has to read them.";
    SUPPRESSION_DAYS "suppression_days", Days = Days(Count { least: 0, most: 3_650, default: 7 }),
        "A customer gets at most one survey in this time; 0 means no limit.";
    DEFAULT_BRAND "default_brand", Words = WORDS, "Brand of a request that names none.";
    DEFAULT_LANGUAGE "default_language", Language = Language("en"),
        "Language of a request that names none of the company's languages; `\"\"` means none.";
    INTERNAL_DOMAINS "internal_domains", Domains = Domains,
        "Mail domains of the company's own people, who are not surveyed.";
    DO_NOT_SEND_TAG "do_not_send_tag", Tags = Tags("stellaconnect-do-not-send"),
        "Tags of a ticket that mean no survey, as a list or with commas between; empty means none.";
    DO_NOT_SEND_TOPIC "do_not_send_topic", Text = Text("do_not_send_stella"),
        "Gladly topic that means no survey.";
    DEDUPE_MINUTES "dedupe_minutes", MinutesBySource = MinutesBySource {
            most: 366 * 24 * 60,
            default: dedupe_minutes,
            sources: SOURCES,
        },
        "Another request for the same interaction within this time is a duplicate.";
    SURVEY_DAYS "survey_days", Days = Days(Count { least: 1, most: 3_650, default: 14 }),
        "A survey stays open this long.";
    RETENTION_DAYS "retention_days", Days = Days(Count { least: 1, most: 3_650, default: 90 }),
        "Name and address of the customer are deleted this long after the survey is due, but not \
         before the survey has been closed for two days.";
    SEND_RATE "send_rate", Count = Count { least: 1, most: 100_000, default: 14 },
        "Mails a second, as SES allows the account.";
    SEND_ATTEMPTS "send_attempts", Count = Count { least: 1, most: 100, default: 8 },
        "If SES rejects a message itself, it is tried this often before `failed: send_attempts`.";
    BOUNCE_DAYS "bounce_days", Days = Days(Count { least: 0, most: 3_650, default: 90 }),
        "An address whose mail bounced gets no mail for this long.";
    LOGO_URL "logo_url", WebUrl = WebUrl(WORDS), "Logo in mail and survey page.";
    COLOR "color", ColourText = ColourText(""), "Colour of stars, links and buttons.";
    FOOTER "footer", Words = WORDS, "Line at the foot of mail and page: the postal address.";
    QUESTION "question", Words = Words { otherwise: "in each language", ..WORDS },
        "Question of the survey, in place of the one in the customer's language.";
    THANK_YOU_URL "thank_you_url", WebUrl = WebUrl(WORDS),
        "Page to which the customer can go on after the survey.";
    => later ["alert_stars", "alert_to", "alert_per_hour", "answers_days"]
}

kind! {
    /// `channel/<name>`.
    channel: "channel" / ItemId::Any("name of the channel");
    MODE "mode", OneOf<ChannelMode> = OneOf { default: "manual", value: ChannelMode::Manual },
        "With `manual`, agents send surveys by hand; with `integrated`, Afterword sends them.";
    ENABLED "enabled", Switch = Switch { default: true, on_fault: false },
        "Whether the company uses the channel.";
    DELAY_MINUTES "delay_minutes",
        Minutes = Minutes(Count { least: 0, most: 60 * 24 * 60, default: 0 }),
        "Time from receipt of a request until its survey goes out.";
    ALIASES "aliases", List = List, "Other names of the channel, such as a helpdesk's slugs.";
    => later []
}

kind! {
    /// `employee/<e-mail in lower case>`.
    employee: "employee" / ItemId::Any("e-mail in lower case");
    STATUS "status",
        OneOf<EmployeeStatus> = OneOf { default: "created", value: EmployeeStatus::Incomplete },
        "Customers are asked about approved employees only.";
    NAME "name", Words = SHORT, "Name, shown in the mail.";
    PICTURE_URL "picture_url", WebUrl = WebUrl(SHORT), "Picture, shown in the mail.";
    CUSTOM_ID "custom_id", Words = SHORT, "The employee's id in the company.";
    SEND_BOX "send_box", Count = Count { least: 0, most: 2_000_000_000, default: 0 },
        "How often the employee's link for sending by hand was renewed; each new link ends the one \
         before.";
    => later []
}

kind! {
    /// `employee_id/<custom id>`.
    employee_id: "employee_id" / ItemId::Any("custom id");
    EMAIL "email", Words = Words { required: true, ..WORDS },
        "E-mail of the employee with this custom id.";
    => later []
}

const COMPANYS: &str = "the company's";

kind! {
    /// `brand/<signifier>`.
    brand: "brand" / ItemId::Any("signifier");
    NAME "name", Words = Words { otherwise: "the signifier", ..WORDS },
        "Name of the brand, shown in mail and page.";
    ACTIVE "active", Switch = Switch { default: true, on_fault: false },
        "Whether surveys of the brand are sent.";
    FROM "from", MailboxText = MailboxText(COMPANYS), "Sender of the brand's mails.";
    REPLY_TO "reply_to", MailboxText = MailboxText(COMPANYS),
        "Address to which replies to the brand's mails go.";
    LOGO_URL "logo_url", WebUrl = WebUrl(Words { otherwise: COMPANYS, ..WORDS }),
        "Logo in mail and survey page.";
    COLOR "color", ColourText = ColourText(COMPANYS), "Colour of stars, links and buttons.";
    FOOTER "footer", Words = Words { otherwise: COMPANYS, ..WORDS },
        "Line at the foot of mail and page: the postal address.";
    QUESTION "question", Words = Words { otherwise: COMPANYS, ..WORDS },
        "Question of the survey, in place of the one in the customer's language.";
    THANK_YOU_URL "thank_you_url", WebUrl = WebUrl(Words { otherwise: COMPANYS, ..WORDS }),
        "Page to which the customer can go on after the survey.";
    => later []
}

kind! {
    /// `language/<BCP 47>`.
    language: "language" / ItemId::Any("BCP 47 tag");
    ACTIVE "active", Switch = Switch { default: true, on_fault: false },
        "Whether surveys are sent in this language. The default language needs no item; a language \
         without texts is a fault.";
    => later []
}

kind! {
    /// `key/<SHA-256 in hex>`.
    key: "key" / ItemId::Any("SHA-256 in hex");
    MODE "mode", RequiredOneOf<KeyMode> = RequiredOneOf(PhantomData),
        "Mails of a `test` key go to the company's test address; an `admin` key is a person's.";
    SCOPES "scopes", AnyOf<KeyScope> = AnyOf { otherwise: "", choice: PhantomData },
        "What the key may do: send requests; read requests and answers. Of an admin key: change \
         everything on the admin pages (`admin`), or only look (`viewer`); erase people.";
    SOURCES "sources", AnyOf<Source> = AnyOf { otherwise: "all", choice: PhantomData },
        "Sources that the key may send from.";
    LABEL "label", Words = WORDS, "Who has the key, for the page of keys.";
    PREFIX "prefix", Words = WORDS,
        "First characters of the key, by which people recognise it.";
    REVOKED "revoked", Switch = Switch { default: false, on_fault: true },
        "A revoked key opens nothing, and what it sent is not mailed any more.";
    MAILS_PER_HOUR "mails_per_hour", MailsPerHour = MailsPerHour,
        "Mails that the key may cause in an hour; more wait for the next hour; 0 means no limit.";
    MADE_AT "made_at", Words = WORDS, "When the key was made; Afterword writes it.";
    MADE_BY "made_by", Words = WORDS, "Who made the key; Afterword writes it.";
    LAST_USED "last_used", Words = WORDS,
        "Last day on which the key was used; Afterword writes it.";
    => later []
}

kind! {
    /// `integration/<helpdesk>`.
    integration: "integration" / ItemId::OneOf(&["zendesk", "freshdesk", "gladly", "gorgias"]);
    BASE_URL "base_url" of &["gladly"], Words = Words { required: true, ..WORDS },
        "Address of the company's Gladly, such as `https://example.gladly.com`.";
    AGENT_EMAIL "agent_email" of &["gladly"], Words = Words { required: true, ..WORDS },
        "E-mail of the Gladly user to whom the API token belongs.";
    SIGNATURE_REQUIRED "signature_required" of &["zendesk"],
        Switch = Switch { default: false, on_fault: true },
        "Whether requests without a Zendesk signature are refused.";
    CLOSED_STATUSES "closed_statuses" of &["zendesk", "freshdesk"], List = List,
        "Names that the account has for a closed ticket, besides the helpdesk's own.";
    => later ["write_back", "user", "rating_field"]
}

kind! {
    /// `webhook/<name>`, which no version reads yet.
    webhook: "webhook" / ItemId::Any("name");
    => later ["url", "events", "stars_at_most", "payload", "secret", "secret_before", "active"]
}

kind! {
    /// `alert/<name>`, which no version reads yet.
    alert: "alert" / ItemId::Any("name");
    => later ["percent", "at_least", "to"]
}

/// Every kind of config item, in the order of the documentation.
pub const KINDS: &[Kind] = &[
    company::KIND,
    channel::KIND,
    employee::KIND,
    employee_id::KIND,
    brand::KIND,
    language::KIND,
    key::KIND,
    integration::KIND,
    webhook::KIND,
    alert::KIND,
];

/// The kind with this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|known| known.name == name)
}

/// How the names of kinds are misspelled: in the plural, with a capital, or with a letter too few.
/// No reader comes upon an item of such a kind, since the table is read by kind and never scanned.
pub fn misspelled_kinds() -> Vec<String> {
    let mut slips = Vec::new();
    for Kind { name, .. } in KINDS {
        slips.push(format!("{name}s"));
        let (first, rest) = name.split_at(1);
        slips.push(first.to_uppercase() + rest);
        // A name of three letters without one of them is like too many other words.
        let letters = if name.len() > 3 { name.len() } else { 0 };
        slips.extend((0..letters).map(|at| format!("{}{}", &name[..at], &name[at + 1..])));
    }
    slips.sort_unstable();
    slips.dedup();
    slips.retain(|slip| kind(slip).is_none());
    slips
}

/// The names of the sources, which are the names within `dedupe_minutes`.
const SOURCES: &[&str] = &["requests", "zendesk", "freshdesk", "gladly", "gorgias"];

/// How many minutes the same interaction from the same source is the same request: what each
/// helpdesk repeats, and how late (docs/facts.md, Gorgias 1, Zendesk 2 and Freshdesk 2). Gladly
/// names each event, which is enough to recognise a duplicate.
fn dedupe_minutes(source: Source) -> u32 {
    match source {
        Source::Requests => 10,
        Source::Zendesk => 24 * 60,
        Source::Freshdesk => 7 * 24 * 60,
        Source::Gorgias => 30 * 24 * 60,
        Source::Gladly => 0,
    }
}

/// A number of mails whose default depends on the key's mode.
pub struct MailsPerHour;

impl Value for MailsPerHour {
    type Read = Option<u32>;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        item.number(name, u32::MAX)
    }

    fn value_type(&self) -> ValueType {
        ValueType::Count(0, u32::MAX)
    }

    fn default(&self) -> String {
        let of = Ceiling::default_of;
        format!("{}; of a test key {}", of(Mode::Live), of(Mode::Test))
    }
}

impl<'a> Item<'a> {
    /// `attributes` is the whole item; `kind` and `id` are its key.
    pub fn new(attributes: &'a Map<String, Json>) -> Self {
        let kind = attributes.get("kind").and_then(Json::as_str).unwrap_or_default();
        Self::with_names(attributes, self::kind(kind).map_or(&[], |known| known.known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::Choice as _;
    use crate::slips::meant;

    fn known(kind: &str) -> Vec<&'static str> {
        let names = KINDS.iter().find(|known| known.name == kind).map(|known| known.known);
        names.or((kind == "dedupe_minutes").then_some(SOURCES)).unwrap_or_default().to_vec()
    }

    #[test]
    fn a_misspelled_name_means_the_nearest_one() {
        let of = |kind: &str, written: &str| meant(written, known(kind).into_iter());
        for (kind, written, name) in [
            ("channel", "enabld", Some("enabled")),
            ("channel", "enabled ", Some("enabled")),
            ("channel", "Mode", Some("mode")),
            ("channel", "mdoe", Some("mode")),
            ("channel", "modes", Some("mode")),
            ("channel", "alias", Some("aliases")),
            ("channel", "Delay Minutes", Some("delay_minutes")),
            ("channel", "delay-minutes", Some("delay_minutes")),
            ("channel", "delayMinutes", Some("delay_minutes")),
            ("channel", "delay", None),
            ("channel", "note", None),
            ("company", "form", Some("from")),
            ("company", "reply-to", Some("reply_to")),
            ("company", "colour", Some("color")),
            ("company", "suppresion_days", Some("suppression_days")),
            ("company", "suppression", None),
            ("key", "revokd", Some("revoked")),
            ("key", "created_by", None),
            ("integration", "signature_requird", Some("signature_required")),
            ("tally", "mode", None),
        ] {
            assert_eq!(of(kind, written), name, "{kind} {written:?}");
        }
        assert_eq!(of("channel", &format!("mode{}", "e".repeat(100_000))), None);
    }

    #[test]
    fn a_slip_in_a_kind_leads_back_to_it() {
        let slips = misspelled_kinds();
        for written in ["channels", "chanel", "Channel", "brnd", "keys", "emploee", "langage"] {
            assert!(slips.iter().any(|slip| slip == written), "{written}");
        }
        for slip in &slips {
            assert!(meant(slip, KINDS.iter().map(|kind| kind.name)).is_some(), "{slip}");
        }
        assert!(slips.len() <= 100, "{}: two statements of fifty", slips.len());
    }

    #[test]
    fn no_known_name_is_near_enough_to_another_to_be_taken_for_it() {
        for kind in KINDS.iter().map(|kind| kind.name).chain(["dedupe_minutes"]) {
            let names = known(kind);
            for name in &names {
                assert_eq!(meant(name, names.iter().copied()), Some(*name), "{kind}");
                assert_eq!(names.iter().filter(|n| *n == name).count(), 1, "{kind} {name}");
            }
        }
        for kind in KINDS {
            assert_eq!(meant(kind.name, KINDS.iter().map(|kind| kind.name)), Some(kind.name));
        }
    }

    #[test]
    fn every_attribute_has_a_sentence_and_a_default_that_its_reader_understands() {
        for kind in KINDS {
            let names: Vec<_> = kind.attributes().map(|attribute| attribute.name).collect();
            assert_eq!(names, kind.known[..names.len()], "{}", kind.name);
            for attribute in kind.attributes() {
                let (sentence, name) = (attribute.sentence, attribute.name);
                assert!(sentence.ends_with('.'), "{} {name}: {sentence}", kind.name);
                assert!(!sentence.contains('\n'), "{} {name}: {sentence}", kind.name);
                if let (ValueType::OneOf(names), false) = (attribute.value_type, attribute.required)
                {
                    let default = attribute.default.trim_matches('`');
                    assert!(names.contains(&default), "{} {name}: {default}", kind.name);
                }
            }
        }
        assert_eq!(
            ChannelMode::from_name(channel::MODE.value.default),
            Some(channel::MODE.value.value)
        );
        assert_eq!(
            EmployeeStatus::from_name(employee::STATUS.value.default),
            Some(employee::STATUS.value.value)
        );
        assert_eq!(SOURCES, Source::ALL.map(|source| source.as_str()));
    }
}
