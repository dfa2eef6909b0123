//! The state diagram of `ARCHITECTURE.md` is the one of `policy`, and `docs/logging.md` has every
//! line that the functions log. `UPDATE_DOCS=1 cargo test -p local --test architecture` writes both
//! anew; what a new log line means, and what to do about it, is then to be filled in by hand.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use policy::{Status, TRANSITIONS};

const UPDATE: &str = "run UPDATE_DOCS=1 cargo test -p local --test architecture";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Requires that a page holds `wanted` between its two markers, or writes it there.
fn agrees(page: &str, name: &str, wanted: &str) {
    let text = read(page);
    let (before, held, after) = parts(&text, name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root().join(page), format!("{before}{wanted}{after}")).unwrap();
    } else {
        assert!(held == wanted, "{page}, {name}: {UPDATE}\n{wanted}");
    }
}

/// What stands before, between and after the markers of `name`.
fn parts<'t>(text: &'t str, name: &str) -> (&'t str, &'t str, &'t str) {
    let begin = format!("<!-- begin {name}: written by local/tests/architecture.rs -->\n");
    let end = format!("<!-- end {name} -->");
    let from = text.find(&begin).unwrap_or_else(|| panic!("{begin} is missing")) + begin.len();
    let to = text.find(&end).unwrap_or_else(|| panic!("{end} is missing"));
    (&text[..from], &text[from..to], &text[to..])
}

/// The statuses in which a mail has left are drawn as one box. A step from outside to each of them
/// is drawn as one arrow to the box.
#[test]
fn the_diagram_has_every_transition() {
    let mut diagram = String::from("```mermaid\nstateDiagram-v2\n  [*] --> unresolved : Gladly\n");
    diagram.push_str("  [*] --> queued : any other source\n");
    diagram.push_str("  state \"the mail left\" as left {\n");
    let left: Vec<Status> = Status::ALL.into_iter().filter(|s| s.mail_left()).collect();
    let line = |from: &str, to: &str, why: &str| format!("{from} --> {to} : {why}\n");
    let inside = |status: Status| left.contains(&status);
    for (from, to, why) in TRANSITIONS.iter().filter(|(from, to, _)| inside(*from) && inside(*to)) {
        diagram.push_str(&format!("    {}", line(from.as_str(), to.as_str(), why)));
    }
    diagram.push_str("  }\n");
    let mut drawn = 0;
    for from in Status::ALL.into_iter().filter(|from| !inside(*from)) {
        let steps: Vec<_> = TRANSITIONS.iter().filter(|(status, ..)| *status == from).collect();
        for (_, to, why) in steps.iter().filter(|(_, to, _)| !inside(*to)) {
            diagram.push_str(&format!("  {}", line(from.as_str(), to.as_str(), why)));
            drawn += 1;
        }
        let leaving: Vec<_> = steps.iter().filter(|(_, to, _)| inside(*to)).collect();
        if let Some((_, _, why)) = leaving.first() {
            assert_eq!(leaving.len(), left.len(), "{from:?}: an arrow to the box means each of it");
            let why = why.replace("a Send event", "an SES event");
            let why = why.replace("its Send event", "an SES event");
            diagram.push_str(&format!("  {}", line(from.as_str(), "left", &why)));
            drawn += leaving.len();
        }
    }
    let within = TRANSITIONS.iter().filter(|(from, ..)| inside(*from)).count();
    assert_eq!(drawn + within, TRANSITIONS.len());
    diagram.push_str("```\n");
    agrees("ARCHITECTURE.md", "diagram", &diagram);
}

/// One log line as it stands in the source.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LogLine {
    level: String,
    message: String,
    fields: Vec<String>,
    file: String,
}

/// Every Rust source of the functions and of the crates that they share, without tests.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("functions"), root().join("shared")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" && name != "target" {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" && name != "build.rs" {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The text up to the parenthesis that closes, and its parts between commas. Strings are skipped.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let (mut parts, mut part) = (Vec::new(), String::new());
    for c in text.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else {
            match c {
                '"' => in_string = true,
                '(' | '[' | '{' => depth += 1,
                ')' if depth == 0 => break,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => {
                    parts.push(std::mem::take(&mut part));
                    continue;
                }
                _ => {}
            }
        }
        part.push(c);
    }
    parts.push(part);
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// `%request_id`, `?refusal`, `config.item = fault.item`: the field's name.
fn field(argument: &str) -> String {
    let name = argument.split(" = ").next().unwrap();
    name.trim_start_matches(['%', '?']).to_owned()
}

fn lines(path: &Path) -> Vec<LogLine> {
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod").next().unwrap();
    let file = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
    let mut found = Vec::new();
    for level in ["error", "warn", "info", "debug", "trace"] {
        for rest in text.split(&format!("{level}!(")).skip(1) {
            let mut all = arguments(rest);
            let message = all.pop().unwrap();
            let literal = message.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            found.push(LogLine {
                level: level.to_owned(),
                message: literal
                    .unwrap_or_else(|| panic!("{file}: {message} is no message: put it last"))
                    .to_owned(),
                fields: all.iter().map(|argument| field(argument)).collect(),
                file: file.clone(),
            });
        }
    }
    found
}

/// The part of a row that is written by hand, by what is written by the test.
fn advice(rows: &str) -> BTreeMap<[String; 2], String> {
    let mut advice = BTreeMap::new();
    for row in rows.lines().filter(|row| row.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [message, _, fields, file, text] = cells[..] else { panic!("not five cells: {row}") };
        advice.insert(["message".to_owned(), message.to_owned()], text.to_owned());
        advice.insert([file.to_owned(), fields.to_owned()], text.to_owned());
    }
    advice
}

#[test]
fn the_list_of_log_lines_is_complete_and_says_what_to_do() {
    let mut all: Vec<LogLine> = sources().iter().flat_map(|path| lines(path)).collect();
    all.sort_by(|a, b| (severity(&a.level), a).cmp(&(severity(&b.level), b)));
    assert!(all.len() > 20);
    let page = read("docs/logging.md");
    let advice = advice(parts(&page, "lines").1);
    let mut table = String::from("| message | level | fields | source | what to do |\n");
    table.push_str("|---|---|---|---|---|\n");
    let mut unexplained = Vec::new();
    for line in &all {
        let names: Vec<String> = line.fields.iter().map(|name| format!("`{name}`")).collect();
        let (message, fields) = (format!("`{}`", line.message), names.join(", "));
        // A message that was worded anew keeps its advice: it still stands in its place.
        let text = advice
            .get(&["message".to_owned(), message.clone()])
            .or_else(|| advice.get(&[line.file.clone(), fields.clone()]));
        let text = text.map(String::as_str).unwrap_or_default();
        if text.is_empty() {
            unexplained.push(&line.message);
        }
        let LogLine { level, file, .. } = line;
        table.push_str(&format!("| {message} | {level} | {fields} | {file} | {text} |\n"));
    }
    agrees("docs/logging.md", "lines", &table);
    assert_eq!(unexplained, Vec::<&String>::new(), "docs/logging.md: say what to do");
}

fn severity(level: &str) -> usize {
    ["error", "warn", "info", "debug", "trace"].iter().position(|l| *l == level).unwrap()
}
