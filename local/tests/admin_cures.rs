//! For each reason: the admin page says why, the cure that it names is applied to the running
//! stack, and the next request goes out.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use kit::admin::hidden;
use kit::{LIVE, World, request};
use local::faults::{Fault, InjectedReply};
use policy::Reason;
use serde_json::{Value, json};

fn ann() -> String {
    format!("Basic {}", STANDARD.encode("ann:aw_admin_local"))
}

impl World {
    /// The page of a request, as text.
    async fn page_of(&self, id: &str) -> String {
        let ann = ann();
        let path = format!("/admin/requests/{id}");
        let page = self.call("GET", &path, &[("authorization", &ann)], "").await;
        assert_eq!(page.status, 200, "{}", page.text);
        page.text.replace("&#39;", "'")
    }

    async fn send_now(&self, id: &str) -> kit::Reply {
        let ann = ann();
        let headers =
            [("authorization", &*ann), ("content-type", "application/x-www-form-urlencoded")];
        self.call("POST", &format!("/admin/requests/{id}"), &headers, "action=send").await
    }

    /// Posts a request; returns its id, whatever the reply.
    async fn came(&mut self, body: &Value) -> String {
        let reply = self.post("/v1/requests", body).await;
        self.settle().await;
        reply.id()
    }
}

/// A reason that is decided at receipt or when due, how it comes about, and its cure.
struct Cure {
    reason: Reason,
    /// What is wrong with the configuration.
    wrong: Option<(&'static str, &'static str, Value)>,
    /// What is wrong with the request.
    body: Value,
    /// What the page says.
    says: &'static [&'static str],
    /// What an admin changes.
    mended: Option<(&'static str, &'static str, Value)>,
    /// What the sender changes in the next request.
    next: Value,
}

fn cures() -> Vec<Cure> {
    let integrated = || json!({ "mode": "integrated" });
    let cure = |reason, says| Cure {
        reason,
        wrong: None,
        body: json!({}),
        says,
        mended: None,
        next: json!({}),
    };
    let paul = "paul@blancapeak.example";
    vec![
        Cure {
            body: json!({ "do_not_send": true }),
            next: json!({ "do_not_send": false }),
            ..cure(
                Reason::DoNotSend,
                &[
                    "the sender said do-not-send",
                    "Without do-not-send, this one would have gone out",
                ],
            )
        },
        Cure {
            body: json!({ "customer": { "name": "Jane" } }),
            next: json!({ "customer": { "email": "next1@customers.example" } }),
            ..cure(Reason::NoEmail, &["With an e-mail address, this one would have gone out"])
        },
        Cure {
            body: json!({ "customer": { "email": "jane at customers" } }),
            next: json!({ "customer": { "email": "next2@customers.example" } }),
            ..cure(
                Reason::InvalidCustomer,
                &["With a well-formed address, this one would have gone out"],
            )
        },
        Cure {
            body: json!({ "employee": {} }),
            next: json!({ "employee": { "email": paul } }),
            ..cure(Reason::NoEmployee, &["With an agent assigned, this one would have gone out"])
        },
        Cure {
            wrong: Some((
                "company",
                "settings",
                json!({ "internal_domains": ["customers.example"] }),
            )),
            mended: Some(("company", "settings", json!({ "internal_domains": [] }))),
            ..cure(
                Reason::SelfSurvey,
                &[
                    "customers.example is an internal domain",
                    "/admin/settings#internal_domains",
                    "Without customers.example among the internal domains, this one would have gone out",
                ],
            )
        },
        Cure {
            body: json!({ "employee": { "email": "new@blancapeak.example" } }),
            mended: Some((
                "employee",
                "new@blancapeak.example",
                json!({ "name": "New", "status": "approved" }),
            )),
            next: json!({ "employee": { "email": "new@blancapeak.example" } }),
            ..cure(
                Reason::EmployeeNotFound,
                &[
                    "/admin/people?add=new%40blancapeak.example",
                    "among the people, this one would have gone out",
                ],
            )
        },
        Cure {
            body: json!({ "employee": { "email": "gus@blancapeak.example" } }),
            mended: Some((
                "employee",
                "gus@blancapeak.example",
                json!({ "name": "Gus", "status": "approved" }),
            )),
            next: json!({ "employee": { "email": "gus@blancapeak.example" } }),
            ..cure(
                Reason::EmployeeDeactivated,
                &[
                    "gus@blancapeak.example is deactivated",
                    "/admin/people?edit=gus%40blancapeak.example",
                ],
            )
        },
        Cure {
            body: json!({ "employee": { "email": "nora@blancapeak.example" } }),
            mended: Some((
                "employee",
                "nora@blancapeak.example",
                json!({ "name": "Nora", "status": "approved" }),
            )),
            next: json!({ "employee": { "email": "nora@blancapeak.example" } }),
            ..cure(
                Reason::EmployeeProfileIncomplete,
                &[
                    "is not approved",
                    "With nora@blancapeak.example approved, this one would have gone out",
                ],
            )
        },
        Cure {
            body: json!({ "channel": "fax" }),
            mended: Some(("channel", "fax", integrated())),
            next: json!({ "channel": "fax" }),
            ..cure(
                Reason::ChannelNotEnabled,
                &["there is no channel called fax", "/admin/channels"],
            )
        },
        Cure {
            wrong: Some(("channel", "phone", json!({ "mode": "manual" }))),
            body: json!({ "channel": "phone" }),
            mended: Some(("channel", "phone", integrated())),
            next: json!({ "channel": "phone" }),
            ..cure(
                Reason::ChannelManual,
                &[
                    "the channel phone is in manual mode",
                    "/admin/channels?flip=phone",
                    "in integrated mode, this one would have gone out",
                ],
            )
        },
        Cure {
            wrong: Some(("brand", "second", json!({ "name": "Second" }))),
            mended: Some(("company", "settings", json!({ "default_brand": "blancakids" }))),
            ..cure(
                Reason::BrandMissing,
                &[
                    "as the default brand, this one would have gone out",
                    "/admin/settings#default_brand",
                ],
            )
        },
        Cure {
            body: json!({ "brand": "third" }),
            mended: Some(("brand", "third", json!({ "name": "Third" }))),
            next: json!({ "brand": "third" }),
            ..cure(
                Reason::BrandInvalid,
                &["there is no active brand called third", "/admin/brands?edit=third"],
            )
        },
        Cure {
            wrong: Some((
                "company",
                "settings",
                json!({ "default_language": "", "default_brand": "blancakids" }),
            )),
            mended: Some(("company", "settings", json!({ "default_language": "en" }))),
            ..cure(
                Reason::LanguageMissing,
                &["With a default language, this one would have gone out"],
            )
        },
        Cure {
            wrong: Some(("company", "settings", json!({ "default_language": "" }))),
            body: json!({ "language": "ko" }),
            mended: Some(("company", "settings", json!({ "default_language": "en" }))),
            next: json!({ "language": "ko" }),
            ..cure(Reason::LanguageInvalid, &["the company does not have ko", "/admin/languages"])
        },
    ]
}

fn with(body: Value, changes: &Value) -> Value {
    let mut body = body;
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

impl World {
    fn change(&self, (kind, id, attributes): (&str, &str, Value)) {
        match kind {
            "company" => self.company(attributes),
            _ => self.configure(kind, id, attributes),
        }
    }
}

#[tokio::test]
async fn the_page_says_why_and_after_its_cure_the_next_request_goes_out() {
    let mut world = World::new().await;
    for (n, case) in cures().into_iter().enumerate() {
        let code = case.reason.code();
        if let Some(wrong) = case.wrong {
            world.change(wrong);
        }
        world.advance(SignedDuration::from_secs(31));
        let first = request(&format!("a{n}"), &format!("a{n}@customers.example"));
        let id = world.came(&with(first, &case.body)).await;
        assert!(world.outcome(&id).await.ends_with(code), "{code}: {}", world.outcome(&id).await);
        let page = world.page_of(&id).await;
        assert!(!page.contains("value=\"send\""), "{code}: nothing is mended yet");
        for says in case.says {
            assert!(page.contains(says), "{code}: {says} in {page}");
        }
        if let Some(mended) = case.mended {
            world.change(mended);
        }
        world.advance(SignedDuration::from_secs(31));
        let next = request(&format!("b{n}"), &format!("b{n}@customers.example"));
        let next = world.came(&with(next, &case.next)).await;
        assert_eq!(world.outcome(&next).await, "delivered", "{code}");
        // And what an admin may send again goes out too, once.
        let page = world.page_of(&id).await;
        if page.contains("value=\"send\"") {
            let sent = world.send_now(&id).await;
            assert_eq!(sent.status, 303, "{code}: {}", sent.text);
            world.settle().await;
            let to = format!("a{n}@customers.example");
            let mails = world.mails_to(&to).len();
            assert_eq!(mails, 1, "{code}");
        }
    }
}

#[tokio::test]
async fn what_happened_between_receipt_and_sending_is_explained_too() {
    let mut world = World::new().await;
    // Suppression: the page names the earlier survey, and the period with which it would have gone.
    let first = world.came(&request("881", "jane@customers.example")).await;
    assert_eq!(world.outcome(&first).await, "delivered");
    world.advance(SignedDuration::from_hours(3 * 24 + 1));
    let second = world.came(&request("882", "jane@customers.example")).await;
    assert!(world.outcome(&second).await.ends_with("suppression_period"));
    let page = world.page_of(&second).await;
    assert!(
        page.contains(
            "Not asked: surveyed on 21 November about #881. Possible again from 28 November. \
             With a suppression period of 3 days this one would have gone out."
        ),
        "{page}"
    );
    // The cure: a window lasts as long as it was to last when its mail was sent.
    world.company(json!({ "suppression_days": 3 }));
    world.advance(SignedDuration::from_secs(31));
    world.came(&request("886", "jim@customers.example")).await;
    world.advance(SignedDuration::from_hours(3 * 24 + 1));
    let third = world.came(&request("887", "jim@customers.example")).await;
    assert_eq!(world.outcome(&third).await, "delivered", "the cure");
    // Reopened, cancelled, and a revoked key.
    world.configure("channel", "email", json!({ "mode": "integrated", "delay_minutes": 30 }));
    world.advance(SignedDuration::from_secs(31));
    let cancelled = world.came(&request("884", "joe@customers.example")).await;
    let path = format!("/v1/requests/{cancelled}");
    assert_eq!(world.call("DELETE", &path, &[("x-api-key", LIVE)], "").await.status, 200);
    let page = world.page_of(&cancelled).await;
    assert!(page.contains("the sender took the request back"), "{page}");
    assert!(!page.contains("value=\"send\""), "the sender does not want it");
    let digest = intake::digest(b"aw_live_old");
    world.configure("key", &digest, json!({ "mode": "live", "scopes": ["send"] }));
    let body = request("885", "joy@customers.example");
    let revoked = world.post_as("aw_live_old", "/v1/requests", &body).await.id();
    world.configure("key", &digest, json!({ "mode": "live", "scopes": ["send"], "revoked": true }));
    world.advance(SignedDuration::from_mins(31));
    world.sweep().await;
    world.settle().await;
    assert!(world.outcome(&revoked).await.ends_with("key_revoked"));
    assert!(world.page_of(&revoked).await.contains("/admin/keys"));
}

#[tokio::test]
async fn what_would_be_refused_when_due_is_not_sent_now_and_test_requests_are_not_bound_by_it() {
    let mut world = World::new().await;
    let key = |revoked: bool| json!({ "mode": "live", "scopes": ["send"], "revoked": revoked });
    let digest = intake::digest(b"aw_live_old");
    world.configure("key", &digest, key(false));
    let unknown = |ext: &str, email: &str| {
        let mut body = request(ext, email);
        body["employee"] = json!({ "email": "new@blancapeak.example" });
        body
    };
    let body = unknown("1", "one@customers.example");
    let revoked = world.post_as("aw_live_old", "/v1/requests", &body).await.id();
    let unsubscribed = world.came(&unknown("2", "two@customers.example")).await;
    let rejected = world.came(&unknown("3", "bounce@simulator.amazonses.com")).await;
    let surveyed = world.came(&unknown("4", "four@customers.example")).await;
    let body = unknown("5", "four@customers.example");
    let test = world.post_as(kit::TEST, "/v1/requests", &body).await.id();
    world.settle().await;

    let approved = json!({ "name": "New", "status": "approved" });
    world.configure("employee", "new@blancapeak.example", approved);
    world.configure("key", &digest, key(true));
    for (ext, email) in [
        ("12", "two@customers.example"),
        ("13", "bounce@simulator.amazonses.com"),
        ("14", "four@customers.example"),
    ] {
        world.came(&request(ext, email)).await;
    }
    let mail = world.mails_to("two@customers.example").remove(0);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let one_click = "List-Unsubscribe=One-Click";
    world.call("POST", &kit::link(&mail, "/u/"), &form, one_click).await;
    world.advance(SignedDuration::from_secs(31));
    let before = world.count("interactions");
    for (id, reason) in [
        (&revoked, Reason::KeyRevoked),
        (&unsubscribed, Reason::Unsubscribed),
        (&rejected, Reason::Rejected),
        (&surveyed, Reason::SuppressionPeriod),
    ] {
        let page = world.page_of(id).await;
        assert!(!page.contains("value=\"send\""), "{reason:?}");
        assert!(page.contains(&format!("no mail: {}.", reason.sentence())), "{reason:?}: {page}");
        let sent = world.send_now(id).await;
        assert_eq!(sent.status, 422, "{reason:?}");
        assert!(sent.text.contains(reason.sentence()), "{reason:?}: {}", sent.text);
    }
    assert_eq!(world.count("interactions"), before, "nothing is recorded");
    assert!(world.page_of(&test).await.contains("value=\"send\""));
    let sent = world.send_now(&test).await;
    assert_eq!(sent.status, 303);
    world.settle().await;
    let location = sent.headers["location"].to_str().unwrap();
    let copy = location.rsplit('/').next().unwrap().split('?').next().unwrap();
    assert_eq!(world.outcome(copy).await, "delivered");
}

/// Releases what keeps an address from being mailed, on the page that the cure leads to.
async fn release(world: &World, email: &str, kind: &str) {
    let page = world.submit("/admin/suppression", &[("action", "look"), ("email", email)]).await;
    assert!(page.text.contains(&format!("name=\"kind\" value=\"{kind}\"")), "{}", page.text);
    let (subject, version) = (hidden(&page, "subject"), hidden(&page, "version"));
    let fields =
        [("action", "release"), ("subject", &*subject), ("kind", kind), ("version", &*version)];
    let released = world.submit("/admin/suppression", &fields).await;
    assert_eq!(released.status, 303, "{}", released.text);
}

#[tokio::test]
async fn what_customer_helpdesk_or_ses_prevented_goes_out_after_its_cure() {
    let mut world = World::proxied().await;
    let days = SignedDuration::from_hours(24 * 8);
    // The customer unsubscribed, and asked for surveys again.
    let jane = "jane@customers.example";
    world.came(&request("1", jane)).await;
    let mail = world.mails_to(jane).remove(0);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    world.call("POST", &kit::link(&mail, "/u/"), &form, "List-Unsubscribe=One-Click").await;
    world.advance(days);
    let refused = world.came(&request("2", jane)).await;
    let page = world.page_of(&refused).await;
    assert!(page.contains("the customer has unsubscribed") && page.contains("/admin/suppression"));
    release(&world, jane, "unsubscribed").await;
    let next = world.came(&request("3", jane)).await;
    assert_eq!(world.outcome(&next).await, "delivered");

    // The address bounced. (It does so again: the mail went out.)
    let bounces = "bounce@simulator.amazonses.com";
    world.came(&request("4", bounces)).await;
    world.advance(days);
    let refused = world.came(&request("5", bounces)).await;
    assert!(world.outcome(&refused).await.ends_with("rejected"));
    let page = world.page_of(&refused).await;
    assert!(page.contains("an earlier mail to the address bounced"), "{page}");
    release(&world, bounces, "bounced").await;
    let next = world.came(&request("6", bounces)).await;
    assert_eq!(world.outcome(&next).await, "hard_bounce");

    // The helpdesk's status has no meaning here yet.
    let ticket = |ext: &str, status: &str| {
        let mut body = request(ext, &format!("{ext}@customers.example"));
        body["status"] = json!(status);
        body
    };
    let zendesk = "/v1/webhooks/zendesk";
    let refused = world.post(zendesk, &ticket("7", "Gelöst")).await.id();
    let page = world.page_of(&refused).await;
    assert!(page.contains("/admin/set-up/zendesk"), "{page}");
    world.configure("integration", "zendesk", json!({ "closed_statuses": ["Gelöst"] }));
    world.advance(SignedDuration::from_secs(31));
    let next = world.post(zendesk, &ticket("8", "Gelöst")).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&next).await, "delivered");

    // The ticket was opened again, and is closed once more.
    world.configure("channel", "email", json!({ "mode": "integrated", "delay_minutes": 30 }));
    world.advance(SignedDuration::from_secs(31));
    let refused = world.post(zendesk, &ticket("9", "Gelöst")).await.id();
    world.settle().await;
    world.post(zendesk, &ticket("9", "open")).await;
    assert_eq!(world.outcome(&refused).await, "not_sent: reopened");
    let page = world.page_of(&refused).await;
    assert!(page.contains("Possible again when the ticket is closed once more"), "{page}");
    let next = world.post(zendesk, &ticket("9", "Gelöst")).await.id();
    world.advance(SignedDuration::from_mins(31));
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.outcome(&next).await, "delivered");

    // SES refused the mail as often as is set.
    world.configure("channel", "email", json!({ "mode": "integrated" }));
    world.company(json!({ "send_attempts": 1 }));
    world.advance(SignedDuration::from_secs(31));
    let refusal =
        InjectedReply::error(StatusCode::BAD_REQUEST, "MessageRejected", "Email content rejected.");
    let ses = |world: &World, fault: Fault| {
        world.stack.proxies.as_ref().unwrap().ses.plan(move |_| fault.clone());
    };
    ses(&world, Fault::Reply(refusal));
    let refused = world.post("/v1/requests", &request("10", "joe@customers.example")).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&refused).await, "failed: send_attempts");
    ses(&world, Fault::None);
    let page = world.page_of(&refused).await;
    assert!(page.contains("/admin/settings#from") && page.contains("value=\"send\""), "{page}");
    assert_eq!(world.send_now(&refused).await.status, 303);
    world.settle().await;
    assert_eq!(world.mails_to("joe@customers.example").len(), 1);
    let next = world.came(&request("11", "jim@customers.example")).await;
    assert_eq!(world.outcome(&next).await, "delivered");
}
