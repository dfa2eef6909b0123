//! The checks at the door, in the order of the contract: do-not-send → customer → employee →
//! channel enabled → channel mode (live keys only) → brand → language.

use jiff::Timestamp;
use normalize::{Address, CustomerAddress, EmployeeRef, LanguageTag, SurveyRequest};

use crate::config::{Brand, Channel, ChannelMode, Company, Employee, EmployeeStatus, Profile};
use crate::{Mode, Reason, RequestedVia, saturating_add};

/// What the checks need to know about the company.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Settings.
    pub company: &'a Company,
    /// All channels.
    pub channels: &'a [Channel],
    /// All brands.
    pub brands: &'a [Brand],
    /// Active languages.
    pub languages: &'a [LanguageTag],
    /// The employee that the request's reference leads to, if there is one.
    pub employee: Option<&'a Employee>,
}

/// Whom a request concerns, once the checks that need no configuration beyond the company's are
/// passed.
#[derive(Clone, Debug)]
pub struct Who<'a> {
    /// The customer's address.
    pub customer: &'a Address,
    /// The employee to look up.
    pub employee: &'a EmployeeRef,
}

/// How an accepted request goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// The channel's own name, whatever alias was used.
    pub channel: String,
    /// Signifier of the brand, if the company has brands.
    pub brand: Option<String>,
    /// Language of mail and pages.
    pub language: LanguageTag,
    /// The employee as the profile has it.
    pub employee: Profile,
    /// When the mail is due: receipt plus the channel's delay.
    pub due: Timestamp,
}

/// What the door says.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// To be sent when due.
    Send(Approval),
    /// No mail.
    Refuse(Reason),
}

/// The first half: do-not-send, then the two people, as far as the request itself tells.
///
/// Do-not-send comes before the people, so that a set-up test with a made-up employee passes
/// (docs/facts.md, Vendor 3).
pub fn who<'a>(request: &'a SurveyRequest, company: &Company) -> Result<Who<'a>, Reason> {
    if request.do_not_send || company.do_not_send_tags.iter().any(|tag| request.has_tag(tag)) {
        return Err(Reason::DoNotSend);
    }
    let customer = match &request.customer.address {
        CustomerAddress::Missing => return Err(Reason::NoEmail),
        CustomerAddress::Malformed(_) => return Err(Reason::InvalidCustomer),
        CustomerAddress::Valid(address) => address,
    };
    if is_colleague(customer, company) {
        return Err(Reason::SelfSurvey);
    }
    let employee = request.employee.as_ref().ok_or(Reason::NoEmployee)?;
    if employee.email() == Some(customer.canonical().as_str()) {
        return Err(Reason::SelfSurvey);
    }
    Ok(Who { customer, employee })
}

/// Whether the address is in one of the company's own domains.
pub(crate) fn is_colleague(customer: &Address, company: &Company) -> bool {
    company.internal_domains.iter().any(|domain| domain == customer.domain())
}

/// All checks at the door; `now` is the time of receipt, from which a channel's delay counts.
pub fn decide(request: &SurveyRequest, mode: Mode, facts: &Facts<'_>, now: Timestamp) -> Verdict {
    decide_via(RequestedVia::Api, request, mode, facts, now)
}

/// As [`decide`], for a request that came by this way in.
pub fn decide_via(
    via: RequestedVia,
    request: &SurveyRequest,
    mode: Mode,
    facts: &Facts<'_>,
    now: Timestamp,
) -> Verdict {
    match plan(via, request, mode, facts, now) {
        Ok(plan) => Verdict::Send(plan),
        Err(reason) => Verdict::Refuse(reason),
    }
}

fn plan(
    via: RequestedVia,
    request: &SurveyRequest,
    mode: Mode,
    facts: &Facts<'_>,
    now: Timestamp,
) -> Result<Approval, Reason> {
    let who = who(request, facts.company)?;
    let employee = facts.employee.ok_or(Reason::EmployeeNotFound)?;
    employee_may_be_rated(employee)?;
    if who.customer.canonical() == employee.email {
        return Err(Reason::SelfSurvey);
    }
    let channel = open_channel(facts.channels, &request.channel, via, mode)?;
    let brand = brand(request.brand.as_deref(), facts)?;
    Ok(Approval {
        channel: channel.name.clone(),
        brand,
        language: language(request, facts)?,
        employee: employee.profile(),
        due: saturating_add(now, channel.delay),
    })
}

pub(crate) fn employee_may_be_rated(employee: &Employee) -> Result<(), Reason> {
    match employee.status {
        EmployeeStatus::Approved if employee.faults.is_empty() => Ok(()),
        EmployeeStatus::Approved => Err(Reason::EmployeeProfileIncomplete),
        EmployeeStatus::Deactivated => Err(Reason::EmployeeDeactivated),
        EmployeeStatus::Incomplete => Err(Reason::EmployeeProfileIncomplete),
    }
}

/// The channel, if it is open to this way in. Manual mode keeps out what machines send; it is there
/// for what agents send by hand.
pub(crate) fn open_channel<'a>(
    channels: &'a [Channel],
    name: &str,
    via: RequestedVia,
    mode: Mode,
) -> Result<&'a Channel, Reason> {
    let channel =
        Channel::find(channels, name).filter(|c| c.enabled).ok_or(Reason::ChannelNotEnabled)?;
    match (channel.mode, mode, via) {
        (ChannelMode::Manual, Mode::Live, RequestedVia::Api) => Err(Reason::ChannelManual),
        _ => Ok(channel),
    }
}

/// The given brand if it is active; else, none being given, the company's default, or its only one.
fn brand(given: Option<&str>, facts: &Facts<'_>) -> Result<Option<String>, Reason> {
    let name = match given.or(facts.company.default_brand.as_deref()) {
        Some(name) => name,
        None => {
            // One that cannot be understood may be meant to be active: a typo in it must not make
            // another one the only one.
            let mut possible = facts.brands.iter().filter(|b| b.active || !b.faults.is_empty());
            return match (possible.next(), possible.next()) {
                (None, _) => Ok(None),
                (Some(only), None) if only.active => Ok(Some(only.signifier.clone())),
                _ => Err(Reason::BrandMissing),
            };
        }
    };
    let brand = Brand::find(facts.brands, name).filter(|b| b.active).ok_or(Reason::BrandInvalid)?;
    Ok(Some(brand.signifier.clone()))
}

/// The first of the request's language and its parents that the company has; else its default.
fn language(request: &SurveyRequest, facts: &Facts<'_>) -> Result<LanguageTag, Reason> {
    let default = facts.company.default_language.as_ref();
    let ours = |tag: &LanguageTag| facts.languages.contains(tag) || Some(tag) == default;
    let given = request.language.as_ref();
    let chain = given.and_then(|g| g.tag.as_ref()).map(LanguageTag::fallbacks).unwrap_or_default();
    chain.into_iter().find(ours).or_else(|| default.cloned()).ok_or(match given {
        None => Reason::LanguageMissing,
        Some(_) => Reason::LanguageInvalid,
    })
}
