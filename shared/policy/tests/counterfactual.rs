//! What people are told about a request without a mail: for each reason why, and which one fact
//! would have changed that.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use jiff::Timestamp;
use normalize::{Inbound, SurveyRequest};
use policy::{
    Case, Earlier, Employee, Mode, Reason, RequestedVia, Settings, Status, counterfactual, cure_of,
    may_send_again,
};
use serde_json::{Value, json};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn survey(changes: Value) -> SurveyRequest {
    let mut body = json!({
        "channel": "phone", "ext_interaction_id": "882",
        "customer": { "email": "jane@customers.example" },
        "employee": { "email": "paul@peak.example" },
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    match normalize::requests::parse(body.to_string().as_bytes()).unwrap() {
        Inbound::Survey(request) => *request,
        other => panic!("{other:?}"),
    }
}

fn settings(items: &[Value]) -> Settings {
    let plain = json!({ "kind": "channel", "id": "phone", "mode": "integrated" });
    let items: Vec<_> = std::iter::once(&plain)
        .chain(items)
        .map(|item| item.as_object().unwrap().clone())
        .collect();
    // A later item replaces an earlier one with the same key.
    let mut kept: Vec<serde_json::Map<String, Value>> = Vec::new();
    for item in items {
        kept.retain(|other| (&other["kind"], &other["id"]) != (&item["kind"], &item["id"]));
        kept.push(item);
    }
    Settings::read(&kept, |tag| tag.as_str() != "fi")
}

fn paul(status: &str) -> Employee {
    let item = json!({ "kind": "employee", "id": "paul@peak.example", "status": status });
    Employee::read(item.as_object().unwrap())
}

/// What is told of a case, with the path of its cure.
fn told(
    reason: Reason,
    request: Value,
    items: &[Value],
    employee: Option<&Employee>,
) -> (String, String) {
    let (request, settings) = (survey(request), settings(items));
    let told = counterfactual(&Case {
        reason,
        mode: Mode::Live,
        via: RequestedVia::Api,
        request: &request,
        settings: &settings,
        employee,
        received: at("2026-11-17T15:00:00Z"),
        ended: at("2026-11-17T15:00:01Z"),
        earlier: Some(Earlier { sent_at: at("2026-11-14T09:00:00Z"), about: Some("881") }),
        bounced_until: Some(at("2027-02-03T00:00:00Z")),
        now: at("2026-11-18T08:00:00Z"),
    });
    (told.sentence(), told.cure.map(|cure| cure.path).unwrap_or_default())
}

/// Reason, request, config items, the agent; then the sentence and the path of the cure.
type Told<'a> = (Reason, Value, Vec<Value>, Option<&'a Employee>, String, &'a str);

#[test]
fn each_reason_is_told_with_the_fact_that_would_have_changed_it() {
    let company = |attribute: &str, value: Value| json!({ "kind": "company", "id": "settings", attribute: value });
    let good = paul("approved");
    let gone = "would have gone out.";
    let cases: Vec<Told<'_>> = vec![
        (Reason::DoNotSend, json!({ "do_not_send": true }), vec![], Some(&good),
            format!("Not asked: the sender said do-not-send. Without do-not-send, this one {gone}"), ""),
        (Reason::DoNotSend, json!({ "tags": ["vip"] }), vec![company("do_not_send_tag", json!("vip"))], Some(&good),
            format!("Not asked: the interaction has the tag vip, which means do-not-send. Without do-not-send, this one {gone}"),
            "/admin/settings#do_not_send_tag"),
        (Reason::NoEmail, json!({ "customer": {} }), vec![], Some(&good),
            format!("The customer has no e-mail address. With an e-mail address, this one {gone}"), ""),
        (Reason::NoEmployee, json!({ "employee": {} }), vec![], None,
            format!("No employee was assigned to the interaction. With an agent assigned, this one {gone}"), ""),
        (Reason::SelfSurvey, json!({}), vec![company("internal_domains", json!(["customers.example"]))], Some(&good),
            format!("Not asked: customers.example is an internal domain. Without customers.example among the internal domains, this one {gone}"),
            "/admin/settings#internal_domains"),
        (Reason::SelfSurvey, json!({ "customer": { "email": "paul@peak.example" } }), vec![], Some(&good),
            format!("Not asked: the customer is the agent. For a customer who is not the agent, this one {gone}"),
            "/admin/settings#internal_domains"),
        (Reason::SuppressionPeriod, json!({}), vec![], Some(&good),
            "Not asked: surveyed on 14 November about #881. Possible again from 21 November. With a suppression period of 3 days this one would have gone out.".to_owned(),
            "/admin/settings#suppression_days"),
        (Reason::Unsubscribed, json!({}), vec![], Some(&good),
            format!("Not asked: the customer has unsubscribed. Possible again once the customer subscribes anew. Had the customer not unsubscribed, this one {gone}"),
            "/admin/suppression"),
        (Reason::Rejected, json!({}), vec![], Some(&good),
            format!("Not asked: an earlier mail to the address bounced. Possible again from 3 February 2027. Had the address not bounced, this one {gone}"),
            "/admin/suppression"),
        (Reason::Reopened, json!({}), vec![], Some(&good),
            format!("Not asked: the ticket was opened again on 17 November, before the survey went out. Possible again when the ticket is closed once more. Had the ticket stayed closed, this one {gone}"), ""),
        (Reason::Cancelled, json!({}), vec![], Some(&good),
            format!("Not asked: the sender took the request back. Had it not been cancelled, this one {gone}"), ""),
        (Reason::EmployeeNotFound, json!({}), vec![], None,
            format!("Refused: nobody is called paul@peak.example. With paul@peak.example among the people, this one {gone}"),
            "/admin/people?add=paul%40peak.example"),
        (Reason::EmployeeNotFound, json!({}), vec![], Some(&good),
            format!("Refused: nobody is called paul@peak.example. With paul@peak.example among the people, this one {gone}"), ""),
        (Reason::InvalidCustomer, json!({ "customer": { "email": "jane at x" } }), vec![], Some(&good),
            format!("Invalid customer: the e-mail address is malformed. With a well-formed address, this one {gone}"), ""),
        (Reason::ChannelNotEnabled, json!({ "channel": "fax" }), vec![], Some(&good),
            format!("Refused: there is no channel called fax. With the channel fax switched on, in integrated mode, this one {gone}"), "/admin/channels"),
        (Reason::ChannelManual, json!({}), vec![json!({ "kind": "channel", "id": "phone", "mode": "manual" })], Some(&good),
            format!("Refused: the channel phone is in manual mode. With the channel phone in integrated mode, this one {gone}"),
            "/admin/channels?flip=phone"),
        // One fact is changed, and another one still stands in the way.
        (Reason::ChannelManual, json!({ "brand": "kids" }), vec![json!({ "kind": "channel", "id": "phone", "mode": "manual" })], Some(&good),
            "Refused: the channel phone is in manual mode. With the channel phone in integrated mode, it would have met the next obstacle: Invalid or inactive brand signifier.".to_owned(),
            "/admin/channels?flip=phone"),
        (Reason::BrandMissing, json!({}), vec![json!({ "kind": "brand", "id": "kids" }), json!({ "kind": "brand", "id": "men" })], Some(&good),
            format!("Brand signifier not provided. With kids as the default brand, this one {gone}"), "/admin/settings#default_brand"),
        (Reason::BrandInvalid, json!({ "brand": "kids" }), vec![], Some(&good),
            format!("Refused: there is no active brand called kids. With an active brand kids, this one {gone}"), "/admin/brands?edit=kids"),
        (Reason::LanguageMissing, json!({}), vec![company("default_language", json!(""))], Some(&good),
            format!("Language not specified. With a default language, this one {gone}"), "/admin/settings#default_language"),
        (Reason::LanguageInvalid, json!({ "language": "fr" }), vec![company("default_language", json!(""))], Some(&good),
            format!("Refused: the company does not have fr. With fr among the languages, this one {gone}"), "/admin/languages"),
        // There are no texts in Finnish.
        (Reason::LanguageInvalid, json!({ "language": "fi" }), vec![company("default_language", json!(""))], Some(&good),
            format!("Refused: the company does not have fi. With a default language, this one {gone}"), "/admin/languages"),
        (Reason::KeyRevoked, json!({}), vec![], Some(&good),
            format!("The key that sent this request has been revoked. With a key that is not revoked, this one {gone}"), "/admin/keys"),
    ];
    for (reason, request, items, employee, sentence, path) in cases {
        assert_eq!(
            told(reason, request, &items, employee),
            (sentence, path.to_owned()),
            "{reason:?}"
        );
    }
    for (status, why) in [("deactivated", "is deactivated"), ("pending", "is not approved")] {
        let (sentence, path) =
            told(Reason::EmployeeDeactivated, json!({}), &[], Some(&paul(status)));
        assert!(status == "pending" || sentence.contains(why), "{sentence}");
        assert!(sentence.ends_with(&format!("With paul@peak.example approved, this one {gone}")));
        assert_eq!(path, "/admin/people?edit=paul%40peak.example");
    }
}

#[test]
fn every_reason_is_told_in_sentences_and_may_be_sent_again_only_if_no_mail_can_have_left() {
    let good = paul("approved");
    for reason in Reason::ALL {
        let (sentence, path) = told(*reason, json!({}), &[], Some(&good));
        assert!(sentence.ends_with('.') && !sentence.contains(".."), "{reason:?}: {sentence}");
        assert!(path.is_empty() || path.starts_with("/admin/"), "{reason:?}: {path}");
        let status = reason.outcome().status();
        let other = if status == Status::Failed { Status::Invalid } else { Status::Failed };
        assert!(!may_send_again(other, Some(*reason), false), "{reason:?}");
        // In a list the cure is known without the request.
        assert_eq!(
            cure_of(*reason, "zendesk").is_some(),
            !matches!(
                reason,
                Reason::Reopened | Reason::Cancelled | Reason::NotStorable | Reason::Unconfirmed
            ),
            "{reason:?}"
        );
    }
    assert!(!may_send_again(Status::Failed, Some(Reason::Unconfirmed), true));
    assert!(!may_send_again(Status::Failed, Some(Reason::Stalled), true));
    assert!(may_send_again(Status::Failed, Some(Reason::SendAttempts), true));
    assert!(!may_send_again(Status::Delivered, None, true));
}

#[test]
fn without_a_day_between_only_switching_the_period_off_would_have_helped() {
    let (request, settings) = (survey(json!({})), settings(&[]));
    let good = paul("approved");
    let told = counterfactual(&Case {
        reason: Reason::SuppressionPeriod,
        mode: Mode::Live,
        via: RequestedVia::Api,
        request: &request,
        settings: &settings,
        employee: Some(&good),
        received: at("2026-11-14T15:00:00Z"),
        ended: at("2026-11-14T15:00:01Z"),
        earlier: Some(Earlier { sent_at: at("2026-11-14T09:00:00Z"), about: None }),
        bounced_until: None,
        now: at("2026-12-01T08:00:00Z"),
    });
    assert_eq!(
        told.sentence(),
        "Not asked: surveyed on 14 November. Possible again since 21 November. \
         Only with the suppression period off would this one have gone out."
    );
}
