//! `/admin/send-links`: the private link of each agent's send box, and a new one for it.

use askama::Template;
use policy::{Employee, EmployeeStatus};
use store::{Changed, StoredItem};

use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::send_box;
use crate::view::{Frame, base_url};

/// Agents of a page.
const PAGE: i32 = 50;
/// Bytes of a filter at most: those of an e-mail that is a key of the table.
const LONGEST: usize = 1_024;

#[derive(Template)]
#[template(path = "send_links.html")]
struct SendLinksPage {
    frame: Frame,
    employee: String,
    rows: Vec<Row>,
    next: Option<String>,
    wrong: Option<&'static str>,
}

struct Row {
    email: String,
    name: String,
    /// Empty: the agent has none, and `why` says so.
    link: String,
    why: &'static str,
    renewed: u32,
}

impl Row {
    fn of(context: &Context<'_>, base: &str, item: &StoredItem) -> Self {
        let employee = Employee::read(&item.attributes);
        let renewed = send_box::renewed(item);
        let why = match (employee.status, renewed) {
            (EmployeeStatus::Deactivated, _) => "Has none: deactivated.",
            (EmployeeStatus::Incomplete, _) => "Has none: the profile is not approved.",
            _ if !employee.faults.is_empty() => "Has none: the profile cannot be understood.",
            (_, None) => "Has none: send_box is no number. Renew the link.",
            (EmployeeStatus::Approved, Some(_)) => "",
        };
        let (secrets, renewed) = (&context.admin.secrets, renewed.unwrap_or_default());
        // Whoever sees the link can send by it, which a viewer may not.
        let link = match why.is_empty() && context.visitor.may_change() {
            true => send_box::link(base, secrets, item.id(), renewed),
            false => String::new(),
        };
        let name = employee.name.unwrap_or_default();
        Self { email: item.id().to_owned(), name, link, why, renewed }
    }
}

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    let employee = context.query("employee").unwrap_or_default().to_lowercase();
    page(context, 200, &employee, None).await
}

async fn page(
    context: &Context<'_>,
    status: u16,
    employee: &str,
    wrong: Option<&'static str>,
) -> Result<Reply, AdminError> {
    let (employee, wrong) = match employee.len() > LONGEST {
        true => ("", Some("No agent's e-mail is as long as this one.")),
        false => (employee, wrong),
    };
    let after = context.query("after");
    let store = context.store();
    let (items, _) = store.config_page("employee", employee, after.as_deref(), PAGE).await?;
    let base = base_url(context.request);
    let last = items.last().filter(|_| items.len() >= PAGE as usize);
    let next = last.map(|last| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("employee", employee).append_pair("after", last.id());
        query.finish()
    });
    let page = SendLinksPage {
        frame: context.frame("Links for sending by hand", "/admin/send-links"),
        employee: employee.to_owned(),
        rows: items.iter().map(|item| Row::of(context, &base, item)).collect(),
        next,
        wrong,
    };
    Ok(Reply::html(status, page.render()?))
}

pub(super) async fn submit(context: &Context<'_>) -> Result<Reply, AdminError> {
    let employee = context.form.text("employee").to_lowercase();
    match send_box::renew(context, &employee).await? {
        None => page(context, 422, "", Some("There is no agent with this e-mail.")).await,
        Some(Changed::Conflict) => {
            let text = "Somebody has just changed this agent. Look at the list, then renew again.";
            page(context, 409, &employee, Some(text)).await
        }
        Some(Changed::Yes) => {
            let employee: String = form_urlencoded::byte_serialize(employee.as_bytes()).collect();
            Ok(Reply::see_other(&format!("/admin/send-links?done=renewed&employee={employee}")))
        }
    }
}
