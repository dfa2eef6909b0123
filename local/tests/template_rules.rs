//! Rules for `template.yaml` that no linter knows: what keeps operators from surprises.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use local::template::{TEMPLATE, Template, as_json};
use serde_json::{Map, Value, json};

fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn template() -> Value {
    as_json(TEMPLATE).unwrap()
}

/// The resources of a type: logical id and properties.
fn resources<'t>(template: &'t Value, kind: &str) -> Vec<(&'t str, &'t Value)> {
    let all = template["Resources"].as_object().unwrap().iter();
    let found = all.filter(|(_, resource)| resource["Type"] == kind);
    found.map(|(id, resource)| (id.as_str(), &resource["Properties"])).collect()
}

fn functions(template: &Value) -> Vec<(&str, &Value)> {
    let functions = resources(template, "AWS::Serverless::Function");
    assert_eq!(functions.len(), 12);
    functions
}

fn alarms(template: &Value) -> Vec<(&str, &Value)> {
    resources(template, "AWS::CloudWatch::Alarm")
}

#[test]
fn every_function_deletes_its_logs_some_day() {
    let template = template();
    for (id, function) in functions(&template) {
        let group = function["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap();
        let group = &template["Resources"][group];
        assert_eq!(group["Type"], "AWS::Logs::LogGroup", "{id}");
        assert!(!group["Properties"]["RetentionInDays"].is_null(), "{id}");
    }
    for (id, group) in resources(&template, "AWS::Logs::LogGroup") {
        assert!(!group["RetentionInDays"].is_null(), "{id}");
    }
}

#[test]
fn every_function_has_an_alarm_that_also_takes_a_deployment_back() {
    let template = template();
    let alarms: BTreeMap<&str, &Value> = alarms(&template).into_iter().collect();
    for (id, function) in functions(&template) {
        let guards = function["DeploymentPreference"]["Alarms"].as_array().unwrap();
        let guarded = guards.iter().any(|alarm| {
            let alarm = alarms[alarm["Ref"].as_str().unwrap()];
            alarm["Namespace"] == "AWS/Lambda"
                && alarm["MetricName"] == "Errors"
                && alarm["Dimensions"] == json!([{"Name": "FunctionName", "Value": {"Ref": id}}])
        });
        assert!(guarded, "{id} has no alarm of its errors in DeploymentPreference");
    }
}

/// What invokes a function without waiting for its answer gives up some day, and something notices:
/// a queue of failures, or for the clock the next call.
#[test]
fn every_retry_is_finite_and_what_is_lost_is_kept() {
    let template = template();
    for (id, function) in functions(&template) {
        for (name, event) in function["Events"].as_object().unwrap() {
            let place = format!("{id} {name}");
            let properties = &event["Properties"];
            let finite = |value: &Value| value.as_i64().is_some_and(|value| value >= 0);
            match event["Type"].as_str().unwrap() {
                "HttpApi" => {}
                "DynamoDB" => {
                    assert!(finite(&properties["MaximumRetryAttempts"]), "{place}");
                    assert!(finite(&properties["MaximumRecordAgeInSeconds"]), "{place}");
                    assert_eq!(properties["DestinationConfig"]["OnFailure"]["Type"], "SQS");
                }
                "Schedule" => {
                    assert!(finite(&properties["RetryPolicy"]["MaximumRetryAttempts"]), "{place}");
                    assert!(finite(&function["EventInvokeConfig"]["MaximumRetryAttempts"]));
                }
                "SQS" => {
                    let queue = properties["Queue"]["Fn::GetAtt"].as_str().unwrap();
                    let queue = &template["Resources"][queue.strip_suffix(".Arn").unwrap()];
                    let redrive = &queue["Properties"]["RedrivePolicy"];
                    assert!(finite(&redrive["maxReceiveCount"]), "{place}");
                    assert!(!redrive["deadLetterTargetArn"].is_null(), "{place}");
                    assert!(!properties["ScalingConfig"]["MaximumConcurrency"].is_null());
                }
                other => panic!("{place}: a rule is missing for {other}"),
            }
        }
    }
}

/// Every queue of failures has an alarm when it is not empty.
#[test]
fn every_queue_of_failures_has_an_alarm() {
    let template = template();
    let watched: BTreeSet<String> = alarms(&template)
        .iter()
        .filter(|(_, alarm)| alarm["MetricName"] == "ApproximateNumberOfMessagesVisible")
        .map(|(_, alarm)| alarm["Dimensions"][0]["Value"]["Fn::GetAtt"].as_str().unwrap().into())
        .collect();
    let failures = resources(&template, "AWS::SQS::Queue")
        .into_iter()
        .filter(|(_, queue)| queue["RedrivePolicy"].is_null())
        .map(|(id, _)| format!("{id}.QueueName"));
    assert_eq!(watched, failures.collect());
}

/// The anchor that GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The alarms that each section of the runbook names in its paragraph `Alarm: …`, by its anchor.
fn sections() -> BTreeMap<String, BTreeSet<String>> {
    let (mut sections, mut heading) = (BTreeMap::<_, BTreeSet<String>>::new(), String::new());
    for paragraph in read("docs/operating.md").split("\n\n") {
        if paragraph.starts_with('#') {
            heading = anchor(paragraph.trim_start_matches('#'));
        } else if let Some(names) = paragraph.strip_prefix("Alarm: ") {
            let names = names.split('`').skip(1).step_by(2).map(str::to_owned);
            sections.entry(heading.clone()).or_default().extend(names);
        }
    }
    sections
}

#[test]
fn every_alarm_has_its_section_and_every_section_its_alarm() {
    let template = template();
    let mut named = BTreeMap::<String, BTreeSet<String>>::new();
    for (id, alarm) in alarms(&template) {
        let text = alarm["AlarmDescription"].as_str().unwrap();
        let (_, section) = text.split_once(" See docs/operating.md#").unwrap();
        named.entry(section.to_owned()).or_default().insert(id.to_owned());
        assert!(alarm["AlarmActions"].is_array(), "{id} tells nobody");
        assert!(alarm["TreatMissingData"].is_string(), "{id}");
    }
    assert_eq!(named, sections());
}

/// Metric and dimensions of `Afterword`, wherever `node` speaks of one: in an alarm or a dashboard.
fn own_metrics(node: &Value, found: &mut BTreeSet<(String, BTreeSet<String>)>) {
    let names = |value: &Value| value.as_str().unwrap().to_owned();
    match node {
        Value::Object(fields) => {
            if fields.get("Namespace") == Some(&json!("Afterword")) {
                let dimensions = fields["Dimensions"].as_array().unwrap();
                let dimensions = dimensions.iter().map(|dimension| names(&dimension["Name"]));
                found.insert((names(&fields["MetricName"]), dimensions.collect()));
            }
            fields.values().for_each(|value| own_metrics(value, found));
        }
        Value::Array(values) => {
            if values.first() == Some(&json!("Afterword")) {
                let pairs = values[2..].iter().filter(|value| value.is_string()).step_by(2);
                found.insert((names(&values[1]), pairs.map(names).collect()));
            }
            values.iter().for_each(|value| own_metrics(value, found));
        }
        Value::String(text) => {
            // SEARCH('{Afterword,Stack,Source} MetricName="Requests" …
            for part in text.split("{Afterword,").skip(1) {
                let (dimensions, rest) = part.split_once('}').unwrap();
                let name = rest.split('"').nth(1).unwrap();
                let dimensions = dimensions.split(',').map(str::to_owned).collect();
                found.insert((name.to_owned(), dimensions));
            }
        }
        _ => {}
    }
}

/// The rows of the table of metrics: name, and dimensions besides `Stack`.
fn metrics_of_the_page() -> BTreeSet<(String, BTreeSet<String>)> {
    let page = read("docs/operating.md");
    let (_, table) = page.split_once("<!-- begin metrics -->").unwrap();
    let (table, _) = table.split_once("<!-- end metrics -->").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let dimensions = cells[3].split('`').skip(1).step_by(2).map(str::to_owned);
        let dimensions = dimensions.chain(["Stack".to_owned()]).collect();
        (cells[1].trim_matches('`').to_owned(), dimensions)
    })
    .collect()
}

#[test]
fn the_metrics_of_alarms_and_dashboard_are_those_of_the_page() {
    let template = template();
    let mut found = BTreeSet::new();
    for (_, alarm) in alarms(&template) {
        own_metrics(alarm, &mut found);
    }
    for (id, dashboard) in resources(&template, "AWS::CloudWatch::Dashboard") {
        let body = dashboard["DashboardBody"]["Fn::Sub"].as_str().unwrap();
        let body: Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{id}: {e}"));
        own_metrics(&body, &mut found);
    }
    assert!(found.len() > 10);
    assert_eq!(found, metrics_of_the_page());
}

/// Names after `Ref`, and in `${…}` of `Fn::Sub`, also behind conditions.
fn parameters_of(node: &Value, template: &Value, found: &mut BTreeSet<String>) {
    let parameters = template["Parameters"].as_object().unwrap();
    let mut name = |name: &str| {
        if parameters.contains_key(name) {
            found.insert(name.to_owned());
        }
    };
    match node {
        Value::Object(fields) => {
            if let Some(referred) = fields.get("Ref").and_then(Value::as_str) {
                name(referred);
            }
            if let Some(choice) = fields.get("Fn::If").and_then(Value::as_array) {
                let condition = &template["Conditions"][choice[0].as_str().unwrap()];
                parameters_of(condition, template, found);
            }
            fields.values().for_each(|value| parameters_of(value, template, found));
        }
        Value::Array(values) => {
            values.iter().for_each(|value| parameters_of(value, template, found));
        }
        Value::String(text) => {
            text.split("${").skip(1).for_each(|part| name(part.split('}').next().unwrap()));
        }
        _ => {}
    }
}

/// A new version of a function is made when something in the template changes, not when a parameter
/// does. `VersionDescription` makes one then: else the alias would keep the old secret or sender.
#[test]
fn a_changed_parameter_makes_a_new_version() {
    let template = template();
    // Of `sam local`; a new processor comes with new code; and whoever changes the key also changes
    // `SecretsRevision`, as the parameter says.
    let elsewhere = ["Architecture", "DynamoDbEndpoint", "SesEndpoint", "KmsKeyArn"];
    let globals = &template["Globals"]["Function"];
    for (id, function) in functions(&template) {
        assert_eq!(function["AutoPublishAliasAllProperties"], true, "{id}");
        let mut used = BTreeSet::new();
        for place in ["Environment", "KmsKeyArn", "LoggingConfig"] {
            parameters_of(&globals[place], &template, &mut used);
            parameters_of(&function[place], &template, &mut used);
        }
        used.retain(|name| !elsewhere.contains(&name.as_str()));
        let mut named = BTreeSet::new();
        parameters_of(&function["VersionDescription"], &template, &mut named);
        assert_eq!(named, used, "{id}");
        // Lambda's limit.
        let longest = named.iter().map(|name| longest(&template["Parameters"][name]) + 1);
        assert!(longest.sum::<usize>() <= 256, "{id}");
    }
    // Secrets are read anew where something else changes, too: so every function has the revision.
    assert_eq!(
        globals["Environment"]["Variables"]["SECRETS_REVISION"],
        json!({ "Ref": "SecretsRevision" })
    );
}

/// Characters of a parameter's longest value.
fn longest(parameter: &Value) -> usize {
    let values = parameter["AllowedValues"].as_array().into_iter().flatten();
    let of_values = values.filter_map(|value| Some(value.as_str()?.len())).max();
    let limit = parameter["MaxLength"].as_u64().map(|limit| usize::try_from(limit).unwrap());
    of_values.or(limit).unwrap_or_else(|| panic!("no limit in {parameter}"))
}

fn variables(function: &Value) -> Option<&Map<String, Value>> {
    function["Environment"]["Variables"].as_object()
}

#[test]
fn every_function_with_token_secrets_has_the_same() {
    let template = template();
    let functions = functions(&template);
    let secrets: Vec<&Value> = functions
        .iter()
        .filter_map(|(_, function)| variables(function)?.get("TOKEN_SECRETS"))
        .collect();
    assert_eq!(secrets.len(), 3);
    assert!(secrets.iter().all(|other| *other == secrets[0]));
}

/// Everything in a crate's sources.
fn sources(folder: &str) -> String {
    let (mut text, mut folders) = (String::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(&folder);
        for entry in std::fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            let inner = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                folders.push(inner);
            } else if inner.ends_with(".rs") {
                text.push_str(&read(&inner));
            }
        }
    }
    text
}

#[test]
fn only_functions_that_make_subjects_have_the_subject_secret() {
    let template = template();
    assert!(
        template["Globals"]["Function"]["Environment"]["Variables"]["SUBJECT_SECRET"].is_null()
    );
    for (id, function) in functions(&template) {
        let has = variables(function).is_some_and(|given| given.contains_key("SUBJECT_SECRET"));
        let sources = sources(&format!("{}/src", function["CodeUri"].as_str().unwrap()));
        assert_eq!(has, !sources.contains("from_env_without_secret"), "{id}");
        if !has {
            for use_of_it in [".secret(", "MarkerKey", "Resolution::of", "record_again"] {
                assert!(!sources.contains(use_of_it), "{id}: {use_of_it}");
            }
        }
    }
}

#[test]
fn what_cannot_be_made_again_is_protected() {
    let template = template();
    let policy: Value = serde_json::from_str(&read("stack-policy.json")).unwrap();
    let denied = |action: &str| -> BTreeSet<String> {
        let statements = policy["Statement"].as_array().unwrap().iter();
        let statements = statements.filter(|statement| {
            let actions = &statement["Action"];
            statement["Effect"] == "Deny"
                && (actions == "Update:*"
                    || actions.as_array().is_some_and(|a| a.contains(&json!(action))))
        });
        let resources = statements.flat_map(|statement| statement["Resource"].as_array().unwrap());
        resources
            .map(|resource| resource.as_str().unwrap().replace("LogicalResourceId/", ""))
            .collect()
    };
    let mut kept = BTreeSet::new();
    for kind in ["AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"] {
        for (id, properties) in resources(&template, kind) {
            let resource = &template["Resources"][id];
            assert_eq!(resource["DeletionPolicy"], "RetainExceptOnCreate", "{id}");
            assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{id}");
            if kind.ends_with("Table") {
                assert!(!properties["DeletionProtectionEnabled"].is_null(), "{id}");
                let restorable = &properties["PointInTimeRecoverySpecification"];
                assert_eq!(restorable["PointInTimeRecoveryEnabled"], true, "{id}");
            }
            kept.insert(id.to_owned());
        }
    }
    assert_eq!(denied("Update:Replace"), kept);
    assert_eq!(denied("Update:Delete"), kept);
    let secrets = BTreeSet::from(["SubjectSecret", "TokenSecret"].map(str::to_owned));
    assert_eq!(denied("Update:Modify"), secrets);
}

#[test]
fn what_has_no_default_or_only_local_values() {
    let parameters = &template()["Parameters"];
    assert!(parameters["SenderAddress"]["Default"].is_null());
    let hosts = r"(localhost|127\.0\.0\.1|host\.docker\.internal|172\.17\.0\.1)";
    for endpoint in ["DynamoDbEndpoint", "SesEndpoint"] {
        let pattern = parameters[endpoint]["AllowedPattern"].as_str().unwrap();
        assert_eq!(pattern, format!("^(http://{hosts}(:[0-9]{{1,5}})?)?$"), "{endpoint}");
    }
    assert!(!TEMPLATE.contains("local-subject-secret") && !TEMPLATE.contains("local-token-secret"));
}

/// Routes that need no key, or that people sign in to, have limits of their own.
#[test]
fn pages_have_limits_of_their_own() {
    let template = template();
    let settings = template["Resources"]["Api"]["Properties"]["RouteSettings"].as_object().unwrap();
    let limited: BTreeSet<String> = settings.keys().cloned().collect();
    let routes = Template::parse(TEMPLATE).unwrap().routes.into_iter();
    let pages = routes.filter(|route| {
        ["/s/", "/u/", "/admin", "/send/", "/v1/people"]
            .iter()
            .any(|page| route.path.starts_with(page))
    });
    assert_eq!(limited, pages.map(|route| format!("{} {}", route.method, route.path)).collect());
    for settings in settings.values() {
        assert!(!settings["ThrottlingRateLimit"].is_null());
        assert!(!settings["DetailedMetricsEnabled"].is_null());
    }
}
