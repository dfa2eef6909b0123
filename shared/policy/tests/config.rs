//! What the readers of config items make of what admins write: misspelled names, senders, and texts
//! without end.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use normalize::LanguageTag;
use policy::config_table::integration::SIGNATURE_REQUIRED;
use policy::{
    Brand, Channel, ChannelMode, Company, ConfigFault, Employee, EmployeeStatus, Item, KeyItem,
    LanguageRow, Severity,
};
use serde_json::{Map, Value, json};

fn has_texts(tag: &LanguageTag) -> bool {
    ["en", "de"].contains(&tag.as_str())
}

fn item(kind: &str, mut attributes: Value) -> Map<String, Value> {
    attributes["kind"] = json!(kind);
    attributes["id"] = json!(match kind {
        "company" => "settings",
        "language" => "de",
        _ => "x",
    });
    attributes.as_object().unwrap().clone()
}

fn faults(kind: &str, attributes: Value) -> Vec<ConfigFault> {
    let item = item(kind, attributes);
    match kind {
        "company" => Company::read(&item, has_texts).faults,
        "channel" => Channel::read(&item).faults,
        "employee" => Employee::read(&item).faults,
        "brand" => Brand::read(&item).faults,
        "language" => LanguageRow::read(&item, has_texts).faults,
        "key" => match KeyItem::read(&Item::new(&item)) {
            KeyItem::Faulty(fault) => vec![fault],
            KeyItem::Good(_) | KeyItem::Revoked | KeyItem::Admin(_) => vec![],
        },
        other => panic!("{other}"),
    }
}

#[test]
fn a_misspelled_name_is_a_fault_that_says_what_was_meant() {
    for (kind, attributes, written, meant) in [
        ("channel", json!({ "mode": "integrated", "enabld": false }), "enabld", "enabled"),
        ("channel", json!({ "mode": "integrated", "enabled ": false }), "enabled ", "enabled"),
        ("channel", json!({ "mode": "integrated", "Enabled": "no" }), "Enabled", "enabled"),
        (
            "channel",
            json!({ "mode": "integrated", "enabled": null, "enabeld": false }),
            "enabeld",
            "enabled",
        ),
        ("channel", json!({ "Mode": "integrated" }), "Mode", "mode"),
        (
            "channel",
            json!({ "mode": "integrated", "delay-minutes": 60 }),
            "delay-minutes",
            "delay_minutes",
        ),
        ("company", json!({ "form": "a@b.example" }), "form", "from"),
        ("company", json!({ "suppresion_days": 30 }), "suppresion_days", "suppression_days"),
        (
            "company",
            json!({ "internal_domain": ["a.example"] }),
            "internal_domain",
            "internal_domains",
        ),
        (
            "company",
            json!({ "dedupe_minutes": { "zendsk": 5 } }),
            "dedupe_minutes.zendsk",
            "zendesk",
        ),
        ("company", json!({ "footers": "x" }), "footers", "footer"),
        ("brand", json!({ "activ": false }), "activ", "active"),
        ("brand", json!({ "reply to": "a@b.example" }), "reply to", "reply_to"),
        ("employee", json!({ "name": "Paul", "statsu": "deactivated" }), "statsu", "status"),
        ("language", json!({ "actve": false }), "actve", "active"),
        ("key", json!({ "mode": "live", "scopes": ["send"], "revokd": true }), "revokd", "revoked"),
        ("key", json!({ "mode": "live", "scope": ["send"] }), "scope", "scopes"),
    ] {
        let found = faults(kind, attributes.clone());
        let [fault] = found.as_slice() else { panic!("{kind} {attributes}: {found:?}") };
        assert_eq!(
            (fault.attribute.as_str(), fault.meant),
            (written, Some(meant)),
            "{kind} {attributes}"
        );
    }
    let fault = faults("channel", json!({ "enabld": false })).remove(0);
    assert_eq!(
        fault.to_string(),
        "channel/x has an unknown attribute `enabld`: did you mean `enabled`?"
    );
}

#[test]
fn the_safe_value_stands_in_for_a_misspelled_attribute() {
    let channel = Channel::read(&item("channel", json!({ "mode": "integrated", "enabld": true })));
    assert_eq!((channel.mode, channel.enabled), (ChannelMode::Manual, false));
    assert!(!Brand::read(&item("brand", json!({ "actve": true }))).active);
    assert_eq!(
        Employee::read(&item("employee", json!({ "Status": "approved" }))).status,
        EmployeeStatus::Incomplete
    );
    assert_eq!(
        LanguageRow::read(&item("language", json!({ "Active": true })), has_texts).tag,
        None
    );
    let zendesk = item("integration", json!({ "signature_requird": true }));
    assert!(
        Item::new(&zendesk).read(&SIGNATURE_REQUIRED).is_err(),
        "taken as required, as any value that cannot be understood"
    );
}

#[test]
fn other_unknown_names_are_told_and_ignored() {
    for (kind, attributes, unknown) in [
        ("channel", json!({ "mode": "integrated", "note": "until May" }), vec!["note"]),
        ("channel", json!({ "enabled": true, "enabld": false }), vec!["enabld"]),
        ("channel", json!({ "delay": 5 }), vec!["delay"]),
        ("employee", json!({ "name": "Paul", "team": "Blue" }), vec!["team"]),
        (
            "key",
            json!({
                "mode": "live", "label": "x", "prefix": "aw_", "mails_per_hour": 5,
                "sources": ["zendesk"],
            }),
            vec![],
        ),
        ("key", json!({ "mode": "live", "lable": "only people read it" }), vec!["lable"]),
        (
            "company",
            json!({ "alert_stars": 2, "alert_to": [], "alert_per_hour": 1, "answers_days": 9 }),
            vec![],
        ),
    ] {
        assert_eq!(faults(kind, attributes.clone()), [], "{kind} {attributes}");
        assert_eq!(Item::new(&item(kind, attributes)).unknown(), unknown);
    }
    assert_eq!(
        Item::new(&item("tally", json!({ "sent": 1 }))).unknown(),
        Vec::<String>::new(),
        "of a kind that no admin writes"
    );
    let long = "n".repeat(60_000);
    let unknown = Item::new(&item("channel", json!({ long: 1 }))).unknown();
    assert_eq!(unknown[0].chars().count(), 64);
}

#[test]
fn a_sender_that_is_no_one_address_is_a_fault_where_it_is_read() {
    for attribute in ["from", "reply_to"] {
        for good in [
            "help@peak.example",
            "<help@peak.example>",
            "Peak <help@peak.example>",
            "\"Bäckerei, Peak\" <help@peak.example>,",
            "",
        ] {
            for kind in ["company", "brand"] {
                assert_eq!(
                    faults(kind, json!({ attribute: good })),
                    [],
                    "{kind} {attribute} {good}"
                );
            }
        }
        for bad in [
            json!("help"),
            json!("Peak help@peak.example"),
            json!("a@peak.example, b@peak.example"),
            json!(["help@peak.example"]),
        ] {
            for (kind, name) in [("company", "company/settings"), ("brand", "brand/x")] {
                let found = faults(kind, json!({ attribute: bad }));
                let expected = ConfigFault {
                    item: name.to_owned(),
                    attribute: attribute.to_owned(),
                    meant: None,
                    severity: Severity::StopsMail,
                };
                assert_eq!(found, [expected], "{bad}");
            }
        }
    }
    let company = Company::read(
        &item("company", json!({ "reply_to": "Blanca Support <support@peak.example>" })),
        has_texts,
    );
    assert_eq!(company.reply_to.unwrap().name.as_deref(), Some("Blanca Support"));
}

#[test]
fn a_text_without_end_is_a_fault() {
    let long = "x".repeat(4_097);
    for (kind, attribute) in [
        ("company", "name"),
        ("company", "footer"),
        ("brand", "name"),
        ("brand", "question"),
        ("channel", "mode"),
    ] {
        assert_eq!(faults(kind, json!({ attribute: long }))[0].attribute, attribute, "{kind}");
    }
    assert_eq!(faults("company", json!({ "footer": long[1..] })), []);
    for attribute in ["name", "custom_id", "picture_url"] {
        let of = |length: usize| {
            faults("employee", json!({ "status": "approved", attribute: "x".repeat(length) }))
        };
        assert_eq!(of(1_024), [], "{attribute}");
        assert_eq!(of(1_025)[0].attribute, attribute);
        let employee = Employee::read(&item(
            "employee",
            json!({ "status": "approved", attribute: "x".repeat(300_000) }),
        ));
        assert!(
            serde_json::to_string(&employee.profile()).unwrap().len() < 100,
            "no request carries it"
        );
    }
    for (aliases, fits) in [
        (json!(vec!["x"; 200]), true),
        (json!(vec!["x"; 201]), false),
        (json!([long[1..]]), true),
        (json!([long]), false),
        (json!(["x"; 200].join(",")), true),
        (json!(["x"; 201].join(",")), false),
        (json!([&long[1..]; 3].join(",")), true),
        (json!(["x", 1]), false),
    ] {
        assert_eq!(faults("channel", json!({ "aliases": aliases })).is_empty(), fits);
    }
}
