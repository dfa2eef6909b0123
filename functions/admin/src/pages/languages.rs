//! `/admin/languages`: the languages that surveys are sent in, and which spelling means which.

use askama::Template;
use normalize::LanguageTag;
use policy::{LanguageRow, Settings};
use serde_json::Map;
use store::{Change, Changed, StoredItem};

use crate::context::Context;
use crate::edit::spoken;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;

/// The path of the page.
const HERE: &str = "/admin/languages";

/// Spellings that helpdesks send, as examples.
const SPELLINGS: [&str; 16] = [
    "en-us", "en_GB", "English", "Deutsch", "fr-CA", "pt_BR", "pt", "es-LA", "es-MX", "spanish",
    "zh-cn", "zh-TW", "iw", "no", "UK", "xx",
];

#[derive(Template)]
#[template(path = "languages.html")]
struct LanguagesPage {
    frame: Frame,
    rows: Vec<Row>,
    default: String,
    /// What was asked about, and what it means.
    asked: Option<Meaning>,
    examples: Vec<Meaning>,
    /// What was typed as a new language, and what is wrong with it.
    typed: String,
    error: Option<String>,
    /// The language that somebody else has changed meanwhile.
    conflict: Option<String>,
}

/// A language of the table, or one that there are texts in.
struct Row {
    /// The item's id; of a language without an item, its tag.
    id: String,
    /// The language that the id means, if it is spelled differently.
    tag: Option<String>,
    name: &'static str,
    /// The tag of the texts; `None`: there are none.
    texts: Option<&'static str>,
    version: String,
    /// Whether there is an item.
    exists: bool,
    active: bool,
    default: bool,
    faulty: bool,
}

/// What becomes of a request in a language.
struct Meaning {
    spelling: String,
    tag: Option<String>,
    /// The language of the survey; `None`: the request is invalid.
    sent_in: Option<String>,
}

impl Meaning {
    fn of(settings: &Settings, spelling: &str) -> Self {
        let tag = LanguageTag::parse(spelling);
        let default = settings.company.default_language.as_ref();
        let ours = |tag: &LanguageTag| settings.languages.contains(tag) || Some(tag) == default;
        let chain = tag.as_ref().map(LanguageTag::fallbacks).unwrap_or_default();
        let sent_in = chain.into_iter().find(ours).or_else(|| default.cloned());
        Self {
            spelling: spelling.to_owned(),
            tag: tag.map(|tag| tag.to_string()),
            sent_in: sent_in.map(|tag| tag.to_string()),
        }
    }
}

/// The texts that a language has.
fn texts_of(tag: &LanguageTag) -> Option<&'static language::Texts> {
    tag.fallbacks().iter().find_map(|tag| language::find(tag.as_str()))
}

fn rows(context: &Context<'_>, items: &[StoredItem]) -> Vec<Row> {
    let default = context.settings.company.default_language.as_ref();
    let mut rows: Vec<Row> = items
        .iter()
        .map(|item| {
            let row = LanguageRow::read(&item.attributes, language::is_spoken);
            let texts = row.named.as_ref().and_then(texts_of);
            let tag = row.named.as_ref().map(LanguageTag::to_string);
            Row {
                id: item.id().to_owned(),
                tag: tag.filter(|tag| tag != item.id()),
                name: texts.map_or("", |texts| texts.native_name),
                texts: texts.map(|texts| texts.tag),
                version: item.version(),
                exists: true,
                active: row.tag.is_some(),
                default: row.named.is_some() && row.named.as_ref() == default,
                faulty: !row.faults.is_empty(),
            }
        })
        .collect();
    for texts in &language::ALL {
        let has = |row: &Row| row.tag.as_deref().unwrap_or(&row.id) == texts.tag;
        if !rows.iter().any(has) {
            let default = default.is_some_and(|default| default.as_str() == texts.tag);
            rows.push(Row {
                id: texts.tag.to_owned(),
                tag: None,
                name: texts.native_name,
                texts: Some(texts.tag),
                version: String::new(),
                exists: false,
                active: false,
                default,
                faulty: false,
            });
        }
    }
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    rows
}

/// What went wrong with what was posted.
#[derive(Default)]
struct Trouble {
    typed: String,
    error: Option<String>,
    conflict: Option<String>,
}

async fn page(context: &Context<'_>, trouble: Trouble) -> Result<Reply, AdminError> {
    let items = context.store().config_items_of("language").await?;
    let settings = &context.settings;
    let status = match &trouble {
        Trouble { conflict: Some(_), .. } => 409,
        Trouble { error: Some(_), .. } => 422,
        _ => 200,
    };
    let page = LanguagesPage {
        frame: context.frame("Languages", HERE),
        rows: rows(context, &items),
        default: settings.company.default_language_tag().to_owned(),
        asked: context.query("spelling").map(|spelling| Meaning::of(settings, &spelling)),
        examples: SPELLINGS.map(|spelling| Meaning::of(settings, spelling)).into(),
        typed: trouble.typed,
        error: trouble.error,
        conflict: trouble.conflict,
    };
    Ok(Reply::html(status, page.render()?))
}

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    page(context, Trouble::default()).await
}

pub(super) async fn submit(context: &Context<'_>) -> Result<Reply, AdminError> {
    let form = &context.form;
    let id = form.first("id").unwrap_or_default();
    let (id, after, done) = match form.text("action") {
        "add" => match added(context, form.text("id")).await? {
            Ok(id) => (id, Some(true), "added"),
            Err(error) => {
                let typed = form.text("id").to_owned();
                return page(context, Trouble { typed, error: Some(error), ..Trouble::default() })
                    .await;
            }
        },
        "activate" => (id.to_owned(), Some(true), "saved"),
        "deactivate" => (id.to_owned(), Some(false), "saved"),
        "delete" => (id.to_owned(), None, "removed"),
        _ => return Err(AdminError::NotUnderstood("the form does not say what to do".to_owned())),
    };
    let stored = context.store().config_item("language", &id).await?;
    // Without an item only languages with texts are switched on.
    let known = language::find(&id).is_some_and(|texts| texts.tag == id) || done == "added";
    if stored.is_none() && form.text("version").is_empty() && !known {
        return Err(AdminError::NotFound);
    }
    let conflict = Trouble { conflict: Some(id.clone()), ..Trouble::default() };
    if form.text("version") != stored.as_ref().map(StoredItem::version).unwrap_or_default() {
        return page(context, conflict).await;
    }
    let attributes = stored.as_ref().map(|stored| stored.attributes.clone());
    let after = after.map(|active| {
        let mut attributes: Map<_, _> = attributes.unwrap_or_default();
        attributes.insert("active".to_owned(), active.into());
        attributes
    });
    if stored.is_none() && after.is_none() {
        return page(context, conflict).await;
    }
    let what = match done {
        "saved" => "language changed",
        "added" => "language added",
        _ => "language removed",
    };
    let change = Change { kind: "language".to_owned(), id, before: stored, after };
    match context.change(what, &[change]).await? {
        Changed::Yes => Ok(Reply::see_other(&format!("{HERE}?done={done}"))),
        Changed::Conflict => page(context, conflict).await,
    }
}

/// The tag of a language that is to be added, or what is wrong with it.
async fn added(context: &Context<'_>, typed: &str) -> Result<Result<String, String>, AdminError> {
    let Some(tag) = LanguageTag::parse(typed) else {
        return Ok(Err("Type the tag or the name of a language, such as en-GB or Deutsch.".into()));
    };
    if !language::is_spoken(&tag) {
        return Ok(Err(format!(
            "There are no texts for “{tag}”. There are texts in {}.",
            spoken()
        )));
    }
    let items = context.store().config_items_of("language").await?;
    let same = |item: &StoredItem| LanguageTag::parse(item.id()).as_ref() == Some(&tag);
    Ok(match items.iter().find(|item| same(item)) {
        Some(item) => Err(format!("“{typed}” is in the list already, as “{}”.", item.id())),
        None => Ok(tag.to_string()),
    })
}
