//! What a brand wears: its own attributes, and the company's where it has none.

use policy::{Brand, Company, Look};

use crate::{Accent, Dress};

/// The dress of a brand, or, without one, of the company.
pub fn worn<'a>(company: &'a Company, brand: Option<&'a Brand>) -> Dress<'a> {
    let own = |attribute: fn(&Look) -> Option<&str>| brand.and_then(|b| attribute(&b.look)).or_else(|| attribute(&company.look));
    Dress {
        id: brand.map_or("company", |b| &b.signifier),
        name: brand.map_or(company.name.as_str(), |b| &b.name),
        logo_url: own(|look| look.logo_url.as_deref()),
        accent: own(|look| look.color.as_deref()).and_then(Accent::parse).unwrap_or_default(),
        footer: own(|look| look.footer.as_deref()),
        question: own(|look| look.question.as_deref()),
        thank_you_url: own(|look| look.thank_you_url.as_deref()),
    }
}
