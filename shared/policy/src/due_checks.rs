//! The checks when a request is due, once more for live keys: between receipt and now a key may
//! have been revoked, a channel flipped to manual, an employee deactivated. (Unsubscribed, bounced
//! and suppressed are checked by the claim itself, atomically.)

use normalize::Address;

use crate::config::{Channel, Company, Employee};
use crate::item::ConfigFault;
use crate::receipt_checks::{employee_may_be_rated, is_colleague, open_channel};
use crate::{Brand, KeyItem, Mode, Reason, RequestedVia};

/// What the checks need to know, read when due.
#[derive(Clone, Copy, Debug)]
pub struct DueFacts<'a> {
    /// Settings.
    pub company: &'a Company,
    /// All channels.
    pub channels: &'a [Channel],
    /// The request's brand, if it names one that still exists.
    pub brand: Option<&'a Brand>,
    /// The item of the key that sent the request, if there still is one.
    pub key: Option<&'a KeyItem>,
    /// The request's employee, if there still is one.
    pub employee: Option<&'a Employee>,
}

/// Whether a request that was accepted is one that the company asks nobody about, as its settings
/// are now: by one of its stored tags, or by the customer's domain. They may have been read with a
/// fault in them at receipt, when a default stood in.
pub fn declined(company: &Company, tags: &[&str], customer: Option<&Address>) -> Option<Reason> {
    if company.do_not_send_tags.iter().any(|tag| normalize::has_tag(tags.iter().copied(), tag)) {
        return Some(Reason::DoNotSend);
    }
    customer.filter(|customer| is_colleague(customer, company)).map(|_| Reason::SelfSurvey)
}

/// Whether a due request may be claimed.
///
/// `Ok(None)`: yes. `Ok(Some(fault))`: not until an admin has mended the configuration.
/// `Err(reason)`: never.
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
        None | Some(KeyItem::Revoked) => return Err(Reason::KeyRevoked),
        // It has become a test key: nobody wants live mail of it any more.
        Some(KeyItem::Good(key)) if key.mode != mode => return Err(Reason::KeyRevoked),
        Some(KeyItem::Faulty(fault)) => key_fault = Some(fault),
        Some(KeyItem::Good(_)) => {}
    }
    let faults = faults.chain(key_fault);
    live(RequestedVia::Api, channel, facts, faults)
}

/// As [`recheck`], for what an agent sent by hand: such a request is live, has no key, and the
/// channel may be in manual mode. The agent is the employee of the request, and has to be approved
/// still.
pub fn recheck_by_hand<'a>(
    channel: &str,
    facts: &DueFacts<'a>,
) -> Result<Option<&'a ConfigFault>, Reason> {
    live(RequestedVia::Manual, channel, facts, common_faults(channel, facts))
}

/// What concerns every request that is due.
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

fn live<'a>(
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
