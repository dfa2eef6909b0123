//! Lists and exports that are longer than a page, a megabyte of DynamoDB's, or what Lambda can
//! reply.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use jiff::SignedDuration;
use kit::{World, link, request, request_id};
use serde_json::{Value, json};

/// Bytes that a reply of Lambda's may have.
const LAMBDA: usize = 6 * 1024 * 1024;

impl World {
    /// Writes items to a table as they are.
    fn write(&self, table: &str, items: &[Value]) {
        for batch in items.chunks(25) {
            let puts: Vec<Value> =
                batch.iter().map(|item| json!({ "PutRequest": { "Item": item } })).collect();
            let write = json!({ "RequestItems": { table: puts } });
            self.stack.database.batch_write_item(serde_json::from_value(write).unwrap()).unwrap();
        }
    }

    /// Follows `next` to the end. Returns what `id` says of each row, in order, and how many pages
    /// there were.
    async fn follow(&self, path: &str, rows: &str, id: &str) -> (Vec<String>, usize) {
        let (mut seen, mut after) = (Vec::new(), String::new());
        for pages in 1..200 {
            let reply = self.get(&format!("{path}{after}")).await;
            assert!(
                reply.status == 200 && reply.text.len() < LAMBDA,
                "{} {}",
                reply.status,
                reply.text.len()
            );
            let page = reply.json();
            seen.extend(page[rows].as_array().unwrap().iter().map(|row| row[id].to_string()));
            match &page["next"] {
                Value::Null => return (seen, pages),
                Value::String(next) => after = format!("&after={next}"),
                next => after = format!("&after={next}"),
            }
        }
        panic!("{path} has no end");
    }
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

#[tokio::test]
async fn an_export_of_eight_megabytes_comes_in_pages_without_a_gap() {
    let mut world = World::new().await;
    world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    world.settle().await;
    let survey = link(&world.mails_to("jane@customers.example").remove(0), "/s/");
    // Three bytes a character in the table, six in JSON at worst.
    let comment = "日".repeat(1_900);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(
        world.call("POST", &survey, &form, format!("stars=5&comment={comment}")).await.status,
        303
    );
    let scan = serde_json::from_value(json!({ "TableName": "responses" })).unwrap();
    let answer =
        serde_json::to_value(world.stack.database.scan(scan).unwrap()).unwrap()["Items"][0].clone();
    let first: u64 = answer["sequence_id"]["N"].as_str().unwrap().parse().unwrap();
    let copies = (1..=1_400).map(|n| {
        let mut copy = answer.clone();
        copy["sequence_id"] = json!({ "N": (first + n).to_string() });
        copy
    });
    world.write("responses", &copies.collect::<Vec<_>>());
    world.advance(SignedDuration::from_secs(11));
    let (seen, pages) = world.follow("/v2/data?limit=1000", "data", "sequence_id").await;
    assert_eq!(seen, (first..=first + 1_400).map(|id| id.to_string()).collect::<Vec<_>>());
    assert!(pages > 2, "{pages}");
}

#[tokio::test]
async fn a_list_of_large_requests_and_one_that_finds_little_come_in_pages_without_a_gap() {
    let world = World::new().await;
    let mut large = request("1", "jane@customers.example");
    large["custom_properties"] = (0..20)
        .map(|n| (format!("p{n}"), json!("x".repeat(1_900))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(world.post("/v1/requests", &large).await.status, 200);
    world.post("/v1/requests", &request("2", "joe@customers.example")).await;
    let rows = world.rows();
    let (large, small) =
        rows.iter().partition::<Vec<&Value>, _>(|row| row["ext_interaction_id"]["S"] == "1");
    let mut number = 0;
    let mut copies = |of: &Value, count: usize, delivered: usize| {
        let copy = |n: usize| {
            let mut copy = of.clone();
            number += 1;
            copy["request_id"] = json!({ "S": request_id(world.now(), number) });
            if n < delivered {
                copy["status"] = json!({ "S": "delivered" });
            }
            copy
        };
        (0..count).map(copy).collect::<Vec<_>>()
    };
    let ids = |items: &[Value]| {
        sorted(items.iter().map(|item| item["request_id"]["S"].to_string()).collect())
    };
    // All of one shard of one day, as the index is told: the two that arrived are the oldest, behind
    // more than one search looks through.
    let many = copies(small[0], 5_200, 2);
    world.write("interactions", &many);
    let (seen, pages) =
        world.follow("/v1/requests?status=delivered", "requests", "request_id").await;
    assert_eq!(sorted(seen), ids(&many[..2]));
    assert!(pages > 1, "the search was broken off and gone on with");
    let heavy = copies(large[0], 150, 0);
    world.write("interactions", &heavy);
    let (seen, pages) =
        world.follow("/v1/requests?ext_interaction_id=1&limit=500", "requests", "request_id").await;
    assert_eq!(sorted(seen), ids(&[heavy, vec![large[0].clone()]].concat()));
    assert!(pages > 1, "{pages}");
}

#[tokio::test]
async fn however_heavy_the_rows_are_every_page_can_be_had() {
    let mut world = World::new().await;
    // Fewer days to look back through, page by page.
    world.company(json!({ "survey_days": 1, "retention_days": 1 }));
    world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    world.settle().await;
    let survey = link(&world.mails_to("jane@customers.example").remove(0), "/s/");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(world.call("POST", &survey, &form, "stars=5").await.status, 303);
    let scan = serde_json::from_value(json!({ "TableName": "responses" })).unwrap();
    let answer =
        serde_json::to_value(world.stack.database.scan(scan).unwrap()).unwrap()["Items"][0].clone();
    let (row, first) = (
        world.rows().remove(0),
        answer["sequence_id"]["N"].as_str().unwrap().parse::<u64>().unwrap(),
    );
    let (mut newest_first, mut in_order) =
        (vec![row["request_id"]["S"].to_string()], vec![first.to_string()]);
    for n in 1..=120 {
        let (mut copy, text) = (row.clone(), json!({ "S": "x".repeat(388_000) }));
        copy["request_id"] = json!({ "S": request_id(world.now(), n) });
        newest_first.push(copy["request_id"]["S"].to_string());
        // Some are heavy with what a caller is shown, the others with what stays within.
        match n % 4 {
            0 => copy["body"] = text,
            _ => copy["request"]["M"]["custom_properties"] = json!({ "M": { "long": text } }),
        }
        if n % 3 == 0 {
            let mut answer = answer.clone();
            answer["request_id"] = copy["request_id"].clone();
            answer["sequence_id"] = json!({ "N": (first + n).to_string() });
            in_order.push((first + n).to_string());
            world.write("responses", &[answer]);
        }
        world.write("interactions", &[copy]);
    }
    newest_first.sort_by(|a, b| b.cmp(a));
    world.advance(SignedDuration::from_secs(11));
    let (seen, pages) = world.follow("/v1/requests?limit=500", "requests", "request_id").await;
    assert!(seen == newest_first && pages > 1, "{} rows, {pages} pages", seen.len());
    let (seen, pages) = world.follow("/v2/data?limit=1000", "data", "sequence_id").await;
    assert!(seen == in_order && pages > 1, "{} rows, {pages} pages", seen.len());
}
