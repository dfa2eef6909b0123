//! What the documentation says about the code is what the code says. `UPDATE_DOCS=1 cargo test -p local --test documentation` writes the
//! tables anew.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use local::flags::HELP;
use local::template::{TEMPLATE, Template};
use policy::{Outcome, Reason, Status, TRANSITIONS};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

/// Requires that a page holds `table` between the comments that begin and end `name`.
fn agrees(page: &str, name: &str, table: &str) {
    let text = read(page);
    let begin = format!("<!-- begin {name}: written by local/tests/documentation.rs -->\n");
    let end = format!("<!-- end {name} -->");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{page} lacks {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{page} lacks {end}"));
    let wanted = format!("{before}{begin}{table}{end}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path(page), wanted).unwrap();
    } else {
        assert!(text == wanted, "{page}, {name}: run UPDATE_DOCS=1 cargo test -p local --test documentation");
    }
}

#[test]
fn the_state_machine_is_the_one_in_policy() {
    let mut table = String::from("| from | to | what makes it |\n|---|---|---|\n");
    for from in Status::ALL {
        for (_, to, why) in TRANSITIONS.iter().filter(|(status, ..)| *status == from) {
            table.push_str(&format!("| `{}` | `{}` | {why} |\n", from.as_str(), to.as_str()));
        }
    }
    agrees("ARCHITECTURE.md", "states", &table);
}

#[test]
fn the_reasons_are_the_ones_in_policy() {
    let mut table = String::from("| reason | outcome | meaning |\n|---|---|---|\n");
    for outcome in [Outcome::NotSent, Outcome::Invalid, Outcome::Failed] {
        for reason in Reason::ALL.iter().filter(|reason| reason.outcome() == outcome) {
            table.push_str(&format!("| `{}` | `{}` | {} |\n", reason.code(), outcome.status().as_str(), reason.sentence()));
        }
    }
    agrees("README.md", "reasons", &table);
}

#[test]
fn the_readme_names_every_flag() {
    let readme = read("README.md");
    for flag in HELP.split_whitespace().filter(|word| word.starts_with("--")) {
        assert!(readme.contains(&format!("`{flag}")), "{flag}");
    }
}

#[test]
fn the_readme_names_every_route() {
    let readme = read("README.md");
    let routes: BTreeSet<String> = Template::parse(TEMPLATE).unwrap().routes.into_iter().map(|route| route.path).collect();
    assert!(routes.len() > 8);
    for route in routes {
        // Pages that only people reach, by a link or in a browser, stand under their first part.
        let known = readme.contains(&format!("`{route}")) || readme.contains(&format!(" {route}"));
        let page = ["/s/", "/u/", "/admin", "/gallery"].iter().any(|page| route.starts_with(page));
        assert!(known || page, "{route}");
    }
}

#[test]
fn the_readme_names_every_item_and_attribute_of_the_config_table() {
    let readme = read("README.md");
    let table = readme.split("## For support admins: the config table").nth(1).unwrap().split("\n## ").next().unwrap();
    for kind in ["company", "channel", "employee", "employee_id", "brand", "language", "key", "integration"] {
        assert!(table.contains(&format!("| `{kind}` / ")), "{kind}");
    }
    // What policy reads an attribute by stands in its source, in the call.
    let source = ["config.rs", "key.rs"].map(|file| read(&format!("shared/policy/src/{file}"))).join("\n");
    let source = source.split("#[cfg(test)]").next().unwrap();
    let calls = ["words(", "number(", "flag(", "text(", "address(", "list(", "strings(", "map(", "one_of(", "bool("];
    let mut seen = 0;
    for call in calls {
        for rest in source.split(&format!(".{call}\"")).skip(1) {
            let name = rest.split('"').next().unwrap();
            assert!(table.contains(&format!("`{name}`")), "{name}");
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
}
