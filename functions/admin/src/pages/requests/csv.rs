//! The list as a file for a spreadsheet: RFC 4180, UTF-8 with its mark.

use store::Interaction;

use super::line::agent;
use crate::pages::people_import::formula::is_formula;

const HEADER: &str =
    "request_id,received_at,source,mode,ext_interaction_id,channel,employee,status,reason\r\n";

/// The file. It holds no customer.
pub(super) fn file(rows: &[Interaction]) -> String {
    let mut file = format!("\u{feff}{HEADER}");
    for row in rows {
        let cells = [
            row.request_id.to_string(),
            row.created_at.to_string(),
            row.source.as_str().to_owned(),
            row.mode.as_str().to_owned(),
            row.ext_interaction_id.clone().unwrap_or_default(),
            row.channel.clone().unwrap_or_default(),
            agent(row),
            row.status.as_str().to_owned(),
            row.reason.map(|reason| reason.code().to_owned()).unwrap_or_default(),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| written(cell)).collect();
        file.push_str(&cells.join(","));
        file.push_str("\r\n");
    }
    file
}

/// A cell. One that a spreadsheet would take for a formula begins with an apostrophe.
fn written(cell: &str) -> String {
    let text = if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() };
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_no_formula_and_stays_one_cell() {
        for (cell, expected) in [
            ("", ""),
            ("881", "881"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-2", "'-2"),
            ("@x", "'@x"),
            ("\u{ff1d}1+1", "'\u{ff1d}1+1"),
            ("\u{202e}=1,2", "\"'\u{202e}=1,2\""),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("\0x", "'\0x"),
        ] {
            assert_eq!(written(cell), expected, "{cell:?}");
        }
    }
}
