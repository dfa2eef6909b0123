//! `/admin/channels`: who sends the surveys of each channel, and what the channel is called.
//!
//! `?edit=NAME` edits one, `?add=1` adds one, `?flip=NAME` asks before the mode is changed, and
//! `?delete=NAME` before a channel is deleted.

mod flip;
mod item;
mod removal;

use askama::Template;
use policy::config_table::channel;
use policy::{Channel, ChannelMode};
use serde_json::Value;
use store::Changed;

use crate::config_link::encoded;
use crate::context::Context;
use crate::edit::{Candidate, EditPage, Editor, FieldError, NewId, Submitted, Target, no_text};
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;
use item::{HERE, STANDARD, stored};

/// Characters of a channel's name at most.
const LONGEST_NAME: usize = 100;

#[derive(Template)]
#[template(path = "channels.html")]
struct ChannelsPage {
    frame: Frame,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    /// For a query.
    encoded: String,
    integrated: bool,
    enabled: bool,
    delay: String,
    aliases: String,
    /// Whether something in it cannot be understood.
    faulty: bool,
    /// Whether there is an item; a standard channel may lack one.
    exists: bool,
    custom: bool,
}

impl Row {
    fn of(channel: &Channel) -> Self {
        let delay = channel.delay.as_mins();
        Self {
            name: channel.name.clone(),
            encoded: encoded(&channel.name),
            integrated: channel.mode == ChannelMode::Integrated,
            enabled: channel.enabled,
            delay: if delay == 0 { "none".to_owned() } else { format!("{delay} minutes") },
            aliases: channel.aliases.join(", "),
            faulty: !channel.faults.is_empty(),
            exists: true,
            custom: !STANDARD.contains(&channel.name.as_str()),
        }
    }

    fn absent(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            encoded: encoded(name),
            integrated: false,
            enabled: false,
            delay: String::new(),
            aliases: String::new(),
            faulty: false,
            exists: false,
            custom: false,
        }
    }
}

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    if let Some(id) = context.query_id("edit") {
        let stored = stored(context, &id).await?;
        let editor = Editor::open(&target(&id), stored.as_ref());
        return edit_page(context, &id, editor).reply(200);
    }
    if let Some(id) = context.query_id("flip") {
        return flip::ask(context, &id).await;
    }
    if let Some(id) = context.query_id("delete") {
        return removal::ask(context, &id).await;
    }
    if context.query("add").is_some() {
        let editor = Editor::open(&new_target(""), None);
        return add_page(context, "", editor).reply(200);
    }
    let channels = &context.settings.channels;
    let mut rows: Vec<Row> = Vec::new();
    for name in STANDARD {
        let channel = channels.iter().find(|channel| channel.name == name);
        rows.push(channel.map_or_else(|| Row::absent(name), Row::of));
    }
    rows.extend(channels.iter().map(Row::of).filter(|row| row.custom));
    let page = ChannelsPage { frame: context.frame("Channels", HERE), rows };
    Ok(Reply::html(200, page.render()?))
}

pub(super) async fn submit(context: &Context<'_>) -> Result<Reply, AdminError> {
    let id = context.form.first("id").unwrap_or_default();
    match context.form.text("action") {
        "save" => save(context, id).await,
        "add" => add(context, id).await,
        "flip" => flip::submit(context, id).await,
        "delete" => removal::submit(context, id).await,
        _ => Err(AdminError::NotUnderstood("the form does not say what to do".to_owned())),
    }
}

/// Everything but the mode, which is changed by a page that says first what will happen.
fn target(id: &str) -> Target {
    Target::new(&channel::KIND, id, &["mode"])
}

fn new_target(id: &str) -> Target {
    Target::new(&channel::KIND, id, &[])
}

fn edit_page(context: &Context<'_>, id: &str, editor: Editor) -> EditPage {
    let frame = context.frame(&format!("Channel “{id}”"), HERE);
    let mut page = EditPage::new(frame, HERE, editor);
    page.hidden = vec![("action", "save".to_owned()), ("id", id.to_owned())];
    page.links = vec![
        (format!("{HERE}?flip={}", encoded(id)), "Who sends its surveys…".to_owned()),
        (HERE.to_owned(), "All channels".to_owned()),
    ];
    page
}

fn add_page(context: &Context<'_>, name: &str, editor: Editor) -> EditPage {
    let mut page = EditPage::new(context.frame("Add a channel", HERE), HERE, editor);
    page.hidden = vec![("action", "add".to_owned())];
    page.new_id = Some(NewId {
        label: "Name",
        hint: "As your systems send it. Large and small letters make no difference.",
        value: name.to_owned(),
    });
    page.button = "Add the channel";
    page.links = vec![(HERE.to_owned(), "All channels".to_owned())];
    page
}

async fn save(context: &Context<'_>, id: &str) -> Result<Reply, AdminError> {
    let (target, now) = (target(id), context.store().config_item("channel", id).await?);
    if now.is_none() && context.form.text("version").is_empty() && !STANDARD.contains(&id) {
        // Somebody has deleted it, and this form makes it anew.
        return add(context, id).await;
    }
    let check =
        |candidate: &Candidate<'_>| alias_clashes(&context.settings.channels, id, candidate);
    match Editor::submit(&target, &context.form, now.as_ref(), check) {
        Submitted::Unchanged => Ok(Reply::see_other(&format!("{HERE}?done=unchanged"))),
        Submitted::Again(status, editor) => edit_page(context, id, *editor).reply(status),
        Submitted::Change(change) => match context.change("channel changed", &[*change]).await? {
            Changed::Yes => Ok(Reply::see_other(&format!("{HERE}?done=saved"))),
            Changed::Conflict => {
                let now = context.store().config_item("channel", id).await?;
                let editor = Editor::conflict(&target, &context.form, now.as_ref());
                edit_page(context, id, editor).reply(409)
            }
        },
    }
}

async fn add(context: &Context<'_>, typed: &str) -> Result<Reply, AdminError> {
    let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    let channels = &context.settings.channels;
    let target = new_target(&name);
    let refuse = |message: &str| {
        let error = FieldError::new("id", message);
        match Editor::submit(&target, &context.form, None, |_| vec![error]) {
            Submitted::Again(_, editor) => add_page(context, typed, *editor).reply(422),
            _ => Err(AdminError::NotUnderstood(message.to_owned())),
        }
    };
    if let Some(message) = name_error(channels, &name) {
        return refuse(&message);
    }
    let check = |candidate: &Candidate<'_>| alias_clashes(channels, &name, candidate);
    match Editor::submit(&target, &context.form, None, check) {
        Submitted::Unchanged => Err(AdminError::NotUnderstood("nothing was sent".to_owned())),
        Submitted::Again(status, editor) => add_page(context, typed, *editor).reply(status),
        Submitted::Change(change) => match context.change("channel added", &[*change]).await? {
            Changed::Yes => Ok(Reply::see_other(&format!("{HERE}?done=added"))),
            Changed::Conflict => refuse("Somebody else has added this channel meanwhile."),
        },
    }
}

/// What is wrong with the name of a new channel.
fn name_error(channels: &[Channel], name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("Type the channel's name.".to_owned());
    }
    if name.chars().count() > LONGEST_NAME || name.contains(no_text) {
        return Some(format!("Type a name of at most {LONGEST_NAME} letters, in one line."));
    }
    taken(channels, None, name)
}

/// Who has this name or alias already, as a message.
fn taken(channels: &[Channel], own: Option<&str>, name: &str) -> Option<String> {
    let same = |a: &str| a.trim().to_lowercase() == name.trim().to_lowercase();
    let mut others = channels.iter().filter(|channel| Some(channel.name.as_str()) != own);
    let clash = others
        .find(|channel| same(&channel.name) || channel.aliases.iter().any(|alias| same(alias)))?;
    Some(match same(&clash.name) {
        true => format!("“{name}” is the name of the channel “{}”.", clash.name),
        false => format!("“{name}” is another name of the channel “{}” already.", clash.name),
    })
}

/// New aliases that another channel has.
fn alias_clashes(channels: &[Channel], own: &str, candidate: &Candidate<'_>) -> Vec<FieldError> {
    if !candidate.changes("aliases") {
        return Vec::new();
    }
    let had = channels.iter().find(|channel| channel.name == own);
    let had = had.map(|channel| channel.aliases.clone()).unwrap_or_default();
    let aliases = candidate.after.get("aliases").and_then(Value::as_array);
    let aliases = aliases.into_iter().flatten().filter_map(Value::as_str);
    let added = aliases.filter(|alias| !had.iter().any(|other| other == alias));
    let clashes: Vec<String> =
        added.filter_map(|alias| taken(channels, Some(own), alias)).collect();
    if clashes.is_empty() {
        return Vec::new();
    }
    vec![FieldError::new("aliases", clashes.join(" "))]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn channel(name: &str, aliases: &[&str]) -> Channel {
        let item = json!({ "kind": "channel", "id": name, "aliases": aliases });
        Channel::read(item.as_object().unwrap())
    }

    #[test]
    fn a_name_is_had_once_whatever_its_case() {
        let channels = [channel("phone", &["Aircall"]), channel("Été", &[])];
        for (name, message) in [
            ("desk", None),
            ("PHONE", Some("“PHONE” is the name of the channel “phone”.")),
            ("aircall", Some("“aircall” is another name of the channel “phone” already.")),
            ("ÉTÉ", Some("“ÉTÉ” is the name of the channel “Été”.")),
            ("", Some("Type the channel's name.")),
            ("a\u{7}b", Some("Type a name of at most 100 letters, in one line.")),
        ] {
            assert_eq!(name_error(&channels, name).as_deref(), message, "{name}");
        }
        assert!(name_error(&channels, &"x".repeat(101)).is_some());
    }
}
