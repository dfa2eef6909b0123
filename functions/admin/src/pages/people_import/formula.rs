//! Cells that a spreadsheet would take for a formula (OWASP ASVS 1.2.10).

/// Signs that begin a formula, also in their full width: spreadsheets of East Asia take both.
const SIGNS: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Whether a spreadsheet may take the cell for a formula.
pub(crate) fn is_formula(cell: &str) -> bool {
    cell.starts_with(['\t', '\r', '\0']) || cell.trim_start_matches(is_unseen).starts_with(SIGNS)
}

/// Blanks, and characters that nobody sees: a spreadsheet, or a copy of it, may drop them.
fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
        )
}

/// A cell that no spreadsheet takes for a formula. [`unprotected`] takes it back exactly.
pub(super) fn protected(value: &str) -> String {
    let mark = if is_formula(value.trim_start_matches('\'')) { "'" } else { "" };
    format!("{mark}{value}")
}

/// The value that was [`protected`].
pub(super) fn unprotected(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protection_against_formulas_is_taken_back_exactly() {
        for value in [
            "=1+1",
            "+49",
            "-5",
            "@x",
            "'=1",
            "''@",
            "'quoted'",
            "Paul",
            "'",
            "",
            "-",
            "\u{ff1d}1",
            "'\u{ff0b}1",
            "\u{202e}=1",
            "\u{200b}'=1",
            "'\u{200b}=1",
        ] {
            let cell = protected(value);
            assert!(!is_formula(&cell), "{cell:?}");
            assert_eq!(unprotected(&cell), value);
        }
    }

    #[test]
    fn a_formula_is_known_by_its_first_sign_in_every_width_and_behind_what_nobody_sees() {
        for sign in ['=', '+', '-', '@', '＝', '＋', '－', '＠'] {
            for before in [
                "",
                " ",
                "\t",
                "\u{a0}",
                "\u{3000}",
                "\u{200b}",
                "\u{202a}",
                "\u{202e}",
                "\u{2066}",
                "\u{2069}",
                "\u{feff}",
                " \u{feff}\u{202d} ",
            ] {
                assert!(is_formula(&format!("{before}{sign}1")), "{before:?} {sign}");
            }
            assert!(!is_formula(&format!("a{sign}1")), "{sign}");
        }
        for plain in ["", " ", "Paul", " 7", "\u{feff}", "\u{202e}Paul", "（=1）", "'=1"] {
            assert!(!is_formula(plain), "{plain:?}");
        }
    }
}
