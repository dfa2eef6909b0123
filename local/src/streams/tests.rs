use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::*;
use crate::database::{open, put_if_absent};
use crate::functions::FunctionError;
use crate::template::{TEMPLATE, Template};

/// What the function does with a certain record.
#[derive(Clone, Copy)]
enum Dislike {
    Nothing,
    /// Names it in the partial batch response.
    Reports(&'static str),
    /// Fails the batch that holds it.
    Fails(&'static str),
    /// Panics on the batch that holds it.
    Panics(&'static str),
    /// Names a record that is not in the batch, the first time.
    Misnames,
}

struct Recorder {
    dislike: Dislike,
    batches: Mutex<Vec<Vec<String>>>,
    taken: Mutex<Vec<String>>,
}

impl Functions for Recorder {
    fn http(
        &self,
        _function: &str,
        _request: lambda_http::Request,
    ) -> BoxFuture<
        'static,
        std::result::Result<lambda_http::Response<lambda_http::Body>, FunctionError>,
    > {
        async { Err("unused".into()) }.boxed()
    }

    fn event(
        &self,
        _function: &str,
        event: Value,
    ) -> BoxFuture<'static, std::result::Result<Value, FunctionError>> {
        let records = event["Records"].as_array().unwrap();
        let id = |record: &Value| {
            record["dynamodb"]["NewImage"]["request_id"]["S"].as_str().unwrap().to_owned()
        };
        let ids: Vec<String> = records.iter().map(id).collect();
        let first = self.batches.lock().unwrap().is_empty();
        self.batches.lock().unwrap().push(ids.clone());
        let holds = |wanted: &str| ids.iter().any(|id| id == wanted);
        let (taken, answer) = match self.dislike {
            Dislike::Fails(poison) if holds(poison) => (0, Err("poison".into())),
            Dislike::Panics(poison) if holds(poison) => panic!("poison"),
            Dislike::Reports(poison) if holds(poison) => {
                let at = ids.iter().position(|id| id == poison).unwrap();
                (
                    at,
                    Ok(json!({"batchItemFailures": [
                        {"itemIdentifier": sequence_number(&records[at])},
                    ]})),
                )
            }
            Dislike::Misnames if first => {
                (0, Ok(json!({"batchItemFailures": [{"itemIdentifier": "nonsense"}]})))
            }
            _ => (ids.len(), Ok(json!({"batchItemFailures": []}))),
        };
        self.taken.lock().unwrap().extend(ids.into_iter().take(taken));
        async move { answer }.boxed()
    }
}

fn database() -> Database {
    open(None, &Template::parse(TEMPLATE).unwrap().tables).unwrap()
}

fn put(database: &Database, id: &str, status: &str, ready: bool) {
    let mut item = json!({"request_id": {"S": id}, "status": {"S": status}});
    if ready {
        item["ready"] = json!({"N": "1"});
    }
    assert!(put_if_absent(database, "interactions", "request_id", &item).unwrap());
}

fn pump(
    database: &Database,
    dislike: Dislike,
    position_file: Option<PathBuf>,
) -> (Pump, Arc<Recorder>, Failures) {
    let recorder =
        Arc::new(Recorder { dislike, batches: Mutex::default(), taken: Mutex::default() });
    let failures = Failures::default();
    let source = Template::parse(TEMPLATE)
        .unwrap()
        .streams
        .into_iter()
        .find(|stream| stream.function == "dispatch")
        .unwrap();
    let mut pump =
        Pump::new(source, database.clone(), recorder.clone(), failures.clone(), position_file)
            .unwrap();
    pump.retry_delay = Duration::from_millis(1);
    (pump, recorder, failures)
}

#[tokio::test]
async fn only_what_passes_the_filter_is_delivered_once_and_in_order() {
    let database = database();
    let (mut pump, recorder, failures) = pump(&database, Dislike::Nothing, None);
    put(&database, "a", "queued", true);
    put(&database, "b", "queued", false);
    put(&database, "c", "unresolved", true);
    put(&database, "d", "queued", true);
    assert_eq!(pump.drain().await.unwrap(), 2);
    assert_eq!(pump.drain().await.unwrap(), 0);
    put(&database, "e", "queued", true);
    assert_eq!(pump.drain().await.unwrap(), 1);
    assert_eq!(*recorder.batches.lock().unwrap(), [vec!["a", "d"], vec!["e"]]);
    assert!(failures.list().is_empty());
}

#[tokio::test]
async fn a_poisonous_record_goes_to_the_failure_destination_and_the_rest_goes_through() {
    for dislike in [Dislike::Reports("c"), Dislike::Fails("c"), Dislike::Panics("c")] {
        let database = database();
        let (mut pump, recorder, failures) = pump(&database, dislike, None);
        for id in ["a", "b", "c", "d", "e"] {
            put(&database, id, "queued", true);
        }
        pump.drain().await.unwrap();
        assert_eq!(*recorder.taken.lock().unwrap(), ["a", "b", "d", "e"]);
        let failures = failures.list();
        assert_eq!(failures.len(), 1);
        assert_eq!(
            (failures[0].condition, failures[0].sequence_numbers.len()),
            ("RetryAttemptsExhausted", 1)
        );
        let alone =
            recorder.batches.lock().unwrap().iter().filter(|batch| **batch == ["c"]).count();
        assert_eq!(alone, 4, "one attempt and three retries");
    }
}

#[tokio::test]
async fn an_unknown_identifier_brings_the_whole_batch_again() {
    let database = database();
    let (mut pump, recorder, failures) = pump(&database, Dislike::Misnames, None);
    put(&database, "a", "queued", true);
    put(&database, "b", "queued", true);
    pump.drain().await.unwrap();
    assert_eq!(*recorder.taken.lock().unwrap(), ["a", "b"]);
    assert!(failures.list().is_empty());
}

#[tokio::test]
async fn records_that_are_too_old_are_given_up_untried() {
    let database = database();
    let (mut pump, recorder, failures) = pump(&database, Dislike::Nothing, None);
    put(&database, "a", "queued", true);
    let mut records = pump.read().unwrap();
    records[0]["dynamodb"]["ApproximateCreationDateTime"] = json!(1.0);
    pump.position = Some(sequence_number(&records[0]).to_owned());
    pump.deliver(records).await;
    assert_eq!(failures.list()[0].condition, "MaximumRecordAgeExceeded");
    assert!(recorder.batches.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_saved_position_is_where_the_next_run_begins() {
    let database = database();
    let file = std::env::temp_dir().join(format!("afterword-{}.position", uuid::Uuid::now_v7()));
    let (mut first, ..) = pump(&database, Dislike::Nothing, Some(file.clone()));
    put(&database, "a", "queued", true);
    first.drain().await.unwrap();
    put(&database, "b", "queued", true);
    let (mut second, recorder, _) = pump(&database, Dislike::Nothing, Some(file.clone()));
    second.drain().await.unwrap();
    assert_eq!(*recorder.batches.lock().unwrap(), [["b"]]);
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn an_idle_pump_delivers_as_soon_as_an_invocation_ends() {
    let database = database();
    let (pump, recorder, _) = pump(&database, Dislike::Nothing, None);
    let ended = watch::Sender::default();
    let task = tokio::spawn(pump.run(ended.subscribe()));
    for (count, id) in (1..).zip(["a", "b"]) {
        put(&database, id, "queued", true);
        ended.send_replace(());
        let delivered = async {
            while recorder.taken.lock().unwrap().len() < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(IDLE / 2, delivered).await.unwrap();
    }
    // A write that no invocation announces is delivered after a second at most.
    put(&database, "c", "queued", true);
    let delivered = async {
        while recorder.taken.lock().unwrap().len() < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(IDLE * 10, delivered).await.unwrap();
    task.abort();
}
