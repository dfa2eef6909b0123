//! From text to rows: which columns there are, and what their cells say.

use csv::{ReaderBuilder, StringRecord};

use super::formula::unprotected;

/// Agents of a list at most.
pub(super) const MOST_ROWS: usize = 5_000;

/// What a column can be: `email`, or the name of an attribute.
pub(super) const COLUMNS: [&str; 5] = ["email", "name", "status", "custom_id", "picture_url"];

/// A list as it was read. Cells are not checked yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
    /// Titles of columns that mean nothing here.
    pub(super) left_out: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// The line of the text, the titles' being 1.
    pub(super) line: u64,
    /// By [`COLUMNS`]; empty where there is no such column or no value.
    pub(super) cells: [String; 5],
    /// What is wrong with the row as a whole.
    pub(super) problem: Option<&'static str>,
}

impl Table {
    /// # Errors
    /// Why it is no list of agents, and what to do.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (separator, skipped, text) = separated(text);
        let mut records = records(text, separator);
        let Some(titles) = records.next() else {
            return Err("There is nothing in it. Choose a file, or paste the list.".to_owned());
        };
        let titles = titles?;
        let meant: Vec<Option<usize>> = titles.iter().map(column).collect();
        for (n, name) in COLUMNS.iter().enumerate() {
            let same: Vec<&str> = titles
                .iter()
                .zip(&meant)
                .filter(|(_, column)| **column == Some(n))
                .map(|(title, _)| title)
                .collect();
            if let [first, second, ..] = *same {
                return Err(format!(
                    "Two columns mean the same ({name}): “{first}” and “{second}”. Remove one."
                ));
            }
        }
        if !meant.contains(&Some(0)) {
            let found = titles.iter().filter(|title| !title.trim().is_empty()).map(shortened);
            let found = found.take(20).collect::<Vec<_>>().join(", ");
            return Err(format!(
                "There is no column with e-mail addresses. The first line has to name the \
                 columns, and one of them “email”. It says: {found}."
            ));
        }
        let mut rows = Vec::new();
        for record in records {
            let record = record?;
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue; // spreadsheets write empty rows as separators alone
            }
            if rows.len() == MOST_ROWS {
                return Err(format!(
                    "The list has more than {MOST_ROWS} agents. Split it, and import one part at \
                     a time."
                ));
            }
            rows.push(row(&record, &meant, skipped));
        }
        if rows.is_empty() {
            return Err("The list names the columns, but no agent.".to_owned());
        }
        let left_out = titles.iter().zip(&meant).filter(|(_, column)| column.is_none());
        let left_out =
            left_out.map(|(title, _)| shortened(title)).filter(|title| !title.is_empty());
        Ok(Self { left_out: left_out.collect(), rows })
    }
}

fn records(
    text: &str,
    separator: u8,
) -> impl Iterator<Item = Result<StringRecord, String>> + use<'_> {
    let reader = ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    reader.into_records().map(|record| {
        record.map_err(|_| "This cannot be read as CSV. Save the list as CSV (UTF-8).".to_owned())
    })
}

/// The separator, the lines before the titles, and the text from the titles on. A first line
/// `sep=;`, which Excel writes and reads, decides; else the separator with which the first line has
/// most columns that are known, and most columns.
fn separated(text: &str) -> (u8, u64, &str) {
    let first = text.lines().next().unwrap_or_default();
    if let Some(separator) = first.strip_prefix("sep=").or_else(|| first.strip_prefix("SEP="))
        && let [separator] = separator.as_bytes()
        && let Some((_, rest)) = text.split_once('\n')
    {
        return (*separator, 1, rest);
    }
    let columns = |separator: &u8| {
        let Some(Ok(titles)) = records(text, *separator).next() else { return (0, 0) };
        (titles.iter().filter(|title| column(title).is_some()).count(), titles.len())
    };
    // Of equals the last one: a comma.
    (
        *[b'\t', b';', b','].iter().max_by_key(|separator| columns(separator)).unwrap_or(&b','),
        0,
        text,
    )
}

/// The column of [`COLUMNS`] that a title means, however people spell it.
fn column(title: &str) -> Option<usize> {
    // `Email Address [Required]`, as directories export it.
    let title = title.split(['[', '(']).next().unwrap_or_default().to_lowercase();
    let title: String = title.chars().filter(|c| c.is_alphanumeric()).collect();
    let title = ["employee", "agent", "user"]
        .iter()
        .find_map(|who| title.strip_prefix(who).filter(|rest| !rest.is_empty() && *rest != "id"))
        .unwrap_or(&title);
    Some(match title {
        "email" | "emailaddress" | "mail" | "mailaddress" | "workemail" => 0,
        "name" | "fullname" | "displayname" | "agent" | "employee" => 1,
        "status" | "state" => 2,
        "customid" | "ownid" | "id" | "employeeid" | "agentid" | "userid" | "externalid"
        | "staffid" | "employeenumber" | "number" => 3,
        "pictureurl" | "picture" | "pictureaddress" | "photo" | "photourl" | "avatar"
        | "avatarurl" | "image" | "imageurl" => 4,
        _ => return None,
    })
}

fn row(record: &StringRecord, meant: &[Option<usize>], skipped: u64) -> Row {
    let line = record.position().map_or(0, csv::Position::line) + skipped;
    let mut row = Row { line, ..Row::default() };
    for (n, cell) in record.iter().enumerate() {
        match meant.get(n) {
            Some(Some(column)) => row.cells[*column] = unprotected(cell.trim()).to_owned(),
            Some(None) => {}
            None if cell.trim().is_empty() => {}
            None => {
                row.problem = Some(
                    "This row has more cells than there are columns. A cell that holds the \
                     separator has to stand in quotation marks.",
                );
            }
        }
    }
    if row.cells.iter().any(|cell| cell.contains('\n')) {
        row.problem = Some(
            "A cell of this row goes on over several lines. Perhaps a quotation mark is not \
             closed.",
        );
    }
    row
}

fn shortened(title: &str) -> String {
    let title = title.trim();
    if title.chars().count() <= 40 {
        title.to_owned()
    } else {
        title.chars().take(39).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<[String; 5]> {
        Table::read(text).unwrap().rows.into_iter().map(|row| row.cells).collect()
    }

    #[test]
    fn lists_are_read_as_spreadsheets_write_them() {
        let expected = [
            ["paul@a.example", "Peak, Paul", "approved", "0017", ""].map(str::to_owned),
            ["nora@a.example", "Nora \"N\"", "", "", "https://a.example/n.png"].map(str::to_owned),
        ];
        for text in [
            "email,name,status,custom_id,picture_url\n\
             paul@a.example,\"Peak, Paul\",approved,0017,\n\
             nora@a.example,\"Nora \"\"N\"\"\",,,https://a.example/n.png\n",
            "E-Mail;Full Name;Status;Own ID;Picture\npaul@a.example;Peak, Paul;approved;0017;\n\n\
             ;;;;\nnora@a.example;\"Nora \"\"N\"\"\";;;https://a.example/n.png",
            "Mail\tAgent name\tSTATE\tEmployee ID\tPhoto URL\npaul@a.example\t\"Peak, Paul\"\t\
             approved\t0017\nnora@a.example\t\"Nora \"\"N\"\"\"\t\t\thttps://a.example/n.png\t\t\n",
            "sep=;\nEmail Address [Required];display_name;status;external id;avatar\n\
             paul@a.example;Peak, Paul;approved;0017;\nnora@a.example;\"Nora \"\"N\"\"\";;;\
             https://a.example/n.png\n",
        ] {
            assert_eq!(cells(text), expected, "{text}");
        }
        // A column alone has no separator.
        assert_eq!(cells("email\npaul@a.example\n")[0][0], "paul@a.example");
        let table = Table::read("email;team;name\na@a.example;Blue;A\n").unwrap();
        assert_eq!((table.left_out, table.rows[0].line), (vec!["team".to_owned()], 2));
    }

    #[test]
    fn what_is_no_list_of_agents_is_told() {
        let long = format!("email\n{}", "a@a.example\n".repeat(MOST_ROWS + 1));
        for (text, expected) in [
            ("name;status\nPaul;approved\n", "no column with e-mail"),
            ("paul@a.example\nnora@a.example\n", "It says: paul@a.example."),
            ("email,e-mail\na@a.example,b@a.example\n", "Two columns mean the same"),
            ("email,name\n", "no agent"),
            ("email,name\n,\n", "no agent"),
            (&long, "more than 5000"),
        ] {
            let told = Table::read(text).unwrap_err();
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn a_row_that_does_not_fit_says_so_and_the_others_stay() {
        let text = "email,name\na@a.example,Peak, Paul\nb@a.example,\"B\nc@a.example,C\n";
        let table = Table::read(text).unwrap();
        assert!(table.rows[0].problem.unwrap().contains("more cells"));
        assert!(table.rows[1].problem.unwrap().contains("several lines"));
        assert_eq!(table.rows.len(), 2);
    }
}
