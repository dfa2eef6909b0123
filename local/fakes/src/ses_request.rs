//! The body of SES v2's `SendEmail`, and what SES refuses in it.
//!
//! Limits: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageHeader.html> and
//! `API_MessageTag` there.

use std::collections::BTreeSet;

use serde::Deserialize;

/// `SendEmail` with simple content. Raw mails and templates are not what Afterword sends, so they
/// are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SendEmail {
    #[serde(default)]
    pub(crate) from_email_address: String,
    #[serde(default)]
    pub(crate) destination: Destination,
    #[serde(default)]
    pub(crate) reply_to_addresses: Vec<String>,
    pub(crate) content: Content,
    #[serde(default)]
    pub(crate) email_tags: Vec<Pair>,
    pub(crate) configuration_set_name: Option<String>,
}

/// `To` alone: Afterword sends no copies, so they are refused too.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(crate) struct Destination {
    pub(crate) to_addresses: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Content {
    pub(crate) simple: Simple,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Simple {
    pub(crate) subject: Text,
    pub(crate) body: Parts,
    #[serde(default)]
    pub(crate) headers: Vec<Pair>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Parts {
    pub(crate) html: Option<Text>,
    pub(crate) text: Option<Text>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Text {
    pub(crate) data: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl SendEmail {
    /// What SES would answer with `BadRequestException`, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.from_email_address.is_empty() {
            return Some("Missing required header 'From'.".to_owned());
        }
        let to = &self.destination.to_addresses;
        if to.is_empty() {
            return Some("Destination must have at least one recipient.".to_owned());
        }
        if to.len() > 50 {
            return Some("Recipient count exceeds 50.".to_owned());
        }
        let addresses = to.iter().chain(&self.reply_to_addresses).chain([&self.from_email_address]);
        if addresses.into_iter().any(|address| !is_address(address)) {
            return Some(
                "Local address contains control or whitespace, or an address is invalid."
                    .to_owned(),
            );
        }
        let simple = &self.content.simple;
        if simple.subject.data.contains(['\r', '\n']) {
            return Some("The subject contains a line break.".to_owned());
        }
        if simple.body.html.is_none() && simple.body.text.is_none() {
            return Some("Body must have Text or Html.".to_owned());
        }
        headers_problem(&simple.headers).or_else(|| tags_problem(&self.email_tags))
    }
}

/// `a@b.c` or `Name <a@b.c>`, in ASCII, as SES demands; names outside it come as encoded words.
fn is_address(address: &str) -> bool {
    let bare = bare_address(address);
    let printable = address.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    let parts = bare
        .rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    printable && parts && !bare.contains([' ', '<', '>', ',', ';'])
}

/// The address without its display name.
pub(crate) fn bare_address(address: &str) -> &str {
    match address.rsplit_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or(rest),
        None => address,
    }
}

fn headers_problem(headers: &[Pair]) -> Option<String> {
    if headers.len() > 15 {
        return Some("A message has at most 15 headers.".to_owned());
    }
    let mut seen = BTreeSet::new();
    for Pair { name, value } in headers {
        let name_is_right = (1..=126).contains(&name.len())
            && name.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b':');
        let value_is_right = (1..=995).contains(&value.len())
            && value.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if !name_is_right || !value_is_right || name.len() + value.len() > 996 {
            return Some(format!("Header <{}> is invalid.", name.escape_default()));
        }
        let lower = name.to_ascii_lowercase();
        let fixed =
            ["from", "to", "cc", "bcc", "subject", "reply-to", "content-type", "mime-version"]
                .contains(&lower.as_str());
        if fixed || !seen.insert(lower) {
            return Some(format!("Duplicate header '{name}'."));
        }
    }
    None
}

fn tags_problem(tags: &[Pair]) -> Option<String> {
    let right = |text: &str, special: bool| {
        let text = if special { text.strip_prefix("ses:").unwrap_or(text) } else { text };
        (1..=256).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    let mut seen = BTreeSet::new();
    tags.iter()
        .find(|tag| !right(&tag.name, true) || !right(&tag.value, false) || !seen.insert(&tag.name))
        .map(|tag| {
            format!(
                "Tag '{}' is invalid: only alphanumeric ASCII characters, '_' and '-'.",
                tag.name.escape_default()
            )
        })
}
