//! Zendesk triggers: `POST /v1/webhooks/zendesk`, and `/v1/auth` with Zendesk's headers.
//!
//! In: the vendor's schema as a Liquid template wrote it, and the ticket's `status`. Out: a survey.
//! Unknown properties are ignored.

use crate::fields::Strictness;
use crate::inbound::Inbound;
use crate::malformed::Malformed;
use crate::tags::TagStyle;
use crate::{Source, template_body, vendor_schema};

/// Reads the body that a trigger sent. `policy` decides later what its `status` means.
///
/// # Errors
/// The body breaks a rule against injection, or a value is missing or wrong.
pub fn parse(body: &[u8]) -> Result<Inbound, Malformed> {
    let body = template_body::read(body, &vendor_schema::TEMPLATE)?;
    let body = vendor_schema::Body {
        source: Source::Zendesk,
        root: &body.root,
        pointer: &body.pointer,
        notes: body.notes,
        tag_style: TagStyle::Words,
    };
    vendor_schema::read(body, Strictness::Lenient).map(|request| Inbound::Survey(Box::new(request)))
}
