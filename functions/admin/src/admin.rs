//! The function, with what every visit needs of it.

use links::TokenSecrets;
use store::Store;

/// The function and what it needs.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The tables.
    pub store: Store,
    /// What signs sessions, forms and the links of send boxes.
    pub secrets: TokenSecrets,
}
