//! What a template holds that is not known here.

/// Why a template was not rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Untried {
    /// From 1.
    pub(crate) line: usize,
    /// What stands there, or why not.
    pub(crate) what: String,
}

/// So much of the template as a message shows.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
