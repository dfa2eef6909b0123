//! `DELETE /v1/people?email=&answers=`: erases a person, for machines. It takes an admin key with
//! scope `erase`, as `x-api-key` or as the password of HTTP Basic, and nothing else takes it so.

use std::collections::BTreeSet;

use intake::{Problem, json_reply};
use jiff::Timestamp;
use lambda_http::http::{HeaderMap, StatusCode};
use lambda_http::{Body, Request, RequestExt as _, Response};
use policy::{Item, KeyItem};
use serde_json::json;
use store::{ErasedAnswers, ErasedRecords};

use crate::admin::Admin;
use crate::{erasing, visitor};

/// Its path. `template.yaml` lets `DELETE` alone through.
pub(crate) const PATH: &str = "/v1/people";

const EXPECTED_EMAIL: &str = "one e-mail address; a plus sign in it is written %2B";
const EXPECTED_ANSWERS: &str = "keep (the default) or delete";

/// Answers a call: 200 with the receipt, or 202 with what was erased so far while `sweep` goes on.
/// A repetition of the call is answered in the same way.
///
/// # Errors
/// [`Problem::Forbidden`], [`Problem::Query`], or trouble with a table.
pub(crate) async fn erase(
    admin: &Admin,
    request: &Request,
    now: Timestamp,
) -> Result<Response<Body>, Problem> {
    let who = allowed(admin, request.headers()).await?;
    let wanted = Wanted::read(request)?;
    let subject = erasing::subject_of(admin, &wanted.email, now).await?;
    let subject = subject.ok_or(Problem::Query("email", EXPECTED_EMAIL))?;
    let erasure = erasing::erase(admin, &subject, wanted.answers, &who, now).await?;
    let done_at = erasure.as_ref().and_then(|erasure| erasure.done_at);
    let erased = erasure.map_or(ErasedRecords::default(), |erasure| erasure.erased);
    tracing::info!(?subject, who, done = done_at.is_some(), "a person is erased by the API");
    let (code, status) = match done_at {
        Some(_) => (StatusCode::OK, "done"),
        None => (StatusCode::ACCEPTED, "erasing"),
    };
    let receipt = json!({
        "status": status, "erased": erased, "done_at": done_at.map(|at| at.to_string()),
    });
    Ok(json_reply(code, "application/json", &receipt))
}

/// Who calls, for the audit trail.
async fn allowed(admin: &Admin, headers: &HeaderMap) -> Result<String, Problem> {
    let values = |name: &str| headers.get_all(name).into_iter().map(|value| value.as_bytes());
    let plain = values("x-api-key").map(|key| (None, key.trim_ascii().to_vec()));
    let basic = values("authorization").filter_map(visitor::basic);
    let basic = basic.map(|(name, key)| (Some(name), key.into_bytes()));
    let given: Vec<(Option<String>, Vec<u8>)> =
        plain.chain(basic).filter(|(_, key)| !key.is_empty()).collect();
    let different: BTreeSet<String> = given.iter().map(|(_, key)| intake::digest(key)).collect();
    let mut different = different.into_iter();
    let (Some(digest), None) = (different.next(), different.next()) else {
        return Err(Problem::Forbidden(match given.is_empty() {
            true => "an admin key with scope erase is needed: x-api-key, or HTTP Basic",
            false => "two different keys came in one call: send one",
        }));
    };
    let Some(item) = admin.store.config_item("key", &digest).await? else {
        return Err(Problem::Forbidden("the key is not known, or has been revoked"));
    };
    match KeyItem::read(&Item::new(&item.attributes)) {
        KeyItem::Admin(key) if key.may_erase => {}
        KeyItem::Admin(_) | KeyItem::Good(_) => {
            return Err(Problem::Forbidden("the key lacks the scope for this: erase"));
        }
        _ => return Err(Problem::Forbidden("the key is not known, or has been revoked")),
    }
    let name = given.into_iter().find_map(|(name, _)| name).filter(|name| !name.is_empty());
    let label = item.attributes.get("label").and_then(|label| label.as_str());
    let who = name.unwrap_or_else(|| format!("key {}", label.unwrap_or("without a label")));
    Ok(visitor::shown_name(&who))
}

/// What the query asks for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    email: String,
    answers: ErasedAnswers,
}

impl Wanted {
    /// Nothing is guessed: a misspelt `answers` would keep what was to be deleted.
    fn read(request: &Request) -> Result<Self, Problem> {
        let (mut email, mut answers) = (None, None);
        for (name, value) in request.query_string_parameters().iter() {
            let (seen, expected) = match name {
                "email" => (&mut email, Problem::Query("email", EXPECTED_EMAIL)),
                "answers" => (&mut answers, Problem::Query("answers", EXPECTED_ANSWERS)),
                _ => {
                    let detail = "absent: only `email` and `answers` are known here";
                    return Err(Problem::Query("every other parameter", detail));
                }
            };
            if seen.replace(value.trim().to_owned()).is_some() {
                return Err(expected);
            }
        }
        let answers = match answers.as_deref().unwrap_or_default() {
            "" | "keep" => ErasedAnswers::Kept,
            "delete" => ErasedAnswers::Deleted,
            _ => return Err(Problem::Query("answers", EXPECTED_ANSWERS)),
        };
        let email = email.ok_or(Problem::Query("email", EXPECTED_EMAIL))?;
        Ok(Self { email, answers })
    }
}
