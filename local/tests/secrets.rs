//! The two secrets of a deployment, each over deployments of one stack with traffic in between:
//! links stay alive while the secret that signs them is rotated, and nothing is recorded under a
//! subject secret that is not the one of the tables.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::path::PathBuf;

use fakes::mailbox::Message;
use jiff::SignedDuration;
use kit::admin::{ann, stored};
use kit::scenario::Post;
use kit::{LIVE, World, link, request};
use local::bundle::SUBJECT_SECRET;
use local::seed::{self, ADMIN_KEY};
use local::stack::Options;
use serde_json::{Value, json};

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

/// The folder of one stack's tables; it goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("afterword-{}", uuid::Uuid::now_v7())))
    }

    /// The stack as it is deployed with these secrets, at this minute.
    async fn deployed(&self, minute: i64, subject_secret: &str, token_secrets: &str) -> World {
        let world = World::with(Options {
            data_dir: Some(self.0.clone()),
            subject_secret: subject_secret.to_owned(),
            token_secrets: token_secrets.to_owned(),
            ..Options::default()
        })
        .await;
        world.advance(SignedDuration::from_mins(minute));
        world
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The one mail to this customer. It is signed: both links are in it, and in its headers.
fn mail_to(world: &World, email: &str) -> Message {
    let mails = world.mails_to(email);
    let [mail] = mails.as_slice() else { panic!("{email} has {} mails", mails.len()) };
    let unsubscribe = link(mail, "/u/");
    assert!(unsubscribe.len() > 40, "{unsubscribe}");
    assert!(mail.headers.values().any(|value| value.contains(&unsubscribe)), "{email}");
    mail.clone()
}

/// The status of both links of a mail: `GET` of each, and an answer.
async fn alive(world: &World, mail: &Message) -> [u16; 3] {
    let (survey, unsubscribe) = (link(mail, "/s/"), link(mail, "/u/"));
    [
        world.call("GET", &survey, &[], "").await.status,
        world.call("GET", &unsubscribe, &[], "").await.status,
        world.call("POST", &survey, &FORM, "stars=4").await.status,
    ]
}

const ONE: &str = "v1:the-first-secret-of-tokens";
const TWO: &str = "v2:the-second-secret-of-tokens";
const ALIVE: [u16; 3] = [200, 200, 303];

#[tokio::test]
async fn links_stay_alive_while_the_secret_that_signs_them_is_rotated() {
    let folder = Folder::new();
    let (one, both) = (ONE, format!("{ONE},{TWO}"));
    let mut world = folder.deployed(0, SUBJECT_SECRET, one).await;
    world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    world.settle().await;
    let before = mail_to(&world, "jane@customers.example");
    let queued = world.post("/v1/requests", &request("2", "omar@customers.example")).await;
    drop(world);

    // The first step: every function knows both, and v1 still signs.
    let mut world = folder.deployed(5, SUBJECT_SECRET, &both).await;
    world.settle().await;
    let between = mail_to(&world, "omar@customers.example");
    assert_eq!(world.outcome(&queued.id()).await, "delivered");
    assert_eq!(alive(&world, &before).await, ALIVE);
    assert_eq!(alive(&world, &between).await, ALIVE);
    world.post("/v1/requests", &request("3", "ines@customers.example")).await;
    drop(world);

    // The second step: v2 signs.
    let swapped = format!("{TWO},{ONE}");
    let mut world = folder.deployed(10, SUBJECT_SECRET, &swapped).await;
    world.settle().await;
    let after = mail_to(&world, "ines@customers.example");
    for mail in [&before, &between, &after] {
        assert_eq!(alive(&world, mail).await, ALIVE);
    }
    drop(world);

    // While a deployment goes on, `survey` may still have the first step's secrets.
    let world = folder.deployed(11, SUBJECT_SECRET, &both).await;
    assert_eq!(alive(&world, &after).await, ALIVE);
    drop(world);

    // What the steps are for: without the first one, links would be dead for a while.
    let world = folder.deployed(12, SUBJECT_SECRET, one).await;
    assert_eq!(alive(&world, &after).await, [404; 3]);
    assert_eq!(alive(&world, &between).await, ALIVE, "v1 signed it, as the second step came later");
    drop(world);

    // Once every survey of v1 is closed, v1 goes.
    let world = folder.deployed(13, SUBJECT_SECRET, TWO).await;
    assert_eq!(alive(&world, &after).await, ALIVE);
    assert_eq!(alive(&world, &before).await, [404; 3]);
    // One click, as the mail program makes it.
    let unsubscribe = link(&after, "/u/");
    let click = world.call("POST", &unsubscribe, &FORM, "List-Unsubscribe=One-Click").await;
    assert_eq!(click.status, 200);
}

async fn post(world: &World, path: &str, body: &Value) -> u16 {
    let reply = world.post(path, body).await;
    if reply.status == 503 {
        assert_eq!(reply.headers["retry-after"], "30");
        assert!(!reply.text.to_lowercase().contains("secret"), "{}", reply.text);
    }
    reply.status
}

#[tokio::test]
async fn under_another_subject_secret_nothing_is_recorded_and_everybody_is_told() {
    let folder = Folder::new();
    let secrets = ONE;
    let mut world = folder.deployed(0, SUBJECT_SECRET, secrets).await;
    world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    world.settle().await;
    let unsubscribe = link(&mail_to(&world, "jane@customers.example"), "/u/");
    world.call("POST", &unsubscribe, &FORM, "List-Unsubscribe=One-Click").await;
    let queued = world.post("/v1/requests", &request("2", "omar@customers.example")).await.id();
    let gladly = Post::gladly("event-1", "conversation-closed");
    let unresolved = world.post(gladly.path, &gladly.body).await.id();
    let (rows, marks) = (world.count("interactions"), world.count("suppression"));
    drop(world);

    let mut world = folder.deployed(5, "another-secret", secrets).await;
    let jane = request("3", "jane@customers.example");
    let gorgias = Post::gorgias("4", "closed", "jane@customers.example");
    let reopened = Post::gorgias("4", "open", "jane@customers.example");
    let later = Post::gladly("event-2", "conversation-closed");
    for (path, body) in [
        ("/v1/requests", &jane),
        ("/v1/webhooks/zendesk", &jane),
        ("/v1/webhooks/freshdesk", &jane),
        ("/v1/auth", &jane),
        (gorgias.path, &gorgias.body),
        (reopened.path, &reopened.body),
        (later.path, &later.body),
    ] {
        assert_eq!(post(&world, path, body).await, 503, "{path}");
    }
    assert_eq!((world.count("interactions"), world.count("suppression")), (rows, marks));
    // What was recorded before has the right subject. It goes on, but for Gladly's, which has none.
    world.settle().await;
    assert_eq!(world.outcome(&queued).await, "delivered");
    assert_eq!(world.request(&unresolved).await["status"], "unresolved");

    let page = world.page("/admin").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("deployment/subject_secret"), "{}", page.text);
    assert!(page.text.contains("another SUBJECT_SECRET"), "{}", page.text);
    let look = [("action", "look"), ("email", "jane@customers.example")];
    assert_eq!(world.submit("/admin/suppression", &look).await.status, 503);
    let erase = [("authorization", &*ann())];
    let path = "/v1/people?email=jane@customers.example";
    assert_eq!(world.call("DELETE", path, &erase, "").await.status, 503);
    assert_eq!(world.call("DELETE", path, &[("x-api-key", ADMIN_KEY)], "").await.status, 503);
    // The event of a mail whose row is gone names an address, which has no subject now.
    let bounce = json!({
        "eventType": "Bounce", "bounce": { "bounceType": "Permanent" },
        "mail": {
            "messageId": "1", "destination": ["mia@customers.example"],
            "tags": { "request_id": [uuid::Uuid::now_v7().to_string()], "mode": ["live"] },
        },
    });
    assert!(world.stack.invoke("mail_events", bounce.clone()).await.is_err());
    drop(world);

    // With the right one everything goes on, and Jane stays unsubscribed.
    let mut world = folder.deployed(15, SUBJECT_SECRET, secrets).await;
    assert!(!world.page("/admin").await.text.contains("deployment/subject_secret"));
    world.stack.invoke("mail_events", bounce).await.unwrap();
    let id = world.post("/v1/webhooks/zendesk", &jane).await.id();
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.outcome(&unresolved).await, "delivered");
    assert_eq!(world.outcome(&id).await, "not_sent: unsubscribed");
}

fn forget_fingerprint(world: &World) {
    let key = json!({ "TableName": "config",
        "Key": { "kind": { "S": "deployment" }, "id": { "S": "subject_secret" } } });
    world.stack.database.delete_item(serde_json::from_value(key).unwrap()).unwrap();
}

#[tokio::test]
async fn the_first_function_writes_the_fingerprint_and_a_broken_one_is_no_match() {
    let folder = Folder::new();
    let world = folder.deployed(0, "first-secret", ONE).await;
    forget_fingerprint(&world);
    let jane = request("1", "jane@customers.example");
    assert_eq!(world.post("/v1/requests", &jane).await.status, 200);
    let item = stored(&world, "deployment", "subject_secret");
    let fingerprint = item["fingerprint"]["S"].as_str().unwrap();
    assert!(fingerprint.len() == 16 && fingerprint.bytes().all(|b| b.is_ascii_hexdigit()));
    let mine = links::SubjectSecret::new("first-secret").fingerprint();
    assert_eq!(fingerprint, mine);
    assert_eq!(world.get("/v1/requests").await.status, 200);

    for broken in [json!({}), json!({ "fingerprint": "" }), json!({ "fingerprint": 7 })] {
        world.configure("deployment", "subject_secret", broken.clone());
        world.advance(SignedDuration::from_secs(31));
        let reply = world.post("/v1/requests", &request("2", "omar@customers.example")).await;
        assert_eq!(reply.status, 503, "{broken}");
        assert!(world.page("/admin").await.text.contains("deployment/subject_secret"), "{broken}");
    }
    seed::put(&world.stack.database, &item).unwrap();
    world.advance(SignedDuration::from_secs(31));
    let reply = world.post("/v1/requests", &request("2", "omar@customers.example")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(world.post_as(LIVE, "/v1/requests", &jane).await.json()["duplicate"], true);
}
