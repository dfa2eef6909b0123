//! Each function may do what it does, and no more: the policies in `template.yaml` equal the calls
//! that the functions make while everything happens to a stack that can happen.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "permissions/flows.rs"]
mod flows;
mod kit;

use std::collections::{BTreeMap, BTreeSet};

use flows::{admins, customers, helpdesks, sending, sweeping};
use kit::World;
use local::faults::{Call, Fault};
use local::template::{TEMPLATE, as_json};
use serde_json::{Value, json};

/// One thing that a function does, or may do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Deed {
    function: String,
    /// `dynamodb:PutItem`.
    action: String,
    /// `config`, `interactions/index/due`; for SES `ses`.
    resource: String,
    /// Of the config table: the kind of the item, or `None` for any.
    kind: Option<String>,
}

impl Deed {
    /// Whether this permission is needed for `done`.
    fn permits(&self, done: &Deed) -> bool {
        let any_index = self.resource.strip_suffix('*');
        (&self.function, &self.action) == (&done.function, &done.action)
            && any_index
                .map_or(self.resource == done.resource, |all| done.resource.starts_with(all))
            && self.kind.as_ref().is_none_or(|kind| Some(kind) == done.kind.as_ref())
    }
}

// ------------------------------------------------------------------ what the template permits

/// `${InteractionsTable.Arn}/index/day` and `InteractionsTable.Arn` as a resource.
fn resource(value: &Value) -> String {
    let text = value["Fn::GetAtt"].as_str().or_else(|| value["Fn::Sub"].as_str()).unwrap();
    if text.contains(":ses:") {
        return "ses".to_owned();
    }
    let text = text.replace("${", "").replace('}', "");
    let (table, index) = text.split_once("Table.Arn").unwrap_or_else(|| panic!("{text}"));
    format!("{}{index}", table.to_lowercase())
}

fn listed(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn permitted(template: &Value) -> BTreeSet<Deed> {
    let mut deeds = BTreeSet::new();
    let resources = template["Resources"].as_object().unwrap();
    let functions = resources.values().filter(|one| one["Type"] == "AWS::Serverless::Function");
    for function in functions.map(|function| &function["Properties"]) {
        let folder = function["CodeUri"].as_str().unwrap();
        let name = folder.strip_prefix("functions/").unwrap();
        for policy in function["Policies"].as_array().unwrap() {
            let document = match policy["Ref"].as_str() {
                Some(managed) => &resources[managed]["Properties"]["PolicyDocument"],
                None => policy,
            };
            for statement in document["Statement"].as_array().unwrap() {
                let keys = &statement["Condition"]["ForAllValues:StringEquals"];
                let kinds: Vec<Option<String>> = match &keys["dynamodb:LeadingKeys"] {
                    Value::Null => vec![None],
                    kinds => listed(kinds).iter().map(|k| k.as_str().map(str::to_owned)).collect(),
                };
                for action in listed(&statement["Action"]) {
                    for resource in listed(&statement["Resource"]).iter().map(resource) {
                        for kind in &kinds {
                            deeds.insert(Deed {
                                function: name.to_owned(),
                                action: action.as_str().unwrap().to_owned(),
                                resource: resource.clone(),
                                kind: kind.clone(),
                            });
                        }
                    }
                }
            }
        }
    }
    deeds
}

// ------------------------------------------------------------------ what the functions do

/// What one call to DynamoDB needs: action, table, and the item or its key.
fn needs(call: &Call) -> Vec<(&'static str, Value)> {
    let body: Value = serde_json::from_str(&call.body).unwrap();
    let each = |name: &str| body[name].as_array().cloned().unwrap_or_default();
    match call.operation.as_str() {
        "GetItem" => vec![("GetItem", body)],
        "PutItem" => vec![("PutItem", body)],
        "UpdateItem" => vec![("UpdateItem", body)],
        "DeleteItem" => vec![("DeleteItem", body)],
        "Query" => vec![("Query", body)],
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().unwrap().keys();
            tables.map(|table| ("BatchGetItem", json!({ "TableName": table }))).collect()
        }
        "ExecuteStatement" => {
            let statement = body["Statement"].as_str().unwrap();
            assert!(statement.starts_with("SELECT "), "{statement}");
            let table = statement.split(" FROM \"").nth(1).unwrap().split('"').next().unwrap();
            vec![("PartiQLSelect", json!({ "TableName": table }))]
        }
        "TransactWriteItems" => each("TransactItems")
            .into_iter()
            .map(|mut action| {
                let (name, body) = action.as_object_mut().unwrap().iter_mut().next().unwrap();
                let action = match name.as_str() {
                    "Put" => "PutItem",
                    "Update" => "UpdateItem",
                    "Delete" => "DeleteItem",
                    "ConditionCheck" => "ConditionCheckItem",
                    other => panic!("{other}"),
                };
                (action, body.take())
            })
            .collect(),
        other => panic!("what permission does {other} need?"),
    }
}

/// The calls since the last time, by the functions that made them.
fn done(world: &World, deeds: &mut BTreeSet<Deed>) {
    let proxies = world.stack.proxies.as_ref().unwrap();
    for call in proxies.dynamodb.calls() {
        let function = call.caller.clone().unwrap_or_else(|| panic!("who calls? {call:?}"));
        for (action, body) in needs(&call) {
            let table = body["TableName"].as_str().unwrap();
            let index = body["IndexName"].as_str().map(|index| format!("/index/{index}"));
            let item = if body["Key"].is_null() { &body["Item"] } else { &body["Key"] };
            let kind = item["kind"]["S"].as_str().filter(|_| table == "config");
            deeds.insert(Deed {
                function: function.clone(),
                action: format!("dynamodb:{action}"),
                resource: format!("{table}{}", index.unwrap_or_default()),
                kind: kind.map(str::to_owned),
            });
        }
    }
    for call in proxies.ses.calls() {
        assert!(call.operation.ends_with("/v2/email/outbound-emails"), "{}", call.operation);
        deeds.insert(Deed {
            function: call.caller.unwrap(),
            action: "ses:SendEmail".to_owned(),
            resource: "ses".to_owned(),
            kind: None,
        });
    }
    proxies.dynamodb.plan(|_| Fault::None);
    proxies.ses.plan(|_| Fault::None);
}

#[tokio::test]
async fn the_policies_equal_the_calls() {
    let mut deeds = BTreeSet::new();
    helpdesks(&mut deeds).await;
    sending(&mut deeds).await;
    customers(&mut deeds).await;
    sweeping(&mut deeds).await;
    admins(&mut deeds).await;
    let permitted = permitted(&as_json(TEMPLATE).unwrap());
    let missing: Vec<&Deed> =
        deeds.iter().filter(|done| !permitted.iter().any(|may| may.permits(done))).collect();
    let idle: Vec<&Deed> =
        permitted.iter().filter(|may| !deeds.iter().any(|done| may.permits(done))).collect();
    let shown = |deeds: &[&Deed]| -> Vec<String> {
        let kind = |deed: &Deed| deed.kind.as_ref().map(|kind| format!(" {kind}"));
        let one = |deed: &&Deed| {
            let Deed { function, action, resource, .. } = deed;
            format!("{function}: {action} {resource}{}", kind(deed).unwrap_or_default())
        };
        deeds.iter().map(one).collect()
    };
    let found = BTreeMap::from([
        ("calls without a permission", shown(&missing)),
        ("permissions without a call", shown(&idle)),
    ]);
    assert!(missing.is_empty() && idle.is_empty(), "{found:#?}");
}
