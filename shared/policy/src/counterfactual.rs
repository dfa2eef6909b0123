//! Why a request got no mail, and which one fact would have changed that.
//!
//! For each reason one fact is changed, and the checks at receipt are asked again: the answer is
//! computed, so it also tells when another reason would have come next. The settings are those of
//! now, since earlier ones are not kept.

use jiff::{SignedDuration, Timestamp};
use normalize::{Address, Customer, CustomerAddress, EmployeeRef, SurveyRequest};

use crate::brand::Brand;
use crate::channel::Channel;
use crate::choices::{ChannelMode, EmployeeStatus, Mode};
use crate::company::Company;
use crate::employee::Employee;
use crate::reason::Reason;
use crate::receipt_checks::{Facts, Verdict, decide_via, is_colleague};
use crate::requested_via::RequestedVia;
use crate::saturating_add::saturating_add;
use crate::settings::Settings;
use crate::status::Status;

/// A request that got no mail, with what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Why it got no mail.
    pub reason: Reason,
    /// Of its key.
    pub mode: Mode,
    /// By which way it came in.
    pub via: RequestedVia,
    /// As it was understood.
    pub request: &'a SurveyRequest,
    /// As they are now.
    pub settings: &'a Settings,
    /// The employee that the request names, if there is one now.
    pub employee: Option<&'a Employee>,
    /// Receipt.
    pub received: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// The survey that the customer had got before.
    pub earlier: Option<Earlier<'a>>,
    /// Until when the customer's address gets no mail, because one bounced.
    pub bounced_until: Option<Timestamp>,
    /// The time of the question.
    pub now: Timestamp,
}

/// A survey that the customer had got before.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'a> {
    /// When it was sent.
    pub sent_at: Timestamp,
    /// The helpdesk's id of what it was about.
    pub about: Option<&'a str>,
}

/// Where an admin can mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cure {
    /// What to do, as the text of a link.
    pub text: String,
    /// The page and field of the admin pages.
    pub path: String,
}

/// Why a request got no mail, in sentences for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterfactual {
    /// What happened.
    pub why: String,
    /// When the customer, or the interaction, can be asked about again.
    pub again: Option<String>,
    /// What would have become of it if one fact had been another.
    pub otherwise: Option<String>,
    /// Where an admin can mend it.
    pub cure: Option<Cure>,
}

impl Counterfactual {
    /// All of it in one paragraph.
    pub fn sentence(&self) -> String {
        let parts = [Some(&self.why), self.again.as_ref(), self.otherwise.as_ref()];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// Whether an admin may send a request again that ended in this way: what prevented it can have
/// been mended, and it is certain that no mail left. `claimed`: whether an attempt to send it was
/// ever begun.
pub fn may_send_again(status: Status, reason: Option<Reason>, claimed: bool) -> bool {
    use Reason::*;
    let Some(reason) = reason.filter(|reason| reason.outcome().status() == status) else {
        return false;
    };
    match reason {
        // The sender does not want it, there is nobody to ask, or nobody to ask about.
        NoEmail | NoEmployee | InvalidCustomer | Reopened | Cancelled => false,
        // Nobody knows whether the mail left.
        Unconfirmed => false,
        SendAttempts | SourceUnreachable => true,
        Expired | Stalled | NotStorable => !claimed,
        DoNotSend | SelfSurvey | SuppressionPeriod | Unsubscribed | Rejected => true,
        EmployeeNotFound | EmployeeDeactivated | EmployeeProfileIncomplete => true,
        ChannelNotEnabled | ChannelManual | BrandMissing | BrandInvalid => true,
        LanguageMissing | LanguageInvalid | StatusUnknown | KeyRevoked => true,
    }
}

/// Where an admin can mend what this reason names, without a request at hand: for lists.
pub fn cure_of(reason: Reason, source: &str) -> Option<Cure> {
    use Reason::*;
    let cure = |text: &str, path: &str| Some(Cure { text: text.to_owned(), path: path.to_owned() });
    let set_up = |text: &str| match source {
        "requests" => None,
        helpdesk => cure(text, &format!("/admin/set-up/{helpdesk}")),
    };
    match reason {
        DoNotSend => cure("Check the do-not-send tag", "/admin/settings#do_not_send_tag"),
        NoEmail | InvalidCustomer => set_up("Check the customer's e-mail in the payload"),
        NoEmployee => set_up("Check the agent in the payload"),
        SelfSurvey => cure("Check the internal domains", "/admin/settings#internal_domains"),
        SuppressionPeriod => {
            cure("Change the suppression period", "/admin/settings#suppression_days")
        }
        Unsubscribed => cure("Look the address up", "/admin/suppression"),
        Rejected => cure("Look the address up, and release it", "/admin/suppression"),
        Reopened | Cancelled => None,
        EmployeeNotFound => cure("Add the agent", "/admin/people"),
        EmployeeDeactivated | EmployeeProfileIncomplete => {
            cure("Approve the agent's profile", "/admin/people")
        }
        ChannelNotEnabled => cure("Add the channel, or switch it on", "/admin/channels"),
        ChannelManual => cure("Switch the channel to integrated", "/admin/channels"),
        BrandMissing => cure("Name a default brand", "/admin/settings#default_brand"),
        BrandInvalid => cure("Add or activate the brand", "/admin/brands"),
        LanguageMissing => cure("Name a default language", "/admin/settings#default_language"),
        LanguageInvalid => cure("Add the language, or name a default", "/admin/languages"),
        StatusUnknown => set_up("Say which statuses mean closed"),
        KeyRevoked => cure("Make a new key for the sender", "/admin/keys"),
        SendAttempts => cure("Check the sender's address", "/admin/settings#from"),
        Expired | Stalled => cure("See what is wrong with the configuration", "/admin/settings"),
        SourceUnreachable => set_up("Check the helpdesk's address and token"),
        NotStorable | Unconfirmed => None,
    }
}

/// Explains why a request got no mail.
pub fn counterfactual(case: &Case<'_>) -> Counterfactual {
    let facts = case.settings.facts(case.employee);
    Counterfactual {
        why: why(case),
        again: again(case),
        otherwise: otherwise(case, &facts),
        cure: cure(case),
    }
}

fn why(case: &Case<'_>) -> String {
    use Reason::*;
    let (request, company) = (case.request, &case.settings.company);
    match case.reason {
        DoNotSend => match do_not_send_tag(request, company) {
            Some(tag) if !request.do_not_send => {
                format!("Not asked: the interaction has the tag {tag}, which means do-not-send.")
            }
            _ => "Not asked: the sender said do-not-send.".to_owned(),
        },
        SelfSurvey => match request.customer.address.valid() {
            Some(address) if is_colleague(address, company) => {
                format!("Not asked: {} is an internal domain.", address.domain())
            }
            _ => "Not asked: the customer is the agent.".to_owned(),
        },
        SuppressionPeriod => match case.earlier {
            Some(Earlier { sent_at, about }) => {
                let about = about.map(|id| format!(" about #{id}")).unwrap_or_default();
                format!("Not asked: surveyed on {}{about}.", date(sent_at, case.now))
            }
            None => "Not asked: surveyed within the suppression period.".to_owned(),
        },
        Unsubscribed => "Not asked: the customer has unsubscribed.".to_owned(),
        Rejected => "Not asked: an earlier mail to the address bounced.".to_owned(),
        Reopened => format!(
            "Not asked: the ticket was opened again on {}, before the survey went out.",
            date(case.ended, case.now)
        ),
        Cancelled => "Not asked: the sender took the request back.".to_owned(),
        EmployeeNotFound => format!("Refused: nobody is called {}.", agent(request)),
        EmployeeDeactivated => format!("Refused: {} is deactivated.", agent(request)),
        EmployeeProfileIncomplete => match case.employee.and_then(|who| who.faults.first()) {
            Some(fault) => {
                format!("Refused: the profile of {} has a fault: {fault}.", agent(request))
            }
            None => format!("Refused: the profile of {} is not approved.", agent(request)),
        },
        ChannelNotEnabled => match Channel::find(&case.settings.channels, &request.channel) {
            Some(channel) if !channel.enabled => {
                format!("Refused: the channel {} is off.", channel.name)
            }
            Some(channel) => format!("Refused: the channel {} was off.", channel.name),
            None => format!("Refused: there is no channel called {}.", request.channel),
        },
        ChannelManual => {
            format!("Refused: the channel {} is in manual mode.", channel_name(case))
        }
        BrandInvalid => {
            format!("Refused: there is no active brand called {}.", brand_name(case))
        }
        LanguageInvalid => match &request.language {
            Some(language) => format!("Refused: the company does not have {}.", language.given),
            None => sentence(case.reason),
        },
        Expired => format!(
            "Not sent: it waited until its row was about to expire, on {}.",
            date(case.ended, case.now)
        ),
        _ => sentence(case.reason),
    }
}

fn sentence(reason: Reason) -> String {
    format!("{}.", reason.sentence())
}

fn again(case: &Case<'_>) -> Option<String> {
    let from = |at: Timestamp| {
        let word = if at <= case.now { "since" } else { "from" };
        format!("Possible again {word} {}.", date(at, case.now))
    };
    match case.reason {
        Reason::SuppressionPeriod => {
            let window = case.settings.company.suppression;
            Some(from(saturating_add(case.earlier?.sent_at, window)))
        }
        Reason::Rejected => Some(from(case.bounced_until.unwrap_or(case.now))),
        Reason::Unsubscribed => {
            Some("Possible again once the customer subscribes anew.".to_owned())
        }
        Reason::Reopened => Some("Possible again when the ticket is closed once more.".to_owned()),
        _ => None,
    }
}

/// One fact changed, and what the checks say then.
fn otherwise(case: &Case<'_>, facts: &Facts<'_>) -> Option<String> {
    use Reason::*;
    let (request, settings) = (case.request, case.settings);
    let with_request = |change: &str, request: &SurveyRequest| {
        Some(told(change, decide_via(case.via, request, case.mode, facts, case.received)))
    };
    let with_facts = |change: &str, facts: &Facts<'_>| {
        Some(told(change, decide_via(case.via, request, case.mode, facts, case.received)))
    };
    let with_employee = |change: String, email: &str| {
        let employee = approved(case.employee, email);
        with_facts(&change, &Facts { employee: Some(&employee), ..*facts })
    };
    match case.reason {
        DoNotSend => {
            let mut company = settings.company.clone();
            company.do_not_send_tags.clear();
            let asked = SurveyRequest { do_not_send: false, ..request.clone() };
            let facts = Facts { company: &company, ..*facts };
            let verdict = decide_via(case.via, &asked, case.mode, &facts, case.received);
            Some(told("Without do-not-send", verdict))
        }
        NoEmail => with_request("With an e-mail address", &addressed(request)?),
        InvalidCustomer => with_request("With a well-formed address", &addressed(request)?),
        NoEmployee => {
            let named = EmployeeRef::new(Some(SOMEBODY), None);
            let employee = approved(None, SOMEBODY);
            let facts = Facts { employee: Some(&employee), ..*facts };
            let request = SurveyRequest { employee: named, ..request.clone() };
            let verdict = decide_via(case.via, &request, case.mode, &facts, case.received);
            Some(told("With an agent assigned", verdict))
        }
        SelfSurvey => match request.customer.address.valid() {
            Some(address) if is_colleague(address, &settings.company) => {
                let mut company = settings.company.clone();
                company.internal_domains.retain(|domain| domain != address.domain());
                let change = format!("Without {} among the internal domains", address.domain());
                with_facts(&change, &Facts { company: &company, ..*facts })
            }
            _ => with_request("For a customer who is not the agent", &addressed(request)?),
        },
        SuppressionPeriod => Some(suppression(case)?),
        Unsubscribed => with_facts("Had the customer not unsubscribed", facts),
        Rejected => with_facts("Had the address not bounced", facts),
        Reopened => with_facts("Had the ticket stayed closed", facts),
        Cancelled => with_facts("Had it not been cancelled", facts),
        EmployeeNotFound => {
            let who = agent(request);
            with_employee(format!("With {who} among the people"), &who)
        }
        EmployeeDeactivated | EmployeeProfileIncomplete => {
            let who = agent(request);
            with_employee(format!("With {who} approved"), &who)
        }
        ChannelNotEnabled | ChannelManual => {
            let name = channel_name(case);
            let how = match (case.reason, case.via) {
                (ChannelManual, _) => "in integrated mode",
                (_, RequestedVia::Manual) => "switched on",
                _ => "switched on, in integrated mode",
            };
            let change = format!("With the channel {name} {how}");
            let channels = with_channel(&settings.channels, &request.channel);
            with_facts(&change, &Facts { channels: &channels, ..*facts })
        }
        BrandMissing => {
            let brand = settings.brands.iter().find(|brand| brand.active)?;
            let mut company = settings.company.clone();
            company.default_brand = Some(brand.signifier.clone());
            let change = format!("With {} as the default brand", brand.signifier);
            with_facts(&change, &Facts { company: &company, ..*facts })
        }
        BrandInvalid => {
            let name = brand_name(case);
            let brands = with_brand(&settings.brands, &name);
            let change = format!("With an active brand {name}");
            with_facts(&change, &Facts { brands: &brands, ..*facts })
        }
        LanguageMissing | LanguageInvalid => {
            let given = request.language.as_ref().and_then(|language| language.tag.clone());
            // Switching on a language without texts would be a fault, and no cure.
            match given.filter(|tag| (settings.has_texts)(tag)) {
                Some(tag) => {
                    let change = format!("With {} among the languages", tag.as_str());
                    let mut languages = settings.languages.clone();
                    languages.push(tag);
                    with_facts(&change, &Facts { languages: &languages, ..*facts })
                }
                None => {
                    let mut company = settings.company.clone();
                    company.default_language = normalize::LanguageTag::parse("en");
                    with_facts("With a default language", &Facts { company: &company, ..*facts })
                }
            }
        }
        StatusUnknown => with_facts("Had the ticket's status meant closed", facts),
        KeyRevoked => with_facts("With a key that is not revoked", facts),
        SendAttempts => with_facts("Had the mail service taken the mail", facts),
        Expired => with_facts("Had what it waited for come in time", facts),
        Stalled | NotStorable => with_facts("Had our side worked", facts),
        // Nothing is known of the people of a conversation that could not be asked about.
        SourceUnreachable => None,
        // The mail may have left.
        Unconfirmed => None,
    }
}

fn told(change: &str, verdict: Verdict) -> String {
    match verdict {
        Verdict::Send(_) => format!("{change}, this one would have gone out."),
        Verdict::Refuse(next) => {
            format!("{change}, it would have met the next obstacle: {}.", next.sentence())
        }
    }
}

/// The longest suppression period with which the survey would have gone out.
fn suppression(case: &Case<'_>) -> Option<String> {
    let earlier = case.earlier?;
    let longest = case.ended.duration_since(earlier.sent_at).as_hours() / 24;
    let over = |days: i64| {
        saturating_add(earlier.sent_at, SignedDuration::from_hours(24 * days)) <= case.ended
    };
    let days = (0..=longest).rev().find(|days| over(*days))?;
    Some(match days {
        0 => "Only with the suppression period off would this one have gone out.".to_owned(),
        1 => "With a suppression period of 1 day this one would have gone out.".to_owned(),
        days => format!("With a suppression period of {days} days this one would have gone out."),
    })
}

/// As [`cure_of`], but at the very item that the request names.
fn cure(case: &Case<'_>) -> Option<Cure> {
    use Reason::*;
    let cure = |text: String, path: String| Some(Cure { text, path });
    let email = case.request.employee.as_ref().and_then(|who| who.email());
    match (case.reason, email) {
        (DoNotSend, _) if do_not_send_tag(case.request, &case.settings.company).is_none() => None,
        // Somebody has added the employee since then.
        (EmployeeNotFound, _) if case.employee.is_some() => None,
        (EmployeeNotFound, Some(email)) => {
            cure(format!("Add {email}"), format!("/admin/people?add={}", escaped(email)))
        }
        (EmployeeDeactivated | EmployeeProfileIncomplete, _) => {
            let email = case.employee.map(|who| who.email.as_str()).or(email)?;
            cure(format!("Approve {email}"), format!("/admin/people?edit={}", escaped(email)))
        }
        (ChannelManual, _) => {
            let name = channel_name(case);
            let path = format!("/admin/channels?flip={}", escaped(&name));
            cure(format!("Switch {name} to integrated"), path)
        }
        (BrandInvalid, _) => {
            let name = brand_name(case);
            cure(
                format!("Add or activate {name}"),
                format!("/admin/brands?edit={}", escaped(&name)),
            )
        }
        _ => cure_of(case.reason, case.request.source.as_str()),
    }
}

/// An agent for the question what would be if there were one.
const SOMEBODY: &str = "somebody@agents.invalid";
/// A customer likewise.
const ANYBODY: &str = "anybody@customers.invalid";

fn addressed(request: &SurveyRequest) -> Option<SurveyRequest> {
    let address = CustomerAddress::Valid(Address::parse(ANYBODY)?);
    let customer = Customer { address, ..request.customer.clone() };
    Some(SurveyRequest { customer, ..request.clone() })
}

fn approved(employee: Option<&Employee>, email: &str) -> Employee {
    let known = employee.cloned().unwrap_or_else(|| Employee {
        email: email.to_lowercase(),
        name: None,
        status: EmployeeStatus::Approved,
        custom_id: None,
        picture_url: None,
        faults: Vec::new(),
        warnings: Vec::new(),
    });
    Employee { status: EmployeeStatus::Approved, faults: Vec::new(), ..known }
}

fn with_channel(channels: &[Channel], name: &str) -> Vec<Channel> {
    let found = Channel::find(channels, name).map(|channel| channel.name.clone());
    let name = found.unwrap_or_else(|| name.to_owned());
    let mut channels = channels.to_vec();
    channels.retain(|channel| channel.name != name);
    channels.push(Channel {
        name,
        mode: ChannelMode::Integrated,
        enabled: true,
        delay: SignedDuration::ZERO,
        aliases: Vec::new(),
        faults: Vec::new(),
    });
    channels
}

fn with_brand(brands: &[Brand], name: &str) -> Vec<Brand> {
    let known = Brand::find(brands, name).cloned();
    let mut brands = brands.to_vec();
    brands.retain(|brand| known.as_ref().is_none_or(|known| known.signifier != brand.signifier));
    let known = known.unwrap_or_else(|| Brand {
        signifier: name.to_owned(),
        name: name.to_owned(),
        active: true,
        from: None,
        reply_to: None,
        branding: crate::brand::BrandingSettings::default(),
        faults: Vec::new(),
        warnings: Vec::new(),
    });
    brands.insert(0, Brand { active: true, faults: Vec::new(), ..known });
    brands
}

fn do_not_send_tag<'a>(request: &SurveyRequest, company: &'a Company) -> Option<&'a str> {
    let mut tags = company.do_not_send_tags.iter();
    tags.find(|tag| request.has_tag(tag)).map(String::as_str)
}

fn agent(request: &SurveyRequest) -> String {
    let named = request.employee.as_ref().and_then(|who| who.email().or(who.custom_id()));
    named.unwrap_or("the agent").to_owned()
}

fn channel_name(case: &Case<'_>) -> String {
    let found = Channel::find(&case.settings.channels, &case.request.channel);
    found.map_or_else(|| case.request.channel.clone(), |channel| channel.name.clone())
}

fn brand_name(case: &Case<'_>) -> String {
    let given = case.request.brand.clone();
    given.or_else(|| case.settings.company.default_brand.clone()).unwrap_or_default()
}

/// The text as a value in a query.
fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    let encode = |byte: u8| {
        if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(encode).collect()
}

/// `14 November`, with the year if it is not that of `now`.
fn date(at: Timestamp, now: Timestamp) -> String {
    let same_year = at.strftime("%Y").to_string() == now.strftime("%Y").to_string();
    at.strftime(if same_year { "%-d %B" } else { "%-d %B %Y" }).to_string()
}
