//! `/admin/settings`, `/admin/brands`, `/admin/languages`, and the faults at the top of each page.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use jiff::SignedDuration;
use kit::admin::unescaped;
use kit::forms::Filled;
use kit::{Reply, World, request};
use local::seed;
use serde_json::{Value, json};

const CHANNELS: &str = "/admin/channels";
const SETTINGS: &str = "/admin/settings";
const BRANDS: &str = "/admin/brands";
const LANGUAGES: &str = "/admin/languages";

fn item(world: &World, kind: &str, id: &str) -> Value {
    seed::get(&world.stack.database, kind, id).unwrap()
}

async fn company(world: &World) -> Filled {
    let page = world.page(SETTINGS).await;
    assert_eq!(page.status, 200, "{}", page.text);
    Filled::on(&page, "\"save\"")
}

fn location(reply: &Reply) -> &str {
    assert_eq!(reply.status, 303, "{}", reply.text);
    reply.headers["location"].to_str().unwrap()
}

/// The faults at the top of a page, as text.
async fn faults(world: &World, path: &str) -> String {
    let page = world.page(path).await.text;
    let section = page.split_once("<section class=\"faults\"");
    let text = section.and_then(|(_, rest)| rest.split_once("</section>")).map(|(text, _)| text);
    let mut shown = String::new();
    for piece in text.unwrap_or_default().split('<').skip(1) {
        shown.push_str(piece.split_once('>').map_or("", |(_, text)| text));
    }
    unescaped(&shown)
}

#[tokio::test]
async fn every_kind_of_value_is_saved_in_its_plainest_type() {
    let world = World::new().await;
    let form = company(&world).await;
    assert_eq!(location(&form.submit(&world, SETTINGS).await), "/admin/settings?done=unchanged");
    let changed = form
        .with("suppression_days", "3")
        .with("internal_domains", "blancapeak.example\r\npeak.example")
        .with("from", "")
        .with("color", "#abc")
        .with("dedupe_minutes.zendesk", "60")
        .with("default_language.none", "1")
        .with("do_not_send_tag", "no survey, never")
        .with("question", "Wie war’s, <b>?");
    assert_eq!(location(&changed.submit(&world, SETTINGS).await), "/admin/settings?done=saved");
    let stored = item(&world, "company", "settings");
    assert_eq!(stored["suppression_days"], json!({ "N": "3" }));
    assert_eq!(
        stored["internal_domains"],
        json!({ "L": [{ "S": "blancapeak.example" }, { "S": "peak.example" }] })
    );
    assert!(stored.get("from").is_none() && stored.get("send_rate").is_none());
    assert_eq!(stored["dedupe_minutes"], json!({ "M": { "zendesk": { "N": "60" } } }));
    assert_eq!(stored["default_language"], json!({ "S": "" }));
    assert_eq!(stored["do_not_send_tag"], json!({ "L": [{ "S": "no survey" }, { "S": "never" }] }));
    assert_eq!(stored["name"], json!({ "S": "Blanca Peak" }));
    let again = company(&world).await;
    assert_eq!(again.value("default_language.none"), "1");
    assert_eq!(again.value("question"), "Wie war’s, <b>?");
    assert_eq!(location(&again.submit(&world, SETTINGS).await), "/admin/settings?done=unchanged");
    assert!(faults(&world, SETTINGS).await.is_empty());
}

#[tokio::test]
async fn a_value_that_no_function_would_understand_is_not_saved() {
    let world = World::new().await;
    let before = item(&world, "company", "settings");
    let long = "x".repeat(4_097);
    for (field, typed) in [
        ("test_email", "nobody"),
        ("from", "a@x.example, b@x.example"),
        ("reply_to", "support at blancapeak"),
        ("suppression_days", "3651"),
        ("suppression_days", "a week"),
        ("survey_days", "0"),
        ("send_rate", "0"),
        ("default_language", "tlh"),
        ("default_language", "so"),
        ("default_brand", "nosuch"),
        ("internal_domains", "https://x.example"),
        ("color", "red"),
        ("logo_url", "javascript:alert(1)"),
        ("thank_you_url", "//x.example"),
        ("name", &long),
        ("footer", "a\u{7}b"),
        ("dedupe_minutes.gorgias", "soon"),
        ("do_not_send_tag.none", "1"),
    ] {
        let form = company(&world).await.with("do_not_send_tag", "kept").with(field, typed);
        let reply = form.submit(&world, SETTINGS).await;
        let field = field.split('.').next().unwrap();
        assert_eq!(reply.status, 422, "{field} {typed}");
        assert!(reply.text.contains(&format!("id=\"{field}-error\"")), "{field} {typed}");
        assert!(reply.text.contains(&format!("href=\"#{field}\"")), "{field} {typed}");
        assert_eq!(item(&world, "company", "settings"), before, "{field} {typed}");
        let again = Filled::on(&reply, "\"save\"");
        assert_eq!(again.value("do_not_send_tag"), "kept", "the other fields too");
    }
}

#[tokio::test]
async fn what_no_field_can_show_is_never_removed_in_silence() {
    let world = World::new().await;
    let settings = ("company", "settings", SETTINGS, "");
    let zendesk = ("integration", "zendesk", SETTINGS, "?item=integration%2Fzendesk");
    let alert = ("alert", "errors", SETTINGS, "?item=alert%2Ferrors");
    let kids = ("brand", "blancakids", BRANDS, "?edit=blancakids");
    let phone = ("channel", "phone", CHANNELS, "?edit=phone");
    let mixed = json!({ "L": [{ "S": "vip" }, { "N": "7" }] });
    for ((kind, id, path, query), field, broken, (other, typed)) in [
        (settings, "suppression_days", json!({ "BOOL": true }), ("footer", "1")),
        (settings, "suppression_days", json!({ "L": [{ "N": "7" }] }), ("footer", "2")),
        (settings, "suppression_days", json!({ "M": { "n": { "N": "7" } } }), ("footer", "3")),
        (settings, "suppression_days", json!({ "SS": ["7"] }), ("footer", "4")),
        (settings, "suppression_days", json!({ "NS": ["7"] }), ("footer", "5")),
        (settings, "suppression_days", json!({ "B": "AAEC" }), ("footer", "6")),
        (settings, "do_not_send_tag", mixed.clone(), ("footer", "7")),
        (settings, "internal_domains", json!({ "L": [{ "L": [{ "S": "a" }] }] }), ("footer", "8")),
        (zendesk, "signature_required", json!({ "L": [] }), ("closed_statuses", "Erledigt")),
        (zendesk, "closed_statuses", mixed, ("signature_required", "true")),
        (alert, "percent", json!({ "BOOL": true }), ("at_least", "30")),
        (kids, "active", json!({ "M": {} }), ("footer", "9")),
        (phone, "enabled", json!({ "SS": ["no"] }), ("delay_minutes", "30")),
        (phone, "aliases", json!({ "NS": ["7"] }), ("delay_minutes", "40")),
    ] {
        let mut stored = item(&world, kind, id);
        stored["kind"] = json!({ "S": kind });
        stored["id"] = json!({ "S": id });
        stored[field] = broken;
        seed::put(&world.stack.database, &stored).unwrap();
        let stored = item(&world, kind, id);
        let page = world.page(&format!("{path}{query}")).await;
        let form = Filled::on(&page, "\"save\"").with(other, typed);
        let refused = form.submit(&world, path).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.text);
        assert!(refused.text.contains(&format!("id=\"{field}-error\"")), "{}", refused.text);
        assert!(refused.text.contains("which cannot be understood."), "{}", refused.text);
        assert_eq!(item(&world, kind, id), stored, "{field}");
        let again = Filled::on(&refused, "\"save\"");
        assert_eq!(again.value(other), typed, "the other fields stay as typed");
        let decided = again.with(&format!("{field}.drop"), "1");
        location(&decided.submit(&world, path).await);
        assert!(item(&world, kind, id).get(field).is_none(), "{field}");
    }
    // Within a map too. What stands beside it is saved once that is decided.
    let broken = json!({ "M": { "zendesk": { "BOOL": true }, "gorgias": { "N": "5" } } });
    let mut stored = item(&world, "company", "settings");
    stored["dedupe_minutes"] = broken.clone();
    seed::put(&world.stack.database, &stored).unwrap();
    let form = company(&world).await.with("dedupe_minutes.gorgias", "6");
    assert_eq!(form.submit(&world, SETTINGS).await.status, 422);
    assert_eq!(item(&world, "company", "settings")["dedupe_minutes"], broken);
    location(&form.with("dedupe_minutes.drop", "1").submit(&world, SETTINGS).await);
    let mended = json!({ "M": { "gorgias": { "N": "6" } } });
    assert_eq!(item(&world, "company", "settings")["dedupe_minutes"], mended);
    // A value, or "none", takes the place without the box.
    world.company(json!({ "do_not_send_tag": ["vip", 7], "suppression_days": true }));
    let form = company(&world).await.with("do_not_send_tag.none", "1");
    location(&form.with("suppression_days", "3").submit(&world, SETTINGS).await);
    let stored = item(&world, "company", "settings");
    assert_eq!(stored["do_not_send_tag"], json!({ "L": [] }));
    assert_eq!(stored["suppression_days"], json!({ "N": "3" }));
}

#[tokio::test]
async fn faults_stand_at_the_top_of_every_page_until_they_are_mended() {
    let world = World::new().await;
    assert!(faults(&world, "/admin/audit").await.is_empty());
    world.configure("channel", "phone", json!({ "mode": "integratd", "enabld": false }));
    world.company(json!({ "reply_to": "jane@customers.example, x", "suppression_days": "soon" }));
    world.configure("brand", "blancakids", json!({ "color": "redd" }));
    world.configure("integration", "zendesk", json!({ "signature_required": "perhaps" }));
    world.configure("language", "tlh", json!({}));
    for path in ["/admin/audit", CHANNELS, SETTINGS, BRANDS, LANGUAGES] {
        let shown = faults(&world, path).await;
        for sentence in [
            "channel/phone: mode says “integratd”. It may say manual or integrated.",
            "channel/phone: enabld says “false”. No such attribute is read. Did you mean \
             “enabled”?",
            "reply_to says “j***@c***.example, x”.",
            "suppression_days says “soon”. Write a whole number of days from 0 to 3650",
            "brand/blancakids: color says “redd”.",
            "integration/zendesk: signature_required says “perhaps”. It may say yes or no.",
            "language/tlh: id says “tlh”. There are no texts in this language.",
            "What depends on it is not sent until it is corrected.",
        ] {
            assert!(shown.contains(sentence), "{path}: {sentence}\n{shown}");
        }
        assert!(!shown.contains("jane@"), "{shown}");
    }
    // One of several faults is mended, and the others do not keep it from being saved.
    let form = company(&world).await;
    assert_eq!(form.value("suppression_days"), "soon");
    location(&form.with("suppression_days", "5").submit(&world, SETTINGS).await);
    let shown = faults(&world, SETTINGS).await;
    assert!(!shown.contains("suppression_days") && shown.contains("reply_to"), "{shown}");
    // A misspelled name is removed where the right one stands.
    let page = world.page("/admin/channels?edit=phone").await;
    assert!(page.text.contains("Remove <code>enabld</code>"), "{}", page.text);
    let form = Filled::on(&page, "\"save\"").with("remove", "enabld").with("enabled", "true");
    location(&form.submit(&world, CHANNELS).await);
    let flip = world.page("/admin/channels?flip=phone").await;
    location(&Filled::on(&flip, "flip").submit(&world, CHANNELS).await);
    assert!(!faults(&world, SETTINGS).await.contains("channel/phone"));
}

#[tokio::test]
async fn a_misspelled_key_of_an_item_is_a_fault() {
    let world = World::new().await;
    world.configure("integration", "zendesc", json!({ "signature_required": true }));
    let shown = faults(&world, "/admin/audit").await;
    assert!(shown.contains("integration/zendesc: id says “zendesc”."), "{shown}");
    assert!(shown.contains("Did you mean “zendesk”?"), "{shown}");
    world.configure("chanel", "phone", json!({ "mode": "manual" }));
    world.configure("Brand", "x", json!({}));
    let shown = faults(&world, "/admin/audit").await;
    for sentence in [
        "chanel/…: kind says “chanel”. No such kind is read. Did you mean “channel”?",
        "Brand/…: kind says “Brand”. No such kind is read. Did you mean “brand”?",
    ] {
        assert!(shown.contains(sentence), "{sentence}\n{shown}");
    }
}

#[tokio::test]
async fn a_helpdesks_settings_have_a_form_of_their_own() {
    let world = World::new().await;
    let company = world.page(SETTINGS).await.text;
    for helpdesk in ["zendesk", "freshdesk", "gladly"] {
        assert!(company.contains(&format!("?item=integration%2F{helpdesk}")), "{helpdesk}");
    }
    let path = format!("{SETTINGS}?item=integration%2Fzendesk");
    let form = Filled::on(&world.page(&path).await, "\"save\"");
    let form = form.with("signature_required", "true").with("closed_statuses", "Erledigt");
    assert_eq!(
        location(&form.submit(&world, SETTINGS).await),
        "/admin/settings?item=integration%2Fzendesk&done=saved"
    );
    let stored = item(&world, "integration", "zendesk");
    assert_eq!(stored["signature_required"], json!({ "BOOL": true }));
    assert_eq!(stored["closed_statuses"], json!({ "L": [{ "S": "Erledigt" }] }));
    let path = format!("{SETTINGS}?item=integration%2Fgladly");
    let form = Filled::on(&world.page(&path).await, "\"save\"");
    for (field, typed) in [
        ("base_url", "http://evil.example"),
        ("base_url", "https://x.gladly.com/api"),
        ("base_url", ""),
        ("agent_email", " "),
    ] {
        let reply = form.clone().with(field, typed).submit(&world, SETTINGS).await;
        assert_eq!(reply.status, 422, "{field} {typed}");
        assert!(reply.text.contains(&format!("id=\"{field}-error\"")), "{field} {typed}");
    }
    assert_eq!(world.page(&format!("{SETTINGS}?item=key%2Fx")).await.status, 404);
    assert_eq!(world.page(&format!("{SETTINGS}?item=integration%2Fgorgias")).await.status, 404);
}

#[tokio::test]
async fn a_brand_is_added_changed_and_deleted() {
    let world = World::new().await;
    let blank = Filled::on(&world.page(&format!("{BRANDS}?add=1")).await, "\"add\"");
    for (id, name, field) in [
        ("", "", "id"),
        ("BlancaKids", "", "id"),
        ("blanca kids", "", "id"),
        ("teens", "blancakids", "name"),
        ("teens", "Blanca KIDS", "name"),
    ] {
        let form = blank.clone().with("id", id).with("name", name).with("footer", "kept");
        let reply = form.submit(&world, BRANDS).await;
        assert_eq!(reply.status, 422, "{id} {name}");
        assert!(reply.text.contains(&format!("id=\"{field}-error\"")), "{id} {name}");
        assert_eq!(Filled::on(&reply, "\"add\"").value("footer"), "kept");
    }
    let added = blank.with("id", "teens").with("name", "Blanca Teens").with("color", "#123456");
    assert_eq!(location(&added.submit(&world, BRANDS).await), "/admin/brands?done=added");
    assert_eq!(item(&world, "brand", "teens")["color"], json!({ "S": "#123456" }));
    assert!(world.page(BRANDS).await.text.contains("fill=\"#123456\""));
    let edit = Filled::on(&world.page(&format!("{BRANDS}?edit=teens")).await, "\"save\"");
    location(&edit.clone().with("active", "false").submit(&world, BRANDS).await);
    assert_eq!(item(&world, "brand", "teens")["active"], json!({ "BOOL": false }));
    assert_eq!(edit.submit(&world, BRANDS).await.status, 409);
    let ask = world.page(&format!("{BRANDS}?delete=teens")).await;
    let delete = Filled::on(&ask, "delete");
    assert_eq!(location(&delete.submit(&world, BRANDS).await), "/admin/brands?done=removed");
    assert!(item(&world, "brand", "teens").is_null());
    assert_eq!(delete.submit(&world, BRANDS).await.status, 404);
}

#[tokio::test]
async fn languages_are_switched_and_spellings_explained() {
    let world = World::new().await;
    let page = world.page(&format!("{LANGUAGES}?spelling=de_AT")).await;
    assert!(page.text.contains("is read as <code>de-AT</code>"), "{}", page.text);
    assert!(page.text.contains("The survey is sent in <code>de</code>"), "{}", page.text);
    let german = Filled::on(&page, "name=\"id\" value=\"de\"");
    let off = german.clone().with("action", "deactivate");
    assert_eq!(location(&off.submit(&world, LANGUAGES).await), "/admin/languages?done=saved");
    assert_eq!(item(&world, "language", "de")["active"], json!({ "BOOL": false }));
    assert_eq!(off.submit(&world, LANGUAGES).await.status, 409, "it has changed meanwhile");
    let page = world.page(&format!("{LANGUAGES}?spelling=de_AT")).await;
    assert!(page.text.contains("The survey is sent in <code>en</code>"), "{}", page.text);
    let add = Filled::on(&page, "value=\"add\"");
    for (typed, message) in [
        ("", "Type the tag or the name of a language"),
        ("xx", "Type the tag or the name of a language"),
        ("Danish", "There are no texts for “da”."),
        ("German", "“German” is in the list already, as “de”."),
    ] {
        let reply = add.clone().with("id", typed).submit(&world, LANGUAGES).await;
        assert_eq!(reply.status, 422, "{typed}");
        assert!(reply.text.contains(message), "{typed}: {}", reply.text);
    }
    let added = add.with("id", "en_gb");
    assert_eq!(location(&added.submit(&world, LANGUAGES).await), "/admin/languages?done=added");
    assert_eq!(item(&world, "language", "en-GB")["active"], json!({ "BOOL": true }));
    let british = world.page(&format!("{LANGUAGES}?spelling=en-AU")).await.text;
    assert!(british.contains("The survey is sent in <code>en-GB</code>"), "{british}");
    world.configure("language", "tlh", json!({}));
    let page = world.page(LANGUAGES).await;
    let klingon = Filled::on(&page, "name=\"id\" value=\"tlh\"").with("action", "delete");
    location(&klingon.submit(&world, LANGUAGES).await);
    assert!(item(&world, "language", "tlh").is_null());
}

#[tokio::test]
async fn what_is_saved_counts_for_the_next_request() {
    let mut world = World::new().await;
    let form = company(&world).await.with("internal_domains", "customers.example");
    location(&form.submit(&world, SETTINGS).await);
    world.advance(SignedDuration::from_secs(31));
    let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&id).await, "not_sent: self_survey");
}

#[tokio::test]
async fn a_session_needs_its_form_token_and_a_viewer_has_no_forms() {
    let world = World::new().await;
    let form = kit::admin::form(&[("name", "Bo"), ("key", "aw_admin_local")]);
    let signed_in = world.call("POST", "/admin/sign-in", &[kit::admin::FORM], form).await;
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let headers = [("cookie", cookie), ("accept", "text/html")];
    let page = world.call("GET", "/admin/channels?flip=phone", &headers, "").await;
    let filled = Filled::on(&page, "flip");
    let token = filled.value("form_token").to_owned();
    assert!(!token.is_empty());
    let post = async |token: &str| {
        let body = kit::admin::form(&[
            ("form_token", token),
            ("action", "flip"),
            ("id", "phone"),
            ("to", "manual"),
            ("version", filled.value("version")),
        ]);
        world.call("POST", CHANNELS, &[("cookie", cookie), kit::admin::FORM], body).await.status
    };
    assert_eq!(post("").await, 403);
    assert_eq!(post("x").await, 403);
    assert_eq!(post(&token).await, 303);
    assert_eq!(item(&world, "channel", "phone")["mode"], json!({ "S": "manual" }));
    world.configure(
        "key",
        &intake::digest(b"aw_admin_viewer"),
        json!({ "mode": "admin", "scopes": ["viewer"] }),
    );
    let viewer = "Basic dmk6YXdfYWRtaW5fdmlld2Vy"; // vi:aw_admin_viewer
    for path in [
        CHANNELS,
        "/admin/channels?edit=phone",
        "/admin/channels?flip=phone",
        SETTINGS,
        BRANDS,
        "/admin/brands?edit=blancakids",
        LANGUAGES,
    ] {
        let headers = [("authorization", viewer), ("accept", "text/html")];
        let page = world.call("GET", path, &headers, "").await;
        assert_eq!(page.status, 200, "{path}");
        let posts = page.text.matches("method=\"post\"").count();
        assert_eq!(posts, 1, "{path}: only the one that signs out");
    }
}
