//! `POST /v1/requests`: the vendor's schema, strictly.

use crate::fields::{Manner, TagStyle};
use crate::inbound::{Inbound, Malformed};
use crate::json::Node;
use crate::{Source, vendor};

/// Reads one request. Unknown properties, wrong types and duplicate keys are errors, all of which
/// are named.
pub fn parse(body: &[u8]) -> Result<Inbound, Malformed> {
    let root = &Node::parse_strict(body)?;
    // A program's tags are never cut up, whatever the style.
    let body = vendor::Body {
        source: Source::Requests,
        root,
        pointer: "",
        notes: Vec::new(),
        tag_style: TagStyle::Words,
    };
    vendor::read(body, Manner::Strict).map(|request| Inbound::Survey(Box::new(request)))
}
