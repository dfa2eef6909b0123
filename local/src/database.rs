//! DynamoDB: the embedded engine with the template's tables, and its HTTP endpoint.

use std::path::Path;

pub use dynoxide::Database;
use dynoxide::DynoxideError;
use dynoxide::storage::Storage;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::template::Table;
use crate::{Error, Result};

/// The engine numbers a record of a stream, and finds those after a position, by reading all that
/// there ever were: its table has no index. With one, a stack that has run for long is as quick as
/// a new one. Nothing else changes.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS _stream_records_by_number \
                            ON _stream_records (table_name, CAST(sequence_number AS INTEGER), shard_id)";

/// Opens the database in `data_dir` (which is made if need be), or in memory, and creates the
/// tables that are absent, with their TTL.
///
/// # Errors
/// [`Error::File`] for the folder, [`Error::Database`] for anything that the engine refuses.
pub fn open(data_dir: Option<&Path>, tables: &[Table]) -> Result<Database> {
    let file = match data_dir {
        None => format!("file:{}?mode=memory&cache=shared", Uuid::now_v7()),
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .map_err(|source| Error::File { path: dir.display().to_string(), source })?;
            dir.join("dynamodb.sqlite").to_string_lossy().into_owned()
        }
    };
    let failed = |problem: &dyn std::fmt::Display| Error::database("open", problem);
    // Held until the engine has the file open, too: one in memory is gone when nobody has.
    let storage = Storage::new(&file).map_err(|problem| failed(&problem))?;
    storage.conn().execute_batch(STREAM_INDEX).map_err(|problem| failed(&problem))?;
    let database = Database::new(&file).map_err(|problem| failed(&problem))?;
    for table in tables {
        create(&database, table)?;
    }
    Ok(database)
}

fn create(database: &Database, table: &Table) -> Result<()> {
    let failed = |problem: DynoxideError| Error::database(format!("table {}", table.name), problem);
    match database.describe_table(request(json!({"TableName": table.name}))?) {
        Ok(_) => return Ok(()),
        Err(DynoxideError::ResourceNotFoundException(_)) => {}
        Err(problem) => return Err(failed(problem)),
    }
    database.create_table(request(table.create.clone())?).map_err(failed)?;
    if let Some(attribute) = &table.ttl_attribute {
        let ttl = json!({"TableName": table.name, "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true}});
        database.update_time_to_live(request(ttl)?).map_err(failed)?;
    }
    Ok(())
}

/// Puts an item in DynamoDB JSON unless one with its keys is there. Tells whether it did.
///
/// # Errors
/// [`Error::Database`] names the table.
pub fn put_if_absent(
    database: &Database,
    table: &str,
    partition_key: &str,
    item: &Value,
) -> Result<bool> {
    let put = json!({
        "TableName": table,
        "Item": item,
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": partition_key},
    });
    match database.put_item(request(put)?) {
        Ok(_) => Ok(true),
        Err(DynoxideError::ConditionalCheckFailedException(..)) => Ok(false),
        Err(problem) => Err(Error::database(format!("put into {table}"), problem)),
    }
}

/// A request of the engine from the JSON that the API takes.
pub(crate) fn request<T: DeserializeOwned>(body: Value) -> Result<T> {
    serde_json::from_value(body).map_err(|problem| Error::database("request", problem))
}

/// Serves DynamoDB's HTTP API on `listener` until `shutdown` resolves.
///
/// # Errors
/// [`Error::Database`] with what the server reports.
pub async fn serve(
    listener: TcpListener,
    database: Database,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    dynoxide::server::serve_with_shutdown(listener, database, shutdown)
        .await
        .map_err(|problem| Error::database("serve", problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{TEMPLATE, Template};

    #[test]
    fn the_templates_tables_are_made_once_and_kept() {
        let tables = Template::parse(TEMPLATE).unwrap().tables;
        let dir = std::env::temp_dir().join(format!("afterword-{}", uuid::Uuid::now_v7()));
        let item = json!({"kind": {"S": "brand"}, "id": {"S": "x"}});
        {
            let database = open(Some(&dir), &tables).unwrap();
            assert!(put_if_absent(&database, "config", "kind", &item).unwrap());
        }
        let database = open(Some(&dir), &tables).unwrap();
        assert!(!put_if_absent(&database, "config", "kind", &item).unwrap());
        assert_eq!(database.table_count().unwrap(), 5);
        drop(database);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn the_indexes_of_the_template_answer() {
        let database = open(None, &Template::parse(TEMPLATE).unwrap().tables).unwrap();
        let item = json!({
            "request_id": {"S": "r1"}, "due_shard": {"S": "0"}, "wake_at": {"N": "5"}, "status": {"S": "queued"}, "customer": {"S": "secret"},
        });
        assert!(put_if_absent(&database, "interactions", "request_id", &item).unwrap());
        let query = json!({
            "TableName": "interactions", "IndexName": "due", "KeyConditionExpression": "due_shard = :s AND wake_at <= :t",
            "ExpressionAttributeValues": {":s": {"S": "0"}, ":t": {"N": "5"}},
        });
        let found = serde_json::to_value(database.query(request(query).unwrap()).unwrap()).unwrap();
        assert_eq!(found["Count"], 1);
        assert_eq!(found["Items"][0]["status"]["S"], "queued");
        assert!(found["Items"][0].get("customer").is_none());
    }
}
