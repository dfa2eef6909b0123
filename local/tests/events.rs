//! The files of `events/` are for `sam local`, for `cargo run` and for readers: here the real
//! functions take every one of them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kit::World;
use lambda_http::Body;
use local::bundle::Invoker;
use local::functions::Functions as _;
use local::template::{TEMPLATE, Template};
use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::{Value, json};

/// Every file of `events/` but `env.json`, by its name.
fn events() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let named = files.map(|file| {
        (
            file.file_stem().unwrap().to_str().unwrap().to_owned(),
            std::fs::read_to_string(&file).unwrap(),
        )
    });
    named
        .filter(|(name, _)| name != "env")
        .map(|(name, text)| (name, serde_json::from_str(&text).unwrap()))
        .collect()
}

/// Puts the row that a stream event tells of, so that its function finds it.
fn put_row(world: &World, event: &Value) -> String {
    let image = &event["Records"][0]["dynamodb"]["NewImage"];
    let put =
        serde_json::from_value(json!({ "TableName": "interactions", "Item": image })).unwrap();
    world.stack.database.put_item(put).unwrap();
    image["request_id"]["S"].as_str().unwrap().to_owned()
}

/// Hands an API event to the function that the template routes it to, through `lambda_http` as in
/// production.
async fn call(world: &World, event: &Value) -> (u16, String) {
    let (method, path) = event["routeKey"].as_str().unwrap().split_once(' ').unwrap();
    let routes = Template::parse(TEMPLATE).unwrap().routes;
    let route = routes
        .into_iter()
        .find(|route| (route.method.as_str(), route.path.as_str()) == (method, path))
        .unwrap();
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let response =
        Invoker(world.stack.bundle.clone()).http(&route.function, request).await.unwrap();
    let text = match response.body() {
        Body::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    (response.status().as_u16(), text)
}

#[tokio::test]
async fn every_event_file_is_taken_by_its_function() {
    let world = World::new().await;
    let events = events();
    let (queued, unresolved) =
        (put_row(&world, &events["dispatch"]), put_row(&world, &events["gladly_resolve"]));
    let mut answered = BTreeMap::new();
    for (name, event) in &events {
        let answer = match name.as_str() {
            "dispatch" | "gladly_resolve" | "mail_events" | "mail_events_validated" => {
                let function = name.strip_suffix("_validated").unwrap_or(name);
                world.stack.invoke(function, event.clone()).await.unwrap().to_string()
            }
            "sweep" => {
                world.stack.invoke(name, event.clone()).await.map(|_| "done".to_owned()).unwrap()
            }
            _ => {
                let (status, text) = call(&world, event).await;
                let json: Value = serde_json::from_str(&text).unwrap_or_default();
                let said =
                    ["status", "reason"].map(|field| json[field].as_str().unwrap_or_default());
                format!("{status} {}", said.join(" ")).trim().to_owned()
            }
        };
        answered.insert(name.as_str(), answer);
    }
    let taken = r#"{"batchItemFailures":[]}"#;
    let expected = [
        ("admin", "200"),
        ("answers", "200"),
        ("auth", "200 not_sent do_not_send"),
        ("dispatch", taken),
        ("freshdesk", "200 queued"),
        ("gladly", "200 unresolved"),
        ("gladly_ping", "200 ignored ping"),
        ("gladly_resolve", taken),
        ("gorgias", "200 queued"),
        ("mail_events", taken),
        // What SES says when an event destination is made. It changes nothing.
        ("mail_events_validated", taken),
        ("requests", "200 queued"),
        // No request has the sample's id.
        ("requests_delete", "404"),
        ("requests_get", "200"),
        ("survey", "200"),
        ("sweep", "done"),
        ("unsubscribe", "200"),
        ("zendesk", "200 queued"),
    ];
    assert_eq!(answered, expected.map(|(name, answer)| (name, answer.to_owned())).into());

    assert_eq!(world.outcome(&queued).await, "delivered");
    assert_eq!(world.mails_to("ines@customers.example").len(), 1);
    assert_eq!(world.outcome(&unresolved).await, "queued");
}

#[tokio::test]
async fn the_rows_of_the_stream_events_are_what_the_store_writes() {
    let mut world = World::new().await;
    let events = events();
    let body = json!({
        "channel": "email", "ext_interaction_id": "7001", "customer": {"name": "Inês Silva",
        "email": "ines@customers.example"},
        "employee": {"email": "paul@blancapeak.example"}, "brand": "blancakids",
        "language": "pt-BR",
    });
    let queued = world.post("/v1/requests", &body).await.id();
    let unresolved: Value = serde_json::from_str(&call(&world, &events["gladly"]).await.1).unwrap();
    for (name, id) in [
        ("dispatch", queued.as_str()),
        ("gladly_resolve", unresolved["request_id"].as_str().unwrap()),
    ] {
        let key = json!({ "TableName": "interactions", "Key": { "request_id": { "S": id } } });
        let got = world.stack.database.get_item(serde_json::from_value(key).unwrap()).unwrap();
        let mut written = serde_json::to_value(got).unwrap()["Item"].take();
        let mut sample = events[name]["Records"][0]["dynamodb"]["NewImage"].clone();
        // The id and what follows from it, the times, and how the sender wrote the body.
        for own in
            ["request_id", "due_shard", "day_shard", "created_at", "wake_at", "expires_at", "body"]
        {
            let kinds = [&mut written, &mut sample]
                .map(|row| row.as_object_mut().unwrap().remove(own).unwrap());
            assert_eq!(
                kinds[0].as_object().unwrap().keys().next(),
                kinds[1].as_object().unwrap().keys().next(),
                "{name}: {own}"
            );
        }
        assert_eq!(sample, written, "{name}");
    }
    world.settle().await;
}

/// Names of the variables below `node` (with `Environment.Variables`) whose value is not simply
/// written there: what `sam local` must be told.
fn computed(node: &Yaml<'_>) -> BTreeSet<String> {
    let variables = node
        .as_mapping_get("Environment")
        .and_then(|environment| environment.as_mapping_get("Variables"));
    let variables = variables.and_then(Yaml::as_mapping).into_iter().flatten();
    variables
        .filter(|(_, value)| matches!(value, Yaml::Tagged(..)))
        .map(|(name, _)| name.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn env_json_sets_exactly_what_the_template_computes() {
    let template = &Yaml::load_from_str(TEMPLATE).unwrap()[0];
    let everywhere = computed(&template["Globals"]["Function"]);
    assert!(everywhere.contains("STACK_NAME") && everywhere.contains("CONFIG_TABLE"));
    let mut declared = BTreeMap::new();
    for (id, resource) in template["Resources"].as_mapping().unwrap() {
        if resource["Type"].as_str() == Some("AWS::Serverless::Function") {
            declared.insert(
                id.as_str().unwrap().to_owned(),
                &computed(&resource["Properties"]) | &everywhere,
            );
        }
    }
    let given: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(include_str!("../../events/env.json")).unwrap();
    let given: BTreeMap<String, BTreeSet<String>> = given
        .into_iter()
        .map(|(function, variables)| (function, variables.into_keys().collect()))
        .collect();
    assert_eq!(given, declared);
}
