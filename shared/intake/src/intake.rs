//! What an inbound function is made with.

use store::Store;

/// The tables that requests are checked against and recorded in.
#[derive(Clone, Debug)]
pub struct Intake {
    /// The tables.
    pub store: Store,
}

impl Intake {
    /// An intake on these tables.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}
