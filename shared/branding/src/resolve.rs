//! The branding of a request: the brand's own settings, and the company's where it has none.

use policy::{Brand, BrandingSettings, Company};

use crate::{Accent, Branding};

/// The branding of a brand, or, without one, of the company. The default colour is used if neither
/// has one.
pub fn resolve<'a>(company: &'a Company, brand: Option<&'a Brand>) -> Branding<'a> {
    let own = |setting: fn(&BrandingSettings) -> Option<&str>| {
        brand.and_then(|b| setting(&b.branding)).or_else(|| setting(&company.branding))
    };
    let color = brand.and_then(|b| b.branding.color).or(company.branding.color);
    Branding {
        id: brand.map_or("company", |b| &b.signifier),
        name: brand.map_or(company.name.as_str(), |b| &b.name),
        logo_url: own(|settings| settings.logo_url.as_deref()),
        accent: color.map(Accent::of).unwrap_or_default(),
        footer: own(|settings| settings.footer.as_deref()),
        question: own(|settings| settings.question.as_deref()),
        thank_you_url: own(|settings| settings.thank_you_url.as_deref()),
    }
}
