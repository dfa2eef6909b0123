//! The checks when a request is due. Since its receipt, an admin may have revoked the key, switched
//! the channel to manual mode, or deactivated the employee. (The claim itself checks atomically
//! whether the customer has unsubscribed, bounced or been surveyed.)

use normalize::Address;

use crate::brand::Brand;
use crate::channel::Channel;
use crate::choices::Mode;
use crate::company::Company;
use crate::employee::Employee;
use crate::fault::ConfigFault;
use crate::key::KeyItem;
use crate::reason::Reason;
use crate::receipt_checks::{employee_may_be_rated, is_colleague, open_channel};
use crate::requested_via::RequestedVia;

/// The facts that the checks need, read when the request is due.
#[derive(Clone, Copy, Debug)]
pub struct DueFacts<'a> {
    /// The company's settings.
    pub company: &'a Company,
    /// All channels.
    pub channels: &'a [Channel],
    /// The request's brand, if it names one that still exists.
    pub brand: Option<&'a Brand>,
    /// The item of the key that sent the request, if it still exists.
    pub key: Option<&'a KeyItem>,
    /// The request's employee, if the item still exists.
    pub employee: Option<&'a Employee>,
}

/// Whether an accepted request must get no mail by the company's present settings: because one of
/// its stored tags means do-not-send, or because the customer is in an internal domain. At receipt
/// a setting may have had a fault, so that a default was used in its place.
pub fn declined(company: &Company, tags: &[&str], customer: Option<&Address>) -> Option<Reason> {
    if company.do_not_send_tags.iter().any(|tag| normalize::has_tag(tags.iter().copied(), tag)) {
        return Some(Reason::DoNotSend);
    }
    customer.filter(|customer| is_colleague(customer, company)).map(|_| Reason::SelfSurvey)
}

/// Whether a due request may be claimed.
///
/// `Ok(None)`: it may. `Ok(Some(fault))`: it has to wait until an admin has corrected the fault.
///
/// # Errors
/// The reason why the request never gets a mail.
pub fn recheck<'a>(
    mode: Mode,
    channel: &str,
    facts: &DueFacts<'a>,
) -> Result<Option<&'a ConfigFault>, Reason> {
    let mut faults = common_faults(channel, facts);
    if mode == Mode::Test {
        return Ok(faults.next());
    }
    let mut key_fault = None;
    match facts.key {
        None | Some(KeyItem::Revoked | KeyItem::Admin(_)) => return Err(Reason::KeyRevoked),
        // Its mode has changed to test: it must not cause live mail any more.
        Some(KeyItem::Good(key)) if key.mode != mode => return Err(Reason::KeyRevoked),
        Some(KeyItem::Faulty(fault)) => key_fault = Some(fault),
        Some(KeyItem::Good(_)) => {}
    }
    recheck_live(RequestedVia::Api, channel, facts, faults.chain(key_fault))
}

/// As [`recheck`], for a request that an agent sent by hand. Such a request is live and has no key,
/// and its channel may be in manual mode. The agent is the employee of the request, and must still
/// be approved.
///
/// # Errors
/// The reason why the request never gets a mail.
pub fn recheck_by_hand<'a>(
    channel: &str,
    facts: &DueFacts<'a>,
) -> Result<Option<&'a ConfigFault>, Reason> {
    recheck_live(RequestedVia::Manual, channel, facts, common_faults(channel, facts))
}

/// The faults that hold a request back whichever way it came in.
fn common_faults<'a>(
    channel: &str,
    facts: &DueFacts<'a>,
) -> impl Iterator<Item = &'a ConfigFault> + use<'a> {
    let faults = facts.company.faults.iter();
    let faults = faults.chain(
        Channel::find(facts.channels, channel).into_iter().flat_map(|channel| &channel.faults),
    );
    faults.chain(facts.brand.into_iter().flat_map(|brand| &brand.faults))
}

/// The checks of a live request, whose other faults are `faults`.
fn recheck_live<'a>(
    via: RequestedVia,
    channel: &str,
    facts: &DueFacts<'a>,
    faults: impl Iterator<Item = &'a ConfigFault>,
) -> Result<Option<&'a ConfigFault>, Reason> {
    let employee = facts.employee.into_iter().flat_map(|employee| &employee.faults);
    if let Some(fault) = faults.chain(employee).next() {
        return Ok(Some(fault));
    }
    open_channel(facts.channels, channel, via, Mode::Live)?;
    employee_may_be_rated(facts.employee.ok_or(Reason::EmployeeNotFound)?)?;
    Ok(None)
}
