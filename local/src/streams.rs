//! Lambda's event source mapping on a DynamoDB stream: reads, filters, batches, invokes, and
//! retries as Lambda does.
//!
//! Rules: <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-errors.html>. Records of one
//! function are delivered in order and at least once; functions do not wait for each other.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dynoxide::actions::get_records::GetRecordsResponse;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::database::{Database, request};
use crate::functions::{Functions, call_event};
use crate::template::StreamSource;
use crate::{Error, Result};

/// How long an idle pump waits for a function to end. A write that no function here made (by a
/// function under `sam local`, or by hand) is delivered after this time at the latest.
const IDLE: Duration = Duration::from_secs(1);
/// How long to wait after the database has failed a read.
const RETRY_READ: Duration = Duration::from_secs(1);

/// The failure destination: what Lambda would send to the failure queue. As there, it holds the
/// records' positions, not the items.
#[derive(Debug, Clone, Default)]
pub struct Failures(Arc<Mutex<Vec<Failure>>>);

/// Records that no retry will deliver any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Function that failed on them.
    pub function: String,
    /// `RetryAttemptsExhausted` or `MaximumRecordAgeExceeded`, as Lambda says.
    pub condition: &'static str,
    /// Their sequence numbers.
    pub sequence_numbers: Vec<String>,
}

impl Failures {
    /// All failures since the start.
    #[must_use]
    pub fn list(&self) -> Vec<Failure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, function: &str, condition: &'static str, records: &[Value]) {
        let sequence_numbers: Vec<String> =
            records.iter().map(|record| sequence_number(record).to_owned()).collect();
        tracing::error!(
            function,
            condition,
            records = sequence_numbers.len(),
            "stream records went to the failure destination"
        );
        let failure = Failure { function: function.to_owned(), condition, sequence_numbers };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
    }
}

/// Delivers one table's stream to one function, and remembers how far it is.
pub struct Pump {
    source: StreamSource,
    database: Database,
    functions: Arc<dyn Functions>,
    failures: Failures,
    stream_arn: String,
    /// The engine gives a stream one shard. It is asked for once: the engine reads the whole
    /// stream to describe it.
    shard_id: String,
    /// Sequence number of the last record that was delivered or given up; `None` is the beginning.
    position: Option<String>,
    position_file: Option<PathBuf>,
    /// Wait before the first retry; it doubles with each, up to a second.
    retry_delay: Duration,
}

/// How an invocation with a batch ended.
enum Outcome {
    Done,
    /// The record at this index and all records after it are delivered again.
    FailedFrom(usize),
}

impl Pump {
    /// A pump that begins at the position in `position_file`, or else with the stream's first
    /// record.
    ///
    /// # Errors
    /// [`Error::Database`] when the table has no stream, [`Error::File`] when the file cannot be
    /// read.
    pub fn new(
        source: StreamSource,
        database: Database,
        functions: Arc<dyn Functions>,
        failures: Failures,
        position_file: Option<PathBuf>,
    ) -> Result<Self> {
        let streams = database.list_streams(request(json!({"TableName": source.table}))?);
        let streams = streams
            .map_err(|problem| Error::database(format!("streams of {}", source.table), problem))?
            .streams;
        let stream = streams.into_iter().next().ok_or_else(|| {
            Error::database(format!("table {}", source.table), "it has no stream")
        })?;
        let description = database
            .describe_stream(request(json!({"StreamArn": stream.stream_arn}))?)
            .map_err(|problem| Error::database("describe the stream", problem))?;
        let shards = description.stream_description.shards;
        let shard = shards.into_iter().next().ok_or_else(|| {
            Error::database(format!("table {}", source.table), "its stream has no shard")
        })?;
        let position = match &position_file {
            None => None,
            Some(path) => match std::fs::read_to_string(path) {
                Ok(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
                Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => None,
                Err(source) => {
                    return Err(Error::File { path: path.display().to_string(), source });
                }
            },
        };
        let retry_delay = Duration::from_millis(100);
        Ok(Self {
            source,
            database,
            functions,
            failures,
            stream_arn: stream.stream_arn,
            shard_id: shard.shard_id,
            position,
            position_file,
            retry_delay,
        })
    }

    /// Delivers for ever: after each end of an invocation that `ended` tells of, and once a second.
    /// An error of the database is logged, and the read is tried again.
    pub async fn run(mut self, mut ended: watch::Receiver<()>) {
        loop {
            // Before reading: an invocation that ends during the read causes another read.
            ended.mark_unchanged();
            if let Err(problem) = self.drain().await {
                let function = &self.source.function;
                tracing::error!(function, error = %problem, "the stream cannot be read");
                tokio::time::sleep(RETRY_READ).await;
            }
            // The outcome does not matter: after an invocation or after the time, it reads.
            let _ = tokio::time::timeout(IDLE, ended.changed()).await;
        }
    }

    /// Delivers every record up to the stream's end. Returns how many of them passed the filter.
    ///
    /// # Errors
    /// [`Error::Database`] when the stream cannot be read, [`Error::File`] when the position cannot
    /// be written to its file.
    pub async fn drain(&mut self) -> Result<usize> {
        let mut delivered = 0;
        loop {
            let records = self.read()?;
            let Some(last) = records.last().map(|record| sequence_number(record).to_owned()) else {
                return Ok(delivered);
            };
            let passing: Vec<Value> =
                records.into_iter().filter(|record| self.passes(record)).collect();
            delivered += passing.len();
            self.deliver(passing).await;
            self.keep(last)?;
        }
    }

    fn read(&self) -> Result<Vec<Value>> {
        let failed = |problem| Error::database("read the stream", problem);
        let mut start = json!({"StreamArn": self.stream_arn, "ShardId": self.shard_id});
        match &self.position {
            None => start["ShardIteratorType"] = json!("TRIM_HORIZON"),
            Some(position) => {
                start["ShardIteratorType"] = json!("AFTER_SEQUENCE_NUMBER");
                start["SequenceNumber"] = json!(position);
            }
        }
        let iterator =
            self.database.get_shard_iterator(request(start)?).map_err(failed)?.shard_iterator;
        let get = json!({"ShardIterator": iterator, "Limit": self.source.batch_size});
        let response: GetRecordsResponse =
            self.database.get_records(request(get)?).map_err(failed)?;
        let records = response.records.iter().map(|record| {
            let mut record = serde_json::to_value(record)
                .map_err(|problem| Error::database("stream record", problem))?;
            record["eventSourceARN"] = json!(self.stream_arn);
            Ok(record)
        });
        records.collect()
    }

    fn passes(&self, record: &Value) -> bool {
        self.source.filters.is_empty()
            || self.source.filters.iter().any(|filter| filter.matches(record))
    }

    /// Delivers a batch in order, with Lambda's retries. It returns when the function has taken
    /// each record, or the record is in the failure destination.
    async fn deliver(&self, batch: Vec<Value>) {
        let mut waiting = vec![(batch, 0)];
        while let Some((batch, attempt)) = waiting.pop() {
            let (batch, expired) = self.split_expired(batch);
            if !expired.is_empty() {
                self.failures.add(&self.source.function, "MaximumRecordAgeExceeded", &expired);
            }
            if batch.is_empty() {
                continue;
            }
            let Outcome::FailedFrom(index) = self.invoke(&batch).await else { continue };
            let mut rest = batch;
            rest.drain(..index.min(rest.len()));
            // Splitting a batch does not count as an attempt. Nor does an invocation that took a
            // part of its batch.
            if self.source.bisect && index == 0 && rest.len() > 1 {
                let second = rest.split_off(rest.len() / 2);
                waiting.push((second, attempt));
                waiting.push((rest, attempt));
            } else if self.source.bisect && index > 0 {
                waiting.push((rest, attempt));
            } else if attempt < self.source.retries {
                tokio::time::sleep(
                    self.retry_delay
                        .saturating_mul(1 << attempt.min(10))
                        .min(Duration::from_secs(1)),
                )
                .await;
                waiting.push((rest, attempt + 1));
            } else {
                self.failures.add(&self.source.function, "RetryAttemptsExhausted", &rest);
            }
        }
    }

    fn split_expired(&self, batch: Vec<Value>) -> (Vec<Value>, Vec<Value>) {
        let Some(max_age) = self.source.max_age else { return (batch, Vec::new()) };
        let oldest = Timestamp::now().as_second() as f64 - max_age.as_secs_f64();
        let created = |record: &Value| {
            record
                .pointer("/dynamodb/ApproximateCreationDateTime")
                .and_then(Value::as_f64)
                .unwrap_or(f64::MAX)
        };
        batch.into_iter().partition(|record| created(record) >= oldest)
    }

    async fn invoke(&self, batch: &[Value]) -> Outcome {
        match call_event(&self.functions, &self.source.function, json!({"Records": batch})).await {
            Ok(answer) if self.source.reports_failures => partial(batch, &answer),
            Ok(_) => Outcome::Done,
            Err(problem) => {
                let function = &self.source.function;
                tracing::warn!(function, error = %problem, "the function failed on a batch");
                Outcome::FailedFrom(0)
            }
        }
    }

    fn keep(&mut self, position: String) -> Result<()> {
        if let Some(path) = &self.position_file {
            // Renaming replaces the file as a whole, so that a crash leaves the old position or the
            // new one.
            let new = path.with_extension("new");
            std::fs::write(&new, &position)
                .and_then(|()| std::fs::rename(&new, path))
                .map_err(|source| Error::File { path: path.display().to_string(), source })?;
        }
        self.position = Some(position);
        Ok(())
    }
}

/// Reads a partial batch response: every record from the first failed one on is delivered again.
/// An identifier that is not in the batch fails the whole batch.
fn partial(batch: &[Value], answer: &Value) -> Outcome {
    let Some(failures) = answer.get("batchItemFailures").and_then(Value::as_array) else {
        return Outcome::Done;
    };
    let index_of = |failure: &Value| {
        let identifier = failure.get("itemIdentifier").and_then(Value::as_str)?;
        batch.iter().position(|record| sequence_number(record) == identifier)
    };
    failures
        .iter()
        .map(|failure| index_of(failure).unwrap_or(0))
        .min()
        .map_or(Outcome::Done, Outcome::FailedFrom)
}

fn sequence_number(record: &Value) -> &str {
    record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
