//! `/admin` through the real API.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use kit::{TEST, World, request};
use serde_json::json;

impl World {
    async fn status(&self) -> String {
        let ann = format!("Basic {}", STANDARD.encode("ann:aw_admin_local"));
        let page = self.call("GET", "/admin", &[("authorization", &ann)], "").await;
        assert_eq!(page.status, 200, "{}", page.text);
        page.text
    }
}

#[tokio::test]
async fn an_empty_stack_says_how_to_send_the_first_request() {
    let world = World::new().await;
    let page = world.status().await;
    assert!(page.contains("No request has come yet") && page.contains("aw_test_local"), "{page}");
    assert!(page.contains("/v1/requests"));
}

#[tokio::test]
async fn the_status_page_shows_numbers_successes_and_errors_with_their_cure() {
    let mut world = World::new().await;
    world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    world.post_as(TEST, "/v1/requests", &request("2", "joy@customers.example")).await;
    let mut fax = request("3", "joe@customers.example");
    fax["channel"] = json!("fax");
    world.post("/v1/requests", &fax).await;
    world.post("/v1/webhooks/zendesk", &with_ext(&fax, "4")).await;
    world.settle().await;
    world.sweep().await;
    world.advance(SignedDuration::from_mins(3));
    let page = world.status().await;
    assert!(page.contains("3 minutes ago"), "{page}");
    assert!(page.contains("none this week"), "zendesk was never successful");
    for (label, number) in [("requests", 3), ("zendesk", 1)] {
        let aria = format!("aria-label=\"{label}: {number} requests in 48 hours");
        assert!(page.contains(&aria), "{aria} in {page}");
    }
    assert!(page.contains("<title>21 November, 09:00: 3</title>"));
    assert!(
        page.contains("source=requests&#38;reason=channel_not_enabled")
            || page.contains("source=requests&amp;reason=channel_not_enabled")
    );
    assert!(page.contains("href=\"/admin/channels\">Add the channel, or switch it on</a>"));
    assert!(page.contains("delivered") && !page.contains("customers.example"));
}

fn with_ext(body: &serde_json::Value, ext: &str) -> serde_json::Value {
    let mut body = body.clone();
    body["ext_interaction_id"] = json!(ext);
    body
}
