//! Employees.

use serde_json::{Map, Value};

use crate::attribute::Reader;
use crate::choices::EmployeeStatus;
use crate::config_table::employee;
use crate::fault::ConfigFault;
use crate::item::Item;

/// `employee/<e-mail in lower case>`.
#[derive(Clone, Debug)]
pub struct Employee {
    /// The id.
    pub email: String,
    /// Display name, if any.
    pub name: Option<String>,
    /// The state of the profile.
    pub status: EmployeeStatus,
    /// The company's own id.
    pub custom_id: Option<String>,
    /// A picture for the mail.
    pub picture_url: Option<String>,
    /// Values that cannot be understood; such a profile counts as incomplete.
    pub faults: Vec<ConfigFault>,
    /// Values that cannot be understood and do not stop mails.
    pub warnings: Vec<ConfigFault>,
}

impl Employee {
    /// Reads an item.
    pub fn read(attributes: &Map<String, Value>) -> Self {
        let mut reader = Reader::new(Item::new(attributes));
        Self {
            email: reader.item.id().to_lowercase(),
            name: reader.read(&employee::NAME),
            status: reader.read(&employee::STATUS),
            custom_id: reader.read(&employee::CUSTOM_ID),
            picture_url: reader.read(&employee::PICTURE_URL),
            faults: reader.faults.stopping,
            warnings: reader.faults.warnings,
        }
    }

    /// What the mail shows of the employee.
    pub fn profile(&self) -> Profile {
        Profile {
            email: self.email.clone(),
            name: self.name.clone(),
            custom_id: self.custom_id.clone(),
            picture_url: self.picture_url.clone(),
        }
    }
}

/// An employee as the row of an accepted request holds it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Profile {
    /// E-mail in lower case.
    pub email: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The company's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_id: Option<String>,
    /// A picture for the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_url: Option<String>,
}
