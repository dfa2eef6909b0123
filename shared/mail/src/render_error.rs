//! Why a mail cannot be rendered.

/// Why a mail cannot be rendered. The cause is always in the set-up: text of a customer or an agent
/// is made safe instead.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// SES would not take the recipient's address.
    #[error("`{0}` is not an address that a mail can have")]
    Address(&'static str),
    /// The survey or unsubscribe URL is not an http(s) URL of printable ASCII.
    #[error("`{0}` is not a web address")]
    Url(&'static str),
    /// A header is too long, or not ASCII.
    #[error("the value of header {0} is too long or not ASCII")]
    Header(&'static str),
    /// A template cannot be rendered: a bug.
    #[error("template: {0}")]
    Template(#[from] askama::Error),
}
