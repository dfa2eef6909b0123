//! The checks when a request is due, once more for live keys: between receipt and now a key may have been revoked, a channel flipped to
//! manual, an employee deactivated. (Unsubscribed, bounced and suppressed are checked by the claim itself, atomically.)

use crate::config::{Channel, Company, Employee, Fault};
use crate::door::{employee_may_be_rated, open_channel};
use crate::{Brand, Mode, Reason};

/// What the checks need to know, read when due.
#[derive(Clone, Copy, Debug)]
pub struct DueFacts<'a> {
    /// Settings.
    pub company: &'a Company,
    /// All channels.
    pub channels: &'a [Channel],
    /// The request's brand, if it names one that still exists.
    pub brand: Option<&'a Brand>,
    /// Whether the key that sent the request is still good.
    pub key_is_good: bool,
    /// The request's employee, if there still is one.
    pub employee: Option<&'a Employee>,
}

/// Whether a due request may be claimed.
///
/// `Ok(None)`: yes. `Ok(Some(fault))`: not until an admin has mended the configuration. `Err(reason)`: never.
pub fn recheck<'a>(mode: Mode, channel: &str, facts: &DueFacts<'a>) -> Result<Option<&'a Fault>, Reason> {
    let channel_faults = Channel::find(facts.channels, channel).and_then(|c| c.faults.first());
    let fault = facts.company.faults.first().or(channel_faults).or_else(|| facts.brand.and_then(|b| b.faults.first()));
    if mode == Mode::Live && !facts.key_is_good {
        return Err(Reason::KeyRevoked);
    }
    if mode == Mode::Test || fault.is_some() {
        return Ok(fault);
    }
    open_channel(facts.channels, channel, mode)?;
    employee_may_be_rated(facts.employee.ok_or(Reason::EmployeeNotFound)?)?;
    Ok(None)
}
