//! `/admin/people`, as a browser and a script use it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kit::admin::{FORM, ann, hidden, location, stored as item};
use kit::forms::Filled;
use kit::{World, request};
use local::seed;
use serde_json::{Value, json};

const PEOPLE: &str = "/admin/people";
const IMPORT: &str = "/admin/people/import";

#[tokio::test]
async fn agents_are_listed_filtered_and_their_faults_shown() {
    let world = World::new().await;
    world.configure("employee", "odd@a.example", json!({ "name": "Odd", "status": "aproved" }));
    world.configure("employee", "Big@a.example", json!({ "name": "<b>Big</b>" }));
    let all = world.page(PEOPLE).await;
    assert_eq!(all.status, 200);
    for text in [
        "paul@blancapeak.example",
        "Nora Newcomer",
        "522745",
        "Deactivated",
        "The status cannot be understood",
        "e-mail in lower case",
        "&#60;b&#62;Big",
    ] {
        assert!(all.text.contains(text), "{text}: {}", all.text);
    }
    let found = async |query: &str| {
        let text = world.page(&format!("{PEOPLE}?{query}")).await.text;
        ["paul@", "nora@", "gus@", "odd@"]
            .map(|who| text.contains(&format!("edit={}", who.replace('@', "%40"))))
    };
    assert_eq!(found("status=approved").await, [true, false, false, false]);
    assert_eq!(found("status=deactivated").await, [false, false, true, false]);
    assert_eq!(found("status=faulty").await, [false, false, false, true]);
    assert_eq!(found("text=NEWCOMER").await, [false, true, false, false]);
    assert_eq!(found("text=522745").await, [false, false, true, false]);
    assert_eq!(found("text=nobody&status=nonsense").await, [false; 4]);
    assert_eq!(found("after=nora@blancapeak.example").await, [true, false, false, true]);
}

#[tokio::test]
async fn pages_of_the_list_go_on_where_the_one_before_ended() {
    let world = World::new().await;
    for n in 0..120 {
        world.configure("employee", &format!("a{n:03}@a.example"), json!({ "status": "approved" }));
    }
    let (mut path, mut seen) = (format!("{PEOPLE}?text=%40a.example"), Vec::new());
    for _ in 0..10 {
        let page = world.page(&path).await.text;
        let rows =
            page.split("edit=").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        seen.extend(rows);
        let Some((before, _)) = page.split_once("\" rel=\"next\"") else { break };
        path = before.rsplit('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    }
    let mut unique = seen.clone();
    unique.dedup();
    assert_eq!((seen.len(), unique.len()), (120, 120));
}

#[tokio::test]
async fn an_agent_is_added_edited_and_removed_with_the_item_of_the_own_id() {
    let world = World::new().await;
    let fields = [
        ("action", "save"),
        ("original", ""),
        ("email", " Zoe@BlancaPeak.example "),
        ("name", "Zoë"),
        ("status", "approved"),
        ("custom_id", "Z 1"),
        ("picture_url", ""),
    ];
    assert_eq!(location(&world.submit(PEOPLE, &fields).await), "/admin/people?done=added");
    let zoe = "zoe@blancapeak.example";
    assert_eq!(item(&world, "employee", zoe)["name"], json!({ "S": "Zoë" }));
    assert!(item(&world, "employee", zoe).get("picture_url").is_none());
    assert_eq!(item(&world, "employee_id", "Z 1")["email"], json!({ "S": zoe }));
    // A request finds her by either.
    let mut body = request("1", "jane@customers.example");
    body["employee"] = json!({ "custom_id": "Z 1" });
    assert_eq!(world.post("/v1/requests", &body).await.json()["status"], "queued");
    // Another id; what was added by hand stays.
    let mut by_hand = item(&world, "employee", zoe);
    by_hand["team"] = json!({ "SS": ["a", "b"] });
    seed::put(&world.stack.database, &by_hand).unwrap();
    let form = world.page(&format!("{PEOPLE}?edit={zoe}")).await;
    let version = hidden(&form, "version");
    let edit = |name: &'static str, custom_id: &'static str, version: String| {
        let world = &world;
        async move {
            let fields = [
                ("action", "save"),
                ("original", zoe),
                ("version", &*version),
                ("name", name),
                ("status", "Approved"),
                ("custom_id", custom_id),
            ];
            world.submit(PEOPLE, &fields).await
        }
    };
    assert_eq!(location(&edit("Zoë Z", "Z2", version.clone()).await), "/admin/people?done=saved");
    let is = item(&world, "employee", zoe);
    assert_eq!(
        (&is["name"], &is["status"]),
        (&json!({ "S": "Zoë Z" }), &json!({ "S": "approved" }))
    );
    assert!(is.get("team").is_some());
    assert_eq!(item(&world, "employee_id", "Z 1"), Value::Null);
    assert_eq!(item(&world, "employee_id", "Z2")["email"], json!({ "S": zoe }));
    // The form that was opened before: nothing is lost.
    let late = edit("Zoe Late", "Z3", version).await;
    assert_eq!(late.status, 409);
    assert!(
        late.text.contains("Zoë Z") && late.text.contains("value=\"Zoe Late\""),
        "{}",
        late.text
    );
    assert_eq!(item(&world, "employee", zoe)["name"], json!({ "S": "Zoë Z" }));
    let again = edit("Zoe Late", "", hidden(&late, "version")).await;
    assert_eq!(location(&again), "/admin/people?done=saved");
    assert_eq!(item(&world, "employee_id", "Z2"), Value::Null, "an emptied id is freed");
    assert!(item(&world, "employee", zoe).get("custom_id").is_none());
    // An id of somebody else.
    let version = hidden(&world.page(&format!("{PEOPLE}?edit={zoe}")).await, "version");
    let taken = edit("Zoe Late", "522743", version.clone()).await;
    assert_eq!(taken.status, 422);
    assert!(taken.text.contains("belongs to paul@blancapeak.example"));
    assert!(
        taken.text.contains("id=\"custom_id-error\"") && taken.text.contains("href=\"#custom_id\"")
    );
    assert_eq!(
        item(&world, "employee_id", "522743")["email"],
        json!({ "S": "paul@blancapeak.example" })
    );
    assert_eq!(edit("Zoe Late", "Z4", version).await.status, 303);
    // Removal asks first.
    let question = world.page(&format!("{PEOPLE}?remove={zoe}")).await;
    assert!(question.text.contains("employee_not_found"));
    assert!(!item(&world, "employee", zoe).is_null());
    let stale = [("action", "remove"), ("original", zoe), ("version", "0")];
    assert_eq!(world.submit(PEOPLE, &stale).await.status, 409);
    let version = hidden(&question, "version");
    let remove = [("action", "remove"), ("original", zoe), ("version", &*version)];
    assert_eq!(location(&world.submit(PEOPLE, &remove).await), "/admin/people?done=removed");
    assert_eq!(item(&world, "employee", zoe), Value::Null);
    assert_eq!(item(&world, "employee_id", "Z4"), Value::Null);
    let trail = world.page("/admin/audit").await.text;
    for what in ["Add an agent", "Edit an agent", "Remove an agent", "employee_id/Z4"] {
        assert!(trail.contains(what), "{what}");
    }
}

#[tokio::test]
async fn two_admins_at_once_lose_nothing() {
    let world = World::new().await;
    let nora = "nora@blancapeak.example";
    let open = async || {
        Filled::on(&world.page(&format!("{PEOPLE}?edit={nora}")).await, "name=\"original\"")
    };
    let old = open().await;
    let picture = "https://a.example/nora.png";
    let bea = old.clone().with("picture_url", picture);
    location(&open().await.with("name", "Nora A").submit(&world, PEOPLE).await);
    let stored = item(&world, "employee", nora);
    // Also after a form that came back for another cause meanwhile.
    let bad = old.clone().with("picture_url", "ftp://x").submit(&world, PEOPLE).await;
    assert_eq!(bad.status, 422);
    let mended = Filled::on(&bad, "name=\"original\"").with("picture_url", picture);
    for form in [&bea, &mended] {
        let late = form.submit(&world, PEOPLE).await;
        assert_eq!(late.status, 409);
        assert!(late.text.contains("the other’s value"), "{}", late.text);
        assert_eq!(item(&world, "employee", nora), stored, "nothing of hers is written");
        let again = Filled::on(&late, "name=\"original\"");
        assert_eq!(again.value("name"), "Nora A", "what she did not touch is theirs");
        assert_eq!(again.value("picture_url"), picture, "what she typed stays");
    }
    // Both have changed the same field: hers stays to be seen and saved, beside the other's.
    let both = old.with("name", "Nora B").submit(&world, PEOPLE).await;
    assert!(both.text.contains("<bdi>Nora A</bdi></td><td><bdi>Nora B</bdi>"), "{}", both.text);
    assert_eq!(Filled::on(&both, "name=\"original\"").value("name"), "Nora B");
    let again = Filled::on(&bea.submit(&world, PEOPLE).await, "name=\"original\"");
    location(&again.submit(&world, PEOPLE).await);
    let stored = item(&world, "employee", nora);
    assert_eq!(stored["name"], json!({ "S": "Nora A" }));
    assert_eq!(stored["picture_url"], json!({ "S": picture }));
}

#[tokio::test]
async fn what_cannot_be_understood_of_an_agent_is_never_removed_in_silence() {
    let world = World::new().await;
    let odd = "odd@a.example";
    let attributes = json!({ "name": "Odd", "status": ["approved"], "custom_id": true });
    world.configure("employee", odd, attributes);
    let before = item(&world, "employee", odd);
    let page = world.page(&format!("{PEOPLE}?edit={odd}")).await;
    let form = Filled::on(&page, "name=\"original\"").with("name", "Oddly");
    for form in [form.clone(), form.clone().with("status", "approved")] {
        let refused = form.submit(&world, PEOPLE).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(refused.text.contains("id=\"custom_id-error\""), "{}", refused.text);
        assert!(refused.text.contains("It says true, which cannot be understood."));
        assert_eq!(Filled::on(&refused, "name=\"original\"").value("name"), "Oddly");
        assert_eq!(item(&world, "employee", odd), before);
    }
    let decided = form.with("status", "approved").with("custom_id.drop", "1");
    location(&decided.submit(&world, PEOPLE).await);
    let stored = item(&world, "employee", odd);
    assert_eq!(stored["status"], json!({ "S": "approved" }));
    assert_eq!(stored["name"], json!({ "S": "Oddly" }));
    assert!(stored.get("custom_id").is_none());
}

#[tokio::test]
async fn what_cannot_be_an_agent_comes_back_as_typed_and_nothing_is_saved() {
    let world = World::new().await;
    let before = world.count("config");
    let long = "n".repeat(1_025);
    let cases: [(&str, &str, &str, &str, &str); 9] = [
        ("email", "", "N", "approved", ""),
        ("email", "no address", "N", "approved", ""),
        ("email", "paul@blancapeak.example", "N", "approved", ""),
        ("email", "Paul@BlancaPeak.example", "N", "approved", ""),
        ("name", "new@a.example", &long, "approved", ""),
        ("name", "new@a.example", "a\u{7}b", "approved", ""),
        ("status", "new@a.example", "N", "aproved", ""),
        ("custom_id", "new@a.example", "N", "approved", "522743"),
        ("custom_id", "new@a.example", "N", "approved", &long),
    ];
    for (field, email, name, status, own) in cases {
        let fields = [
            ("action", "save"),
            ("original", ""),
            ("email", email),
            ("name", name),
            ("status", status),
            ("custom_id", own),
            ("name", "second"),
        ];
        let reply = world.submit(PEOPLE, &fields).await;
        assert_eq!(reply.status, 422, "{field} {email}");
        assert!(reply.text.contains(&format!("href=\"#{field}\"")), "{field}: {}", reply.text);
        assert!(reply.text.contains(&format!("id=\"{field}-error\"")), "{field}");
        assert!(
            reply.text.contains("aria-invalid=\"true\"") && reply.text.contains("role=\"alert\"")
        );
    }
    assert_eq!(world.count("config"), before);
    let basic = ann();
    let headers = [("authorization", &*basic), FORM];
    for body in
        ["action=save&original=&email=%FF%FE%00&name=%C3%28", "action=nonsense", "", "%%%&&=&="]
    {
        let reply = world.call("POST", PEOPLE, &headers, body).await;
        assert!([400, 422].contains(&reply.status), "{body}: {}", reply.status);
    }
    assert_eq!(world.count("config"), before);
    let foreign = [("authorization", &*basic), FORM, ("sec-fetch-site", "cross-site")];
    let reply = world.call("POST", PEOPLE, &foreign, "action=add&email=x@a.example").await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn an_agent_seen_in_a_request_is_added_with_one_click() {
    let world = World::new().await;
    let mut body = request("1", "jane@customers.example");
    body["employee"] = json!({ "email": "New@BlancaPeak.example" });
    assert_eq!(world.post("/v1/requests", &body).await.json()["code"], "employee_not_found");
    // The list names the agent, with a button; so does the page of the request.
    let list = world.page(PEOPLE).await.text;
    assert!(list.contains("Named in requests, but not here"), "{list}");
    assert!(list.contains("name=\"email\" value=\"new@blancapeak.example\""));
    let form = world.page(&format!("{PEOPLE}?add=New@BlancaPeak.example&name=New%20One")).await;
    assert!(
        form.text.contains("value=\"new@blancapeak.example\"")
            && form.text.contains("value=\"New One\"")
    );
    let fields = [("action", "add"), ("email", "New@BlancaPeak.example"), ("name", "New One")];
    assert_eq!(location(&world.submit(PEOPLE, &fields).await), "/admin/people?done=added");
    let new = item(&world, "employee", "new@blancapeak.example");
    assert_eq!(new["status"], json!({ "S": "approved" }));
    body["ext_interaction_id"] = json!("2");
    assert_eq!(world.post("/v1/requests", &body).await.json()["status"], "queued");
    assert!(!world.page(PEOPLE).await.text.contains("Named in requests"));
    // Twice, by two admins.
    let twice = world.submit(PEOPLE, &fields).await;
    assert_eq!(location(&twice), "/admin/people?edit=new%40blancapeak.example&done=as-it-was");
    assert_eq!(item(&world, "employee", "new@blancapeak.example"), new);
}

#[tokio::test]
async fn an_agent_is_added_on_the_page_of_the_request_and_the_request_is_sent() {
    let mut world = World::new().await;
    let mut body = request("1", "jane@customers.example");
    body["employee"] = json!({ "email": "nina@blancapeak.example", "custom_id": "N9" });
    let refused = world.post("/v1/requests", &body).await.json();
    let path = format!("/admin/requests/{}", refused["request_id"].as_str().unwrap());
    let page = world.page(&path).await;
    assert!(page.text.contains("Add nina@blancapeak.example at once"), "{}", page.text);
    let (id, email, own) =
        (hidden(&page, "request"), hidden(&page, "email"), hidden(&page, "custom_id"));
    let fields = [("action", "add"), ("request", &*id), ("email", &*email), ("custom_id", &*own)];
    let added = world.submit(PEOPLE, &fields).await;
    assert_eq!(location(&added), format!("{path}?done=added"));
    assert_eq!(item(&world, "employee_id", "N9")["email"], json!({ "S": email }));
    assert!(!world.page(&path).await.text.contains("Add nina@"));
    let sent = world.submit(&path, &[("action", "send")]).await;
    assert!(location(&sent).ends_with("?done=sent"));
    world.settle().await;
    assert_eq!(world.mails_to("jane@customers.example").len(), 1);
    // What a request calls an agent need be no address: it is shown nowhere as one to add.
    body["ext_interaction_id"] = json!("2");
    body["employee"] = json!({ "email": "no address <b>" });
    world.post("/v1/requests", &body).await;
    assert!(!world.page(PEOPLE).await.text.contains("Named in requests"));
}

#[tokio::test]
async fn a_viewer_looks_and_changes_nothing() {
    let world = World::new().await;
    let viewer = json!({ "mode": "admin", "scopes": ["viewer"] });
    world.configure("key", &intake::digest(b"aw_admin_viewer"), viewer);
    let basic = format!("Basic {}", STANDARD.encode("vic:aw_admin_viewer"));
    for path in [
        PEOPLE,
        IMPORT,
        "/admin/people?add=",
        "/admin/people?edit=paul@blancapeak.example",
        "/admin/people?remove=paul@blancapeak.example",
    ] {
        let page = world
            .call("GET", path, &[("authorization", &basic), ("accept", "text/html")], "")
            .await;
        assert_eq!(page.status, 200, "{path}");
        let forms = page.text.matches("<form").count() - page.text.matches("sign-out").count();
        assert_eq!(forms, usize::from(path == PEOPLE), "{path}: only the filter");
    }
    for path in [PEOPLE, IMPORT] {
        let reply = world
            .call("POST", path, &[("authorization", &basic), FORM], "action=add&email=x@a.example")
            .await;
        assert_eq!(reply.status, 403);
    }
}
