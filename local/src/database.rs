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

/// An index of the engine's table of stream records. Without it the engine reads the whole table to
/// number a new record and to find the records after a position, and the stack gets slower with
/// each write.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS _stream_records_by_number \
                            ON _stream_records \
     (table_name, CAST(sequence_number AS INTEGER), shard_id)";

/// Opens the database in the folder `data_dir`, or in memory. Creates the folder and the tables
/// that
/// do not exist, with their TTL.
///
/// # Errors
/// [`Error::File`] for the folder, [`Error::Database`] for anything else.
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
    // SQLite drops a database in memory when its last connection closes. This one stays open until
    // the engine has its own.
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
        let ttl = json!({"TableName": table.name,
            "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true}});
        database.update_time_to_live(request(ttl)?).map_err(failed)?;
    }
    Ok(())
}

/// Puts an item in DynamoDB JSON, unless the table has an item with its keys. Returns whether it
/// put the item.
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

/// A request to the engine, from the JSON of DynamoDB's API.
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
    fn the_templates_tables_are_created_once_and_kept() {
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
    fn the_indexes_of_the_template_can_be_queried() {
        let database = open(None, &Template::parse(TEMPLATE).unwrap().tables).unwrap();
        let item = json!({
            "request_id": {"S": "r1"}, "due_shard": {"S": "0"}, "wake_at": {"N": "5"},
            "status": {"S": "queued"}, "customer": {"S": "secret"},
        });
        assert!(put_if_absent(&database, "interactions", "request_id", &item).unwrap());
        let query = json!({
            "TableName": "interactions", "IndexName": "due",
            "KeyConditionExpression": "due_shard = :s AND wake_at <= :t",
            "ExpressionAttributeValues": {":s": {"S": "0"}, ":t": {"N": "5"}},
        });
        let found = serde_json::to_value(database.query(request(query).unwrap()).unwrap()).unwrap();
        assert_eq!(found["Count"], 1);
        assert_eq!(found["Items"][0]["status"]["S"], "queued");
        assert!(found["Items"][0].get("customer").is_none());
    }
}
