//! One form to add an agent and to edit one.

use askama::Template;
use serde_json::{Map, Value};
use store::{Changed, StoredItem};
use uuid::Uuid;

use super::agent::{self, ATTRIBUTES, Agent, STATUSES};
use super::items::{HERE, changes, led_to, stored};
use crate::config_link::encoded;
use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::stored_text;
use crate::view::Frame;

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    frame: Frame,
    /// The e-mail of the agent that is edited; empty of one that is added.
    original: String,
    /// As a query has it.
    query: String,
    /// The item's version as the form shows it.
    version: String,
    /// E-mail, then [`ATTRIBUTES`], as typed or as stored.
    fields: Vec<Field>,
    statuses: [(&'static str, &'static str, &'static str); 5],
    /// What stands above the form.
    note: Option<String>,
    /// Whether the form is shown again because somebody else was faster.
    conflict: bool,
    /// What somebody else has changed meanwhile.
    theirs: Vec<Theirs>,
}

struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    /// The browser's own help: `type` and `autocomplete`.
    kind: &'static str,
    value: String,
    /// What it held when the form was first shown; `None` if that is not known, or of no matter.
    was: Option<String>,
    /// What stands there and no field can show.
    odd: Option<String>,
    /// Whether the box is ticked that removes it.
    dropped: bool,
    error: Option<String>,
}

/// A field of which somebody else has made something else meanwhile.
struct Theirs {
    label: &'static str,
    was: String,
    there: String,
    typed: String,
    /// Whether the visitor had changed the field too. If not, the form now has the other's value.
    both: bool,
}

impl PersonPage {
    fn has_errors(&self) -> bool {
        self.fields.iter().any(|field| field.error.is_some())
    }

    /// A status that is none of ours is offered too, since it is what the item says.
    fn odd_status<'a>(&self, value: &'a str) -> Option<&'a str> {
        let known =
            |status: &&str| status.is_empty() || STATUSES.iter().any(|(known, ..)| known == status);
        Some(value).filter(|value| !known(value))
    }

    fn reply(self, status: u16) -> Result<Reply, AdminError> {
        Ok(Reply::html(status, self.render()?))
    }
}

/// What is in the form, and what is wrong with it.
#[derive(Default)]
struct Typed {
    email: String,
    values: [String; 4],
    /// What the form held when it was first shown, if it says so.
    was: [Option<String>; 4],
    /// Whether what no field can show is to be removed.
    dropped: [bool; 4],
    errors: Vec<(String, String)>,
}

impl Typed {
    /// As posted.
    fn of_form(context: &Context<'_>, email: &str) -> Self {
        let values = ATTRIBUTES.map(|(name, _)| context.form.text(name).to_owned());
        let was = ATTRIBUTES.map(|(name, _)| {
            context.form.first(&format!("was.{name}")).map(|was| was.trim().to_owned())
        });
        let dropped =
            ATTRIBUTES.map(|(name, _)| !context.form.text(&format!("{name}.drop")).is_empty());
        Self { email: email.to_owned(), values, was, dropped, errors: Vec::new() }
    }

    /// Notes what no field can show, and what the form neither replaces nor removes: it is never
    /// removed in silence, since mails that wait for its correction would go out then.
    fn check_odd(&mut self, before: &StoredItem) {
        for (n, (name, _)) in ATTRIBUTES.into_iter().enumerate() {
            if let Some(odd) = agent::odd(before, name)
                && self.values[n].is_empty()
                && !self.dropped[n]
            {
                self.errors.push((name.to_owned(), agent::left_standing(name, &odd)));
            }
        }
    }

    /// Removes what no field can show, where the box is ticked and nothing was written.
    fn drop_odd(&self, before: &StoredItem, after: &mut Map<String, Value>) {
        for (n, (name, _)) in ATTRIBUTES.into_iter().enumerate() {
            if self.dropped[n] && self.values[n].is_empty() && agent::odd(before, name).is_some() {
                after.remove(name);
            }
        }
    }

    /// Every value checked; what is wrong is noted.
    fn checked(&mut self) -> [Option<String>; 4] {
        let mut checked = [const { None }; 4];
        for (n, (name, _)) in ATTRIBUTES.into_iter().enumerate() {
            match agent::check(name, &self.values[n]) {
                Ok(value) => checked[n] = Some(value),
                Err(error) => self.errors.push((name.to_owned(), error)),
            }
        }
        checked
    }

    fn page(self, context: &Context<'_>, before: Option<&StoredItem>) -> PersonPage {
        let error = |name: &str| {
            self.errors.iter().find(|(of, _)| of == name).map(|(_, error)| error.clone())
        };
        let field = |name, label, value: &String| Field {
            name,
            label,
            hint: hint(name),
            kind: match name {
                "email" => "email",
                "picture_url" => "url",
                _ => "text",
            },
            value: value.clone(),
            was: None,
            odd: before.and_then(|item| agent::odd(item, name)),
            dropped: false,
            error: error(name),
        };
        let mut fields = vec![field("email", "E-mail", &self.email)];
        let stands = before.map(|item| Agent::read(item).values.map(Some)).unwrap_or_default();
        for (n, ((name, label), was)) in ATTRIBUTES.into_iter().zip(stands).enumerate() {
            let dropped = self.dropped[n];
            fields.push(Field { was, dropped, ..field(name, label, &self.values[n]) });
        }
        let original = before.map(|item| item.id().to_owned()).unwrap_or_default();
        let title = if original.is_empty() { "Add an agent" } else { "Edit an agent" };
        PersonPage {
            frame: context.frame(title, HERE),
            query: encoded(&original),
            original,
            version: before.map(StoredItem::version).unwrap_or_default(),
            fields,
            statuses: STATUSES,
            note: None,
            conflict: false,
            theirs: Vec::new(),
        }
    }
}

fn hint(field: &str) -> &'static str {
    match field {
        "email" => "The address by which the helpdesk knows the agent.",
        "name" => "The customer reads it in the mail and on the survey.",
        "status" => "Only about approved agents surveys are sent.",
        "custom_id" => "Your own number or name for the agent, if requests carry one.",
        "picture_url" => "The address of a picture, https://…; it is shown in the mail.",
        _ => "",
    }
}

/// `?add=` or `?add=EMAIL&name=NAME`: an empty form, or one for an agent seen in a request.
pub(super) async fn add(context: &Context<'_>) -> Result<Reply, AdminError> {
    let given = |name: &str| context.query(name).unwrap_or_default();
    let email = agent::id_of(&given("add"));
    if !email.is_empty() && stored(context, &email).await?.is_some() {
        return edit(context, &email).await;
    }
    let values = [given("name"), "approved".to_owned(), given("custom_id"), given("picture_url")];
    Typed { email, values, ..Typed::default() }.page(context, None).reply(200)
}

/// `?edit=EMAIL`.
pub(super) async fn edit(context: &Context<'_>, email: &str) -> Result<Reply, AdminError> {
    let Some(item) = stored(context, email).await? else { return nobody(context, email, 404) };
    let agent = Agent::read(&item);
    let id = stored_text::text(&item.attributes, "custom_id");
    let typed = Typed {
        email: agent.email,
        values: agent.values,
        errors: agent.faults.into_iter().filter(|(attribute, _)| attribute != "id").collect(),
        ..Typed::default()
    };
    let mut page = typed.page(context, Some(&item));
    if let Some(id) = id {
        let held = context.store().config_item("employee_id", &id).await?;
        page.note = match held.as_ref().and_then(led_to) {
            Some(email) if email == item.id() => None,
            Some(other) => Some(format!(
                "Requests with the own id {id} lead to {other}. Give one of the two another id."
            )),
            None => Some(format!(
                "Requests with the own id {id} do not lead here yet. Save the form to mend that."
            )),
        };
    }
    page.reply(200)
}

fn nobody(context: &Context<'_>, email: &str, status: u16) -> Result<Reply, AdminError> {
    let values = ["", "approved", "", ""].map(str::to_owned);
    let typed = Typed { email: email.to_owned(), values, ..Typed::default() };
    let mut page = typed.page(context, None);
    page.note = Some("There is no agent with this address. You can add the agent here.".to_owned());
    page.reply(status)
}

/// One click: an agent seen in a request becomes one of ours. Leads back to the page of the request
/// if the form was there.
pub(super) async fn add_at_once(context: &Context<'_>) -> Result<Reply, AdminError> {
    let mut typed = Typed::of_form(context, context.form.text("email"));
    if typed.values[1].is_empty() {
        "approved".clone_into(&mut typed.values[1]);
    }
    if let Ok(email) = agent::is_id(&typed.email)
        && stored(context, &email).await?.is_some()
    {
        let email = encoded(&email);
        return Ok(Reply::see_other(&format!("{HERE}?edit={email}&done=as-it-was")));
    }
    let back = match context.form.text("request").parse::<Uuid>() {
        Ok(request) => format!("/admin/requests/{request}"),
        Err(_) => HERE.to_owned(),
    };
    create(context, typed, &back).await
}

pub(super) async fn save(context: &Context<'_>) -> Result<Reply, AdminError> {
    let original = context.form.first("original").unwrap_or_default();
    if original.is_empty() {
        let typed = Typed::of_form(context, context.form.text("email"));
        return create(context, typed, HERE).await;
    }
    let mut typed = Typed::of_form(context, original);
    let checked = typed.checked();
    let Some(before) = stored(context, original).await? else {
        let mut page = typed.page(context, None);
        page.note = Some(
            "Somebody has removed this agent meanwhile. Save the form to add the agent again."
                .to_owned(),
        );
        return page.reply(409);
    };
    if !typed.errors.is_empty() {
        // With the version that was shown, and with what the fields held then: what changed
        // meanwhile is told when it is saved.
        let was = typed.was.clone();
        let mut page = typed.page(context, Some(&before));
        for (field, was) in page.fields.iter_mut().skip(1).zip(was) {
            field.was = was;
        }
        context.form.text("version").clone_into(&mut page.version);
        return page.reply(422);
    }
    if context.form.text("version") != before.version() {
        return conflict(context, typed, &before);
    }
    typed.check_odd(&before);
    if !typed.errors.is_empty() {
        return typed.page(context, Some(&before)).reply(422);
    }
    let mut after = agent::written(Some(&before), &checked);
    typed.drop_odd(&before, &mut after);
    match changes(context, original, Some(before.clone()), Some(after)).await? {
        Err(other) => taken(context, typed, Some(&before), &other),
        Ok(changes) if changes.is_empty() => Ok(Reply::see_other("/admin/people?done=saved")),
        Ok(changes) => match context.change("Edit an agent", &changes).await? {
            Changed::Yes => Ok(Reply::see_other("/admin/people?done=saved")),
            Changed::Conflict => match stored(context, original).await? {
                Some(now) => conflict(context, typed, &now),
                None => nobody(context, original, 409),
            },
        },
    }
}

async fn create(context: &Context<'_>, mut typed: Typed, back: &str) -> Result<Reply, AdminError> {
    let checked = typed.checked();
    let id = agent::is_id(&typed.email);
    if let Err(error) = &id {
        typed.errors.insert(0, ("email".to_owned(), error.clone()));
    }
    let (Ok(email), true) = (id, typed.errors.is_empty()) else {
        return typed.page(context, None).reply(422);
    };
    let exists = |mut typed: Typed| {
        let error = "An agent with this address is here already. Open that one in the list to \
                     edit it.";
        typed.errors.push(("email".to_owned(), error.to_owned()));
        typed.page(context, None).reply(422)
    };
    if stored(context, &email).await?.is_some() {
        return exists(typed);
    }
    let after = agent::written(None, &checked);
    match changes(context, &email, None, Some(after)).await? {
        Err(other) => taken(context, typed, None, &other),
        Ok(changes) => match context.change("Add an agent", &changes).await? {
            Changed::Yes => Ok(Reply::see_other(&format!("{back}?done=added"))),
            Changed::Conflict if stored(context, &email).await?.is_some() => exists(typed),
            Changed::Conflict => {
                let mut page = typed.page(context, None);
                page.note = Some(
                    "Somebody has used this own id at the same moment. Save the form once more."
                        .to_owned(),
                );
                page.reply(409)
            }
        },
    }
}

fn taken(
    context: &Context<'_>,
    mut typed: Typed,
    before: Option<&StoredItem>,
    other: &str,
) -> Result<Reply, AdminError> {
    let error =
        format!("This own id belongs to {other}. Choose another, or change that one first.");
    typed.errors.push(("custom_id".to_owned(), error));
    typed.page(context, before).reply(422)
}

/// The form again, after somebody else has changed the agent: with what was typed, and the other's
/// value in the fields that the visitor had not touched. It carries the new version.
fn conflict(
    context: &Context<'_>,
    mut typed: Typed,
    now: &StoredItem,
) -> Result<Reply, AdminError> {
    // A field of one line loses the line breaks of what stood there.
    let line = |text: &str| text.replace(['\r', '\n'], "");
    let mut theirs = Vec::new();
    for (n, ((name, label), there)) in
        ATTRIBUTES.into_iter().zip(Agent::read(now).values).enumerate()
    {
        let (was, odd) = (typed.was[n].take(), agent::odd(now, name));
        typed.dropped[n] &= odd.is_some();
        let written = &mut typed.values[n];
        let both = was.as_ref().is_none_or(|was| line(was) != line(written));
        let moved = was.as_ref().is_none_or(|was| *was != there);
        if moved && *written != there {
            theirs.push(Theirs {
                label,
                was: was.unwrap_or_default(),
                there: odd.unwrap_or_else(|| there.clone()),
                typed: written.clone(),
                both,
            });
        }
        if !both {
            *written = there;
        }
    }
    let mut page = typed.page(context, Some(now));
    page.conflict = true;
    page.theirs = theirs;
    page.reply(409)
}
