//! `POST /v1/requests`: the vendor's schema from a program.
//!
//! In: the bytes of a body. Out: a survey. A program can be corrected, so that anything wrong is an
//! error.

use crate::fields::Strictness;
use crate::inbound::Inbound;
use crate::json::Node;
use crate::malformed::Malformed;
use crate::tags::TagStyle;
use crate::{Source, vendor_schema};

/// Reads one request.
///
/// # Errors
/// Every unknown property, wrong type and duplicate key.
pub fn parse(body: &[u8]) -> Result<Inbound, Malformed> {
    let root = &Node::parse_strict(body)?;
    let body = vendor_schema::Body {
        source: Source::Requests,
        root,
        pointer: "",
        notes: Vec::new(),
        // Without effect: only a template's texts are split into tags.
        tag_style: TagStyle::Words,
    };
    vendor_schema::read(body, Strictness::Strict).map(|request| Inbound::Survey(Box::new(request)))
}
