//! Changing who sends the surveys of a channel: first a page that says what will happen.

use askama::Template;
use jiff::{SignedDuration, Timestamp};
use policy::{Channel, ChannelMode};
use serde_json::{Map, Value};
use store::{ByChannel, Change, Changed, StoredItem};

use super::item::{self, HERE, stored};
use crate::config_link::encoded;
use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;

/// How far back requests are counted.
const COUNTED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Requests of all channels that are counted at most.
const MOST_COUNTED: usize = 600;

#[derive(Template)]
#[template(path = "channel_flip.html")]
struct FlipPage {
    frame: Frame,
    id: String,
    encoded: String,
    version: String,
    /// The mode that it will have.
    to: &'static str,
    sentences: Vec<String>,
    button: &'static str,
    /// Somebody else has changed the channel since the page was shown.
    conflict: bool,
    /// The mode that it has now.
    now: String,
}

/// `?flip=NAME`: what will happen, and the button.
pub(super) async fn ask(context: &Context<'_>, id: &str) -> Result<Reply, AdminError> {
    let stored = stored(context, id).await?;
    page(context, id, stored.as_ref(), 200).await
}

async fn page(
    context: &Context<'_>,
    id: &str,
    stored: Option<&StoredItem>,
    status: u16,
) -> Result<Reply, AdminError> {
    let empty = Map::from_iter([("id".to_owned(), Value::from(id))]);
    let channel = Channel::read(stored.map_or(&empty, |stored| &stored.attributes));
    // With a fault elsewhere the channel counts as manual, but its item may say otherwise.
    let says = stored.and_then(|stored| stored.attributes.get("mode"));
    let to = match says.and_then(Value::as_str).map(|mode| mode.trim().to_lowercase()) {
        Some(mode) if mode == "integrated" => ChannelMode::Manual,
        _ => ChannelMode::Integrated,
    };
    let from = context.now.checked_sub(COUNTED).unwrap_or(Timestamp::MIN);
    let counted = context.store().live_requests_by_channel(from, MOST_COUNTED, context.now).await?;
    // As the requests that come now are understood: by name, or by an alias.
    let is_ours = |name: &str| {
        let found = Channel::find(&context.settings.channels, name);
        found.map_or_else(|| name.trim().eq_ignore_ascii_case(id), |found| found.name == id)
    };
    let ours = counted.counts.iter().filter(|(name, _)| is_ours(name));
    let count = ours.map(|(_, count)| count).sum();
    let frame = context.frame(&format!("Who sends the surveys of “{id}”"), HERE);
    let page = FlipPage {
        frame,
        id: id.to_owned(),
        encoded: encoded(id),
        version: stored.map(StoredItem::version).unwrap_or_default(),
        to: name_of(to),
        sentences: sentences(&channel, to, count, &counted),
        button: match to {
            ChannelMode::Integrated => "Send them from now on",
            ChannelMode::Manual => "Leave them to the agents from now on",
        },
        conflict: status == 409,
        now: says.map(shown).unwrap_or_else(|| "not set, which means manual".to_owned()),
    };
    Ok(Reply::html(status, page.render()?))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn name_of(mode: ChannelMode) -> &'static str {
    match mode {
        ChannelMode::Manual => "manual",
        ChannelMode::Integrated => "integrated",
    }
}

/// What will happen.
fn sentences(channel: &Channel, to: ChannelMode, count: u64, counted: &ByChannel) -> Vec<String> {
    let came = match (count, counted.back_to) {
        (0, None) => "No live request came for this channel in the last 7 days".to_owned(),
        (1, None) => "1 live request came for this channel in the last 7 days".to_owned(),
        (count, None) => {
            format!("{count} live requests came for this channel in the last 7 days")
        }
        (count, Some(back_to)) => format!(
            "At least {count} live requests came for this channel in the last 7 days (counted \
             back to {} UTC only)",
            back_to.strftime("%-d %B %Y, %H:%M")
        ),
    };
    let mut sentences = match to {
        ChannelMode::Integrated if channel.enabled => vec![
            format!("{came}; from now on they are sent."),
            "The survey of each goes to the customer by mail, if the other checks let it. Those \
             that were refused before are not sent later."
                .to_owned(),
        ],
        ChannelMode::Integrated => vec![
            format!("{came}. The channel is switched off, so none is sent in this mode either."),
            "Edit the channel and switch it on, so that surveys are sent.".to_owned(),
        ],
        ChannelMode::Manual => vec![
            format!("{came}; from now on they are not sent, and agents send surveys by hand."),
            "Requests that still wait for their time are not sent either.".to_owned(),
        ],
    };
    let delay = channel.delay.as_mins();
    if to == ChannelMode::Integrated && delay > 0 {
        sentences
            .push(format!("Each survey waits {delay} minutes from the receipt of its request."));
    }
    if to == ChannelMode::Integrated && channel.faults.iter().any(|fault| fault.attribute != "mode")
    {
        sentences.push(
            "Something else in this channel cannot be understood: until it is corrected, nothing \
             is sent."
                .to_owned(),
        );
    }
    sentences.push("Test requests are sent in both modes, to the test address.".to_owned());
    sentences
}

/// The button was pressed.
pub(super) async fn submit(context: &Context<'_>, id: &str) -> Result<Reply, AdminError> {
    let stored = stored(context, id).await?;
    let to = match context.form.text("to") {
        "integrated" => ChannelMode::Integrated,
        "manual" => ChannelMode::Manual,
        _ => return Err(AdminError::NotUnderstood("the form does not say which mode".to_owned())),
    };
    let version = stored.as_ref().map(StoredItem::version).unwrap_or_default();
    if context.form.text("version") != version {
        return page(context, id, stored.as_ref(), 409).await;
    }
    let mut after = stored.as_ref().map(|stored| stored.attributes.clone()).unwrap_or_default();
    after.insert("mode".to_owned(), name_of(to).into());
    let change = Change {
        kind: "channel".to_owned(),
        id: id.to_owned(),
        before: stored,
        after: Some(after),
    };
    let what = format!("channel set to {}", name_of(to));
    match context.change(&what, &[change]).await? {
        Changed::Yes => Ok(Reply::see_other(&format!("{HERE}?done={}", name_of(to)))),
        Changed::Conflict => {
            let stored = item::stored(context, id).await?;
            page(context, id, stored.as_ref(), 409).await
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_sentence_counts() {
        let channel = |item: Value| Channel::read(item.as_object().unwrap());
        let on = channel(json!({ "kind": "channel", "id": "phone" }));
        let off = channel(json!({ "kind": "channel", "id": "phone", "enabled": false }));
        let all = ByChannel::default();
        let some = ByChannel { back_to: "2026-11-19T14:03:00Z".parse().ok(), ..all.clone() };
        for (channel, to, count, counted, sentence) in [
            (
                &on,
                ChannelMode::Integrated,
                41,
                &all,
                "41 live requests came for this channel in the last 7 days; from now on they are \
                 sent.",
            ),
            (
                &on,
                ChannelMode::Integrated,
                1,
                &all,
                "1 live request came for this channel in the last 7 days; from now on they are \
                 sent.",
            ),
            (
                &on,
                ChannelMode::Manual,
                41,
                &some,
                "At least 41 live requests came for this channel in the last 7 days (counted back \
                 to 19 November 2026, 14:03 UTC only); from now on they are not sent, and agents \
                 send surveys by hand.",
            ),
            (
                &off,
                ChannelMode::Integrated,
                0,
                &all,
                "No live request came for this channel in the last 7 days. The channel is \
                 switched off, so none is sent in this mode either.",
            ),
        ] {
            assert_eq!(sentences(channel, to, count, counted)[0], sentence);
        }
    }
}
