//! `/send/{token}`: an agent asks for a survey by hand, for channels in manual mode.
//!
//! The private link is the permission: there is no sign-in, and no menu. What is sent goes in by
//! the one road, as the body of a `/v1/requests` call that an API client could have made, but
//! marked `requested_via: manual`, and `dispatch` sends it as any other.
//!
//! A link that was renewed, that nobody made, or whose agent may not be rated opens one and the
//! same page: it tells nothing about why.

mod form;
mod page;

use intake::{Delivery, Entered, Intake, Style};
use jiff::Timestamp;
use lambda_http::http::{self, Method};
use lambda_http::{Body, Request, RequestExt as _};
use links::{SendBoxToken, TokenSecrets};
use normalize::Source;
use policy::config_table::employee;
use policy::{Employee, EmployeeStatus, Item, RequestedVia};
use serde_json::Value;
use store::{Change, Changed, Interaction, StoredItem};
use uuid::Uuid;

use crate::admin::Admin;
use crate::context::Context;
use crate::error::AdminError;
use crate::form::Form;
use crate::origin;
use crate::reply::Reply;
use form::{Choices, Trouble, Typed};

/// What the paths of send boxes begin with.
pub(crate) const PATH: &str = "/send/";
/// The attribute of the employee's item that counts how often the link was renewed.
const RENEWED: &str = employee::SEND_BOX.name;
/// Bytes of a posted form at most: each field is short.
const LARGEST: usize = 64 * 1024;

/// The agent's private link.
pub(crate) fn link(base: &str, secrets: &TokenSecrets, employee: &str, renewed: u32) -> String {
    let token = SendBoxToken { employee: employee.to_lowercase(), renewed };
    format!("{base}{PATH}{}", secrets.seal_send_box(&token))
}

/// How often the link of this employee was renewed; `None` if `send_box` cannot be understood: then
/// no link opens anything.
pub(crate) fn renewed(employee: &StoredItem) -> Option<u32> {
    Item::new(&employee.attributes).read(&employee::SEND_BOX).ok()
}

/// Makes a new link for the agent, which ends the old one. `None`: there is no such agent.
pub(crate) async fn renew(
    context: &Context<'_>,
    employee: &str,
) -> Result<Option<Changed>, AdminError> {
    let Some(before) = context.store().config_item("employee", employee).await? else {
        return Ok(None);
    };
    let mut after = before.attributes.clone();
    // A number that nobody can read was opened by no link: any other than a likely one will do.
    let next = renewed(&before).map_or_else(unused, |renewed| renewed.wrapping_add(1));
    after.insert(RENEWED.to_owned(), Value::from(next));
    let id = before.id().to_owned();
    let change = Change { kind: "employee".into(), id, before: Some(before), after: Some(after) };
    context.change("renewed the link of a send box", &[change]).await.map(Some)
}

/// A number that no earlier link is likely to have.
fn unused() -> u32 {
    1_000_000 + (Uuid::now_v7().as_u128() % 1_000_000_000) as u32
}

/// The agent whose box it is.
struct Agent {
    email: String,
    name: String,
    /// Stands for the link in rows, where others have the digest of their key.
    digest: String,
}

impl Agent {
    /// The agent of a link that is valid still.
    async fn of(admin: &Admin, token: &str) -> Result<Option<Self>, AdminError> {
        let Some(token) = admin.secrets.open_send_box(token) else { return Ok(None) };
        let Some(item) = admin.store.config_item("employee", &token.employee).await? else {
            return Ok(None);
        };
        let employee = Employee::read(&item.attributes);
        let may_be_rated =
            employee.status == EmployeeStatus::Approved && employee.faults.is_empty();
        if !may_be_rated || renewed(&item) != Some(token.renewed) {
            return Ok(None);
        }
        let digest = intake::digest(format!("send-box\n{}", employee.email).as_bytes());
        let name = employee.name.unwrap_or_else(|| employee.email.clone());
        Ok(Some(Self { email: employee.email, name, digest }))
    }

    /// A request that was sent by this link or an earlier one.
    async fn sent(
        &self,
        admin: &Admin,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Interaction>, AdminError> {
        let Ok(id) = id.parse::<Uuid>() else { return Ok(None) };
        let row = admin.store.interaction(id, now).await?;
        Ok(row.filter(|row| row.requested_via == RequestedVia::Manual && row.key == self.digest))
    }
}

/// Answers a visit to a send box.
pub(crate) async fn serve(
    admin: &Admin,
    request: &Request,
    now: Timestamp,
) -> Result<Reply, AdminError> {
    let token = request.raw_http_path().strip_prefix(PATH).unwrap_or_default();
    let post = *request.method() == Method::POST;
    if !post && ![Method::GET, Method::HEAD].contains(request.method()) {
        return Err(AdminError::MethodNotAllowed);
    }
    // A box that was closed a moment ago is closed, and a channel that was switched too.
    admin.store.forget_configuration();
    let Some(agent) = Agent::of(admin, token).await? else { return page::gone() };
    if post {
        origin::require_own(request)?;
        if AsRef::<[u8]>::as_ref(request.body()).len() > LARGEST {
            return Err(AdminError::TooLarge("64 KiB"));
        }
        let form = Form::read(request)?;
        return submit(admin, &agent, token, &form, now).await;
    }
    let query = request.query_string_parameters();
    if let Some(id) = query.first("request") {
        return match agent.sent(admin, id, now).await? {
            Some(row) => page::sent(admin, &agent.name, token, &row, now).await,
            None => page::gone(),
        };
    }
    let settings = admin.store.settings(now).await?;
    let choices = Choices::of(&settings);
    page::form(200, &agent.name, token, &choices, &Typed::empty(&choices), &[])
}

async fn submit(
    admin: &Admin,
    agent: &Agent,
    token: &str,
    form: &Form,
    now: Timestamp,
) -> Result<Reply, AdminError> {
    let settings = admin.store.settings(now).await?;
    let choices = Choices::of(&settings);
    let mut typed = Typed::read(form);
    let troubles = typed.check(&choices, &settings);
    if !troubles.is_empty() {
        return page::form(422, &agent.name, token, &choices, &typed, &troubles);
    }
    match send(admin, agent, &typed, now).await {
        Sent::Recorded(id) => Ok(Reply::see_other(&format!("{PATH}{token}?request={id}"))),
        Sent::NotUnderstood(troubles) => {
            page::form(422, &agent.name, token, &choices, &typed, &troubles)
        }
        Sent::OtherValues => {
            // The next attempt is a survey of its own.
            typed.begin_anew();
            let trouble = Trouble::new(
                "email",
                "This form was sent before, with other values. Check them, and send once more.",
            );
            page::form(422, &agent.name, token, &choices, &typed, &[trouble])
        }
        Sent::NotRecorded(why) => page::not_recorded(&agent.name, token, why),
        // The same nonce again: should the first attempt have been recorded, it is found.
        Sent::Unavailable => {
            let trouble = Trouble::new(
                "email",
                "Something on our side did not work. Send once more in half a minute: nobody is \
                 asked twice.",
            );
            page::form(503, &agent.name, token, &choices, &typed, &[trouble])
        }
    }
}

enum Sent {
    /// Recorded, now or before.
    Recorded(Uuid),
    /// Nothing is recorded, and nothing will be sent: why.
    NotRecorded(String),
    /// A field is not understood after all.
    NotUnderstood(Vec<Trouble>),
    /// The form was sent before with other values.
    OtherValues,
    Unavailable,
}

/// On the one road in, as a call of `/v1/requests`.
async fn send(admin: &Admin, agent: &Agent, typed: &Typed, now: Timestamp) -> Sent {
    let body = typed.body(&agent.email).to_string();
    let call = http::Request::post("/v1/requests")
        .header("content-type", "application/json")
        .header("idempotency-key", typed.nonce.to_string())
        .body(Body::Text(body));
    let Ok(call) = call else { return Sent::Unavailable };
    let delivery = Delivery {
        source: Source::Requests,
        id: None,
        parse: normalize::requests::parse,
        style: Style::Api,
    };
    let entered = Entered::by_hand(agent.digest.clone(), &call);
    let intake = Intake::new(admin.store.clone());
    let reply = intake.accept(&entered, delivery, now).await;
    let reply = reply.unwrap_or_else(|problem| problem.into_response(Some(Source::Requests)));
    let told: Value = serde_json::from_slice(reply.body().as_ref()).unwrap_or_default();
    // The reply names a request here too, but there is none.
    if told.get("reason").and_then(Value::as_str) == Some("erased") {
        let why = told.get("detail").and_then(Value::as_str).unwrap_or_default();
        return Sent::NotRecorded(why.to_owned());
    }
    let id = told.get("request_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    if let Some(id) = id {
        return Sent::Recorded(id);
    }
    match reply.status().as_u16() {
        422 => Sent::OtherValues,
        400 => Sent::NotUnderstood(form::troubles(&told)),
        _ => Sent::Unavailable,
    }
}
