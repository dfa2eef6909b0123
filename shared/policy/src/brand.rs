//! Brands, and how their mails and pages look.

use serde_json::{Map, Value};

use crate::attribute::Reader;
use crate::colour::Colour;
use crate::config_table::brand;
use crate::fault::ConfigFault;
use crate::item::Item;
use crate::mailbox::Mailbox;
use crate::slips::same;

/// How mails and pages look: attributes of a brand, and of the company for what a brand leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrandingSettings {
    /// Logo: an http(s) URL.
    pub logo_url: Option<String>,
    /// Of stars, links and buttons.
    pub color: Option<Colour>,
    /// Postal line.
    pub footer: Option<String>,
    /// The survey question, instead of the catalogue's.
    pub question: Option<String>,
    /// Where the thank-you page leads: an http(s) URL.
    pub thank_you_url: Option<String>,
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
    /// Values that cannot be understood; such a brand is inactive.
    pub faults: Vec<ConfigFault>,
    /// Values that cannot be understood and do not stop mails.
    pub warnings: Vec<ConfigFault>,
}

impl Brand {
    /// Reads an item.
    pub fn read(attributes: &Map<String, Value>) -> Self {
        let mut reader = Reader::new(Item::new(attributes));
        let signifier = reader.item.id().to_owned();
        let brand = Self {
            name: reader.read(&brand::NAME).unwrap_or_else(|| signifier.clone()),
            signifier,
            active: reader.read(&brand::ACTIVE),
            from: reader.read(&brand::FROM),
            reply_to: reader.read(&brand::REPLY_TO),
            branding: BrandingSettings {
                logo_url: reader.read(&brand::LOGO_URL),
                color: reader.read(&brand::COLOR),
                footer: reader.read(&brand::FOOTER),
                question: reader.read(&brand::QUESTION),
                thank_you_url: reader.read(&brand::THANK_YOU_URL),
            },
            faults: reader.faults.stopping,
            warnings: reader.faults.warnings,
        };
        Self { active: brand.active && brand.faults.is_empty(), ..brand }
    }

    /// The brand with this signifier, or else with this display name; without case.
    pub fn find<'a>(brands: &'a [Brand], name: &str) -> Option<&'a Brand> {
        brands
            .iter()
            .find(|b| same(&b.signifier, name))
            .or_else(|| brands.iter().find(|b| same(&b.name, name)))
    }
}
