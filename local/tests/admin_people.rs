//! `/admin/people`, its import and its export, as a browser and a script use them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kit::{Reply, World, request};
use local::faults::{Fault, InjectedReply};
use local::seed;
use serde_json::{Value, json};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const PEOPLE: &str = "/admin/people";
const IMPORT: &str = "/admin/people/import";

fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("ann:{}", seed::ADMIN_KEY)))
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

async fn get(world: &World, path: &str) -> Reply {
    world.call("GET", path, &[("authorization", &basic()), ("accept", "text/html")], "").await
}

async fn post(world: &World, path: &str, fields: &[(&str, &str)]) -> Reply {
    let headers = [("authorization", &*basic()), ("accept", "text/html"), FORM];
    world.call("POST", path, &headers, encoded(fields)).await
}

/// Uploads a file as a browser does.
async fn upload(world: &World, file: &[u8]) -> Reply {
    let head = "--B\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\ncheck\r\n--B\r\n\
                Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\
                Content-Type: text/csv\r\n\r\n";
    let tail = "\r\n--B\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n\r\n--B--\r\n";
    let body = [head.as_bytes(), file, tail.as_bytes()].concat();
    let basic = basic();
    let kind = ("content-type", "multipart/form-data; boundary=B");
    world
        .call("POST", IMPORT, &[("authorization", &basic), ("accept", "text/html"), kind], body)
        .await
}

/// The value of a hidden field.
fn hidden(reply: &Reply, name: &str) -> String {
    let (_, rest) = reply
        .text
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("no {name}: {}", reply.text));
    rest.split('"').next().unwrap().to_owned()
}

fn item(world: &World, kind: &str, id: &str) -> Value {
    seed::get(&world.stack.database, kind, id).unwrap()
}

fn location(reply: &Reply) -> &str {
    assert_eq!(reply.status, 303, "{}", reply.text);
    reply.headers["location"].to_str().unwrap()
}

fn agents(n: usize) -> String {
    let rows = (0..n).map(|n| format!("agent{n}@a.example;Agent Nº {n};approved;id-{n};\r\n"));
    format!("E-Mail;Full Name;Status;Own id;Picture\r\n{}", rows.collect::<String>())
}

async fn check(world: &World, list: &str) -> Reply {
    post(world, IMPORT, &[("action", "check"), ("text", list)]).await
}

async fn confirm(world: &World, shown: &Reply, list: &str) -> Reply {
    let digest = hidden(shown, "digest");
    post(world, IMPORT, &[("action", "import"), ("digest", &digest), ("text", list)]).await
}

#[tokio::test]
async fn agents_are_listed_filtered_and_their_faults_shown() {
    let world = World::new().await;
    world.configure("employee", "odd@a.example", json!({ "name": "Odd", "status": "aproved" }));
    world.configure("employee", "Big@a.example", json!({ "name": "<b>Big</b>" }));
    let all = get(&world, PEOPLE).await;
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
        let text = get(&world, &format!("{PEOPLE}?{query}")).await.text;
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
        let page = get(&world, &path).await.text;
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
    assert_eq!(location(&post(&world, PEOPLE, &fields).await), "/admin/people?done=added");
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
    let form = get(&world, &format!("{PEOPLE}?edit={zoe}")).await;
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
            post(world, PEOPLE, &fields).await
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
    let version = hidden(&get(&world, &format!("{PEOPLE}?edit={zoe}")).await, "version");
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
    let question = get(&world, &format!("{PEOPLE}?remove={zoe}")).await;
    assert!(question.text.contains("employee_not_found"));
    assert!(!item(&world, "employee", zoe).is_null());
    let stale = [("action", "remove"), ("original", zoe), ("version", "0")];
    assert_eq!(post(&world, PEOPLE, &stale).await.status, 409);
    let version = hidden(&question, "version");
    let remove = [("action", "remove"), ("original", zoe), ("version", &*version)];
    assert_eq!(location(&post(&world, PEOPLE, &remove).await), "/admin/people?done=removed");
    assert_eq!(item(&world, "employee", zoe), Value::Null);
    assert_eq!(item(&world, "employee_id", "Z4"), Value::Null);
    let trail = get(&world, "/admin/audit").await.text;
    for what in ["Add an agent", "Edit an agent", "Remove an agent", "employee_id/Z4"] {
        assert!(trail.contains(what), "{what}");
    }
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
        let reply = post(&world, PEOPLE, &fields).await;
        assert_eq!(reply.status, 422, "{field} {email}");
        assert!(reply.text.contains(&format!("href=\"#{field}\"")), "{field}: {}", reply.text);
        assert!(reply.text.contains(&format!("id=\"{field}-error\"")), "{field}");
        assert!(
            reply.text.contains("aria-invalid=\"true\"") && reply.text.contains("role=\"alert\"")
        );
    }
    assert_eq!(world.count("config"), before);
    let basic = basic();
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
    let list = get(&world, PEOPLE).await.text;
    assert!(list.contains("Named in requests, but not here"), "{list}");
    assert!(list.contains("name=\"email\" value=\"new@blancapeak.example\""));
    let form = get(&world, &format!("{PEOPLE}?add=New@BlancaPeak.example&name=New%20One")).await;
    assert!(
        form.text.contains("value=\"new@blancapeak.example\"")
            && form.text.contains("value=\"New One\"")
    );
    let fields = [("action", "add"), ("email", "New@BlancaPeak.example"), ("name", "New One")];
    assert_eq!(location(&post(&world, PEOPLE, &fields).await), "/admin/people?done=added");
    let new = item(&world, "employee", "new@blancapeak.example");
    assert_eq!(new["status"], json!({ "S": "approved" }));
    body["ext_interaction_id"] = json!("2");
    assert_eq!(world.post("/v1/requests", &body).await.json()["status"], "queued");
    assert!(!get(&world, PEOPLE).await.text.contains("Named in requests"));
    // Twice, by two admins.
    let twice = post(&world, PEOPLE, &fields).await;
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
    let page = get(&world, &path).await;
    assert!(page.text.contains("Add nina@blancapeak.example at once"), "{}", page.text);
    let (id, email, own) =
        (hidden(&page, "request"), hidden(&page, "email"), hidden(&page, "custom_id"));
    let fields = [("action", "add"), ("request", &*id), ("email", &*email), ("custom_id", &*own)];
    let added = post(&world, PEOPLE, &fields).await;
    assert_eq!(location(&added), format!("{path}?done=added"));
    assert_eq!(item(&world, "employee_id", "N9")["email"], json!({ "S": email }));
    assert!(!get(&world, &path).await.text.contains("Add nina@"));
    let sent = post(&world, &path, &[("action", "send")]).await;
    assert!(location(&sent).ends_with("?done=sent"));
    world.settle().await;
    assert_eq!(world.mails_to("jane@customers.example").len(), 1);
    // What a request calls an agent need be no address: it is shown nowhere as one to add.
    body["ext_interaction_id"] = json!("2");
    body["employee"] = json!({ "email": "no address <b>" });
    world.post("/v1/requests", &body).await;
    assert!(!get(&world, PEOPLE).await.text.contains("Named in requests"));
}

#[tokio::test]
async fn two_hundred_agents_are_imported_after_a_look_by_a_session_of_a_browser() {
    let mut world = World::new().await;
    let sign_in = encoded(&[("name", "Ann"), ("key", seed::ADMIN_KEY)]);
    let signed_in = world.call("POST", "/admin/sign-in", &[FORM], sign_in).await;
    let cookie =
        signed_in.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = world.call("GET", IMPORT, &[("cookie", &cookie), ("accept", "text/html")], "").await;
    let token = hidden(&page, "form_token");
    let list = agents(200);
    let before = world.count("config");
    let post = async |fields: &[(&str, &str)]| {
        world
            .call(
                "POST",
                IMPORT,
                &[("cookie", &cookie), ("accept", "text/html"), FORM],
                encoded(fields),
            )
            .await
    };
    assert_eq!(post(&[("action", "check"), ("text", &list)]).await.status, 403, "no token");
    let shown = post(&[("form_token", &token), ("action", "check"), ("text", &list)]).await;
    assert_eq!(shown.status, 200);
    assert!(shown.text.contains("<strong>200</strong> added"), "{}", shown.text);
    assert_eq!(world.count("config"), before, "a look writes nothing");
    let digest = hidden(&shown, "digest");
    let fields =
        [("form_token", &*token), ("action", "import"), ("digest", &digest), ("text", &list)];
    assert_eq!(location(&post(&fields).await), "/admin/people?done=imported");
    assert_eq!(world.count("config"), before + 400);
    let mut body = request("1", "jane@customers.example");
    body["employee"] = json!({ "custom_id": "id-199" });
    let id = world.post("/v1/requests", &body).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&id).await, "delivered");
    // Once more: nothing is left to do, and no button is offered.
    let again = check(&world, &list).await;
    assert!(again.text.contains("<strong>200</strong> stay as they are"));
    assert!(!again.text.contains("<button>Import:"));
}

#[tokio::test]
async fn what_a_list_would_do_is_told_row_by_row() {
    let world = World::new().await;
    let list = "email,name,status,own id,team\n\
        paul@blancapeak.example,Paul P.,,,x\n\
        NORA@blancapeak.example,Nora Newcomer,Pending,522744,x\n\
        new@a.example,\"New, One\",,77,x\n";
    let shown = check(&world, list).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    for text in [
        "<strong>1</strong> added",
        "<strong>1</strong> changed",
        "<strong>1</strong> stay",
        "<del>Paul Peak</del> → <ins>Paul P.</ins>",
        "<bdi>team</bdi>",
        "<ins>approved</ins>",
    ] {
        assert!(shown.text.contains(text), "{text}: {}", shown.text);
    }
    let faulty = "email;name;status;custom_id;picture_url\n\
        ;No Mail;approved;;\n\
        a@a.example;A;active;;\n\
        b@a.example;B;approved;522743;\n\
        c@a.example;C;approved;1;\n\
        C@a.example;C;approved;2;\n\
        d@a.example;D;approved;1;\n\
        e@a.example;E;approved;5.2E+11;\n\
        f@a.example;F;approved;;ftp://x\n\
        g@a.example;G;approved;;;more\n\
        good@a.example;Good;approved;;\n";
    let shown = check(&world, faulty).await;
    assert_eq!(shown.status, 422);
    for text in [
        "Type the agent&#39;s e-mail",
        "status: This status is not known",
        "belongs to paul@blancapeak.example",
        "Row 5 has the same e-mail",
        "Row 5 has the same own id",
        "has shortened this number",
        "picture_url: This is no address",
        "more cells than there are columns",
        "8 of 10 rows",
        "href=\"#row-3\"",
    ] {
        assert!(shown.text.contains(text), "{text}: {}", shown.text);
    }
    assert!(!shown.text.contains("name=\"digest\""), "nothing to confirm");
    let forced =
        post(&world, IMPORT, &[("action", "import"), ("digest", ""), ("text", faulty)]).await;
    assert_eq!(forced.status, 422);
    assert_eq!(item(&world, "employee", "good@a.example"), Value::Null, "all or nothing");
}

#[tokio::test]
async fn files_as_spreadsheets_write_them_are_understood_and_others_refused_with_a_sentence() {
    let world = World::new().await;
    let text = "email\tname\r\nzoe@a.example\tZoë 🦊\r\n";
    let utf16 = |mark: [u8; 2], unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect()
    };
    for file in [
        text.as_bytes().to_vec(),
        [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(),
        utf16([0xff, 0xfe], u16::to_le_bytes),
        utf16([0xfe, 0xff], u16::to_be_bytes),
    ] {
        let shown = upload(&world, &file).await;
        assert!(shown.text.contains("<ins>Zoë 🦊</ins>"), "{}", shown.text);
    }
    let large = format!("email\n{}", "a@a.example\n".repeat(90_000));
    let cases: [(&[u8], &str); 7] = [
        (b"", "nothing in it"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no text"),
        (b"PK\x03\x04\x14\0\x06\0", "spreadsheet&#39;s own file"),
        (b"email\nzo\xeb@a.example\n", "neither UTF-8 nor UTF-16"),
        (b"name,status\nPaul,approved\n", "no column with e-mail addresses"),
        (b"email,name\n", "no agent"),
        (large.as_bytes(), "larger than 1 MB"),
    ];
    for (file, sentence) in cases {
        let refused = upload(&world, file).await;
        assert_eq!(refused.status, 422, "{sentence}");
        assert!(refused.text.contains(sentence), "{sentence}: {}", refused.text);
    }
    // What the function is given, and what API Gateway keeps from it.
    let before = world.count("config");
    let huge = upload(&world, &vec![0; 6 * 1024 * 1024]).await;
    assert_eq!(huge.status, 413);
    assert!(huge.text.contains("larger than 5 MB"), "{}", huge.text);
    let hundred = upload(&world, &vec![b'a'; 100 * 1024 * 1024]).await;
    assert_eq!(hundred.status, 413);
    assert!(hundred.text.contains("Too Large"), "{}", hundred.text);
    assert_eq!(world.count("config"), before);
}

#[tokio::test]
async fn the_export_can_be_imported_again_unchanged() {
    let world = World::new().await;
    let odd = json!({ "name": "=HYPERLINK(\"x\")", "status": "Approved", "custom_id": "-5" });
    world.configure("employee", "odd@a.example", odd);
    world.configure("employee_id", "-5", json!({ "email": "odd@a.example" }));
    world.configure(
        "employee",
        "b@a.example",
        json!({ "name": "B, \"the\" B;\tb", "custom_id": 7 }),
    );
    world.configure("employee_id", "7", json!({ "email": "b@a.example" }));
    world.configure("employee", "c@a.example", json!({ "name": "'=c" }));
    let export = get(&world, "/admin/people/export").await;
    assert!(export.text.starts_with("\u{feff}email,name,status,custom_id,picture_url\r\n"));
    assert!(
        export.text.contains("odd@a.example,\"'=HYPERLINK(\"\"x\"\")\",Approved,'-5,\r\n"),
        "{}",
        export.text
    );
    assert!(export.headers["content-disposition"].to_str().unwrap().contains("attachment"));
    let shown = upload(&world, export.text.as_bytes()).await;
    // A tab in a name stands there by hand alone.
    assert!(shown.text.contains("1 of 6 rows"), "{}", shown.text);
    world.configure("employee", "b@a.example", json!({ "name": "B, \"the\" B;b", "custom_id": 7 }));
    let export = get(&world, "/admin/people/export").await;
    let shown = upload(&world, export.text.as_bytes()).await;
    assert!(
        shown
            .text
            .contains("<strong>0</strong> added, <strong>0</strong> changed, <strong>6</strong>"),
        "{}",
        shown.text
    );
}

#[tokio::test]
async fn own_ids_are_swapped_by_a_list_and_a_change_in_between_is_found() {
    let world = World::new().await;
    let list = "email,custom_id\npaul@blancapeak.example,522745\ngus@blancapeak.example,522743\n";
    let shown = check(&world, list).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    // Somebody edits one of them.
    world.configure(
        "employee",
        "gus@blancapeak.example",
        json!({ "name": "Gus", "custom_id": "522745" }),
    );
    let late = confirm(&world, &shown, list).await;
    assert_eq!(late.status, 409);
    assert!(late.text.contains("Nothing was written"));
    assert_eq!(
        item(&world, "employee_id", "522743")["email"],
        json!({ "S": "paul@blancapeak.example" })
    );
    assert_eq!(confirm(&world, &late, list).await.status, 303);
    for (id, email) in [("522743", "gus@blancapeak.example"), ("522745", "paul@blancapeak.example")]
    {
        assert_eq!(item(&world, "employee_id", id)["email"], json!({ "S": email }));
        assert_eq!(item(&world, "employee", email)["custom_id"], json!({ "S": id }));
    }
    // Another list than the one that was shown is not imported.
    let shown = check(&world, "email,name\npaul@blancapeak.example,P\n").await;
    let other = confirm(&world, &shown, "email,name\npaul@blancapeak.example,Q\n").await;
    assert_eq!(other.status, 409);
}

#[tokio::test]
async fn two_thousand_agents_are_imported_whole_or_not_at_all() {
    let world = World::proxied().await;
    let list = agents(600);
    let before = world.count("config");
    let shown = check(&world, &list).await;
    assert!(shown.text.contains("<strong>600</strong> added"));
    let dynamodb = &world.stack.proxies.as_ref().unwrap().dynamodb;
    // The tables fail in the middle: before or after the transaction was written.
    for (nth, after) in [(0, false), (350, false), (350, true)] {
        let agent = format!("\"agent{nth}@a.example\"");
        dynamodb.plan(move |call| {
            let hit = call.operation == "TransactWriteItems"
                && call.body.contains(&agent)
                && !call.body.contains("Take an import back");
            let error = InjectedReply::internal();
            match (hit, after) {
                (true, true) => Fault::ReplyAfter(error),
                (true, false) => Fault::Reply(error),
                (false, _) => Fault::None,
            }
        });
        let failed = confirm(&world, &shown, &list).await;
        assert_eq!(failed.status, 409, "{}", failed.text.get(..3_000).unwrap_or_default());
        assert!(failed.text.contains("Nothing was written"), "{nth} {after}");
        assert_eq!(world.count("config"), before, "{nth} {after}");
    }
    // Somebody adds one of the agents while the import is under way.
    let database = world.stack.database.clone();
    dynamodb.plan(move |call| {
        if call.operation == "TransactWriteItems" && call.nth == 5 {
            let other = seed::item("employee", "agent599@a.example", &json!({ "name": "Mine" }));
            seed::put(&database, &other).unwrap();
        }
        Fault::None
    });
    let raced = confirm(&world, &shown, &list).await;
    assert_eq!(raced.status, 409);
    assert!(raced.text.contains("somebody has edited one of the agents"));
    assert_eq!(world.count("config"), before + 1);
    assert_eq!(item(&world, "employee", "agent599@a.example")["name"], json!({ "S": "Mine" }));
    // As shown now, it goes through; so do all others.
    dynamodb.plan(|_| Fault::None);
    assert!(raced.text.contains("<strong>599</strong> added, <strong>1</strong> changed"));
    assert_eq!(confirm(&world, &raced, &list).await.status, 303);
    assert_eq!(world.count("config"), before + 1_200);
    let list = agents(2_000);
    let shown = check(&world, &list).await;
    assert!(shown.text.contains("<strong>1400</strong> added"));
    assert_eq!(confirm(&world, &shown, &list).await.status, 303);
    assert_eq!(world.count("config"), before + 4_000);
}

#[tokio::test]
async fn an_import_that_died_half_way_goes_on_where_it_stopped() {
    let world = World::new().await;
    let list = agents(150);
    let shown = check(&world, &list).await;
    // What a process that died has left.
    for n in 0..40 {
        let (name, custom_id) = (format!("Agent Nº {n}"), format!("id-{n}"));
        let agent = json!({ "name": name, "status": "approved", "custom_id": custom_id });
        world.configure("employee", &format!("agent{n}@a.example"), agent);
        world.configure(
            "employee_id",
            &format!("id-{n}"),
            json!({ "email": format!("agent{n}@a.example") }),
        );
    }
    let rest = confirm(&world, &shown, &list).await;
    assert_eq!(rest.status, 409);
    assert!(rest.text.contains(
        "<strong>110</strong> added, <strong>0</strong> changed, <strong>40</strong> stay"
    ));
    assert_eq!(confirm(&world, &rest, &list).await.status, 303);
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
