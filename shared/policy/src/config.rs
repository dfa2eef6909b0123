//! The config table's items, as admins edit them by hand.
//!
//! Each reader is lenient in spelling (trimmed, without case, numbers and booleans also as text)
//! and strict in meaning: what it cannot understand becomes a [`ConfigFault`], a safe value stands
//! in, and nothing is sent on the strength of an item that has faults.

use jiff::SignedDuration;
use normalize::{Address, LanguageTag, Source};
use serde_json::{Map, Value};

use crate::Mailbox;
use crate::item::{ConfigFault, ConfigFaults, Item};

/// `company/settings`.
#[derive(Clone, Debug)]
pub struct Company {
    /// Display name. Default `""`.
    pub name: String,
    /// Where every mail of a test key goes. Without it test requests are held.
    pub test_email: Option<Address>,
    /// Sender. Without it the stack's own sender address is used.
    pub from: Option<Mailbox>,
    /// Where replies to the mail go; without it, to the sender.
    pub reply_to: Option<Mailbox>,
    /// `suppression_days`: a customer is asked at most once in this time; zero = off. Default 7
    /// days.
    pub suppression: SignedDuration,
    /// Brand for a request that names none.
    pub default_brand: Option<String>,
    /// Language for a request that names none of ours. Default `en`; `""` = none.
    pub default_language: Option<LanguageTag>,
    /// Domains of colleagues, lower case, in punycode.
    pub internal_domains: Vec<String>,
    /// `do_not_send_tag`: tags that mean do-not-send, mostly one; empty = none. Default
    /// `stellaconnect-do-not-send`.
    pub do_not_send_tags: Vec<String>,
    /// A Gladly topic that means do-not-send. Default `do_not_send_stella`.
    pub do_not_send_topic: String,
    /// `dedupe_minutes` of the item, per source.
    dedupe_minutes: Vec<(Source, u32)>,
    /// `survey_days`: how long a survey stays open, at least a day. Default 14 days.
    pub open: SignedDuration,
    /// `retention_days`: then name and address leave; at least a day. Default 90 days. See
    /// [`Company::kept`].
    pub retention: SignedDuration,
    /// Mails a second, as SES allows, at least 1. Default 14.
    pub send_rate: u32,
    /// `bounce_days`: how long a bounced address gets no mail. Default 90 days.
    pub bounce: SignedDuration,
    /// Attempts before `failed: send_attempts`, at least 1. Default 8.
    pub send_attempts: u32,
    /// Attributes of the branding, for brands that lack them, and for a company without brands.
    pub branding: BrandingSettings,
    /// What could not be understood. Nothing is sent while there is any.
    pub faults: Vec<ConfigFault>,
}

impl Company {
    /// Reads the item; an absent one is a company with every default.
    pub fn read(attributes: &Map<String, Value>) -> Self {
        let item = Item::new(attributes);
        let mut faults = ConfigFaults::default();
        let default_language = faults.or(
            item.text("default_language").and_then(|text| match text.as_deref() {
                None => Ok(None),
                Some("") => Ok(Some(None)),
                Some(tag) => {
                    let spoken = LanguageTag::parse(tag).filter(language::is_spoken);
                    spoken.map(|tag| Some(Some(tag))).ok_or_else(|| item.fault("default_language"))
                }
            }),
            LanguageTag::parse("en"),
        );
        let dedupe_minutes = faults.or(read_dedupe(&item), Vec::new());
        let internal_domains = faults.or(read_domains(&item), Vec::new());
        Self {
            name: faults.or(item.text("name"), String::new()),
            test_email: faults.option(item.mailbox("test_email")).map(|mailbox| mailbox.address),
            from: faults.option(item.mailbox("from")),
            reply_to: faults.option(item.mailbox("reply_to")),
            suppression: days(faults.or(item.number("suppression_days", 3_650), 7)),
            default_brand: faults.option(item.words("default_brand")),
            default_language,
            internal_domains,
            do_not_send_tags: separated(
                faults.or(item.list("do_not_send_tag"), vec!["stellaconnect-do-not-send".into()]),
            ),
            do_not_send_topic: faults
                .or(item.text("do_not_send_topic"), "do_not_send_stella".into()),
            dedupe_minutes,
            open: days(faults.or(item.number("survey_days", 3_650), 14).max(1)),
            retention: days(faults.or(item.number("retention_days", 3_650), 90).max(1)),
            send_rate: faults.or(item.number("send_rate", 100_000), 14).max(1),
            bounce: days(faults.or(item.number("bounce_days", 3_650), 90)),
            send_attempts: faults.or(item.number("send_attempts", 100), 8).max(1),
            branding: BrandingSettings::read(&item, &mut faults),
            faults: faults.found(),
        }
    }

    /// How long a request's row is kept from when it is due: `retention_days`, but at least two
    /// days longer than a survey is open. A link must not lead to nothing while the survey is open,
    /// and Gladly is asked for 48 hours.
    pub fn kept(&self) -> SignedDuration {
        self.retention.max(self.open + SignedDuration::from_hours(48))
    }

    /// `default_language`, or nothing.
    pub fn default_language_tag(&self) -> &str {
        self.default_language.as_ref().map_or("", |tag| tag.as_str())
    }

    /// How long the same interaction from the same source is the same request; zero = not
    /// de-duplicated.
    ///
    /// Defaults: what each helpdesk repeats, and how late (docs/facts.md, Gorgias 1, Zendesk 2 and
    /// Freshdesk 2). Gladly names each event, which de-duplicates it.
    pub fn dedupe_window(&self, source: Source) -> SignedDuration {
        let set =
            self.dedupe_minutes.iter().find(|(s, _)| *s == source).map(|(_, minutes)| *minutes);
        let minutes = set.unwrap_or(match source {
            Source::Requests => 10,
            Source::Zendesk => 24 * 60,
            Source::Freshdesk => 7 * 24 * 60,
            Source::Gorgias => 30 * 24 * 60,
            Source::Gladly => 0,
        });
        SignedDuration::from_mins(i64::from(minutes))
    }
}

/// Each text of a list may hold several, separated by commas.
fn separated(texts: Vec<String>) -> Vec<String> {
    let parts = texts.iter().flat_map(|text| text.split(','));
    parts.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// `internal_domains`, as customers' domains are compared. With or without `@`, or a point at the
/// end; what is no domain (a URL, an address, a pattern, two domains in one text) is a fault: it
/// would match nobody, and colleagues would be surveyed.
fn read_domains(item: &Item<'_>) -> Result<Option<Vec<String>>, ConfigFault> {
    let domain = |text: &String| {
        let text = text.strip_prefix('@').unwrap_or(text);
        let address = Address::parse(&format!("x@{}", text.strip_suffix('.').unwrap_or(text)));
        address
            .map(|address| address.domain().to_owned())
            .ok_or_else(|| item.fault("internal_domains"))
    };
    item.list("internal_domains")?.map(|domains| domains.iter().map(domain).collect()).transpose()
}

fn days(number: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(number))
}

fn read_dedupe(item: &Item<'_>) -> Result<Option<Vec<(Source, u32)>>, ConfigFault> {
    let Some(value) = item.get("dedupe_minutes")? else { return Ok(None) };
    let windows = item
        .within("dedupe_minutes", value.as_object().ok_or_else(|| item.fault("dedupe_minutes"))?);
    let mut minutes = Vec::new();
    for source in Source::ALL {
        if let Some(n) = windows.number(source.as_str(), 60 * 24 * 366)? {
            minutes.push((source, n));
        }
    }
    Ok(Some(minutes))
}

/// Who sends the mails of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelMode {
    /// Agents, by hand.
    Manual,
    /// Afterword.
    Integrated,
}

/// `channel/<name>`.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The id, as the admin spelled it.
    pub name: String,
    /// Default `manual`.
    pub mode: ChannelMode,
    /// Default true.
    pub enabled: bool,
    /// `delay_minutes`: from receipt until the survey is due. Default none.
    pub delay: SignedDuration,
    /// Other names, such as a helpdesk's slugs.
    pub aliases: Vec<String>,
    /// What could not be understood; such a channel is in manual mode.
    pub faults: Vec<ConfigFault>,
}

impl Channel {
    /// Reads an item. With a fault in it the channel is in manual mode, and if `enabled` is the
    /// fault, off.
    pub fn read(attributes: &Map<String, Value>) -> Self {
        let item = Item::new(attributes);
        let mut faults = ConfigFaults::default();
        let mode = faults.or(
            item.words("mode").and_then(|mode| match mode.map(|m| m.to_lowercase()).as_deref() {
                None => Ok(None),
                Some("manual") => Ok(Some(ChannelMode::Manual)),
                Some("integrated") => Ok(Some(ChannelMode::Integrated)),
                Some(_) => Err(item.fault("mode")),
            }),
            ChannelMode::Manual,
        );
        let enabled = item.bool("enabled").map(|enabled| Some(enabled.unwrap_or(true)));
        let channel = Self {
            name: item.id().to_owned(),
            enabled: faults.or(enabled, false),
            delay: SignedDuration::from_mins(
                faults.or(item.number("delay_minutes", 60 * 24 * 60), 0).into(),
            ),
            aliases: faults.or(item.list("aliases"), Vec::new()),
            mode,
            faults: Vec::new(),
        };
        let faults = faults.found();
        let mode = if faults.is_empty() { channel.mode } else { ChannelMode::Manual };
        Self { mode, faults, ..channel }
    }

    fn is_called(&self, name: &str) -> bool {
        same(&self.name, name) || self.aliases.iter().any(|alias| same(alias, name))
    }

    /// The channel with this name, or else with this alias; without case.
    pub fn find<'a>(channels: &'a [Channel], name: &str) -> Option<&'a Channel> {
        channels
            .iter()
            .find(|c| same(&c.name, name))
            .or_else(|| channels.iter().find(|c| c.is_called(name)))
    }
}

/// Where an employee's profile stands (docs/facts.md, Vendor 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmployeeStatus {
    /// Complete and approved: may be surveyed about.
    Approved,
    /// Has left.
    Deactivated,
    /// Pending, unapproved or just created; also whatever cannot be understood.
    Incomplete,
}

/// `employee/<e-mail in lower case>`.
#[derive(Clone, Debug)]
pub struct Employee {
    /// The id.
    pub email: String,
    /// Display name, if any.
    pub name: Option<String>,
    /// Where the profile stands.
    pub status: EmployeeStatus,
    /// The company's own id.
    pub custom_id: Option<String>,
    /// For the mail.
    pub picture_url: Option<String>,
    /// What could not be understood; such a profile is incomplete.
    pub faults: Vec<ConfigFault>,
}

impl Employee {
    /// Reads an item.
    pub fn read(attributes: &Map<String, Value>) -> Self {
        let item = Item::new(attributes);
        let mut faults = ConfigFaults::default();
        let status = faults.or(
            item.words("status").and_then(|status| {
                match status.map(|s| s.to_lowercase()).as_deref() {
                    Some("approved") => Ok(Some(EmployeeStatus::Approved)),
                    Some("deactivated") => Ok(Some(EmployeeStatus::Deactivated)),
                    None | Some("pending" | "unapproved" | "created") => Ok(None),
                    Some(_) => Err(item.fault("status")),
                }
            }),
            EmployeeStatus::Incomplete,
        );
        Self {
            email: item.id().to_lowercase(),
            name: faults.option(item.short("name")),
            custom_id: faults.option(item.short("custom_id")),
            picture_url: faults.option(item.short("picture_url")),
            status,
            faults: faults.found(),
        }
    }

    /// What the mail shows of the employee.
    pub fn profile(&self) -> Profile {
        Profile {
            email: self.email.clone(),
            name: self.name.clone(),
            custom_id: self.custom_id.clone(),
            picture_url: self.picture_url.clone(),
        }
    }
}

/// An employee as a request carries it from the door on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Profile {
    /// E-mail in lower case.
    pub email: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The company's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_id: Option<String>,
    /// For the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_url: Option<String>,
}

/// How mails and pages look: attributes of a brand, and of the company for what a brand leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrandingSettings {
    /// Logo, https.
    pub logo_url: Option<String>,
    /// `#rrggbb`.
    pub color: Option<String>,
    /// Postal line.
    pub footer: Option<String>,
    /// The survey question, instead of the catalogue's.
    pub question: Option<String>,
    /// Where the thank-you page leads.
    pub thank_you_url: Option<String>,
}

impl BrandingSettings {
    fn read(item: &Item<'_>, faults: &mut ConfigFaults) -> Self {
        let mut words = |name: &str| faults.option(item.words(name));
        Self {
            logo_url: words("logo_url"),
            color: words("color"),
            footer: words("footer"),
            question: words("question"),
            thank_you_url: words("thank_you_url"),
        }
    }
}

/// `brand/<signifier>`.
#[derive(Clone, Debug)]
pub struct Brand {
    /// The id.
    pub signifier: String,
    /// Display name; without one, the signifier.
    pub name: String,
    /// Default true.
    pub active: bool,
    /// Sender, where it differs from the company's.
    pub from: Option<Mailbox>,
    /// Reply-to, where it differs from the company's.
    pub reply_to: Option<Mailbox>,
    /// How its mails and pages look, where that differs from the company's.
    pub branding: BrandingSettings,
    /// What could not be understood; such a brand is inactive.
    pub faults: Vec<ConfigFault>,
}

impl Brand {
    /// Reads an item.
    pub fn read(attributes: &Map<String, Value>) -> Self {
        let item = Item::new(attributes);
        let mut faults = ConfigFaults::default();
        let active = item.bool("active").map(|active| Some(active.unwrap_or(true)));
        let brand = Self {
            signifier: item.id().to_owned(),
            name: faults.option(item.words("name")).unwrap_or_else(|| item.id().to_owned()),
            active: faults.or(active, false),
            from: faults.option(item.mailbox("from")),
            reply_to: faults.option(item.mailbox("reply_to")),
            branding: BrandingSettings::read(&item, &mut faults),
            faults: Vec::new(),
        };
        let faults = faults.found();
        Self { active: brand.active && faults.is_empty(), faults, ..brand }
    }

    /// The brand with this signifier, or else with this display name; without case.
    pub fn find<'a>(brands: &'a [Brand], name: &str) -> Option<&'a Brand> {
        brands
            .iter()
            .find(|b| same(&b.signifier, name))
            .or_else(|| brands.iter().find(|b| same(&b.name, name)))
    }
}

/// `language/<BCP 47>`.
#[derive(Clone, Debug)]
pub struct LanguageRow {
    /// The language that the id means, active or not.
    pub named: Option<LanguageTag>,
    /// The language, if the id is one, and active.
    pub tag: Option<LanguageTag>,
    /// What could not be understood; such a language is inactive.
    pub faults: Vec<ConfigFault>,
}

impl LanguageRow {
    /// Reads an item.
    pub fn read(attributes: &Map<String, Value>) -> Self {
        let item = Item::new(attributes);
        let mut faults = ConfigFaults::default();
        let tag =
            faults.option(LanguageTag::parse(item.id()).map(Some).ok_or_else(|| item.fault("id")));
        let active = item.bool("active").map(|active| Some(active.unwrap_or(true)));
        let active = faults.or(active, false);
        // Nobody could be written to in a language that has no texts.
        let tag = faults.option(
            tag.map(|tag| if language::is_spoken(&tag) { Ok(tag) } else { Err(item.fault("id")) })
                .transpose(),
        );
        Self {
            named: LanguageTag::parse(item.id()),
            tag: tag.filter(|_| active),
            faults: faults.found(),
        }
    }
}

/// Equal but for case (Unicode).
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}
