//! Pointers (RFC 6901) to a place in a body, such as `/customer/email`. Replies and notes name
//! places with them.
//!
//! In: a place, as the keys and list indexes that lead to it. Out: its pointer, cut at
//! [`MAX_POINTER`] bytes.

/// The most bytes that a pointer may have. Notes hold pointers and are stored, and a sender can
/// make a property name as long as the body.
pub(crate) const MAX_POINTER: usize = 256;

/// One step down into a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step<'n> {
    /// To the property of this name.
    Key(&'n str),
    /// To the list item with this index, from 0.
    Item(usize),
}

/// The pointer of the property `key` in the object at `pointer`. It is cut at [`MAX_POINTER`]
/// bytes, but never in the middle of an escape.
pub(crate) fn child(pointer: &str, key: &str) -> String {
    let mut pointer = pointer.to_owned();
    let mut push = |piece: &str| {
        let fits = pointer.len() + piece.len() <= MAX_POINTER;
        if fits {
            pointer.push_str(piece);
        }
        fits
    };
    let mut more = push("/");
    let mut chars = key.chars();
    while more {
        more = match chars.next() {
            Some('~') => push("~0"),
            Some('/') => push("~1"),
            Some(c) => push(c.encode_utf8(&mut [0; 4])),
            None => false,
        };
    }
    pointer
}

/// The pointer of the place that `path` leads to, starting at the pointer `base`.
pub(crate) fn pointer(base: &str, path: &[Step<'_>]) -> String {
    path.iter().fold(base.to_owned(), |pointer, step| match step {
        Step::Key(key) => child(&pointer, key),
        Step::Item(index) => child(&pointer, &index.to_string()),
    })
}
