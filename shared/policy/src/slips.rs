//! Misspelled names: of an attribute, a kind or an id of the config table.

/// The longest unknown name that a log shows whole, in characters. No known name is nearly as long.
const LONGEST: usize = 64;

/// Which of `names` the writer of `written` probably meant: the nearest one, if it is near enough.
/// Case, blanks around the name, and `-` or a blank for `_` do not count as differences. Besides
/// that, a name of up to five letters may differ in one letter (or in two that are swapped), and a
/// longer one in two.
pub(crate) fn meant<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let written = written.trim();
    if written.len() > LONGEST {
        return None;
    }
    let written = written.to_lowercase().replace(['-', ' '], "_");
    let slips = names.map(|name| (strsim::osa_distance(&written, name), name));
    slips
        .filter(|(distance, name)| *distance <= if name.len() <= 5 { 1 } else { 2 })
        .min()
        .map(|(_, name)| name)
}

/// Whether two names are equal but for case (Unicode) and blanks around them.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

/// A name as a log shows it: cut off after 64 characters.
pub(crate) fn shown(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        name.to_owned()
    } else {
        name.chars().take(LONGEST - 1).chain(['…']).collect()
    }
}
