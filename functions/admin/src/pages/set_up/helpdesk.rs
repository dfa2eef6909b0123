//! The helpdesks that have a set-up page, and in what they differ.

use normalize::{Inbound, Malformed, Source};

/// A helpdesk that has a set-up page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Helpdesk {
    Zendesk,
    Freshdesk,
    Gladly,
    Gorgias,
}

impl Helpdesk {
    pub(super) const ALL: [Self; 4] = [Self::Zendesk, Self::Freshdesk, Self::Gladly, Self::Gorgias];

    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|helpdesk| helpdesk.source().as_str() == name)
    }

    pub(super) fn source(self) -> Source {
        match self {
            Self::Zendesk => Source::Zendesk,
            Self::Freshdesk => Source::Freshdesk,
            Self::Gladly => Source::Gladly,
            Self::Gorgias => Source::Gorgias,
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Zendesk => "Zendesk",
            Self::Freshdesk => "Freshdesk",
            Self::Gladly => "Gladly",
            Self::Gorgias => "Gorgias",
        }
    }

    /// The function's own reader.
    pub(super) fn parse(self) -> fn(&[u8]) -> Result<Inbound, Malformed> {
        match self {
            Self::Zendesk => normalize::zendesk::parse,
            Self::Freshdesk => normalize::freshdesk::parse,
            Self::Gladly => normalize::gladly::parse,
            Self::Gorgias => normalize::gorgias::parse,
        }
    }

    /// Whether a payload names one channel. (Gorgias' names the ticket's, Gladly's none.)
    pub(super) fn has_channels(self) -> bool {
        matches!(self, Self::Zendesk | Self::Freshdesk)
    }

    /// Whether a ticket knows its brand.
    pub(super) fn names_brands(self) -> bool {
        self.has_channels()
    }

    /// Whether fields of the company's own can be sent.
    pub(super) fn has_fields(self) -> bool {
        self.has_channels()
    }

    /// A custom field as placeholders name it, after `ticket.`.
    pub(super) fn field(self, text: &str) -> Option<String> {
        let text = text.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
        let text = text.strip_prefix("ticket.").unwrap_or(text);
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits && self == Self::Zendesk {
            return Some(format!("ticket_field_{text}")).filter(|field| field.len() <= 60);
        }
        let fits = (1..=100).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'));
        fits.then(|| text.to_owned())
    }

    pub(super) fn field_hint(self) -> &'static str {
        match self {
            Self::Zendesk => {
                "Type the number of the field, as Zendesk shows it, or a placeholder like \
                 {{ticket.ticket_field_360001}}."
            }
            _ => "Type the name of the field as its placeholder has it, like cf_order_number.",
        }
    }
}
