//! The checks at receipt and when due: each reason once, and which comes first when several hold.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use jiff::{SignedDuration, Timestamp};
use normalize::{Inbound, LanguageTag, SurveyRequest};
use policy::{
    Approval, Brand, Channel, Company, DueFacts, Employee, Facts, Item, KeyItem, Mode, Reason,
    RequestedVia, Verdict, decide_via, recheck, recheck_by_hand,
};
use serde_json::{Map, Value, json};

fn item(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn company(value: Value) -> Company {
    Company::read(&item(value), |_| true)
}

struct World {
    company: Company,
    channels: Vec<Channel>,
    brands: Vec<Brand>,
    languages: Vec<LanguageTag>,
    employees: Vec<Employee>,
    key: KeyItem,
}

impl World {
    fn new() -> Self {
        let channel = |value| Channel::read(&item(value));
        let employee = |id: &str, status: &str| {
            Employee::read(&item(json!({
                "kind": "employee", "id": id, "status": status, "name": "Paul",
                "custom_id": "7",
            })))
        };
        Self {
            company: company(json!({
                "kind": "company", "id": "settings", "internal_domains": ["blancapeak.com"],
            })),
            channels: vec![
                channel(json!({
                    "kind": "channel", "id": "email", "mode": " Integrated ",
                    "aliases": ["contact_form"],
                })),
                channel(json!({ "kind": "channel", "id": "phone" })),
                channel(json!({
                    "kind": "channel", "id": "chat", "mode": "integrated",
                    "delay_minutes": "90",
                })),
                channel(json!({
                    "kind": "channel", "id": "off", "mode": "integrated", "enabled": false,
                })),
                channel(json!({ "kind": "channel", "id": "typo", "mode": "integratd" })),
            ],
            brands: vec![],
            languages: ["de", "fr", "pt-BR", "es-419"]
                .iter()
                .filter_map(|tag| LanguageTag::parse(tag))
                .collect(),
            employees: vec![
                employee("paul@agents.example", "approved"),
                employee("left@agents.example", "Deactivated"),
                employee("new@agents.example", "created"),
                employee("typo@agents.example", "aproved"),
            ],
            key: KeyItem::read(&Item::new(&item(
                json!({ "kind": "key", "id": "ab", "mode": "live", "scopes": ["send"] }),
            ))),
        }
    }

    fn with_brands(mut self, brands: &[Value]) -> Self {
        self.brands = brands.iter().map(|brand| Brand::read(&item(brand.clone()))).collect();
        self
    }

    fn with_company(mut self, company: Value) -> Self {
        self.company = self::company(company);
        self
    }

    fn due(&self) -> DueFacts<'_> {
        DueFacts {
            company: &self.company,
            channels: &self.channels,
            brand: None,
            key: Some(&self.key),
            employee: self.employees.first(),
        }
    }

    fn decide(&self, changes: Value, mode: Mode) -> Verdict {
        self.decide_via(RequestedVia::Api, changes, mode)
    }

    fn decide_via(&self, via: RequestedVia, changes: Value, mode: Mode) -> Verdict {
        let request = request(changes);
        let email = request.employee.as_ref().and_then(|e| e.email());
        let facts = Facts {
            company: &self.company,
            channels: &self.channels,
            brands: &self.brands,
            languages: &self.languages,
            employee: self.employees.iter().find(|e| Some(e.email.as_str()) == email),
        };
        decide_via(via, &request, mode, &facts, now())
    }

    fn reason(&self, changes: Value) -> Option<Reason> {
        match self.decide(changes, Mode::Live) {
            Verdict::Refuse(reason) => Some(reason),
            Verdict::Send(_) => None,
        }
    }

    fn plan(&self, changes: Value) -> Approval {
        match self.decide(changes, Mode::Live) {
            Verdict::Send(plan) => plan,
            Verdict::Refuse(reason) => panic!("refused: {reason:?}"),
        }
    }
}

/// A good request with some fields changed (`null` takes a field away).
fn request(changes: Value) -> SurveyRequest {
    let mut body = json!({
        "channel": "email", "customer": { "name": "Jane", "email": "jane@example.com" },
        "employee": { "email": "paul@agents.example" },
    });
    for (name, value) in item(changes) {
        body[&name] = value;
    }
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    match normalize::requests::parse(body.to_string().as_bytes()).unwrap() {
        Inbound::Survey(request) => *request,
        other => panic!("{other:?}"),
    }
}

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

#[test]
fn each_reason_has_its_case() {
    let world = World::new();
    let customer = |email: &str| json!({ "name": "Jane", "email": email });
    let cases = [
        (json!({}), None),
        (json!({ "do_not_send": true }), Some(Reason::DoNotSend)),
        (json!({ "tags": ["vip", "StellaConnect-Do-Not-Send"] }), Some(Reason::DoNotSend)),
        (json!({ "customer": customer("no_email") }), Some(Reason::NoEmail)),
        (json!({ "customer": null }), Some(Reason::NoEmail)),
        (json!({ "customer": customer("jane@") }), Some(Reason::InvalidCustomer)),
        (json!({ "customer": customer("jane@blancapeak.com") }), Some(Reason::SelfSurvey)),
        (json!({ "customer": customer("Paul@agents.example") }), Some(Reason::SelfSurvey)),
        (json!({ "employee": null }), Some(Reason::NoEmployee)),
        (json!({ "employee": { "email": "who@agents.example" } }), Some(Reason::EmployeeNotFound)),
        (
            json!({ "employee": { "email": "LEFT@agents.example" } }),
            Some(Reason::EmployeeDeactivated),
        ),
        (
            json!({ "employee": { "email": "new@agents.example" } }),
            Some(Reason::EmployeeProfileIncomplete),
        ),
        (
            json!({ "employee": { "email": "typo@agents.example" } }),
            Some(Reason::EmployeeProfileIncomplete),
        ),
        (json!({ "channel": "fax" }), Some(Reason::ChannelNotEnabled)),
        (json!({ "channel": "off" }), Some(Reason::ChannelNotEnabled)),
        (json!({ "channel": "phone" }), Some(Reason::ChannelManual)),
        (json!({ "channel": "typo" }), Some(Reason::ChannelManual)),
        (json!({ "brand": "none of ours" }), Some(Reason::BrandInvalid)),
    ];
    for (changes, reason) in cases {
        assert_eq!(world.reason(changes.clone()), reason, "{changes}");
    }
}

#[test]
fn the_order_is_the_contracts() {
    let world = World::new();
    let mut all_wrong = json!({
        "do_not_send": true, "customer": { "email": "nonsense" },
        "employee": { "email": "who@agents.example" },
        "channel": "fax", "brand": "x",
    });
    for (mend, reason) in [
        (json!({}), Reason::DoNotSend),
        (json!({ "do_not_send": false }), Reason::InvalidCustomer),
        (json!({ "customer": { "email": "jane@example.com" } }), Reason::EmployeeNotFound),
        (json!({ "employee": { "email": "paul@agents.example" } }), Reason::ChannelNotEnabled),
        (json!({ "channel": "phone" }), Reason::ChannelManual),
        (json!({ "channel": "Email" }), Reason::BrandInvalid),
    ] {
        for (name, value) in item(mend) {
            all_wrong[&name] = value;
        }
        assert_eq!(world.reason(all_wrong.clone()), Some(reason));
    }
}

#[test]
fn a_set_up_test_with_a_made_up_employee_passes() {
    let sample = json!({
        "customer": { "name": "pete", "email": "pete@stellaservice.com" }, "do_not_send": true,
        "employee": { "email": "pete.sellar@stellaservice.com" }, "channel": "phone",
    });
    assert_eq!(World::new().reason(sample), Some(Reason::DoNotSend));
}

#[test]
fn manual_mode_does_not_concern_test_keys() {
    assert!(matches!(
        World::new().decide(json!({ "channel": "phone" }), Mode::Test),
        Verdict::Send(_)
    ));
    assert_eq!(
        World::new().decide(json!({ "channel": "off" }), Mode::Test),
        Verdict::Refuse(Reason::ChannelNotEnabled)
    );
}

#[test]
fn manual_mode_lets_in_what_an_agent_sends_by_hand() {
    let world = World::new();
    let by_hand = |changes| world.decide_via(RequestedVia::Manual, changes, Mode::Live);
    assert!(matches!(by_hand(json!({ "channel": "phone" })), Verdict::Send(_)));
    for (changes, reason) in [
        (json!({ "channel": "off" }), Reason::ChannelNotEnabled),
        (json!({ "channel": "phone", "customer": {} }), Reason::NoEmail),
        (
            json!({ "channel": "phone", "employee": { "email": "left@agents.example" } }),
            Reason::EmployeeDeactivated,
        ),
    ] {
        assert_eq!(by_hand(changes), Verdict::Refuse(reason));
    }
}

#[test]
fn names_are_compared_without_case_and_a_delay_counts_from_receipt() {
    let plan = World::new().plan(json!({ "channel": " CONTACT_FORM " }));
    assert_eq!((plan.channel.as_str(), plan.due), ("email", now()));
    let plan = World::new().plan(json!({ "channel": "Chat" }));
    assert_eq!(plan.due, now() + SignedDuration::from_mins(90));
}

#[test]
fn a_brand_is_found_by_signifier_or_name_and_may_have_a_default() {
    let kids = json!({ "kind": "brand", "id": "blancakids", "name": "Blanca Kids" });
    let old = json!({ "kind": "brand", "id": "old", "active": "no" });
    let home = json!({ "kind": "brand", "id": "home" });
    let one = World::new().with_brands(&[kids.clone(), old.clone()]);
    assert_eq!(
        one.plan(json!({})).brand.as_deref(),
        Some("blancakids"),
        "an only brand needs no naming"
    );
    assert_eq!(one.plan(json!({ "brand": "blanca KIDS" })).brand.as_deref(), Some("blancakids"));
    assert_eq!(one.reason(json!({ "brand": "old" })), Some(Reason::BrandInvalid));
    let two = World::new().with_brands(&[kids.clone(), home.clone()]);
    assert_eq!(two.reason(json!({})), Some(Reason::BrandMissing));
    let typo = World::new()
        .with_brands(&[kids.clone(), json!({ "kind": "brand", "id": "home", "active": "ys" })]);
    assert_eq!(
        typo.reason(json!({})),
        Some(Reason::BrandMissing),
        "a typo in one makes no other the only one"
    );
    let default = two.with_company(json!({ "default_brand": "HOME" }));
    assert_eq!(default.plan(json!({})).brand.as_deref(), Some("home"));
}

#[test]
fn a_language_falls_back() {
    let world = World::new();
    for (given, resolved) in [
        ("pt_BR", "pt-BR"),
        ("de-AT", "de"),
        ("es-MX", "es-419"),
        ("cy", "en"),
        ("None", "en"),
        ("klingon!", "en"),
    ] {
        assert_eq!(world.plan(json!({ "language": given })).language.as_str(), resolved, "{given}");
    }
    assert_eq!(world.plan(json!({})).language.as_str(), "en");
    let strict = world.with_company(json!({ "default_language": "" }));
    assert_eq!(strict.reason(json!({})), Some(Reason::LanguageMissing));
    assert_eq!(strict.reason(json!({ "language": "cy" })), Some(Reason::LanguageInvalid));
    assert_eq!(strict.plan(json!({ "language": "fr-CA" })).language.as_str(), "fr");
}

#[test]
fn when_due_a_live_request_is_checked_once_more() {
    let world = World::new();
    let facts = world.due();
    assert_eq!(recheck(Mode::Live, "email", &facts), Ok(None));
    assert_eq!(
        recheck(Mode::Live, "email", &DueFacts { key: Some(&KeyItem::Revoked), ..facts }),
        Err(Reason::KeyRevoked)
    );
    assert_eq!(recheck(Mode::Live, "phone", &facts), Err(Reason::ChannelManual));
    assert_eq!(
        recheck(Mode::Live, "email", &DueFacts { employee: world.employees.get(1), ..facts }),
        Err(Reason::EmployeeDeactivated)
    );
    assert_eq!(
        recheck(Mode::Live, "email", &DueFacts { employee: None, ..facts }),
        Err(Reason::EmployeeNotFound)
    );
    assert_eq!(recheck(Mode::Test, "phone", &DueFacts { key: None, ..facts }), Ok(None));
}

#[test]
fn what_was_sent_by_hand_is_checked_once_more_without_a_key() {
    let world = World::new();
    let facts = DueFacts { key: None, ..world.due() };
    assert_eq!(recheck_by_hand("phone", &facts), Ok(None));
    assert_eq!(recheck_by_hand("email", &facts), Ok(None), "the channel was switched since");
    assert_eq!(recheck_by_hand("off", &facts), Err(Reason::ChannelNotEnabled));
    let of = |employee| recheck_by_hand("phone", &DueFacts { employee, ..facts });
    assert_eq!(of(world.employees.get(1)), Err(Reason::EmployeeDeactivated));
    assert_eq!(of(None), Err(Reason::EmployeeNotFound));
    assert_eq!(of(world.employees.get(3)).unwrap().unwrap().attribute, "status");
    assert_eq!(recheck_by_hand("typo", &facts).unwrap().unwrap().attribute, "mode");
}

#[test]
fn a_config_fault_holds_what_is_due() {
    let world = World::new()
        .with_company(json!({ "kind": "company", "id": "settings", "suppression_days": "a week" }));
    let facts = world.due();
    let fault = recheck(Mode::Live, "email", &facts).unwrap().unwrap();
    assert_eq!(
        fault.to_string(),
        "company/settings has a value of `suppression_days` that cannot be understood"
    );
    let fine = World::new();
    let facts = DueFacts { company: &fine.company, ..facts };
    for mode in [Mode::Live, Mode::Test] {
        assert_eq!(recheck(mode, "typo", &facts).unwrap().unwrap().attribute, "mode");
    }
    let typo =
        KeyItem::read(&Item::new(&item(json!({ "kind": "key", "id": "ab", "mode": "life" }))));
    assert_eq!(
        recheck(Mode::Live, "email", &DueFacts { key: Some(&typo), ..facts })
            .unwrap()
            .unwrap()
            .attribute,
        "mode"
    );
    let held = recheck(Mode::Live, "email", &DueFacts { employee: fine.employees.get(3), ..facts });
    assert_eq!(
        held.unwrap().unwrap().attribute,
        "status",
        "at receipt it is incomplete; what was let in before waits"
    );
}

#[test]
fn settings_have_the_documented_defaults_and_lenient_spellings() {
    let company = company(json!({}));
    assert_eq!(
        (
            [company.suppression, company.open, company.retention, company.bounce]
                .map(|time| time.as_hours() / 24),
            company.send_rate,
            company.send_attempts,
        ),
        ([7, 14, 90, 90], 14, 8)
    );
    assert_eq!(company.default_language, LanguageTag::parse("en"));
    assert_eq!(
        company.dedupe_window(normalize::Source::Gorgias),
        SignedDuration::from_hours(24 * 30)
    );
    assert!(company.faults.is_empty());
    let company = self::company(json!({
        "internal_domains": "@A.example, bücher.example", "dedupe_minutes": { "zendesk": "5" },
        "suppression_days": "0", "test_email": "nobody",
    }));
    assert_eq!(
        (company.internal_domains, company.suppression),
        (vec!["a.example".into(), "xn--bcher-kva.example".into()], SignedDuration::ZERO)
    );
    let attributes: Vec<&str> = company.faults.iter().map(|f| f.attribute.as_str()).collect();
    assert_eq!(attributes, ["test_email"]);
    let company = self::company(json!({ "test_email": "Test <try@a.example>" }));
    assert_eq!(company.test_email.unwrap().as_mailbox(), "try@a.example");
}
