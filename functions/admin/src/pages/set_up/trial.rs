//! A pasted payload, tried on tickets: what would be understood, mended or refused, and where.

use normalize::{Ignored, Inbound, Malformed, Note, SurveyRequest};
use policy::{Channel, TicketStatus};
use serde_json::Value;
use store::Settings;

use super::helpdesk::Helpdesk;
use super::render::{Untried, render};
use super::tickets;

/// Bytes of a payload at most: of what a helpdesk sends, too.
const LARGEST: usize = 256 * 1024;
/// Characters of a value that are shown.
const SHOWN: usize = 120;
/// Bytes of a rendered payload that are shown.
const SHOWN_BODY: usize = 8 * 1024;

/// What became of the payload on one ticket.
pub(super) struct Trial {
    pub(super) ticket: &'static str,
    pub(super) verdict: &'static str,
    pub(super) good: bool,
    /// Sentences about it.
    pub(super) lines: Vec<String>,
    /// What was understood: name and value.
    pub(super) fields: Vec<(&'static str, String)>,
    /// The payload as the helpdesk would send it.
    pub(super) body: String,
}

/// Tries a payload.
///
/// # Errors
/// A sentence, if it cannot be tried at all.
pub(super) fn try_payload(
    helpdesk: Helpdesk,
    payload: &str,
    settings: &Settings,
) -> Result<Vec<Trial>, String> {
    if payload.trim().is_empty() {
        return Err("Paste the payload that stands in your helpdesk.".to_owned());
    }
    if payload.len() > LARGEST {
        return Err("The payload is larger than 256 KiB. No helpdesk may send one so large.".into());
    }
    if payload.contains(['\u{FFFD}', '\0']) {
        return Err("The payload holds bytes that are no text. Copy it once more.".to_owned());
    }
    if helpdesk == Helpdesk::Gladly {
        return Ok(vec![judge(
            helpdesk,
            "The delivery as it stands",
            payload.to_owned(),
            settings,
        )]);
    }
    let flag = flag_of(payload);
    let tickets = tickets::all();
    let trials = tickets.iter().map(|ticket| {
        let python = helpdesk == Helpdesk::Gorgias;
        let value = |path: &str| ticket.value(path, flag.as_deref(), python);
        let body = if python { fill(payload, &value) } else { render(payload, false, &value) };
        match body {
            Ok(body) => judge(helpdesk, ticket.title, body, settings),
            Err(untried) => cannot(ticket.title, &untried),
        }
    });
    Ok(trials.collect())
}

/// Gorgias keeps the form as JSON and fills in each of its texts: a quote in one breaks nothing.
/// What is no JSON is filled in as a whole. Keys stay in their order, and twice if they stand
/// twice: the reader looks at both.
fn fill(payload: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<String, Untried> {
    if serde_json::from_str::<Value>(payload).is_err() {
        return render(payload, true, value);
    }
    let (mut filled, mut rest) = (String::with_capacity(payload.len()), payload);
    while let Some((before, text)) = rest.split_once('"') {
        filled.push_str(before);
        let end = end_of_text(text);
        let (text, after) = (text.get(..end), text.get(end + 1..));
        let (text, after) = (text.unwrap_or_default(), after.unwrap_or_default());
        let quoted = format!("\"{text}\"");
        match serde_json::from_str::<String>(&quoted) {
            Ok(text) if text.contains("{{") || text.contains("{%") => {
                let line = filled.matches('\n').count();
                let text = render(&text, true, value)
                    .map_err(|untried| Untried { line: line + untried.line, ..untried })?;
                filled.push_str(&Value::String(text).to_string());
            }
            _ => filled.push_str(&quoted),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Where the JSON text ends that `text` goes on with.
fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.unwrap_or(text.len())
}

/// The placeholder that stands at `do_not_send`.
fn flag_of(payload: &str) -> Option<String> {
    let (_, rest) = payload.split_once("\"do_not_send\"")?;
    let (before, rest) = rest.split_once("{{")?;
    let (path, _) = rest.split_once("}}")?;
    let near = before.chars().all(|c| c.is_whitespace() || c == ':' || c == '"');
    let path = path.split('|').next().unwrap_or_default().trim();
    near.then(|| path.to_owned())
}

fn cannot(ticket: &'static str, untried: &Untried) -> Trial {
    let line = format!(
        "Line {}: {} cannot be tried here. Your helpdesk may know it: close a ticket, and look at \
         what arrives.",
        untried.line, untried.what
    );
    Trial {
        ticket,
        verdict: "Cannot be tried here",
        good: false,
        lines: vec![line],
        fields: Vec::new(),
        body: String::new(),
    }
}

fn judge(helpdesk: Helpdesk, ticket: &'static str, body: String, settings: &Settings) -> Trial {
    let read = match body.len() > LARGEST {
        true => Err(None),
        false => (helpdesk.parse())(body.as_bytes()).map_err(Some),
    };
    let (verdict, good, lines, fields) = match read {
        Ok(Inbound::Survey(request)) => understood(&request, settings),
        Ok(Inbound::Snoozed { .. }) => nothing(Ignored::Snoozed),
        Ok(Inbound::Ignored(why)) => nothing(why),
        Ok(Inbound::Reopened { .. }) => nothing(Ignored::NotClosed),
        Ok(Inbound::Conversation(closed)) => (
            "Understood",
            true,
            vec!["Gladly is asked who was in this conversation, and how.".to_owned()],
            vec![
                ("Conversation", closed.conversation_id),
                ("Customer", closed.customer_id),
                ("Agent", closed.agent_id.unwrap_or_else(|| "none".to_owned())),
            ],
        ),
        Err(Some(malformed)) => ("Refused", false, refused(&malformed), Vec::new()),
        Err(None) => {
            let line = "It would be larger than 256 KiB.".to_owned();
            ("Refused", false, vec![line], Vec::new())
        }
    };
    let body = body.get(..body.floor_char_boundary(SHOWN_BODY)).unwrap_or_default().to_owned();
    Trial { ticket, verdict, good, lines, fields, body }
}

type Judged = (&'static str, bool, Vec<String>, Vec<(&'static str, String)>);

fn nothing(why: Ignored) -> Judged {
    ("Nothing to do", true, vec![format!("{}.", why.sentence())], Vec::new())
}

fn refused(malformed: &Malformed) -> Vec<String> {
    let places = malformed.errors.iter().map(|place| match place.pointer.as_str() {
        "" => format!("{}.", place.detail),
        pointer => format!("{}: {}.", cut(pointer), place.detail),
    });
    places.collect()
}

/// What a change on the way in means.
pub(super) fn note(note: &Note) -> String {
    let (pointer, what) = match note {
        Note::Truncated { pointer } => (pointer, "was too long, and is cut"),
        Note::Dropped { pointer } => (pointer, "is left out"),
        Note::Assumed { pointer } => (pointer, "says neither yes nor no, and is taken for yes"),
        Note::Repaired { pointer } => (pointer, "had broken the JSON, and is mended"),
    };
    match pointer.as_str() {
        "" => format!("The body {what}."),
        pointer => format!("{} {what}.", cut(pointer)),
    }
}

fn understood(request: &SurveyRequest, settings: &Settings) -> Judged {
    let mut lines: Vec<String> = request.notes.iter().map(note).collect();
    let mended = !lines.is_empty();
    let channel = Channel::find(&settings.channels, &request.channel).filter(|c| c.enabled);
    if channel.is_none() {
        lines.push(format!(
            "No channel that is switched on is called {}, and none has it as an alias.",
            cut(&request.channel)
        ));
    }
    if TicketStatus::read(request.status.as_deref(), &[]) == TicketStatus::Open {
        return nothing(Ignored::NotClosed);
    }
    let no_survey = policy::who(request, &settings.company).err();
    if let Some(reason) = no_survey {
        lines.push(format!("No survey: {}.", reason.sentence()));
    }
    let employee = request.employee.as_ref();
    let text = |text: Option<&str>| text.map_or_else(|| "none".to_owned(), cut);
    let properties = request.custom_properties.iter();
    let fields = vec![
        ("Ticket", text(request.ext_interaction_id.as_deref())),
        ("Channel", text(Some(channel.map_or(&*request.channel, |channel| &*channel.name)))),
        ("Customer", text(request.customer.name.as_deref())),
        (
            "Address",
            request
                .customer
                .address
                .valid()
                .map_or_else(|| "none".to_owned(), |address| address.as_mailbox()),
        ),
        ("Agent", text(employee.and_then(|e| e.email().or(e.custom_id())))),
        ("Brand", text(request.brand.as_deref())),
        ("Language", text(request.language.as_ref().map(|language| &*language.given))),
        ("Do not send", if request.do_not_send { "yes" } else { "no" }.to_owned()),
        ("Tags", cut(&request.tags.join(", "))),
        (
            "Custom properties",
            properties
                .map(|(name, value)| format!("{}: {}", cut(name), cut(value)))
                .collect::<Vec<_>>()
                .join("; "),
        ),
    ];
    let fields = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let verdict = match (no_survey, mended) {
        (Some(_), _) => "Understood: no survey",
        (None, true) => "Understood, with changes",
        (None, false) => "Understood",
    };
    (verdict, channel.is_some(), lines, fields)
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
