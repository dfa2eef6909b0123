//! Nothing that must be seen or clicked depends on what Gmail, Outlook (Windows), Apple
//! RenderedMail or Yahoo lack.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

mod support;

use std::collections::BTreeSet;

use mail::{SurveyMail, render, render_notice};
use serde_json::Value;
use support::{sample_blocks, sample_mail, sample_notice};

fn facts() -> Value {
    serde_json::from_str(include_str!("caniemail.json")).unwrap()
}

/// The mail as the poorest client sees it: `<style>` and the rest of `<head>` gone.
fn body(html: &str) -> &str {
    html.split_once("</head>").unwrap().1
}

/// Features in use that some client does not support at all and for which there is no reason.
fn unsupported(body: &str) -> Vec<String> {
    let facts = facts();
    let mut found = Vec::new();
    for feature in facts["features"].as_array().unwrap() {
        let lacking = feature["support"].as_str().unwrap().contains('n');
        let used = feature["find"]
            .as_array()
            .unwrap()
            .iter()
            .any(|find| body.contains(find.as_str().unwrap()));
        if lacking && used && feature.get("why").is_none() {
            found.push(feature["name"].as_str().unwrap().to_owned());
        }
        // Outlook pads table cells only: an element that is padded elsewhere must be usable
        // without.
        if let Some(only_on) = feature["only_on"].as_array() {
            let only_on: Vec<&str> = only_on.iter().filter_map(Value::as_str).collect();
            for tag in body.split('<').filter(|tag| {
                feature["find"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|f| tag.contains(f.as_str().unwrap()))
            }) {
                let element = tag.split([' ', '>']).next().unwrap();
                if !only_on.contains(&element) {
                    found.push(format!("{} on <{element}>", feature["name"].as_str().unwrap()));
                }
            }
        }
    }
    found
}

#[test]
fn the_facts_are_complete() {
    for feature in facts()["features"].as_array().unwrap() {
        let support = feature["support"].as_str().unwrap();
        assert!(support.len() == 4 && support.chars().all(|c| "ypn".contains(c)), "{feature}");
    }
}

#[test]
fn no_mail_leans_on_an_unsupported_feature() {
    for texts in &language::ALL {
        let mut survey_mail = SurveyMail { test: true, ..sample_mail(texts.tag) };
        survey_mail.branding.logo_url = Some("https://cdn.acme.example/logo.png");
        assert_eq!(
            unsupported(body(&render(&survey_mail).unwrap().html)),
            Vec::<String>::new(),
            "{}",
            texts.tag
        );
    }
}

#[test]
fn no_notice_leans_on_an_unsupported_feature() {
    let notice = render_notice(&sample_notice("Subject", &sample_blocks("Text"))).unwrap();
    assert_eq!(unsupported(body(&notice.html)), Vec::<String>::new());
}

#[test]
fn the_scan_finds_what_it_should() {
    for (markup, feature) in [
        ("<svg></svg>", "inline SVG"),
        ("<p style=\"padding:1px\">", "padding on <p>"),
        ("<td style=\"display:flex\">", "flex and grid"),
        ("<form action=x>", "form"),
        ("<style>a{}</style>", "<style> in <body>"),
        ("<td style=\"border-radius:4px\">", "border-radius"),
    ] {
        assert!(
            unsupported(markup).contains(&feature.to_owned()),
            "{markup}: {:?}",
            unsupported(markup)
        );
    }
}

#[test]
fn every_property_and_element_of_the_body_is_in_the_facts_or_harmless() {
    let harmless = [
        "margin",
        "color",
        "font-weight",
        "font-family",
        "line-height",
        "height",
        "width",
        "mso-hide",
    ];
    let facts = facts();
    let known = |property: &str| {
        harmless.contains(&property)
            || facts["features"].as_array().unwrap().iter().any(|f| {
                f["find"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|find| find.as_str().unwrap().split(':').next() == Some(property))
            })
    };
    let html = render(&SurveyMail { test: true, ..sample_mail("en") }).unwrap().html;
    let mut properties = BTreeSet::new();
    for style in body(&html).split(" style=\"").skip(1) {
        for declaration in style.split('"').next().unwrap().split(';').filter(|d| !d.is_empty()) {
            properties.insert(declaration.split(':').next().unwrap().to_owned());
        }
    }
    let unknown: Vec<_> = properties.into_iter().filter(|p| !known(p)).collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn what_must_be_there_is_there_without_style() {
    for texts in &language::ALL {
        let html = render(&sample_mail(texts.tag)).unwrap().html;
        let body = body(&html);
        for stars in 1..=5 {
            let link = format!("/s/AQFkZW1vLXRva2VuLWZvci1hLXN1cnZleQ?stars={stars}\"");
            let anchor = body.split("<a ").find(|a| a.contains(&link)).unwrap();
            let anchor = anchor.split("</a>").next().unwrap();
            assert!(
                anchor.contains(texts.word(stars)) && anchor.contains(&format!(">{stars}<")),
                "{}: {anchor}",
                texts.tag
            );
            assert!(
                anchor.contains("color:#b45309") && anchor.starts_with("ses:no-track "),
                "{anchor}"
            );
        }
        assert!(body.contains(texts.mail_open) && body.contains(texts.mail_unsubscribe));
        // Clients drop <html> and <body>: language and direction stand on wrapper and table too,
        // and as CSS for those that drop `dir`.
        let both = format!("lang=\"{}\" dir=\"{}\"", texts.tag, texts.dir());
        assert_eq!(html.matches(&both).count(), 3, "html, wrapper, table");
        assert!(body.contains(&format!("direction:{};", texts.dir())));
        assert!(!body.contains("<a dir"), "Outlook is buggy there");
        assert_eq!(
            body.matches("<table").count(),
            body.matches("<table role=\"presentation\"").count()
        );
    }
}
