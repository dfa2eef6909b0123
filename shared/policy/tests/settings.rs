//! What becomes of the items of the config table as a whole: defaults, misspelled keys, unknown
//! names, and faults that do not stop mails.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use normalize::LanguageTag;
use policy::config_table::KINDS;
use policy::{Colour, Employee, Settings, Severity, Unknown};
use serde_json::{Map, Value, json};

fn has_texts(tag: &LanguageTag) -> bool {
    ["en", "de"].contains(&tag.as_str())
}

fn item(kind: &str, id: &str, mut attributes: Value) -> Map<String, Value> {
    attributes["kind"] = json!(kind);
    attributes["id"] = json!(id);
    attributes.as_object().unwrap().clone()
}

fn read(items: &[Map<String, Value>]) -> Settings {
    Settings::read(items, has_texts)
}

/// Item, attribute, what was meant, and severity of every fault.
fn faults(settings: &Settings) -> Vec<(&str, &str, Option<&str>, Severity)> {
    let fault = |fault: &'_ policy::ConfigFault| (fault.meant, fault.severity);
    let faults = settings.faults.iter();
    faults.map(|f| (f.item.as_str(), f.attribute.as_str(), fault(f).0, fault(f).1)).collect()
}

#[test]
fn an_empty_table_gives_the_defaults_without_a_fault() {
    let settings = read(&[]);
    assert_eq!((faults(&settings), settings.unknown.len()), (vec![], 0));
    assert_eq!(settings.company.default_language_tag(), "en");
    assert!(settings.channels.is_empty() && settings.brands.is_empty());
}

#[test]
fn a_misspelled_kind_or_id_is_a_fault_and_any_other_unknown_one_is_noted() {
    let good = item("company", "settings", json!({}));
    for (kind, id, shown, attribute, meant) in [
        ("chanel", "email", "chanel/…", "kind", "channel"),
        ("Channel", "email", "Channel/…", "kind", "channel"),
        ("brands", "acme", "brands/…", "kind", "brand"),
        ("employe", "paul@acme.example", "employe/…", "kind", "employee"),
        ("integration", "zendsk", "integration/zendsk", "id", "zendesk"),
        ("company", "setings", "company/setings", "id", "settings"),
    ] {
        let settings = read(&[good.clone(), item(kind, id, json!({}))]);
        let expected = (shown, attribute, Some(meant), Severity::Warning);
        assert_eq!(faults(&settings), [expected], "{kind}/{id}");
        assert!(settings.company.faults.is_empty(), "{kind}/{id}: mails go on");
    }
    for (kind, id, shown) in [
        ("tally", "2026-11-21T09", "tally/…"),
        ("person", "paul@acme.example", "person/…"),
        ("integration", "helpscout", "integration/helpscout"),
    ] {
        let settings = read(&[good.clone(), item(kind, id, json!({ "what": "ever" }))]);
        assert_eq!(faults(&settings), [], "{kind}/{id}");
        let whole = Unknown { item: shown.to_owned(), attributes: vec![] };
        assert!(settings.unknown.contains(&whole), "{kind}/{id}: {:?}", settings.unknown);
    }
    for (kind, id) in [("company", "Settings"), ("integration", "Zendesk"), ("channel", "fax")] {
        let settings = read(&[item(kind, id, json!({}))]);
        assert_eq!((faults(&settings), settings.unknown.len()), (vec![], 0), "{kind}/{id}");
    }
}

#[test]
fn no_mail_goes_out_on_defaults_while_the_companys_item_is_misspelled() {
    for (kind, id) in [("compny", "settings"), ("Company", "settings"), ("company", "setting")] {
        let settings = read(&[item(kind, id, json!({ "suppression_days": 30 }))]);
        let fault = settings.company.faults.first().unwrap();
        assert_eq!(fault.severity, Severity::StopsMail, "{kind}/{id}");
        assert!(fault.to_string().contains("did you mean the "), "{fault}");
        assert_eq!(settings.faults.len(), 1, "reported once");
    }
}

#[test]
fn unknown_names_are_noted_for_each_item() {
    let settings = read(&[
        item("channel", "email", json!({ "note": "until May", "mode": "integrated" })),
        item("brand", "acme", json!({ "colour_of_the_week": "red", "name": "Acme" })),
    ]);
    assert_eq!(faults(&settings), []);
    let unknown = |item: &str, name: &str| Unknown {
        item: item.to_owned(),
        attributes: vec![name.to_owned()],
    };
    let expected = [unknown("channel/email", "note"), unknown("brand/acme", "colour_of_the_week")];
    assert_eq!(settings.unknown, expected);
}

#[test]
fn a_colour_or_link_that_cannot_be_used_is_reported_and_stops_no_mail() {
    for (attribute, bad) in [
        ("color", "reddish"),
        ("logo_url", "ftp://acme.example/logo.png"),
        ("logo_url", "/logo.png"),
        ("thank_you_url", "javascript:alert(1)"),
    ] {
        let settings = read(&[
            item("company", "settings", json!({ attribute: bad })),
            item("brand", "acme", json!({ attribute: bad })),
        ]);
        let fault = |item| (item, attribute, None, Severity::Warning);
        assert_eq!(faults(&settings), [fault("company/settings"), fault("brand/acme")], "{bad}");
        assert!(settings.company.faults.is_empty(), "{attribute} {bad}");
        assert!(settings.brands[0].active, "{attribute} {bad}");
        let branding = &settings.brands[0].branding;
        assert_eq!((&branding.logo_url, branding.color), (&None, None), "{attribute} {bad}");
    }
    // A value that is not even a text still stops mails, as any such value does.
    let settings = read(&[item("brand", "acme", json!({ "color": ["#fff"] }))]);
    assert!(!settings.brands[0].active);
    let settings = read(&[item("brand", "acme", json!({ "color": "#fff" }))]);
    assert_eq!(settings.brands[0].branding.color, Some(Colour(255, 255, 255)));
    let paul = item("employee", "paul@acme.example", json!({ "picture_url": "paul.png" }));
    let paul = Employee::read(&paul);
    assert_eq!((paul.faults.len(), paul.warnings.len(), paul.picture_url), (0, 1, None));
}

#[test]
fn a_language_without_texts_is_a_fault_of_that_language_alone() {
    let settings = read(&[
        item("language", "de", json!({})),
        item("language", "da", json!({})),
        item("language", "not a tag", json!({})),
        item("language", "en", json!({ "active": "perhaps" })),
    ]);
    assert_eq!(settings.languages, [LanguageTag::parse("de").unwrap()]);
    let named: Vec<&str> = settings.language_faults.iter().map(|(tag, _)| tag.as_str()).collect();
    assert_eq!(named, ["da", "en"]);
    assert_eq!(settings.faults.len(), 3);
    let company = item("company", "settings", json!({ "default_language": "da" }));
    let settings = read(&[company]);
    assert_eq!(settings.company.default_language_tag(), "en", "the default stands in");
    assert_eq!(settings.company.faults[0].attribute, "default_language");
}

#[test]
fn of_two_integrations_that_differ_in_case_the_one_in_lower_case_counts() {
    let settings = read(&[
        item("integration", "zendesk", json!({ "signature_required": true })),
        item("integration", "ZENDESK", json!({ "signature_required": false })),
        item("integration", "Gladly", json!({ "base_url": "https://a.gladly.com" })),
    ]);
    assert_eq!(settings.integrations["zendesk"]["signature_required"], json!(true));
    assert!(settings.integrations.contains_key("gladly"));
}

#[test]
fn every_kind_of_settings_is_described() {
    for kind in Settings::KINDS {
        assert!(KINDS.iter().any(|known| known.name == kind), "{kind}");
    }
}
