//! What a brand wears: its own attributes, and the company's where it has none.

use policy::{Brand, BrandingSettings, Company};

use crate::{Accent, Branding};

/// The branding of a brand, or, without one, of the company.
pub fn resolve<'a>(company: &'a Company, brand: Option<&'a Brand>) -> Branding<'a> {
    let own = |attribute: fn(&BrandingSettings) -> Option<&str>| {
        brand.and_then(|b| attribute(&b.branding)).or_else(|| attribute(&company.branding))
    };
    Branding {
        id: brand.map_or("company", |b| &b.signifier),
        name: brand.map_or(company.name.as_str(), |b| &b.name),
        logo_url: own(|settings| settings.logo_url.as_deref()),
        accent: own(|settings| settings.color.as_deref())
            .and_then(Accent::parse)
            .unwrap_or_default(),
        footer: own(|settings| settings.footer.as_deref()),
        question: own(|settings| settings.question.as_deref()),
        thank_you_url: own(|settings| settings.thank_you_url.as_deref()),
    }
}
