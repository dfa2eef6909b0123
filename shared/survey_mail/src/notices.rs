//! Composes the mails of notices, in English.

use branding::resolve;
use jiff::Timestamp;
use links::Links;
use mail::{Block, NoticeLink, NoticeMail, Point, RenderedMail, render_notice};
use normalize::{Address, Source};
use policy::{ErrorsNotice, Notice, Reason, Settings, WaitingFor, WrongRequests, cure_of};
use uuid::Uuid;

use crate::{NoMail, sender};

/// Composes the mail of a notice. `stack_sender` is the sender for a company that has set none.
/// `request_id` is the id of its row. `claimed_at` is when the claim is made under which it is
/// sent.
///
/// # Errors
/// [`NoMail::Held`] if nobody is named to whom, or from whom, it could go.
pub fn compose_notice(
    links: &Links,
    stack_sender: Option<&Address>,
    request_id: Uuid,
    notice: &Notice,
    settings: &Settings,
    claimed_at: Timestamp,
) -> Result<RenderedMail, NoMail> {
    let company = &settings.company;
    let (to, texts) = match notice {
        Notice::Errors(errors) => {
            let to = settings.alert.to.as_ref().map(|to| &to.address);
            (to.or(company.test_email.as_ref()), of_errors(errors, &company.name, links))
        }
    };
    let to = to.ok_or_else(|| {
        let why = "alert/errors has no to, and company/settings has no test_email";
        NoMail::Held(WaitingFor::TestEmail, why.to_owned())
    })?;
    let from =
        sender(company, None, stack_sender).ok_or_else(|| NoMail::held(WaitingFor::Sender))?;
    let mail = render_notice(&NoticeMail {
        to: &to.as_mailbox(),
        from,
        subject: &texts.subject,
        blocks: &texts.blocks,
        why: &texts.why,
        accent: resolve(company, None).accent,
        request_id: &request_id.to_string(),
        kind: notice.kind(),
    })
    .map_err(|error| NoMail::Held(WaitingFor::Configuration, error.to_string()))?;
    Ok(mail.tagged("claimed_at", &claimed_at.as_millisecond().to_string()))
}

/// What a notice says.
struct Texts {
    subject: String,
    blocks: Vec<Block>,
    why: String,
}

fn of_errors(errors: &ErrorsNotice, company: &str, links: &Links) -> Texts {
    let ErrorsNotice { from, until, requests, wrong, percent, reasons } = errors;
    let share = share(*wrong, *requests);
    let (wrong_told, requests_told) = (grouped(*wrong), grouped(*requests));
    let whose = if company.is_empty() { String::new() } else { format!("{company}: ") };
    let link =
        |text: &str, path: &str| NoticeLink { text: text.to_owned(), url: links.admin(path) };
    let minutes = until.duration_since(*from).as_mins() + 1;
    let mut blocks = vec![
        Block::Paragraph(format!(
            "In the {minutes} minutes up to {}, {requests_told} live requests came. {wrong_told} \
             of them ({share} %) are invalid or failed. The limit is {percent} %.",
            until.strftime("%-d %B %Y, %H:%M UTC")
        )),
        Block::Paragraph("The most frequent reasons:".to_owned()),
        Block::Points(
            reasons
                .iter()
                .map(|group| Point {
                    text: told(group),
                    links: of_reason(group, *from)
                        .into_iter()
                        .map(|(text, path)| link(&text, &path))
                        .collect(),
                })
                .collect(),
        ),
    ];
    let named = reasons.iter().fold(0_u64, |sum, group| sum.saturating_add(group.count));
    if *wrong > named {
        let rest = grouped(wrong - named);
        blocks.push(Block::Paragraph(format!("Other reasons: {rest}.")));
    }
    blocks.push(Block::Link(link("All numbers and errors", "/admin")));
    blocks.push(Block::Paragraph(
        "There is no other mail about this until 40 minutes in a row were within the limit."
            .to_owned(),
    ));
    blocks.push(Block::Link(link(
        "Change the limit, or who is told",
        "/admin/settings?item=alert%2Ferrors",
    )));
    Texts {
        subject: format!("{whose}{wrong_told} of {requests_told} requests went wrong ({share} %)"),
        blocks,
        why: "Afterword sends this to the address in alert/errors, or else to the company's test \
              address."
            .to_owned(),
    }
}

/// `30 from zendesk: Channel is in manual mode.`
fn told(group: &WrongRequests) -> String {
    let from = match group.source {
        Source::Requests => "the API".to_owned(),
        helpdesk => capitalised(helpdesk.as_str()),
    };
    let why = group.reason.map_or("the reason is not known", Reason::sentence);
    format!("{} from {from}: {why}.", grouped(group.count))
}

/// Text and path of what can be done about it, and of the list of those requests.
fn of_reason(group: &WrongRequests, from: Timestamp) -> Vec<(String, String)> {
    let source = group.source.as_str();
    let cure = group.reason.and_then(|reason| cure_of(reason, source));
    let reason = group.reason.map(|reason| format!("&reason={}", reason.code()));
    let from = from.strftime("%Y-%m-%dT%H:%MZ");
    let list = format!(
        "/admin/requests?mode=live&source={source}{}&from={}",
        reason.unwrap_or_default(),
        from.to_string().replace(':', "%3A")
    );
    let cure = cure.map(|cure| (cure.text, cure.path));
    cure.into_iter().chain([("See these requests".to_owned(), list)]).collect()
}

/// `5.1`. Rounded up, so that a share above a limit does not look like the limit.
fn share(wrong: u64, requests: u64) -> String {
    let tenths = (u128::from(wrong) * 1_000).div_ceil(u128::from(requests.max(1)));
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        tenth => format!("{}.{tenth}", tenths / 10),
    }
}

/// `1,234`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut told = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        for (wrong, requests, told) in [
            (51, 1_000, "5.1"),
            (1, 20, "5"),
            (1, 19, "5.3"),
            (2, 39, "5.2"),
            (3, 3, "100"),
            (0, 0, "0"),
        ] {
            assert_eq!(share(wrong, requests), told);
        }
        for (number, told) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), told);
        }
    }
}
