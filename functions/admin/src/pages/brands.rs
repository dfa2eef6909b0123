//! `/admin/brands`: the brands, with their looks. `?edit=SIGNIFIER` edits one, `?add=1` adds one,
//! and `?delete=SIGNIFIER` asks before one is deleted.

use askama::Template;
use policy::Brand;
use policy::config_table::brand;
use serde_json::Value;
use store::{Change, Changed, StoredItem};

use crate::config_link::encoded;
use crate::context::Context;
use crate::edit::{
    Candidate, EditPage, Editor, FieldError, NewId, RemovalPage, Submitted, Target, no_text,
};
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;

/// The path of the page.
const HERE: &str = "/admin/brands";
/// Characters of a signifier at most.
const LONGEST_SIGNIFIER: usize = 100;

#[derive(Template)]
#[template(path = "brands.html")]
struct BrandsPage {
    frame: Frame,
    rows: Vec<Row>,
}

struct Row {
    signifier: String,
    encoded: String,
    name: String,
    active: bool,
    faulty: bool,
    default: bool,
    /// `#rrggbb`
    color: Option<String>,
}

impl Row {
    fn of(brand: &Brand, context: &Context<'_>) -> Self {
        Self {
            signifier: brand.signifier.clone(),
            encoded: encoded(&brand.signifier),
            name: brand.name.clone(),
            active: brand.active,
            faulty: !brand.faults.is_empty() || !brand.warnings.is_empty(),
            default: is_default(context, &brand.signifier),
            color: brand
                .branding
                .color
                .map(|color| format!("#{:02x}{:02x}{:02x}", color.0, color.1, color.2)),
        }
    }
}

/// Whether requests that name no brand get this one.
fn is_default(context: &Context<'_>, signifier: &str) -> bool {
    let default = context.settings.company.default_brand.as_deref();
    let found = default.and_then(|name| Brand::find(&context.settings.brands, name));
    found.is_some_and(|brand| brand.signifier == signifier)
}

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    if let Some(id) = context.query_id("edit") {
        let stored = stored(context, &id).await?;
        let editor = Editor::open(&target(&id), Some(&stored));
        return edit_page(context, &id, editor).reply(200);
    }
    if let Some(id) = context.query_id("delete") {
        return removal_page(context, &stored(context, &id).await?, false);
    }
    if context.query("add").is_some() {
        return add_page(context, "", Editor::open(&target(""), None)).reply(200);
    }
    let rows = context.settings.brands.iter().map(|brand| Row::of(brand, context)).collect();
    let page = BrandsPage { frame: context.frame("Brands", HERE), rows };
    Ok(Reply::html(200, page.render()?))
}

pub(super) async fn submit(context: &Context<'_>) -> Result<Reply, AdminError> {
    let id = context.form.first("id").unwrap_or_default();
    match context.form.text("action") {
        "save" => save(context, id).await,
        "add" => add(context, id).await,
        "delete" => delete(context, id).await,
        _ => Err(AdminError::NotUnderstood("the form does not say what to do".to_owned())),
    }
}

async fn stored(context: &Context<'_>, id: &str) -> Result<StoredItem, AdminError> {
    context.store().config_item("brand", id).await?.ok_or(AdminError::NotFound)
}

fn target(id: &str) -> Target {
    Target::new(&brand::KIND, id, &[])
}

fn edit_page(context: &Context<'_>, id: &str, editor: Editor) -> EditPage {
    let mut page = EditPage::new(context.frame(&format!("Brand “{id}”"), HERE), HERE, editor);
    page.hidden = vec![("action", "save".to_owned()), ("id", id.to_owned())];
    if is_default(context, id) {
        page.intro = vec!["Requests that name no brand get this one.".to_owned()];
    }
    page.links = vec![
        (format!("{HERE}?delete={}", encoded(id)), "Delete this brand…".to_owned()),
        (HERE.to_owned(), "All brands".to_owned()),
    ];
    page
}

fn add_page(context: &Context<'_>, typed: &str, editor: Editor) -> EditPage {
    let mut page = EditPage::new(context.frame("Add a brand", HERE), HERE, editor);
    page.hidden = vec![("action", "add".to_owned())];
    page.new_id = Some(NewId {
        label: "Signifier",
        hint: "What requests name the brand by. Large and small letters make no difference.",
        value: typed.to_owned(),
    });
    page.button = "Add the brand";
    page.links = vec![(HERE.to_owned(), "All brands".to_owned())];
    page
}

async fn save(context: &Context<'_>, id: &str) -> Result<Reply, AdminError> {
    let (target, now) = (target(id), context.store().config_item("brand", id).await?);
    if now.is_none() && context.form.text("version").is_empty() {
        // Somebody has deleted it, and this form makes it anew.
        return add(context, id).await;
    }
    let check = |candidate: &Candidate<'_>| name_clash(&context.settings.brands, id, candidate);
    match Editor::submit(&target, &context.form, now.as_ref(), check) {
        Submitted::Unchanged => Ok(Reply::see_other(&format!("{HERE}?done=unchanged"))),
        Submitted::Again(status, editor) => edit_page(context, id, *editor).reply(status),
        Submitted::Change(change) => match context.change("brand changed", &[*change]).await? {
            Changed::Yes => Ok(Reply::see_other(&format!("{HERE}?done=saved"))),
            Changed::Conflict => {
                let now = context.store().config_item("brand", id).await?;
                let editor = Editor::conflict(&target, &context.form, now.as_ref());
                edit_page(context, id, editor).reply(409)
            }
        },
    }
}

async fn add(context: &Context<'_>, typed: &str) -> Result<Reply, AdminError> {
    let id = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    let brands = &context.settings.brands;
    let target = target(&id);
    let refuse = |message: &str| {
        let error = FieldError::new("id", message);
        match Editor::submit(&target, &context.form, None, |_| vec![error]) {
            Submitted::Again(_, editor) => add_page(context, typed, *editor).reply(422),
            _ => Err(AdminError::NotUnderstood(message.to_owned())),
        }
    };
    if let Some(message) = signifier_error(brands, &id) {
        return refuse(&message);
    }
    let check = |candidate: &Candidate<'_>| name_clash(brands, &id, candidate);
    match Editor::submit(&target, &context.form, None, check) {
        Submitted::Unchanged => Err(AdminError::NotUnderstood("nothing was sent".to_owned())),
        Submitted::Again(status, editor) => add_page(context, typed, *editor).reply(status),
        Submitted::Change(change) => match context.change("brand added", &[*change]).await? {
            Changed::Yes => Ok(Reply::see_other(&format!("{HERE}?done=added"))),
            Changed::Conflict => refuse("Somebody else has added this brand meanwhile."),
        },
    }
}

fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

/// What is wrong with the signifier of a new brand.
fn signifier_error(brands: &[Brand], id: &str) -> Option<String> {
    if id.is_empty() {
        return Some("Type the brand's signifier.".to_owned());
    }
    if id.chars().count() > LONGEST_SIGNIFIER || id.contains(no_text) {
        return Some(format!(
            "Type a signifier of at most {LONGEST_SIGNIFIER} letters, in one line."
        ));
    }
    taken(brands, id, id)
}

/// The other brand that has this name or signifier already, as a message.
fn taken(brands: &[Brand], own: &str, name: &str) -> Option<String> {
    let mut others = brands.iter().filter(|brand| brand.signifier != own);
    let clash = others.find(|brand| same(&brand.signifier, name) || same(&brand.name, name));
    // Of a new brand, the one with its very signifier is another one too.
    let clash = clash.or_else(|| brands.iter().find(|b| own == name && b.signifier == own))?;
    Some(format!("“{name}” is the brand “{}” ({}) already.", clash.signifier, clash.name))
}

fn name_clash(brands: &[Brand], own: &str, candidate: &Candidate<'_>) -> Vec<FieldError> {
    let name = candidate.after.get("name").and_then(Value::as_str).map(str::trim);
    let name = name.filter(|name| candidate.changes("name") && !same(name, own));
    let clash = name.and_then(|name| taken(brands, own, name));
    clash.map(|message| FieldError::new("name", message)).into_iter().collect()
}

fn removal_page(
    context: &Context<'_>,
    stored: &StoredItem,
    conflict: bool,
) -> Result<Reply, AdminError> {
    let id = stored.id().to_owned();
    let mut sentences = vec![
        "Requests that name this brand are invalid from then on.".to_owned(),
        "To stop its surveys for a while, edit the brand and set “Active” to no.".to_owned(),
    ];
    if is_default(context, &id) {
        sentences.push(
            "It is the company's default brand: requests that name no brand become invalid too, \
             until the settings name another default."
                .to_owned(),
        );
    }
    let page = RemovalPage {
        frame: context.frame(&format!("Delete the brand “{id}”?"), HERE),
        path: HERE,
        version: stored.version(),
        sentences,
        id,
        conflict,
    };
    page.reply()
}

async fn delete(context: &Context<'_>, id: &str) -> Result<Reply, AdminError> {
    let before = stored(context, id).await?;
    if context.form.text("version") != before.version() {
        return removal_page(context, &before, true);
    }
    let change =
        Change { kind: "brand".to_owned(), id: id.to_owned(), before: Some(before), after: None };
    match context.change("brand deleted", &[change]).await? {
        Changed::Yes => Ok(Reply::see_other(&format!("{HERE}?done=removed"))),
        Changed::Conflict => removal_page(context, &stored(context, id).await?, true),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_brand_is_found_by_one_name_only() {
        let item = json!({ "kind": "brand", "id": "kids", "name": "Blanca Kids" });
        let brands = [Brand::read(item.as_object().unwrap())];
        for (id, free) in
            [("KIDS", false), ("kids", false), ("blanca kids", false), ("teens", true), ("", false)]
        {
            assert_eq!(signifier_error(&brands, id).is_none(), free, "{id}");
        }
    }
}
