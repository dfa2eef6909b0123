//! A step from one status to another that [`policy::TRANSITIONS`] has.

use aws_sdk_dynamodb::types::AttributeValue;
use policy::{Reason, Status, TRANSITIONS};

use crate::ground::s;

/// Every write of a status is made with one of these, so none can write a step that the state
/// machine does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    from: Status,
    to: Status,
}

impl Step {
    /// For constants: a step that is not in the table does not compile.
    pub(crate) const fn required(from: Status, to: Status) -> Self {
        let mut index = 0;
        while index < TRANSITIONS.len() {
            let (before, after, _) = TRANSITIONS[index];
            if before as u8 == from as u8 && after as u8 == to as u8 {
                return Self { from, to };
            }
            index += 1;
        }
        // Runs in the compiler alone: each caller stands in a `const`.
        panic!("policy::TRANSITIONS lacks this step")
    }

    /// The step that ends a row for this reason; `None` if the row cannot take it.
    pub(crate) fn end(from: Status, reason: Reason) -> Option<Self> {
        let to = reason.outcome().status();
        from.may_become(to).then_some(Self { from, to })
    }

    /// The status that the condition requires.
    pub(crate) fn from(self) -> AttributeValue {
        s(self.from.as_str())
    }

    /// The status that the write sets.
    pub(crate) fn to(self) -> AttributeValue {
        s(self.to.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_steps_of_the_state_machine_exist() {
        for from in Status::ALL {
            for reason in Reason::ALL {
                let step = Step::end(from, *reason);
                assert_eq!(step.is_some(), from.may_become(reason.outcome().status()));
                // What has ended stays, and what is sent cannot become unsent.
                assert!(step.is_none() || from.is_waiting(), "{from:?} -> {reason:?}");
            }
        }
    }
}
