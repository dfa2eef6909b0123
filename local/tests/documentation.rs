//! Checks that the documentation agrees with the values that the crates export.
//! `UPDATE_DOCS=1 cargo test -p local --test documentation` writes the tables anew, in the page
//! that has their markers.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::SignedDuration;
use local::flags::HELP;
use local::template::{TEMPLATE, Template};
use policy::config_table::{KINDS, employee};
use policy::{
    Brand, Ceiling, Channel, ChannelMode, Company, Item, ItemId, Mode, Outcome, Reason, Status,
    TRANSITIONS,
};
use serde_json::{Map, json};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

/// The pages for people, from the root of the repository.
fn pages() -> Vec<String> {
    let docs = std::fs::read_dir(path("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let docs = docs.map(|name| format!("docs/{}", name.to_string_lossy()));
    let pages = ["README.md", "ARCHITECTURE.md"].map(str::to_owned).into_iter().chain(docs);
    pages.filter(|page| page.ends_with(".md")).collect()
}

/// Requires that one page has `table` between the comments that begin and end `name`.
fn agrees(name: &str, table: &str) {
    let begin = format!("<!-- begin {name}: written by local/tests/documentation.rs -->\n");
    let end = format!("<!-- end {name} -->");
    let found: Vec<String> =
        pages().into_iter().filter(|page| read(page).contains(&begin)).collect();
    let [page] = found.as_slice() else { panic!("{begin} is in these pages: {found:?}") };
    let text = read(page);
    let (before, rest) = text.split_once(&begin).unwrap();
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
    agrees("states", &table);
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
    agrees("reasons", &table);
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
    let readme = read("docs/api.md");
    let routes: BTreeSet<String> =
        Template::parse(TEMPLATE).unwrap().routes.into_iter().map(|route| route.path).collect();
    assert!(routes.len() > 8);
    for route in routes {
        // Pages that people open in a browser are named by the first part of their path.
        let known = readme.contains(&format!("`{route}")) || readme.contains(&format!(" {route}"));
        let page = ["/s/", "/u/", "/send/", "/admin", "/gallery"]
            .iter()
            .any(|page| route.starts_with(page));
        assert!(known || page, "{route}");
    }
}

/// A list of names in Markdown.
fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_config_table_is_the_one_that_the_readers_use() {
    let mut table =
        String::from("| kind / id | attribute | value | default | |\n|---|---|---|---|---|\n");
    for kind in KINDS {
        let mut shown = String::new();
        for attribute in kind.attributes() {
            let id = match kind.id {
                ItemId::Any(words) => words.to_owned(),
                ItemId::OneOf(ids) if attribute.ids.is_empty() => quoted(ids),
                ItemId::OneOf(_) => quoted(attribute.ids),
            };
            let item = format!("`{}` / {id}", kind.name);
            let default = if attribute.required { "required" } else { &attribute.default };
            table.push_str(&format!(
                "| {} | `{}` | {} | {default} | {} |\n",
                if item == shown { "" } else { &item },
                attribute.name,
                attribute.value_type,
                attribute.sentence
            ));
            shown = item;
        }
    }
    agrees("config", &table);
}

/// Without this, the log would report a documented attribute as unknown or misspelled.
#[test]
fn every_documented_attribute_is_known_by_its_name() {
    for kind in KINDS {
        let attributes = kind.attributes().map(|attribute| (attribute.name.to_owned(), json!(1)));
        let key = [("kind".to_owned(), json!(kind.name))];
        let item: Map<_, _> = attributes.chain(key).collect();
        assert_eq!(Item::new(&item).unknown(), Vec::<String>::new(), "{}", kind.name);
    }
}

#[test]
fn the_documented_defaults_are_those_that_absent_attributes_get() {
    let absent = Map::new();
    let company = Company::read(&absent, language::is_spoken);
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
            ["requests", "zendesk", "freshdesk", "gladly", "gorgias"].map(minutes).join(", "),
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
        ("employee", "send_box", Item::new(&absent).read(&employee::SEND_BOX).unwrap().to_string()),
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
    let documented: BTreeMap<(&str, &str), String> = KINDS
        .iter()
        .flat_map(|kind| {
            let attributes = kind.attributes();
            attributes.map(|attribute| ((kind.name, attribute.name), attribute.default))
        })
        .collect();
    for (kind, attribute, default) in &wanted {
        assert_eq!(&documented[&(*kind, *attribute)], default, "{kind} {attribute}");
    }
    for ((kind, attribute), default) in &documented {
        if default.contains(|c: char| c.is_ascii_digit()) {
            assert!(
                wanted.iter().any(|(k, a, _)| k == kind && a == attribute),
                "{kind} {attribute} {default}: compared with nothing"
            );
        }
    }
}
