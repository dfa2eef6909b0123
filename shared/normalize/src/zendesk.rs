//! Zendesk triggers: `POST /v1/webhooks/zendesk`, and `/v1/auth` with Zendesk's headers.

use crate::fields::{Manner, TagStyle};
use crate::inbound::{Inbound, Malformed};
use crate::{Source, vendor};

/// Reads what a trigger sent: the vendor's schema as a Liquid template wrote it, and the ticket's
/// `status`. Unknown properties are ignored.
pub fn parse(body: &[u8]) -> Result<Inbound, Malformed> {
    let tree = vendor::TEMPLATE.tree(body)?;
    let body = vendor::Body {
        source: Source::Zendesk,
        root: &tree.root,
        pointer: &tree.pointer,
        notes: tree.notes,
        tag_style: TagStyle::Words,
    };
    vendor::read(body, Manner::Templated).map(|request| Inbound::Survey(Box::new(request)))
}
