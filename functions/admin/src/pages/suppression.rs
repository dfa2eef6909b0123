//! `/admin/suppression`: why an address is not mailed; releasing and unsubscribing it by hand; and
//! erasing a person.
//!
//! An address must not stand in URLs and logs. So it is posted, and the page that a change leads to
//! names the person by the pseudonym that the tables use.

mod shown;

use askama::Template;
use links::Subject;
use policy::Status;
use store::{AuditEntry, ErasedAnswers, ErasedRecords, Suppression, SuppressionKind};

use crate::context::Context;
use crate::erasing;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;
use shown::{ErasureShown, Hold, Looked, Rehearsal};

const PATH: &str = "/admin/suppression";
const ON_ITS_WAY: &str = "A mail to this address is on its way, so its window is not released: the \
    customer could get two. Come back once it is known what became of that mail.";
/// Requests that a dry run looks for at most.
const MOST_FOUND: usize = 1_000;
/// Requests that it reads, to count what hangs on them.
const MOST_READ: usize = 200;

#[derive(Template)]
#[template(path = "suppression.html")]
struct SuppressionPage {
    frame: Frame,
    /// As typed.
    email: String,
    problem: Option<Problem>,
    looked: Option<Looked>,
    /// Signifier and name.
    brands: Vec<(String, String)>,
    rehearsal: Option<Rehearsal>,
}

/// What was typed cannot be understood.
struct Problem {
    field: &'static str,
    text: String,
}

impl SuppressionPage {
    fn problem_at(&self, field: &str) -> bool {
        self.problem.as_ref().is_some_and(|problem| problem.field == field)
    }

    fn problem_text(&self) -> &str {
        self.problem.as_ref().map_or("", |problem| problem.text.as_str())
    }

    fn new(context: &Context<'_>) -> Self {
        let brands = context.settings.brands.iter();
        let brands = brands.map(|brand| (brand.signifier.clone(), brand.name.clone()));
        Self {
            frame: context.frame("Suppression", PATH),
            email: String::new(),
            problem: None,
            looked: None,
            brands: brands.collect(),
            rehearsal: None,
        }
    }

    /// The same with a problem: status 422.
    fn refused(mut self, field: &'static str, text: &str) -> Result<Reply, AdminError> {
        self.problem = Some(Problem { field, text: text.to_owned() });
        Ok(Reply::html(422, self.render()?))
    }
}

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    let mut page = SuppressionPage::new(context);
    if let Some(subject) = context.query("subject").and_then(|text| Subject::from_text(&text)) {
        page.looked = Some(look(context, &subject).await?);
    }
    Ok(Reply::html(200, page.render()?))
}

pub(super) async fn submit(context: &Context<'_>) -> Result<Reply, AdminError> {
    let action = context.form.text("action");
    let mut page = SuppressionPage::new(context);
    page.email = context.form.text("email").to_owned();
    let typed = erasing::subject_of(context.admin, &page.email, context.now).await?;
    let subject = match (action, typed) {
        ("look", Some(subject)) => subject,
        ("look", None) => {
            return page.refused("email", "Type one e-mail address, as in jane@example.com.");
        }
        // Every other form is about the person whom its page shows, and about nobody else.
        (_, typed) => {
            let subject = Subject::from_text(context.form.text("subject"))
                .ok_or_else(|| AdminError::NotUnderstood("the form names nobody".to_owned()))?;
            if !page.email.is_empty() && typed.as_ref() != Some(&subject) {
                return page.refused("email", "The form names two people. Look the address up.");
            }
            subject
        }
    };
    match action {
        "look" => {
            let entry = entry(context, "looked up an address", &subject);
            context.store().audit(&entry).await?;
            page.looked = Some(look(context, &subject).await?);
            Ok(Reply::html(200, page.render()?))
        }
        "release" => release(context, page, &subject).await,
        "unsubscribe" => unsubscribe(context, page, &subject).await,
        "rehearse" => {
            page.looked = Some(look(context, &subject).await?);
            page.rehearsal = Some(rehearse(context, &page.email, &subject).await?);
            Ok(Reply::html(200, page.render()?))
        }
        "erase" => erase(context, page, &subject).await,
        _ => Err(AdminError::NotUnderstood("the form says not what to do".to_owned())),
    }
}

fn entry(context: &Context<'_>, what: &str, subject: &Subject) -> AuditEntry {
    let name = format!("suppression/{}…", shown::pseudonym(subject));
    AuditEntry::new(&context.visitor.name, what, &name, context.now)
}

fn done(subject: &Subject, done: &str) -> Reply {
    Reply::see_other(&format!("{PATH}?subject={}&done={done}", subject.as_text()))
}

async fn look(context: &Context<'_>, subject: &Subject) -> Result<Looked, AdminError> {
    let found = context.store().suppressions(subject, context.now).await?;
    let erasure = found.iter().find_map(|found| match &found.kind {
        SuppressionKind::Erased(erasure) => Some(ErasureShown::of(erasure)),
        _ => None,
    });
    let mut sends = false;
    for found in &found {
        sends |= is_being_sent(context, found).await?;
    }
    let brands = &context.settings.brands;
    Ok(Looked {
        subject: subject.as_text(),
        pseudonym: shown::pseudonym(subject),
        holds: found.iter().filter_map(|found| Hold::of(found, brands, sends)).collect(),
        erasure,
    })
}

/// Whether it is the window of a request whose mail is on its way: it may have left or not.
async fn is_being_sent(context: &Context<'_>, found: &Suppression) -> Result<bool, AdminError> {
    let SuppressionKind::Window { request_id: Some(holder), .. } = found.kind else {
        return Ok(false);
    };
    let holder = context.store().interaction(holder, context.now).await?;
    Ok(holder.is_some_and(|holder| holder.status == Status::Sending))
}

async fn release(
    context: &Context<'_>,
    mut page: SuppressionPage,
    subject: &Subject,
) -> Result<Reply, AdminError> {
    let (kind, version) = (context.form.text("kind"), context.form.text("version"));
    let now = context.now;
    let found = context.store().suppressions(subject, now).await?;
    let as_shown = found.iter().find(|found| found.id == kind && found.version == version);
    let releasable = as_shown.filter(|found| !matches!(found.kind, SuppressionKind::Erased(_)));
    if let Some(suppression) = releasable {
        let store = context.store();
        // A claim renews the window, so one that begins after this look is met by the version.
        if is_being_sent(context, suppression).await? {
            page.looked = Some(look(context, subject).await?);
            return page.refused("found", ON_ITS_WAY);
        }
        let who = &context.visitor.name;
        if store.release_suppression(subject, suppression, who, now).await? {
            return Ok(done(subject, "released"));
        }
    }
    // It has changed, or is gone: the page shows how it is now.
    page.looked = Some(look(context, subject).await?);
    let text = "It changed since this page was shown. Below is how it is now.".to_owned();
    page.problem = Some(Problem { field: "found", text });
    Ok(Reply::html(409, page.render()?))
}

async fn unsubscribe(
    context: &Context<'_>,
    mut page: SuppressionPage,
    subject: &Subject,
) -> Result<Reply, AdminError> {
    let scope = context.form.text("scope");
    let brand = Some(scope).filter(|scope| !scope.is_empty());
    if brand.is_some_and(|brand| !page.brands.iter().any(|(id, _)| id == brand)) {
        page.looked = Some(look(context, subject).await?);
        return page.refused("scope", "There is no such brand any more. Choose one of the list.");
    }
    let (store, who) = (context.store(), &context.visitor.name);
    store.unsubscribe_by_hand(subject, brand, who, context.now).await?;
    Ok(done(subject, "unsubscribed"))
}

async fn rehearse(
    context: &Context<'_>,
    email: &str,
    subject: &Subject,
) -> Result<Rehearsal, AdminError> {
    let store = context.store();
    let (ids, more) = store.requests_of(subject, MOST_FOUND).await?;
    let read = ids.get(..MOST_READ).unwrap_or(&ids);
    let held: ErasedRecords = store.erasable(subject, read, ErasedAnswers::Kept).await?;
    let found = store.suppressions(subject, context.now).await?;
    let address = normalize::Address::parse(email);
    let agent = match address {
        Some(address) => store.config_item("employee", &address.canonical()).await?,
        None => None,
    };
    let unread = ids.len().saturating_sub(read.len());
    let mut rehearsal = Rehearsal::of(held, &found, unread, more);
    rehearsal.is_agent = agent.is_some();
    rehearsal.delete = context.form.text("answers") == "delete";
    Ok(rehearsal)
}

async fn erase(
    context: &Context<'_>,
    mut page: SuppressionPage,
    subject: &Subject,
) -> Result<Reply, AdminError> {
    let answers = match context.form.text("answers") {
        "keep" => Some(ErasedAnswers::Kept),
        "delete" => Some(ErasedAnswers::Deleted),
        _ => None,
    };
    let confirmed = context.form.text("confirm") == "yes";
    let Some(answers) = answers.filter(|_| confirmed) else {
        page.looked = Some(look(context, subject).await?);
        page.rehearsal = Some(rehearse(context, &page.email, subject).await?);
        return page.refused("confirm", "Tick the box to erase this person.");
    };
    let who = &context.visitor.name;
    let erasure = erasing::erase(context.admin, subject, answers, who, context.now).await?;
    let over = erasure.is_some_and(|erasure| erasure.done_at.is_some());
    Ok(done(subject, if over { "erased" } else { "erasing" }))
}
