//! Composes the mail of a request, from its row and the settings: for `dispatch`, which sends it,
//! and for the admin pages, which show it. Composes the mails of notices, too.
//!
//! **Invariant:** reads no table and sends nothing.

mod notices;

pub use notices::compose_notice;

use branding::{Agent, resolve};
use jiff::Timestamp;
use links::{Links, SurveyToken, UnsubscribeToken};
use mail::{RenderError, RenderedMail, Sender, SurveyMail, render};
use normalize::{Address, CustomerAddress};
use policy::{Brand, Company, Mailbox, Mode, Reason, Settings, WaitingFor};
use store::Interaction;

/// Why there is no mail to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoMail {
    /// The request ends, for this reason.
    Refused(Reason),
    /// It waits until an admin has corrected the configuration. The text is for the log.
    Held(WaitingFor, String),
}

impl NoMail {
    fn held(waiting_for: WaitingFor) -> Self {
        Self::Held(waiting_for, waiting_for.sentence().to_owned())
    }
}

/// Composes the mail of a request, in the request's language and with its brand's branding.
/// `stack_sender` is the sender for a company that has set none. `claimed_at` is when the claim is
/// made under which the mail is sent.
///
/// # Errors
/// [`NoMail`]. If the mail cannot be composed, an admin has to correct the configuration: the
/// request is held.
pub fn compose(
    links: &Links,
    stack_sender: Option<&Address>,
    row: &Interaction,
    settings: &Settings,
    claimed_at: Timestamp,
) -> Result<RenderedMail, NoMail> {
    let brand = row.brand.as_deref().and_then(|brand| Brand::find(&settings.brands, brand));
    let company = &settings.company;
    let to = recipient(row, company)?;
    let from =
        sender(company, brand, stack_sender).ok_or_else(|| NoMail::held(WaitingFor::Sender))?;
    let mail = survey_mail(links, row, &to, from, company, brand)
        .map_err(|error| NoMail::Held(WaitingFor::Configuration, error.to_string()))?;
    // A row may be claimed more than once. With the time of its claim in the mail's tags, the Send
    // event says which claim it belongs to.
    Ok(mail.tagged("claimed_at", &claimed_at.as_millisecond().to_string()))
}

/// Where the mail goes: to the customer, or, for a test key, to the company's test address.
fn recipient(row: &Interaction, company: &Company) -> Result<String, NoMail> {
    match row.mode {
        Mode::Test => {
            let address = company.test_email.as_ref().map(Address::as_mailbox);
            address.ok_or_else(|| NoMail::held(WaitingFor::TestEmail))
        }
        Mode::Live => match &row.details.customer.address {
            CustomerAddress::Valid(address) => Ok(address.as_mailbox()),
            // Only a row that was edited by hand: a request without an address is never queued.
            CustomerAddress::Malformed(_) => Err(NoMail::Refused(Reason::InvalidCustomer)),
            CustomerAddress::Missing => Err(NoMail::Refused(Reason::NoEmail)),
        },
    }
}

fn survey_mail(
    links: &Links,
    row: &Interaction,
    to: &str,
    from: Sender<'_>,
    company: &Company,
    brand: Option<&Brand>,
) -> Result<RenderedMail, RenderError> {
    let texts = language::best(&[
        row.language.as_deref().unwrap_or_default(),
        company.default_language_tag(),
    ]);
    let survey = SurveyToken { request_id: row.request_id };
    let subject = row.subject.clone().ok_or(RenderError::Address("customer"))?;
    let unsubscribe = UnsubscribeToken {
        subject,
        mode: row.mode,
        language: texts.tag.to_owned(),
        brand: brand.map(|b| b.signifier.clone()).unwrap_or_default(),
    };
    let agent = row.employee.as_ref();
    render(&SurveyMail {
        to,
        from,
        reply_to: reply_to(company, brand),
        texts,
        customer_name: row.customer_name(),
        agent: agent.and_then(|a| {
            Some(Agent { name: a.name.as_deref()?, picture_url: a.picture_url.as_deref() })
        }),
        branding: resolve(company, brand),
        survey_url: &links.survey(&survey),
        unsubscribe_url: &links.unsubscribe(&unsubscribe),
        request_id: &row.request_id.to_string(),
        test: row.mode == Mode::Test,
    })
}

/// Name and address of the sender; `None` if no address is set anywhere.
///
/// Name and address are separate settings: the mail of a brand that has no `from` has the company's
/// address, but the brand's name. `stack` is the address for a company that has set none.
fn sender<'a>(
    company: &'a Company,
    brand: Option<&'a Brand>,
    stack: Option<&'a Address>,
) -> Option<Sender<'a>> {
    let of_brand = brand.and_then(|b| b.from.as_ref());
    let address = of_brand.or(company.from.as_ref()).map(|from| &from.address).or(stack)?;
    let (own, name) = match brand {
        Some(brand) => (of_brand, &brand.name),
        None => (company.from.as_ref(), &company.name),
    };
    Some(Sender { name: own.and_then(|from| from.name.as_ref()).unwrap_or(name), address })
}

fn reply_to<'a>(company: &'a Company, brand: Option<&'a Brand>) -> Option<Sender<'a>> {
    let Mailbox { name, address } =
        brand.and_then(|b| b.reply_to.as_ref()).or(company.reply_to.as_ref())?;
    Some(Sender { name: name.as_deref().unwrap_or_default(), address })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_brand_sends_under_its_own_name_from_the_nearest_address() {
        let company = |attributes: Value| Company::read(attributes.as_object().unwrap(), |_| true);
        let brand = |mut attributes: Value| {
            attributes["id"] = json!("kids");
            Brand::read(attributes.as_object().unwrap())
        };
        let peak = json!({ "name": "Peak Ltd", "from": "Blanca Peak <survey@peak.example>" });
        let bare = json!({ "name": "Peak Ltd", "from": "survey@peak.example" });
        let stack = Address::parse("stack@afterword.example");
        for (of_company, of_brand, name, address) in [
            (&peak, None, "Blanca Peak", "survey@peak.example"),
            (&bare, None, "Peak Ltd", "survey@peak.example"),
            (&json!({ "name": "Peak Ltd" }), None, "Peak Ltd", "stack@afterword.example"),
            (&json!({}), None, "", "stack@afterword.example"),
            (&peak, Some(json!({ "name": "Blanca Kids" })), "Blanca Kids", "survey@peak.example"),
            (&peak, Some(json!({})), "kids", "survey@peak.example"),
            (
                &peak,
                Some(json!({ "name": "Blanca Kids", "from": "hi@kids.example" })),
                "Blanca Kids",
                "hi@kids.example",
            ),
            (
                &peak,
                Some(json!({ "name": "Blanca Kids", "from": "Kids Team <hi@kids.example>" })),
                "Kids Team",
                "hi@kids.example",
            ),
            (
                &json!({}),
                Some(json!({ "name": "Blanca Kids" })),
                "Blanca Kids",
                "stack@afterword.example",
            ),
        ] {
            let (company, brand) = (company(of_company.clone()), of_brand.map(brand));
            let sender = sender(&company, brand.as_ref(), stack.as_ref()).unwrap();
            assert_eq!(
                (sender.name, sender.address.as_mailbox().as_str()),
                (name, address),
                "{of_company}"
            );
        }
        assert!(sender(&company(json!({})), None, None).is_none());
    }
}
