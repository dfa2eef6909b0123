//! `/admin/suppression`: why an address is not mailed, releasing it, unsubscribing it, and erasing
//! a person.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use kit::{Reply, World, link, request};
use local::seed::ADMIN_KEY;
use serde_json::json;

const PATH: &str = "/admin/suppression";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JANE: &str = "jane@customers.example";

/// How a test signs in.
#[derive(Clone)]
struct Admin {
    header: (&'static str, String),
    form_token: String,
}

impl Admin {
    fn basic(key: &str) -> Self {
        let header = format!("Basic {}", STANDARD.encode(format!("ann:{key}")));
        Self { header: ("authorization", header), form_token: String::new() }
    }

    async fn session(world: &World) -> Self {
        let body = encoded(&[("name", "Ann"), ("key", ADMIN_KEY)]);
        let reply = world.call("POST", "/admin/sign-in", &[FORM], body).await;
        let cookie = reply.headers["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let page = world.call("GET", PATH, &[("cookie", &cookie)], "").await;
        let form_token = field(&page, "form_token");
        Self { header: ("cookie", cookie), form_token }
    }

    async fn get(&self, world: &World, path: &str) -> Reply {
        world.call("GET", path, &[(self.header.0, &self.header.1)], "").await
    }

    async fn post(&self, world: &World, fields: &[(&str, &str)]) -> Reply {
        let mut fields = fields.to_vec();
        fields.push(("form_token", &self.form_token));
        world.call("POST", PATH, &[FORM, (self.header.0, &self.header.1)], encoded(&fields)).await
    }

    /// Posts, and follows the 303 that has to come.
    async fn change(&self, world: &World, fields: &[(&str, &str)]) -> Reply {
        let reply = self.post(world, fields).await;
        assert_eq!(reply.status, 303, "{}", reply.text);
        let location = reply.headers["location"].to_str().unwrap().to_owned();
        assert!(!location.contains("jane") && !location.contains('@'), "{location}");
        self.get(world, &location).await
    }
}

fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The value of the first hidden field of this name.
fn field(page: &Reply, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.text.split_once(&start).unwrap_or_else(|| panic!("{name}: {}", page.text));
    rest.split('"').next().unwrap().to_owned()
}

/// A customer who was mailed, has unsubscribed from a brand, and whose address bounced.
async fn with_jane() -> World {
    let mut world = World::new().await;
    let mut body = request("1", JANE);
    body["brand"] = json!("blancakids");
    world.post("/v1/requests", &body).await;
    world.settle().await;
    world
}

#[tokio::test]
async fn an_address_that_is_not_mailed_says_why_and_until_when_and_is_released() {
    let mut world = with_jane().await;
    for admin in [Admin::basic(ADMIN_KEY), Admin::session(&world).await] {
        let page =
            admin.post(&world, &[("action", "look"), ("email", " Jane@Customers.EXAMPLE")]).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("28 November 2026, 09:00"), "{}", page.text);
        assert!(page.text.contains("href=\"/admin/requests/"), "{}", page.text);
        let (subject, version) = (field(&page, "subject"), field(&page, "version"));
        let release = [
            ("action", "release"),
            ("subject", &*subject),
            ("kind", "window"),
            ("version", &*version),
        ];
        let stale = [release[0], release[1], release[2], ("version", "another")];
        let conflict = admin.post(&world, &stale).await;
        assert_eq!(conflict.status, 409);
        assert!(conflict.text.contains("28 November 2026"), "it shows how it is now");
        let page = admin.change(&world, &release).await;
        assert!(page.text.contains("Released.") && page.text.contains("Nothing stands in the way"));
        assert_eq!(admin.post(&world, &release).await.status, 409, "nothing is there any more");
        // The next one goes out.
        let id = world.post("/v1/requests", &request(&version, JANE)).await.id();
        world.settle().await;
        assert_eq!(world.outcome(&id).await, "delivered");
    }
    let audit = Admin::basic(ADMIN_KEY).get(&world, "/admin/audit").await;
    assert!(
        audit.text.contains("released an address") && audit.text.contains("looked up an address")
    );
    assert!(!audit.text.to_lowercase().contains("jane"), "{}", audit.text);
}

#[tokio::test]
async fn unsubscribes_are_shown_made_and_released_for_all_and_for_a_brand() {
    let mut world = with_jane().await;
    let admin = Admin::session(&world).await;
    let page = admin.post(&world, &[("action", "look"), ("email", JANE)]).await;
    let subject = field(&page, "subject");
    let unsubscribe =
        |scope: &'static str| [("action", "unsubscribe"), ("subject", &*subject), ("scope", scope)];
    let page = admin.change(&world, &unsubscribe("blancakids")).await;
    assert!(
        page.text
            .contains("An admin unsubscribed the address: no mail, from surveys of Blanca Kids.")
    );
    let page = admin.change(&world, &unsubscribe("")).await;
    assert!(page.text.contains("An admin unsubscribed the address: no mail, from every survey."));
    let unknown = admin.post(&world, &unsubscribe("no-brand")).await;
    assert_eq!(unknown.status, 422);
    assert!(unknown.text.contains("id=\"scope-error\""), "{}", unknown.text);

    world.advance(SignedDuration::from_hours(24 * 8));
    let admin = Admin::basic(ADMIN_KEY);
    let id = world.post("/v1/requests", &request("2", JANE)).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&id).await, "not_sent: unsubscribed");
    // The window is over. The two are released one by one, and the brand's alone still counts for
    // a request of this brand.
    for (kind, ext, outcome) in [
        ("unsubscribed", "3", "not_sent: unsubscribed"),
        ("unsubscribed#blancakids", "4", "delivered"),
    ] {
        let page = admin.get(&world, &format!("{PATH}?subject={subject}")).await;
        assert_eq!(field(&page, "kind"), kind);
        let version = field(&page, "version");
        let release =
            [("action", "release"), ("subject", &*subject), ("kind", kind), ("version", &*version)];
        admin.change(&world, &release).await;
        let id = world.post("/v1/requests", &request(ext, JANE)).await.id();
        world.settle().await;
        assert_eq!(world.outcome(&id).await, outcome);
    }
    // The customer's own unsubscribe is not overwritten by an admin's.
    let mail = world.mails_to(JANE).pop().unwrap();
    world.call("POST", &link(&mail, "/u/"), &[FORM], "List-Unsubscribe=One-Click").await;
    let page = admin.change(&world, &unsubscribe("")).await;
    assert!(page.text.contains("unsubscribed in the mail program"), "{}", page.text);
}

#[tokio::test]
async fn a_person_is_erased_after_a_dry_run_and_a_confirmation() {
    let world = with_jane().await;
    let survey = link(&world.mails_to(JANE).remove(0), "/s/");
    world.call("POST", &survey, &[FORM], "stars=4&comment=I+am+Jane").await;
    let admin = Admin::session(&world).await;
    let page = admin.post(&world, &[("action", "look"), ("email", JANE)]).await;
    let subject = field(&page, "subject");
    let before =
        (world.count("interactions"), world.count("suppression"), world.count("responses"));
    let dry = [("action", "rehearse"), ("subject", &*subject), ("email", JANE)];
    let dry = admin.post(&world, &dry).await;
    assert_eq!(dry.status, 200);
    for held in [
        "<td>Requests of live keys</td><td class=\"number\">1</td>",
        "<td>Answers</td><td class=\"number\">1</td>",
        "<td>De-duplication markers</td><td class=\"number\">1</td>",
        "<td>Suppression window</td><td class=\"number\">1</td>",
        "<td>Bounces</td><td class=\"number\">0</td>",
    ] {
        assert!(dry.text.contains(held), "{held}: {}", dry.text);
    }
    for fields in [
        vec![("answers", "keep")],
        vec![("answers", "delete"), ("confirm", "no")],
        vec![("confirm", "yes")],
        vec![("answers", "some"), ("confirm", "yes")],
    ] {
        let mut fields = fields;
        fields.extend([("action", "erase"), ("subject", &*subject)]);
        let refused = admin.post(&world, &fields).await;
        assert_eq!(refused.status, 422, "{fields:?}");
        assert!(
            refused.text.contains("id=\"confirm-error\"")
                && refused.text.contains("role=\"alert\"")
        );
    }
    let now = (world.count("interactions"), world.count("suppression"), world.count("responses"));
    assert_eq!(now, before, "nothing was erased");
    // A form that names two people is about neither.
    let erase = |email: &'static str| {
        let fields = [("answers", "delete"), ("confirm", "yes"), ("action", "erase")];
        [&fields[..], &[("subject", &*subject), ("email", email)]].concat()
    };
    for email in ["joe@customers.example", "jane", "jane@customers.example, joe@customers.example"]
    {
        let refused = admin.post(&world, &erase(email)).await;
        assert_eq!(refused.status, 422, "{email}");
        assert!(refused.text.contains("The form names two people"), "{}", refused.text);
        for fields in [
            [("action", "unsubscribe"), ("subject", &*subject), ("email", email)],
            [("action", "rehearse"), ("subject", &*subject), ("email", email)],
            [("action", "release"), ("subject", &*subject), ("email", email)],
        ] {
            assert_eq!(admin.post(&world, &fields).await.status, 422, "{fields:?}");
        }
    }
    let nobody = [("action", "erase"), ("email", JANE), ("answers", "keep"), ("confirm", "yes")];
    assert_eq!(admin.post(&world, &nobody).await.status, 400, "it says not whom");
    let now = (world.count("interactions"), world.count("suppression"), world.count("responses"));
    assert_eq!(now, before, "nothing was erased");
    let page = admin.change(&world, &erase(JANE)).await;
    assert!(page.text.contains("This person was erased"), "{}", page.text);
    assert!(page.text.contains("<td>Answers, deleted</td><td class=\"number\">1</td>"));
    assert_eq!((world.count("interactions"), world.count("responses")), (0, 0));
    let audit = admin.get(&world, "/admin/audit").await.text;
    assert!(audit.contains("erased a person") && audit.contains("live_requests"), "{audit}");
    assert!(!audit.to_lowercase().contains("jane"), "{audit}");
}

#[tokio::test]
async fn what_cannot_be_understood_changes_nothing() {
    let world = with_jane().await;
    let viewer = json!({ "mode": "admin", "scopes": ["viewer"] });
    world.configure("key", &intake::digest(b"aw_admin_viewer"), viewer);
    let (admin, viewer) = (Admin::basic(ADMIN_KEY), Admin::basic("aw_admin_viewer"));
    let before = (world.count("audit"), world.count("suppression"));
    let long = "x".repeat(100_000);
    for email in
        ["", "jane", "jane@customers", "jane@a.example, joe@a.example", "\u{0}@a.example", &long]
    {
        let reply = admin.post(&world, &[("action", "look"), ("email", email)]).await;
        assert_eq!(reply.status, 422, "{email:.40}");
        assert!(reply.text.contains("id=\"email-error\"") && reply.text.contains("aria-invalid"));
    }
    let kept = admin.post(&world, &[("action", "look"), ("email", "<b>\"jane")]).await;
    assert!(
        kept.text.contains("&#60;b&#62;&#34;jane") || kept.text.contains("&lt;b&gt;&quot;jane")
    );
    for fields in [
        &[("action", "release")][..],
        &[("action", "erase"), ("subject", "nobody"), ("answers", "keep"), ("confirm", "yes")],
        &[("action", "dance"), ("email", JANE)],
        &[("email", JANE)],
    ] {
        assert_eq!(admin.post(&world, fields).await.status, 400, "{fields:?}");
    }
    let look = [("action", "look"), ("email", JANE)];
    assert_eq!(viewer.post(&world, &look).await.status, 403);
    let page = viewer.get(&world, PATH).await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("action=\"/admin/suppression\""), "{}", page.text);
    let mut session = Admin::session(&world).await;
    session.form_token = "forged".to_owned();
    assert_eq!(session.post(&world, &look).await.status, 403);
    assert_eq!(admin.get(&world, &format!("{PATH}?subject=%00&done=%3Cb%3E")).await.status, 200);
    assert_eq!((world.count("audit"), world.count("suppression")), before);
}

#[tokio::test]
async fn a_window_is_not_released_while_its_mail_is_on_its_way() {
    let mut world = with_jane().await;
    let admin = Admin::session(&world).await;
    let look = [("action", "look"), ("email", JANE)];
    let page = admin.post(&world, &look).await;
    let (subject, version) = (field(&page, "subject"), field(&page, "version"));
    let release =
        [("action", "release"), ("subject", &*subject), ("kind", "window"), ("version", &*version)];
    // As while nobody knows whether SES took the mail.
    let left = world.rows().remove(0);
    let mut sending = left.clone();
    sending["status"] = json!({ "S": "sending" });
    kit::hostile::put_row(&world, &sending);
    let page = admin.post(&world, &look).await;
    assert!(page.text.contains("A survey to this address is on its way"), "{}", page.text);
    assert!(!page.text.contains("value=\"release\""), "{}", page.text);
    let before = world.count("suppression");
    let refused = admin.post(&world, &release).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("so its window is not released"), "{}", refused.text);
    assert_eq!(world.count("suppression"), before);
    let id = world.post("/v1/requests", &request("2", JANE)).await.id();
    world.settle().await;
    assert_ne!(world.outcome(&id).await, "delivered");
    // Once it is known, the window is released.
    kit::hostile::put_row(&world, &left);
    let page = admin.change(&world, &release).await;
    assert!(page.text.contains("Released."), "{}", page.text);
}
