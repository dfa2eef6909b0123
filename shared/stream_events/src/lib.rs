//! The stream of the interactions table, as Lambda delivers it to a function: the row in each
//! record, and the partial batch response that names the records that failed.
//!
//! **Invariant:** reads and writes no table.

mod batch;
mod image;

pub use batch::each_interaction;
pub use image::interaction_from_image;
