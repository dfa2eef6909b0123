//! `/admin/people/import` and the export, as a browser and a script use them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use kit::admin::{FORM, ann, form, hidden, location, stored as item};
use kit::{Reply, World, request};
use local::faults::{Fault, InjectedReply};
use local::seed;
use serde_json::{Value, json};

const IMPORT: &str = "/admin/people/import";

/// Uploads a file as a browser does.
async fn upload(world: &World, file: &[u8]) -> Reply {
    upload_beside(world, file, "", "").await
}

/// The same with a text in the field, and the digest of what it held when the form was shown.
async fn upload_beside(world: &World, file: &[u8], text: &str, was: &str) -> Reply {
    let head = "--B\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\ncheck\r\n--B\r\n\
                Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\
                Content-Type: text/csv\r\n\r\n";
    let tail = format!(
        "\r\n--B\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n{text}\r\n--B\r\n\
         Content-Disposition: form-data; name=\"was\"\r\n\r\n{was}\r\n--B--\r\n"
    );
    let body = [head.as_bytes(), file, tail.as_bytes()].concat();
    let basic = ann();
    let kind = ("content-type", "multipart/form-data; boundary=B");
    world
        .call("POST", IMPORT, &[("authorization", &basic), ("accept", "text/html"), kind], body)
        .await
}

fn agents(n: usize) -> String {
    let rows = (0..n).map(|n| format!("agent{n}@a.example;Agent Nº {n};approved;id-{n};\r\n"));
    format!("E-Mail;Full Name;Status;Own id;Picture\r\n{}", rows.collect::<String>())
}

async fn check(world: &World, list: &str) -> Reply {
    world.submit(IMPORT, &[("action", "check"), ("text", list)]).await
}

async fn confirm(world: &World, shown: &Reply, list: &str) -> Reply {
    let digest = hidden(shown, "digest");
    world.submit(IMPORT, &[("action", "import"), ("digest", &digest), ("text", list)]).await
}

#[tokio::test]
async fn two_hundred_agents_are_imported_after_a_look_by_a_session_of_a_browser() {
    let mut world = World::new().await;
    let sign_in = form(&[("name", "Ann"), ("key", seed::ADMIN_KEY)]);
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
                form(fields),
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
        world.submit(IMPORT, &[("action", "import"), ("digest", ""), ("text", faulty)]).await;
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
    let export = world.page("/admin/people/export").await;
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
    let export = world.page("/admin/people/export").await;
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
async fn a_cell_that_begins_with_a_sign_of_full_width_or_unseen_is_no_formula() {
    let world = World::new().await;
    let names = ["＝1+1", "＋1", "－1", "＠x", "\u{202e}=1", "\u{200b}＝1", "\u{2066} @x"];
    for (n, name) in names.into_iter().enumerate() {
        world.configure("employee", &format!("n{n}@a.example"), json!({ "name": name }));
    }
    let export = world.page("/admin/people/export").await;
    for (n, name) in names.into_iter().enumerate() {
        let cell = format!("n{n}@a.example,'{name},");
        assert!(export.text.contains(&cell), "{cell:?}: {}", export.text);
    }
    let shown = upload(&world, export.text.as_bytes()).await;
    let same = "<strong>0</strong> added, <strong>0</strong> changed";
    assert!(shown.text.contains(same), "{}", shown.text);
}

#[tokio::test]
async fn of_a_file_and_a_text_at_once_none_is_taken_in_silence() {
    let world = World::new().await;
    let (file, text) = ("email\nfile@a.example\n", "email\r\ntext@a.example\r\n");
    // On the page that refuses them, the text is none that was there before either.
    let mut was = String::new();
    for _ in 0..2 {
        let refused = upload_beside(&world, file.as_bytes(), text, &was).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(refused.text.contains("There are two lists"), "{}", refused.text);
        assert!(refused.text.contains("id=\"file-error\""));
        assert!(refused.text.contains("text@a.example"), "what was pasted stays");
        assert!(!refused.text.contains("name=\"digest\""), "nothing to confirm");
        was = hidden(&refused, "was");
    }
    // A page that shows a list keeps it in the field: another file takes its place.
    let was = hidden(&check(&world, text).await, "was");
    let shown = upload_beside(&world, file.as_bytes(), text, &was).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert!(shown.text.contains("<bdi>file@a.example</bdi>"), "{}", shown.text);
    let edited = format!("{text}more@a.example\r\n");
    assert_eq!(upload_beside(&world, file.as_bytes(), &edited, &was).await.status, 422);
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
async fn a_list_of_several_transactions_is_imported_whole_or_not_at_all() {
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
    // As shown now, it goes through.
    dynamodb.plan(|_| Fault::None);
    assert!(raced.text.contains("<strong>599</strong> added, <strong>1</strong> changed"));
    assert_eq!(confirm(&world, &raced, &list).await.status, 303);
    assert_eq!(world.count("config"), before + 1_200);
}

#[tokio::test]
async fn two_thousand_agents_are_imported_at_once() {
    let world = World::new().await;
    let before = world.count("config");
    let list = agents(2_000);
    let shown = check(&world, &list).await;
    assert!(shown.text.contains("<strong>2000</strong> added"));
    assert_eq!(location(&confirm(&world, &shown, &list).await), "/admin/people?done=imported");
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
