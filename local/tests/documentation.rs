//! What the documentation says about the code is what the code says. `UPDATE_DOCS=1 cargo test -p
//! local --test documentation` writes the tables anew.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::SignedDuration;
use local::flags::HELP;
use local::template::{TEMPLATE, Template};
use policy::{
    Brand, Ceiling, Channel, ChannelMode, Company, Item, Mode, Outcome, Reason, Status, TRANSITIONS,
};
use serde_json::{Map, json};

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
        assert!(
            text == wanted,
            "{page}, {name}: run UPDATE_DOCS=1 cargo test -p local --test documentation"
        );
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
            table.push_str(&format!(
                "| `{}` | `{}` | {} |\n",
                reason.code(),
                outcome.status().as_str(),
                reason.sentence()
            ));
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
    let routes: BTreeSet<String> =
        Template::parse(TEMPLATE).unwrap().routes.into_iter().map(|route| route.path).collect();
    assert!(routes.len() > 8);
    for route in routes {
        // Pages that only people reach, by a link or in a browser, stand under their first part.
        let known = readme.contains(&format!("`{route}")) || readme.contains(&format!(" {route}"));
        let page = ["/s/", "/u/", "/send/", "/admin", "/gallery"]
            .iter()
            .any(|page| route.starts_with(page));
        assert!(known || page, "{route}");
    }
}

/// Documented attributes of the config table with their defaults, by kind.
fn documented() -> BTreeMap<String, BTreeMap<String, String>> {
    let readme = read("README.md");
    let section = readme
        .split("## For support admins: the config table")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    let quoted = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let mut kinds: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut kind = String::new();
    for row in section.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        if let Some(name) = quoted(cells[0]).first() {
            kind.clone_from(name);
        }
        let attributes = quoted(cells[1]).into_iter().map(|name| (name, cells[2].to_owned()));
        kinds.entry(kind.clone()).or_default().extend(attributes);
    }
    kinds
}

/// Names by which a source reads attributes of a config item: they stand in the calls of
/// [`policy::Item`].
fn attributes(source: &str) -> BTreeSet<String> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let calls = [
        "text(\"",
        "words(\"",
        "bool(\"",
        "number(\"",
        "list(\"",
        "item.get(\"",
        "short(\"",
        "mailbox(\"",
    ];
    let names = calls.iter().flat_map(|call| {
        source.split(call).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned())
    });
    names.filter(|name| !["kind", "id"].contains(&name.as_str())).collect()
}

#[test]
fn the_readme_names_the_attributes_of_the_config_table_that_are_read_and_no_others() {
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for part in read("shared/policy/src/config.rs").split("\nimpl").skip(1) {
        let kinds: &[&str] = match part.trim_start().split(' ').next().unwrap() {
            "Company" => &["company"],
            "BrandingSettings" => &["company", "brand"],
            "Channel" => &["channel"],
            "Employee" => &["employee"],
            "Brand" => &["brand"],
            "LanguageRow" => &["language"],
            other => {
                assert_eq!(attributes(part), BTreeSet::new(), "{other}: of which kind?");
                &[]
            }
        };
        for kind in kinds {
            wanted.entry((*kind).to_owned()).or_default().extend(attributes(part));
        }
    }
    for (file, kind) in [
        ("shared/policy/src/key.rs", "key"),
        ("shared/policy/src/ticket_status.rs", "integration"),
        ("shared/store/src/config.rs", "employee_id"),
        ("functions/gladly_resolve/src/account.rs", "integration"),
        ("functions/zendesk/src/lib.rs", "integration"),
    ] {
        let names = attributes(&read(file));
        assert!(!names.is_empty(), "{file}");
        wanted.entry(kind.to_owned()).or_default().extend(names);
    }
    // What only people read.
    wanted.entry("key".to_owned()).or_default().extend(["label".to_owned(), "prefix".to_owned()]);
    let found: BTreeMap<String, BTreeSet<String>> = documented()
        .into_iter()
        .map(|(kind, attributes)| (kind, attributes.into_keys().collect()))
        .collect();
    assert_eq!(found, wanted);
}

/// Else the log would call it unknown, or a slip of the pen.
#[test]
fn every_documented_attribute_is_known_by_its_name() {
    for (kind, attributes) in documented() {
        let attributes = attributes.into_keys().map(|name| (name, json!(1)));
        let item: Map<_, _> = attributes.chain([("kind".to_owned(), json!(kind))]).collect();
        assert_eq!(Item::new(&item).unknown(), Vec::<String>::new(), "{kind}");
    }
}

#[test]
fn the_readme_has_the_defaults_that_absent_attributes_get() {
    let absent = Map::new();
    let company = Company::read(&absent);
    let channel = Channel::read(&absent);
    let days = |duration: SignedDuration| (duration.as_hours() / 24).to_string();
    let minutes = |source: &str| {
        let window = company.dedupe_window(serde_json::from_value(json!(source)).unwrap());
        format!("{source} {}", window.as_mins())
    };
    let wanted = [
        ("company", "suppression_days", days(company.suppression)),
        ("company", "survey_days", days(company.open)),
        ("company", "retention_days", days(company.retention)),
        ("company", "bounce_days", days(company.bounce)),
        ("company", "send_rate", company.send_rate.to_string()),
        ("company", "send_attempts", company.send_attempts.to_string()),
        (
            "company",
            "dedupe_minutes",
            ["requests", "zendesk", "freshdesk", "gorgias", "gladly"].map(minutes).join(", "),
        ),
        (
            "company",
            "default_language",
            format!("`{}`", company.default_language.as_ref().unwrap()),
        ),
        ("company", "do_not_send_tag", format!("`{}`", company.do_not_send_tags.join(", "))),
        ("company", "do_not_send_topic", format!("`{}`", company.do_not_send_topic)),
        (
            "channel",
            "mode",
            (if channel.mode == ChannelMode::Manual { "`manual`" } else { "`integrated`" })
                .to_owned(),
        ),
        ("channel", "enabled", channel.enabled.to_string()),
        ("channel", "delay_minutes", channel.delay.as_mins().to_string()),
        ("brand", "active", Brand::read(&absent).active.to_string()),
        (
            "key",
            "mails_per_hour",
            format!(
                "{}; of a test key {}",
                Ceiling::default_of(Mode::Live),
                Ceiling::default_of(Mode::Test)
            ),
        ),
    ];
    let documented = documented();
    for (kind, attribute, default) in &wanted {
        assert_eq!(&documented[*kind][*attribute], default, "{kind} {attribute}");
    }
    for (kind, attributes) in &documented {
        for (attribute, default) in
            attributes.iter().filter(|(_, default)| default.contains(|c: char| c.is_ascii_digit()))
        {
            assert!(
                wanted.iter().any(|(k, a, _)| k == kind && a == attribute),
                "{kind} {attribute} {default}: compared with nothing"
            );
        }
    }
}
