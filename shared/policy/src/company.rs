//! The company's settings.

use jiff::SignedDuration;
use normalize::{Address, LanguageTag, Source};
use serde_json::{Map, Value};

use crate::attribute::Reader;
use crate::brand::BrandingSettings;
use crate::config_table::company;
use crate::fault::ConfigFault;
use crate::item::Item;
use crate::language_row::HasTexts;
use crate::mailbox::Mailbox;
use crate::value_type::Fallback as _;

/// How much longer than its survey is open a row is kept at least.
const LONGER_THAN_OPEN: SignedDuration = SignedDuration::from_hours(48);

/// `company/settings`.
#[derive(Clone, Debug)]
pub struct Company {
    /// Display name. Default `""`.
    pub name: String,
    /// Where every mail of a test key goes. Without it, test requests wait.
    pub test_email: Option<Address>,
    /// Sender. Without it the stack's own sender address is used.
    pub from: Option<Mailbox>,
    /// Where replies to the mail go; without it, they go to the sender.
    pub reply_to: Option<Mailbox>,
    /// `suppression_days`: a customer gets at most one survey in this time; zero = no limit.
    /// Default 7 days.
    pub suppression: SignedDuration,
    /// Brand for a request that names none.
    pub default_brand: Option<String>,
    /// Language for a request that names none of ours. Default `en`; `""` = none.
    pub default_language: Option<LanguageTag>,
    /// Domains of colleagues, lower case, in punycode.
    pub internal_domains: Vec<String>,
    /// `do_not_send_tag`: tags that mean do-not-send, usually one; empty = no tag does. Default
    /// `stellaconnect-do-not-send`.
    pub do_not_send_tags: Vec<String>,
    /// The Gladly topic that means do-not-send. Default `do_not_send_stella`.
    pub do_not_send_topic: String,
    /// `dedupe_minutes`, for every source.
    dedupe_windows: Vec<(Source, SignedDuration)>,
    /// `survey_days`: how long a survey stays open, at least a day. Default 14 days.
    pub open: SignedDuration,
    /// `retention_days`: after this time name and address are deleted; at least a day. Default 90
    /// days. See [`Company::kept`].
    pub retention: SignedDuration,
    /// Mails a second, as SES allows, at least 1. Default 14.
    pub send_rate: u32,
    /// `bounce_days`: how long a bounced address gets no mail. Default 90 days.
    pub bounce: SignedDuration,
    /// Attempts before `failed: send_attempts`, at least 1. Default 8.
    pub send_attempts: u32,
    /// The branding of a company without brands, and of brands that leave something out.
    pub branding: BrandingSettings,
    /// Values that cannot be understood. Nothing is sent while there is one.
    pub faults: Vec<ConfigFault>,
    /// Values that cannot be understood and do not stop mails.
    pub warnings: Vec<ConfigFault>,
}

impl Company {
    /// Reads the item; an absent one is a company with every default. `has_texts` says for which
    /// languages there are texts.
    pub fn read(attributes: &Map<String, Value>, has_texts: HasTexts) -> Self {
        let mut reader = Reader::new(Item::new(attributes));
        let mut default_language = reader.read(&company::DEFAULT_LANGUAGE);
        if default_language.as_ref().is_some_and(|tag| !has_texts(tag)) {
            let fault = reader.item.fault(company::DEFAULT_LANGUAGE.name);
            reader.faults.push(fault);
            default_language = company::DEFAULT_LANGUAGE.value.fallback();
        }
        Self {
            name: reader.read(&company::NAME).unwrap_or_default(),
            test_email: reader.read(&company::TEST_EMAIL).map(|mailbox| mailbox.address),
            from: reader.read(&company::FROM),
            reply_to: reader.read(&company::REPLY_TO),
            suppression: reader.read(&company::SUPPRESSION_DAYS),
            default_brand: reader.read(&company::DEFAULT_BRAND),
            default_language,
            internal_domains: reader.read(&company::INTERNAL_DOMAINS),
            do_not_send_tags: reader.read(&company::DO_NOT_SEND_TAG),
            do_not_send_topic: reader.read(&company::DO_NOT_SEND_TOPIC),
            dedupe_windows: reader.read(&company::DEDUPE_MINUTES),
            open: reader.read(&company::SURVEY_DAYS),
            retention: reader.read(&company::RETENTION_DAYS),
            send_rate: reader.read(&company::SEND_RATE),
            bounce: reader.read(&company::BOUNCE_DAYS),
            send_attempts: reader.read(&company::SEND_ATTEMPTS),
            branding: BrandingSettings {
                logo_url: reader.read(&company::LOGO_URL),
                color: reader.read(&company::COLOR),
                footer: reader.read(&company::FOOTER),
                question: reader.read(&company::QUESTION),
                thank_you_url: reader.read(&company::THANK_YOU_URL),
            },
            faults: reader.faults.stopping,
            warnings: reader.faults.warnings,
        }
    }

    /// How long a request's row is kept after it is due: `retention_days`, but at least two days
    /// longer than a survey is open. While the survey is open, its link has to find the row; and
    /// Gladly is asked about a conversation for up to 48 hours.
    pub fn kept(&self) -> SignedDuration {
        self.retention.max(self.open + LONGER_THAN_OPEN)
    }

    /// `default_language`, or nothing.
    pub fn default_language_tag(&self) -> &str {
        self.default_language.as_ref().map_or("", |tag| tag.as_str())
    }

    /// How long the same interaction from the same source is the same request; zero = every
    /// delivery is a request of its own.
    pub fn dedupe_window(&self, source: Source) -> SignedDuration {
        let window = self.dedupe_windows.iter().find(|(named, _)| *named == source);
        window.map_or(SignedDuration::ZERO, |(_, window)| *window)
    }
}
