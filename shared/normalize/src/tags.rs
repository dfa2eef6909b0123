//! Tags: how they are split, and how many are kept.
//!
//! In: the value of `tags`, as a list or as one text of a template. Out: [`Tags`], the tags that
//! are kept, and the texts in which [`SurveyRequest::has_tag`] must look for a do-not-send tag
//! besides.

use std::collections::BTreeMap;

use crate::SurveyRequest;
use crate::fields::{FieldReader, TOO_HEAVY};
use crate::json::Node;
use crate::pointer::child;
use crate::request::entry_weight;
use crate::text;

/// The tags that the sender sent, without limits.
#[derive(Default)]
pub(crate) struct SentTags {
    /// Each tag as `(pointer, tag)`.
    pub(crate) tags: Vec<(String, String)>,
    /// Whole texts that were split, and texts that could not be read.
    pub(crate) other_texts: Vec<String>,
}

impl SentTags {
    /// Adds the `pieces` that `text` was split into. If it was split at all, the whole text is kept
    /// too, since a tag that contains blanks is complete only there.
    pub(crate) fn add_pieces(&mut self, text: &str, pieces: &[&str], pointer: &str) {
        if pieces != [text] {
            self.other_texts.push(text.to_owned());
        }
        self.tags.extend(pieces.iter().map(|piece| (pointer.to_owned(), (*piece).to_owned())));
    }
}

/// The tags of a request: [`SurveyRequest::tags`] and [`SurveyRequest::surplus_tags`].
pub(crate) struct Tags {
    pub(crate) kept: Vec<String>,
    pub(crate) surplus: Vec<String>,
}

/// How a template's texts are split into tags.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagStyle {
    /// Zendesk: a tag contains neither blanks nor commas. An item of a list is not split, since it
    /// can be the title of a field's option.
    Words,
    /// Freshdesk: a tag may contain blanks. A text is split at its commas. A text without a comma
    /// is split at its blanks, since the vendor's template writes tags so.
    Phrases,
}

impl TagStyle {
    /// The tags in one item of a list.
    fn item(self, text: &str) -> Vec<&str> {
        match self {
            TagStyle::Words => vec![text],
            TagStyle::Phrases => text.split(',').collect(),
        }
    }

    /// The tags in a text that stands for the whole list.
    fn list(self, text: &str) -> Vec<&str> {
        match self {
            TagStyle::Phrases if text.contains(',') => text.split(',').collect(),
            _ => text
                .split(|c: char| c == ',' || c.is_whitespace())
                .filter(|tag| !tag.is_empty())
                .collect(),
        }
    }
}

impl FieldReader {
    /// The tags in the value of `tags`: a list of strings, or in a template's body one text.
    pub(crate) fn tag_list(
        &mut self,
        node: Option<&Node>,
        pointer: &str,
        style: TagStyle,
    ) -> SentTags {
        let strict = self.is_strict();
        let mut sent = SentTags::default();
        match node {
            None | Some(Node::Null) => {}
            Some(Node::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let pointer = child(pointer, &index.to_string());
                    match item {
                        Node::Text(tag) if strict => sent.tags.push((pointer, tag.clone())),
                        Node::Text(tag) => sent.add_pieces(tag, &style.item(tag), &pointer),
                        Node::Number(tag) if !strict => sent.tags.push((pointer, tag.clone())),
                        Node::Null if !strict => {}
                        unreadable => {
                            self.unusable(&pointer, "must be a string");
                            unreadable.texts(&mut sent.other_texts);
                        }
                    }
                }
            }
            Some(Node::Text(text)) if !strict => sent.add_pieces(text, &style.list(text), pointer),
            Some(unreadable) => {
                self.unusable(pointer, "must be a list of strings");
                unreadable.texts(&mut sent.other_texts);
            }
        }
        sent
    }

    /// Keeps the first [`SurveyRequest::MAX_TAGS`] tags. All other texts become surplus.
    pub(crate) fn tags(&mut self, sent: SentTags) -> Tags {
        let (mut tags, mut surplus) = (Vec::new(), sent.other_texts);
        let mut beyond = false;
        for (pointer, tag) in sent.tags {
            let tag = text::line(&tag);
            // Zendesk writes `-` for a field in which nothing is selected.
            if tag == "-" || self.is_absent(&tag) {
                if self.is_strict() {
                    self.dropped(&pointer);
                }
            } else if tags.len() < SurveyRequest::MAX_TAGS {
                if text::cut_chars(&tag, SurveyRequest::MAX_VALUE).is_some() {
                    surplus.push(tag.clone());
                }
                tags.push(self.cut_value(tag, &pointer));
            } else {
                if !beyond {
                    self.dropped(&pointer);
                }
                beyond = true;
                surplus.push(tag);
            }
        }
        Tags { kept: tags, surplus }
    }

    /// Removes tags from the end until tags and properties together weigh at most
    /// [`SurveyRequest::MAX_WEIGHT`].
    pub(crate) fn limit_weight(
        &mut self,
        tags: &mut Tags,
        properties: &BTreeMap<String, String>,
        pointer: &str,
    ) {
        let mut weight: usize =
            properties.iter().map(|(name, value)| entry_weight(name, value)).sum();
        let fitting = tags.kept.iter().take_while(|tag| {
            weight += entry_weight("", tag);
            weight <= SurveyRequest::MAX_WEIGHT
        });
        let fitting = fitting.count();
        if fitting < tags.kept.len() {
            self.unusable(pointer, TOO_HEAVY);
            tags.surplus.extend(tags.kept.split_off(fitting));
        }
    }
}
