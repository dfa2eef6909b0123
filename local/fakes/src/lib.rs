//! Fakes of the services that Afterword calls, for the local stack and for tests: SES v2 with a
//! mailbox ([`ses`], [`mailbox`]), and Gladly's REST API with a sample organisation ([`gladly`]).
//! They speak the real protocols over HTTP, so that functions call them with their real clients.
//!
//! *Invariant:* no crate that is deployed depends on this one, except for its tests.

pub mod accept;
pub mod gladly;
pub mod mailbox;
mod mailbox_pages;
mod mime;
pub mod ses;
mod ses_events;
mod ses_request;
