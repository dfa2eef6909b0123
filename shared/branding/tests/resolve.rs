//! Which settings the mails and pages of a request have.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use branding::{Accent, resolve};
use policy::{Brand, Company};
use serde_json::{Value, json};

fn company(attributes: Value) -> Company {
    Company::read(attributes.as_object().unwrap(), |_| true)
}

fn brand(attributes: Value) -> Brand {
    Brand::read(attributes.as_object().unwrap())
}

#[test]
fn a_brand_has_its_own_settings_and_the_companys_where_it_has_none() {
    let company = company(json!({
        "kind": "company", "id": "settings", "name": "Acme", "color": "#2563eb",
        "footer": "1 Main Street",
        "logo_url": "https://acme.example/logo.png", "question": "How was it?",
        "thank_you_url": "https://acme.example/thanks",
    }));
    let kids = brand(json!({
        "kind": "brand", "id": "kids", "name": "Acme Kids", "color": "#b45309",
        "logo_url": "https://kids.example/logo.png",
    }));
    let own = resolve(&company, None);
    assert_eq!((own.id, own.name), ("company", "Acme"));
    assert_eq!(own.accent, Accent::parse("#2563eb").unwrap());
    let branding = resolve(&company, Some(&kids));
    assert_eq!((branding.id, branding.name), ("kids", "Acme Kids"));
    assert_eq!(branding.accent, Accent::parse("#b45309").unwrap());
    assert_eq!(branding.logo_url, Some("https://kids.example/logo.png"));
    assert_eq!((branding.footer, branding.question), (Some("1 Main Street"), Some("How was it?")));
    assert_eq!(branding.thank_you_url, Some("https://acme.example/thanks"));
}

#[test]
fn without_a_usable_colour_the_default_is_used() {
    for color in [json!(null), json!(""), json!("reddish"), json!("#12345")] {
        let company = company(json!({ "color": color }));
        assert_eq!(resolve(&company, None).accent, Accent::default(), "{color}");
    }
}

#[test]
fn a_link_that_no_browser_loads_is_in_no_branding() {
    let company = company(json!({ "logo_url": "javascript:alert(1)", "thank_you_url": "acme" }));
    let branding = resolve(&company, None);
    assert_eq!((branding.logo_url, branding.thank_you_url), (None, None));
}
