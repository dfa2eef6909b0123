//! Making a key.

use askama::Template;
use serde_json::{Map, Value, json};
use store::{Change, Changed};

use super::form::{MODES, Making};
use super::item::HERE;
use super::list::{busy, list};
use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;

/// Random bytes of a key.
const RANDOM: usize = 20;
/// Characters of a key that are stored and shown.
const PREFIX: usize = 12;
#[derive(Template)]
#[template(path = "key_made.html")]
struct MadePage {
    frame: Frame,
    key: String,
    label: String,
    mode: &'static str,
    scopes: String,
}

/// Makes a key and shows it, in the reply to the form and never again.
pub(super) async fn make(context: &Context<'_>) -> Result<Reply, AdminError> {
    let making = Making::of_form(context);
    let mode = MODES.iter().find(|mode| mode.name == making.mode);
    let (Some(mode), true) = (mode, making.errors().is_empty()) else {
        return list(context, making, None, 422).await;
    };
    let Some(key) = random_key(mode.name) else {
        tracing::error!("the operating system gave no random bytes");
        return Err(AdminError::Late);
    };
    let attributes = json!({
        "mode": mode.name,
        "scopes": making.scopes,
        "label": making.label,
        "prefix": key.get(..PREFIX),
        "revoked": false,
        "made_at": context.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "made_by": context.visitor.name,
    });
    let after: Option<Map<String, Value>> = attributes.as_object().cloned();
    let id = intake::digest(key.as_bytes());
    let change = Change { kind: "key".to_owned(), id, before: None, after };
    if context.change("Make a key", &[change]).await? != Changed::Yes {
        return busy(context).await; // two keys of 160 random bits never are the same
    }
    let page = MadePage {
        frame: context.frame("The new key", HERE),
        key,
        label: making.label,
        mode: mode.name,
        scopes: making.scopes.join(", "),
    };
    // Every page of ours has `cache-control: no-store`; this one depends on it.
    Ok(Reply::html(200, page.render()?))
}

fn random_key(mode: &str) -> Option<String> {
    let mut random = [0; RANDOM];
    getrandom::fill(&mut random).ok()?;
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("aw_{mode}_{hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_have_enough_random_bits() {
        let key = random_key("live").unwrap();
        let random = key.strip_prefix("aw_live_").unwrap();
        assert!(random.len() * 4 >= 128 && random.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_ne!(Some(key), random_key("live"));
    }
}
