//! What `template.yaml` says about routes, streams, schedules, topics and tables, so that the local
//! stack is wired as production is.

use std::collections::BTreeMap;
use std::time::Duration;

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::filter::Pattern;
use crate::{Error, Result};

/// The template of this repository.
pub const TEMPLATE: &str = include_str!("../../template.yaml");

/// Time-out of a function for which the template has no `Timeout`, in seconds
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html>).
const LAMBDAS_TIME_OUT: u64 = 3;

/// The template's wiring. Functions go by the name of their folder in `functions/`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Template {
    /// Time-out of each function.
    pub time_outs: BTreeMap<String, Duration>,
    /// Routes of the HTTP API.
    pub routes: Vec<Route>,
    /// Functions on a table's stream.
    pub streams: Vec<StreamSource>,
    /// Functions on a schedule.
    pub schedules: Vec<Schedule>,
    /// Functions that the queue of SES's events invokes.
    pub queue_functions: Vec<String>,
    /// Tables, by their local names.
    pub tables: Vec<Table>,
}

/// One route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// HTTP method in upper case.
    pub method: String,
    /// Path with `{name}` parameters.
    pub path: String,
    /// Function that answers.
    pub function: String,
}

/// One event source mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamSource {
    /// Function that is invoked.
    pub function: String,
    /// Local name of the table.
    pub table: String,
    /// A record passes if one of these matches it. Without filters every record passes.
    pub filters: Vec<Pattern>,
    /// Most records of one invocation.
    pub batch_size: usize,
    /// Whether a failed batch is split in two.
    pub bisect: bool,
    /// Whether the function's answer names the records that failed.
    pub reports_failures: bool,
    /// How often a batch is tried again before it goes to the failure destination.
    pub retries: u32,
    /// Older records go to the failure destination without an attempt; `None` has no limit.
    pub max_age: Option<Duration>,
}

/// One `rate(…)` schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Function that is invoked.
    pub function: String,
    /// How often.
    pub every: Duration,
}

/// One table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Local name: the logical id without `Table`, in lower case.
    pub name: String,
    /// Body of DynamoDB's `CreateTable`.
    pub create: Value,
    /// Attribute with the time of expiry, in seconds since 1970.
    pub ttl_attribute: Option<String>,
}

/// Local name of the table with this logical id: `ConfigTable` is `config`.
fn local_name(logical_id: &str) -> String {
    logical_id.strip_suffix("Table").unwrap_or(logical_id).to_lowercase()
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`Error::Template`] names the place.
    pub fn parse(text: &str) -> Result<Self> {
        let documents =
            Yaml::load_from_str(text).map_err(|e| Error::template("syntax", e.to_string()))?;
        let document =
            documents.first().ok_or_else(|| Error::template("document", "it is empty"))?;
        let root = plain(document, "document")?;
        let time_out =
            root.pointer("/Globals/Function/Timeout").cloned().unwrap_or(json!(LAMBDAS_TIME_OUT));
        let mut template = Self::default();
        for (id, resource) in object(&root, "Resources", "Resources")? {
            let place = format!("Resources.{id}.Properties");
            match resource.get("Type").and_then(Value::as_str) {
                Some("AWS::Serverless::Function") => {
                    template.add_function(resource, &time_out, &place)?
                }
                Some("AWS::DynamoDB::Table") => template.tables.push(table(id, resource, &place)?),
                _ => {}
            }
        }
        Ok(template)
    }

    fn add_function(&mut self, resource: &Value, time_out: &Value, place: &str) -> Result<()> {
        let properties =
            resource.get("Properties").ok_or_else(|| Error::template(place, "missing"))?;
        let code = string(properties, "CodeUri", place)?;
        let function = code
            .strip_prefix("functions/")
            .ok_or_else(|| Error::template(place, "CodeUri is not in functions/"))?;
        let seconds = properties
            .get("Timeout")
            .unwrap_or(time_out)
            .as_u64()
            .ok_or_else(|| Error::template(place, "Timeout is not a number"))?;
        self.time_outs.insert(function.to_owned(), Duration::from_secs(seconds));
        let Some(Value::Object(events)) = properties.get("Events") else { return Ok(()) };
        for (name, event) in events {
            let place = format!("{place}.Events.{name}");
            let properties = event
                .get("Properties")
                .ok_or_else(|| Error::template(&place, "Properties is missing"))?;
            let function = function.to_owned();
            match string(event, "Type", &place)? {
                "HttpApi" => {
                    let method = string(properties, "Method", &place)?.to_uppercase();
                    let path = string(properties, "Path", &place)?.to_owned();
                    let before_the_end = path.rsplit_once('/').map_or("", |(before, _)| before);
                    if method == "ANY" || before_the_end.contains("+}") {
                        return Err(Error::template(
                            place,
                            "the local stack does not know the method ANY, and greedy parameters only at the end of a path",
                        ));
                    }
                    self.routes.push(Route { method, path, function });
                }
                "DynamoDB" => self.streams.push(stream(function, properties, &place)?),
                "Schedule" => {
                    let every = rate(string(properties, "Schedule", &place)?)
                        .ok_or_else(|| Error::template(&place, "not a rate(…)"))?;
                    self.schedules.push(Schedule { function, every });
                }
                "SQS" => self.queue_functions.push(function),
                other => {
                    return Err(Error::template(
                        place,
                        format!("the local stack does not know events of type {other}"),
                    ));
                }
            }
        }
        Ok(())
    }
}

fn stream(function: String, properties: &Value, place: &str) -> Result<StreamSource> {
    let attribute =
        properties.pointer("/Stream/Fn::GetAtt").and_then(Value::as_str).unwrap_or_default();
    let table = attribute
        .strip_suffix(".StreamArn")
        .ok_or_else(|| Error::template(place, "Stream is not !GetAtt TABLE.StreamArn"))?;
    let filters = match properties.pointer("/FilterCriteria/Filters") {
        None => Vec::new(),
        Some(Value::Array(filters)) => {
            let place = format!("{place}.FilterCriteria");
            filters
                .iter()
                .map(|filter| Pattern::parse(string(filter, "Pattern", &place)?, &place))
                .collect::<Result<_>>()?
        }
        Some(_) => return Err(Error::template(place, "FilterCriteria.Filters is not a list")),
    };
    let number =
        |name: &str, default: i64| properties.get(name).and_then(Value::as_i64).unwrap_or(default);
    let reports = properties.get("FunctionResponseTypes").and_then(Value::as_array);
    Ok(StreamSource {
        function,
        table: local_name(table),
        filters,
        batch_size: usize::try_from(number("BatchSize", 100))
            .map_err(|_| Error::template(place, "BatchSize is negative"))?
            .clamp(1, 10_000),
        bisect: properties.get("BisectBatchOnFunctionError") == Some(&Value::Bool(true)),
        reports_failures: reports
            .is_some_and(|types| types.contains(&json!("ReportBatchItemFailures"))),
        retries: u32::try_from(number("MaximumRetryAttempts", -1)).map_err(|_| {
            let problem = "MaximumRetryAttempts is missing: a record that always fails would block \
                           the stream for ever";
            Error::template(place, problem)
        })?,
        max_age: u64::try_from(number("MaximumRecordAgeInSeconds", -1))
            .ok()
            .map(Duration::from_secs),
    })
}

fn table(id: &str, resource: &Value, place: &str) -> Result<Table> {
    let properties = object(resource, "Properties", place)?;
    let mut create = Map::new();
    for name in ["KeySchema", "AttributeDefinitions", "BillingMode"] {
        let value = properties
            .get(name)
            .ok_or_else(|| Error::template(place, format!("{name} is missing")))?;
        create.insert(name.to_owned(), value.clone());
    }
    if let Some(indexes) = properties.get("GlobalSecondaryIndexes") {
        create.insert("GlobalSecondaryIndexes".to_owned(), indexes.clone());
    }
    // The API needs `StreamEnabled`, which CloudFormation does not have.
    if let Some(view) =
        properties.get("StreamSpecification").and_then(|stream| stream.get("StreamViewType"))
    {
        create.insert(
            "StreamSpecification".to_owned(),
            json!({"StreamEnabled": true, "StreamViewType": view}),
        );
    }
    let name = local_name(id);
    create.insert("TableName".to_owned(), json!(name));
    let ttl = properties
        .get("TimeToLiveSpecification")
        .filter(|ttl| ttl.get("Enabled") == Some(&Value::Bool(true)));
    let ttl_attribute =
        ttl.and_then(|ttl| ttl.get("AttributeName")).and_then(Value::as_str).map(str::to_owned);
    Ok(Table { name, create: Value::Object(create), ttl_attribute })
}

/// `rate(5 minutes)` and the like.
fn rate(text: &str) -> Option<Duration> {
    let (count, unit) = text.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let seconds = match unit.trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(count.parse::<u64>().ok()?.checked_mul(seconds)?))
        .filter(|every| !every.is_zero())
}

fn object<'a>(value: &'a Value, name: &str, place: &str) -> Result<&'a Map<String, Value>> {
    value
        .get(name)
        .and_then(Value::as_object)
        .ok_or_else(|| Error::template(place, format!("{name} is not a mapping")))
}

fn string<'a>(value: &'a Value, name: &str, place: &str) -> Result<&'a str> {
    value
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| Error::template(place, format!("{name} is not a text")))
}

/// YAML as JSON, with CloudFormation's short tags in their long form: `!Ref X` is `{"Ref": "X"}`,
/// `!If` is `{"Fn::If": …}`.
fn plain(yaml: &Yaml<'_>, place: &str) -> Result<Value> {
    Ok(match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(values) => {
            Value::Array(values.iter().map(|value| plain(value, place)).collect::<Result<_>>()?)
        }
        Yaml::Mapping(fields) => {
            let mut object = Map::new();
            for (key, value) in fields {
                let key =
                    key.as_str().ok_or_else(|| Error::template(place, "a key is not a text"))?;
                object.insert(key.to_owned(), plain(value, &format!("{place}.{key}"))?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tag, value) => {
            let name = match tag.suffix.as_str() {
                short @ ("Ref" | "Condition") => short.to_owned(),
                other => format!("Fn::{other}"),
            };
            json!({ name: plain(value, place)? })
        }
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => {
            return Err(Error::template(
                place,
                "this is not a plain value; CloudFormation does not accept anchors",
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_routes_of_the_design() {
        let template = Template::parse(TEMPLATE).unwrap();
        let mut routes: Vec<String> = template
            .routes
            .iter()
            .map(|route| format!("{} {} {}", route.method, route.path, route.function))
            .collect();
        routes.sort();
        insta::assert_snapshot!(routes.join("\n"), @r"
        DELETE /v1/people admin
        DELETE /v1/requests/{request_id} requests
        GET /admin admin
        GET /admin/{proxy+} admin
        GET /s/{token} survey
        GET /send/{token} admin
        GET /u/{token} survey
        GET /v1/requests requests
        GET /v1/requests/{request_id} requests
        GET /v2/data answers
        HEAD /s/{token} survey
        HEAD /u/{token} survey
        POST /admin/{proxy+} admin
        POST /s/{token} survey
        POST /send/{token} admin
        POST /u/{token} survey
        POST /v1/auth zendesk
        POST /v1/requests requests
        POST /v1/webhooks/freshdesk freshdesk
        POST /v1/webhooks/gladly gladly
        POST /v1/webhooks/gorgias gorgias
        POST /v1/webhooks/zendesk zendesk
        ");
    }

    #[test]
    fn the_streams_and_schedules_of_the_design() {
        let template = Template::parse(TEMPLATE).unwrap();
        let mut functions: Vec<&str> =
            template.streams.iter().map(|stream| stream.function.as_str()).collect();
        functions.sort_unstable();
        assert_eq!(functions, ["dispatch", "gladly_resolve"]);
        for stream in &template.streams {
            assert_eq!(stream.table, "interactions");
            assert!(
                stream.bisect
                    && stream.reports_failures
                    && stream.batch_size <= 100
                    && stream.max_age.is_some(),
                "{stream:?}"
            );
        }
        let ready = |status: &str| {
            json!({"eventName": "MODIFY",
            "dynamodb": {"NewImage": {"status": {"S": status}, "ready": {"N": "1"}}}})
        };
        let waiting =
            json!({"eventName": "INSERT", "dynamodb": {"NewImage": {"status": {"S": "queued"}}}});
        let removed =
            json!({"eventName": "REMOVE", "dynamodb": {"Keys": {"request_id": {"S": "1"}}}});
        let passes = |function: &str, event: &Value| {
            template.streams.iter().any(|stream| {
                stream.function == function
                    && stream.filters.iter().any(|filter| filter.matches(event))
            })
        };
        assert!(passes("dispatch", &ready("queued")) && !passes("dispatch", &ready("unresolved")));
        assert!(
            passes("gladly_resolve", &ready("unresolved"))
                && !passes("gladly_resolve", &ready("queued"))
        );
        assert!(!passes("dispatch", &waiting) && !passes("dispatch", &removed));
        assert_eq!(
            template.schedules,
            [Schedule { function: "sweep".to_owned(), every: Duration::from_secs(60) }]
        );
        assert_eq!(template.queue_functions, ["mail_events"]);
    }

    #[test]
    fn the_tables_have_their_local_names() {
        let template = Template::parse(TEMPLATE).unwrap();
        let mut names: Vec<&str> =
            template.tables.iter().map(|table| table.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["audit", "config", "interactions", "responses", "suppression"]);
        let interactions =
            template.tables.iter().find(|table| table.name == "interactions").unwrap();
        assert_eq!(
            interactions.create["StreamSpecification"],
            json!({"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"})
        );
        for table in &template.tables {
            let expires = (table.name != "responses").then_some("expires_at");
            assert_eq!(table.ttl_attribute.as_deref(), expires, "{}", table.name);
        }
    }

    #[test]
    fn a_function_has_its_own_time_out_or_that_of_all_or_lambdas() {
        let time_outs = |globals: &str| {
            let function = |name: &str, more: &str| {
                format!(
                    "{name}: {{Type: AWS::Serverless::Function, \
                     Properties: {{CodeUri: functions/{name}{more}}}}}"
                )
            };
            let text = format!(
                "{globals}\nResources: {{{}, {}}}",
                function("a", ", Timeout: 60"),
                function("b", "")
            );
            Template::parse(&text)
                .unwrap()
                .time_outs
                .into_values()
                .map(|time_out| time_out.as_secs())
                .collect::<Vec<_>>()
        };
        assert_eq!(time_outs("Globals: {Function: {Timeout: 10}}"), [60, 10]);
        assert_eq!(time_outs(""), [60, 3]);
    }

    #[test]
    fn no_index_projects_a_name_or_an_address() {
        let template = Template::parse(TEMPLATE).unwrap();
        let interactions =
            template.tables.iter().find(|table| table.name == "interactions").unwrap();
        let text = interactions.create["GlobalSecondaryIndexes"].to_string();
        assert!(
            !text.contains("\"ALL\"") && !text.contains("email") && !text.contains("name\""),
            "{text}"
        );
    }

    #[test]
    fn errors_name_the_place() {
        let problem = |text: &str| Template::parse(text).unwrap_err().to_string();
        let not_a_mapping = "template.yaml: Resources: Resources is not a mapping";
        assert_eq!(problem("Resources: 1"), not_a_mapping);
        let function = |events: &str| {
            format!(
                "Resources: {{F: {{Type: AWS::Serverless::Function, \
                 Properties: {{CodeUri: functions/f, Events: {events}}}}}}}"
            )
        };
        insta::assert_snapshot!(
            problem(&function("{E: {Type: HttpApi, Properties: {Method: GET}}}")),
            @"template.yaml: Resources.F.Properties.Events.E: Path is not a text"
        );
        for route in ["{Method: ANY, Path: /a}", "{Method: GET, Path: '/{a+}/b'}"] {
            let problem =
                problem(&function(&format!("{{E: {{Type: HttpApi, Properties: {route}}}}}")));
            assert!(problem.contains("does not know the method ANY"), "{problem}");
        }
        insta::assert_snapshot!(
            problem(&function("{E: {Type: Schedule, Properties: {Schedule: cron(1)}}}")),
            @"template.yaml: Resources.F.Properties.Events.E: not a rate(…)"
        );
        insta::assert_snapshot!(
            problem("Resources: {T: {Type: AWS::DynamoDB::Table, Properties: {}}}"),
            @"template.yaml: Resources.T.Properties: KeySchema is missing"
        );
    }
}
