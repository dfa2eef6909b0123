//! The checks when a request is received, in the order of the contract: do-not-send → customer
//! → employee → channel enabled → channel mode (live keys only) → brand → language.

use jiff::Timestamp;
use normalize::{Address, CustomerAddress, EmployeeRef, LanguageTag, SurveyRequest};

use crate::brand::Brand;
use crate::channel::Channel;
use crate::choices::{ChannelMode, EmployeeStatus, Mode};
use crate::company::Company;
use crate::employee::{Employee, Profile};
use crate::reason::Reason;
use crate::requested_via::RequestedVia;
use crate::saturating_add::saturating_add;

/// The facts about the company that the checks need.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The company's settings.
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

/// The two people of a request that has passed the first checks: see [`who`].
#[derive(Clone, Debug)]
pub struct Who<'a> {
    /// The customer's address.
    pub customer: &'a Address,
    /// The employee to look up.
    pub employee: &'a EmployeeRef,
}

/// An accepted request: everything that its row and its mail need.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// The channel's own name, whatever alias was used.
    pub channel: String,
    /// Signifier of the brand, if the company has brands.
    pub brand: Option<String>,
    /// Language of mail and pages.
    pub language: LanguageTag,
    /// The employee, as in the profile.
    pub employee: Profile,
    /// When the mail is due: receipt plus the channel's delay.
    pub due: Timestamp,
}

/// The result of the checks.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The mail is sent when it is due.
    Send(Approval),
    /// There is no mail, for this reason.
    Refuse(Reason),
}

/// The first checks, which need the request and the company's settings only: do-not-send, then the
/// customer, then whether the request names an employee.
///
/// Do-not-send comes first, so that a set-up test with an invented employee passes (docs/facts.md,
/// Vendor 3).
///
/// # Errors
/// The reason why there is no mail.
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

/// All checks at receipt. `now` is the time of receipt; a channel's delay counts from it.
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
    match approve(via, request, mode, facts, now) {
        Ok(approval) => Verdict::Send(approval),
        Err(reason) => Verdict::Refuse(reason),
    }
}

fn approve(
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

/// The signifier of the brand that the request names, if it is active. For a request without a
/// brand: the company's default brand, else its only brand, else none.
fn brand(given: Option<&str>, facts: &Facts<'_>) -> Result<Option<String>, Reason> {
    let name = match given.or(facts.company.default_brand.as_deref()) {
        Some(name) => name,
        None => {
            // A brand with a fault may be meant to be active: its typo must not make another brand
            // the only one.
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

/// The request's language, or the nearest more general one that the company has; else the company's
/// default.
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
