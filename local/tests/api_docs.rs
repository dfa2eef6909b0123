//! `docs/openapi.yaml` and `docs/api.md` say what the API does, and each client in `docs/clients/`
//! works. `scripts/api-test` goes further: it runs schemathesis against the description.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;
use kit::{LIVE, World, link};
use local::template::{TEMPLATE, Template};
use policy::{Outcome, Reason, Status, WaitingFor};
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

fn read(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// YAML as JSON. A number as a key is its text: `200:` and `"200":` are the same.
fn plain(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(values) => values.iter().map(plain).collect(),
        Yaml::Mapping(fields) => fields
            .iter()
            .map(|(key, value)| {
                let key = plain(key);
                let name = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                (name, plain(value))
            })
            .collect::<Map<_, _>>()
            .into(),
        other => panic!("openapi.yaml: {other:?} is not expected there"),
    }
}

fn description() -> Value {
    plain(&Yaml::load_from_str(&read("docs/openapi.yaml")).unwrap()[0])
}

/// Every operation: method in upper case, path, and what is said of it.
fn operations(description: &Value) -> Vec<(String, String, Value)> {
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if method != "parameters" {
                operations.push((method.to_uppercase(), path.clone(), operation.clone()));
            }
        }
    }
    operations
}

#[test]
fn the_description_has_the_routes_of_the_template_but_the_admin_pages() {
    let described: BTreeSet<(String, String)> =
        operations(&description()).into_iter().map(|(method, path, _)| (method, path)).collect();
    let deployed: BTreeSet<(String, String)> = Template::parse(TEMPLATE)
        .unwrap()
        .routes
        .into_iter()
        .map(|route| (route.method, route.path))
        // For people, and described in docs/admin.md.
        .filter(|(_, path)| !path.starts_with("/admin") && !path.starts_with("/send/"))
        .collect();
    assert_eq!(described, deployed);
}

#[test]
fn api_md_names_every_route_and_every_code_of_a_problem() {
    let (text, description) = (read("docs/api.md"), description());
    for (method, path, _) in operations(&description) {
        assert!(method == "HEAD" || text.contains(&format!("`{method} {path}")), "{method} {path}");
    }
    for code in description["components"]["schemas"]["ProblemCode"]["enum"].as_array().unwrap() {
        assert!(text.contains(&format!("`{}`", code.as_str().unwrap())), "{code}");
    }
}

#[test]
fn the_description_lists_the_words_that_the_code_has() {
    let schemas = description()["components"]["schemas"].clone();
    let listed = |name: &str| -> Vec<String> {
        let words = schemas[name]["enum"].as_array().unwrap();
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let words = |words: &[&str]| -> Vec<String> { words.iter().map(|w| (*w).to_owned()).collect() };
    assert_eq!(listed("Status"), words(&Status::ALL.map(Status::as_str)));
    let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(listed("Reason"), words(&reasons));
    let invalid: Vec<&str> = Reason::ALL
        .iter()
        .filter(|reason| reason.outcome() == Outcome::Invalid)
        .map(|reason| reason.code())
        .collect();
    assert_eq!(listed("InvalidReason"), words(&invalid));
    let waiting = [
        WaitingFor::Configuration,
        WaitingFor::TestEmail,
        WaitingFor::Sender,
        WaitingFor::MailsPerHour,
        WaitingFor::EarlierMail,
        WaitingFor::MailService,
    ];
    assert_eq!(listed("WaitingFor"), words(&waiting.map(WaitingFor::as_str)));
    assert_eq!(listed("Topic"), words(&survey::pages::Topic::ALL.map(survey::pages::Topic::name)));
}

/// Examples of bodies: route, name, and value.
fn examples() -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (_, path, operation) in operations(&description()) {
        let named = &operation["requestBody"]["content"]["application/json"]["examples"];
        for (name, example) in named.as_object().into_iter().flatten() {
            assert_eq!(example["x-event"], json!(format!("events/{name}.json")), "{path}");
            found.push((path.clone(), name.clone(), example["value"].clone()));
        }
    }
    assert!(found.len() >= 7);
    found
}

#[tokio::test]
async fn the_examples_are_the_bodies_of_the_sample_events() {
    let world = World::new().await;
    for (path, name, example) in examples() {
        let event: Value = serde_json::from_str(&read(&format!("events/{name}.json"))).unwrap();
        assert_eq!(event["rawPath"], json!(path), "{name}");
        let body = event["body"].as_str().unwrap();
        if let Ok(body) = serde_json::from_str::<Value>(body) {
            assert_eq!(body, example, "{name}");
            continue;
        }
        // The sample has what a template engine breaks; its repetition is told from what was meant.
        let first = world.call("POST", &path, &[("x-api-key", LIVE)], body).await;
        let second = world.post(&path, &example).await;
        assert_eq!((first.status, second.status), (200, 200), "{name}: {}", second.text);
        assert_eq!(first.id(), second.id(), "{name}");
        assert_eq!(second.json()["duplicate"], json!(true), "{name}");
    }
}

/// A client, and what runs it.
const CLIENTS: [(&str, &str); 4] = [
    ("bash", "docs/clients/client.sh"),
    ("python3", "docs/clients/client.py"),
    ("node", "docs/clients/client.mjs"),
    ("ruby", "docs/clients/client.rb"),
];

/// What a client sent: method, path, and its `Idempotency-Key`.
type Sent = (String, String, Option<String>);

/// The API, which answers each call with 503 before it answers it.
struct Unsteady {
    world: World,
    sent: Mutex<Vec<Sent>>,
}

impl Unsteady {
    async fn answer(&self, request: Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1024 * 1024).await.unwrap();
        let path = parts.uri.path_and_query().unwrap().to_string();
        let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
        let call =
            (parts.method.to_string(), path.clone(), header("idempotency-key").map(str::to_owned));
        let again = {
            let mut sent = self.sent.lock().unwrap();
            let again = sent.contains(&call);
            sent.push(call);
            again
        };
        if !again {
            return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")]).into_response();
        }
        let headers: Vec<(&str, &str)> = ["x-api-key", "content-type", "idempotency-key"]
            .into_iter()
            .filter_map(|name| Some((name, header(name)?)))
            .collect();
        let reply = self.world.call(parts.method.as_str(), &path, &headers, body.to_vec()).await;
        (StatusCode::from_u16(reply.status).unwrap(), reply.text).into_response()
    }
}

/// A stack with answered surveys of as many stars, oldest first.
async fn answered(stars: &[u8]) -> World {
    let mut world = World::new().await;
    for star in stars {
        let address = format!("customer{star}@customers.example");
        world.post("/v1/requests", &kit::request(&format!("old-{star}"), &address)).await;
        world.settle().await;
        let path = link(&world.mails_to(&address)[0], "/s/");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let reply = world.call("POST", &path, &form, format!("stars={star}")).await;
        assert_eq!(reply.status, 303, "{}", reply.text);
        world.advance(SignedDuration::from_secs(60));
    }
    world
}

/// Runs a client; `None` if its interpreter is not installed. With `AFTERWORD_CLIENTS=all`, as
/// `scripts/api-test` sets it, every interpreter has to be.
fn run(interpreter: &str, script: &str, url: &str, interaction: &str) -> Option<Output> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(interpreter)
        .arg(root.join(script))
        .arg(interaction)
        .env("AFTERWORD_URL", url)
        .env("AFTERWORD_KEY", LIVE)
        .env("AFTERWORD_LIMIT", "1")
        .output();
    let all = std::env::var("AFTERWORD_CLIENTS").is_ok_and(|which| which == "all");
    match output {
        Err(error) if !all && error.kind() == std::io::ErrorKind::NotFound => None,
        output => Some(output.unwrap_or_else(|error| panic!("{interpreter}: {error}"))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_asks_once_reads_its_request_and_pages_through_the_export() {
    let api = Arc::new(Unsteady { world: answered(&[5, 2]).await, sent: Mutex::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback({
        let api = api.clone();
        move |request: Request<Body>| async move { api.answer(request).await }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    for (interpreter, script) in CLIENTS {
        api.sent.lock().unwrap().clear();
        let (url, interaction) = (url.clone(), format!("by-{interpreter}"));
        let ran = tokio::task::spawn_blocking({
            let interaction = interaction.clone();
            move || run(interpreter, script, &url, &interaction)
        });
        let Some(output) = ran.await.unwrap() else { continue };
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {printed}\n{problem}");
        let list = format!("/v1/requests?ext_interaction_id={interaction}");
        let rows = api.world.get(&list).await.json()["requests"].clone();
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), 1, "{script}: asked once, whatever was repeated");
        let lines: Vec<&str> = printed.lines().map(str::trim).collect();
        let request = format!("request {} queued", rows[0]["request_id"].as_str().unwrap());
        assert_eq!(lines[0], request, "{script}");
        let stars: Vec<&str> =
            lines[1..].iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
        assert_eq!(stars, ["5", "2"], "{script}: {printed}");
        let sent = api.sent.lock().unwrap();
        let posts: Vec<&Sent> = sent.iter().filter(|(method, ..)| method == "POST").collect();
        let name = script.trim_start_matches("docs/clients/");
        let key = Some(format!("{name}-{interaction}"));
        assert_eq!(posts.len(), 2, "{script}");
        assert!(posts.iter().all(|(.., given)| *given == key), "{script}: {posts:?}");
    }
}
