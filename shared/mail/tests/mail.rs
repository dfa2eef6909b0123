//! The rendered mail: in every language, with every optional value missing, and with hostile input
//! in each value.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

#[expect(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::fmt::Write as _;

use branding::{Accent, Agent, contrast};
use mail::{RenderError, RenderedMail, Sender, SurveyMail, render};
use proptest::prelude::*;
use support::sample_mail;

/// The whole mail as one text, for a snapshot.
fn whole(mail: &RenderedMail) -> String {
    let mut out = format!(
        "To: {}\nFrom: {}\nReply-To: {:?}\nSubject: {}\n",
        mail.to, mail.from, mail.reply_to, mail.subject
    );
    for (name, value) in &mail.headers {
        writeln!(out, "{name}: {value}").unwrap();
    }
    write!(out, "Tags: {:?}\n\n{}\n\n{}", mail.tags, mail.text, mail.html).unwrap();
    out
}

#[test]
fn every_language() {
    for texts in &language::ALL {
        insta::assert_snapshot!(
            format!("mail.{}", texts.tag),
            whole(&render(&sample_mail(texts.tag)).unwrap())
        );
    }
}

#[test]
fn a_test_mail_without_agent_name_or_footer_says_that_it_is_one() {
    let mut survey_mail = SurveyMail {
        customer_name: None,
        agent: None,
        reply_to: None,
        test: true,
        ..sample_mail("en")
    };
    survey_mail.branding.footer = None;
    survey_mail.branding.logo_url = Some("https://cdn.acme.example/logo.png");
    survey_mail.branding.question = Some("Did we make you smile?");
    survey_mail.branding.accent = Accent::parse("#2563eb").unwrap();
    insta::assert_snapshot!("mail.bare", whole(&render(&survey_mail).unwrap()));
}

#[test]
fn every_mail_is_small() {
    let long = "W".repeat(60);
    for texts in &language::ALL {
        let mut survey_mail =
            SurveyMail { customer_name: Some(&long), test: true, ..sample_mail(texts.tag) };
        survey_mail.agent = Some(Agent {
            name: &long,
            picture_url: Some("https://cdn.acme.example/a/rather/long/path/to/a/picture.png"),
        });
        survey_mail.branding.logo_url =
            Some("https://cdn.acme.example/a/rather/long/path/to/a/logo.png");
        let size = render(&survey_mail).unwrap().html.len();
        assert!(size < 15_000, "{}: {size} bytes", texts.tag);
    }
}

/// A value that would break out of each place, if it were not made safe.
const HOSTILE: &str = "\"><script>alert('x')</script>&{{name}}\r\nBcc: eve\u{202e}\0";

#[test]
fn hostile_values_stay_text() {
    type Place = (&'static str, for<'a> fn(&mut SurveyMail<'a>));
    let places: [Place; 10] = [
        ("sender", |l| l.from.name = HOSTILE),
        ("reply-to", |l| l.reply_to = Some(Sender { name: HOSTILE, ..l.from })),
        ("customer name", |l| l.customer_name = Some(HOSTILE)),
        ("agent name", |l| l.agent = Some(Agent { name: HOSTILE, picture_url: None })),
        ("picture", |l| l.agent = Some(Agent { name: "Sam", picture_url: Some(HOSTILE) })),
        ("brand name", |l| l.branding.name = HOSTILE),
        ("brand id", |l| l.branding.id = HOSTILE),
        ("logo", |l| l.branding.logo_url = Some("https://x.example/\"onerror=\"alert(1)")),
        ("footer", |l| l.branding.footer = Some(HOSTILE)),
        ("question", |l| l.branding.question = Some(HOSTILE)),
    ];
    for (place, put) in places {
        for tag in ["en", "ar"] {
            let mut survey_mail = sample_mail(tag);
            put(&mut survey_mail);
            let RenderedMail { to: _, from, reply_to, subject, html, text, headers, tags } =
                render(&survey_mail).unwrap();
            assert!(
                !html.contains("<script")
                    && !html.contains("onerror=\"")
                    && !html.contains("\"><scr"),
                "{place}: {html}"
            );
            for part in [&html, &text] {
                assert!(!part.contains(['\0', '\r', '\u{202e}']), "{place}");
                assert!(
                    !part.lines().any(|line| line.starts_with("Bcc:")) || place == "footer",
                    "{place}: {part}"
                );
            }
            assert!(!subject.contains(['\r', '\n', '\0', '\u{202e}']), "{place}: {subject}");
            for sender in [&from, &reply_to.unwrap_or_default()] {
                assert!(sender.bytes().all(|b| (b' '..=b'~').contains(&b)), "{place}: {sender}");
            }
            for (name, value) in headers {
                assert!(
                    value.bytes().all(|b| (b' '..=b'~').contains(&b)),
                    "{place}: {name}: {value}"
                );
            }
            for (_, value) in tags {
                assert!(
                    value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
                    "{place}: {value}"
                );
            }
        }
    }
}

#[test]
fn a_hostile_name_is_shown_as_it_is() {
    let mut survey_mail =
        SurveyMail { customer_name: Some("Eve <b>&\"O'Hara\""), ..sample_mail("en") };
    survey_mail.agent = Some(Agent { name: "Sam & <i>Co</i>", picture_url: None });
    let mail = render(&survey_mail).unwrap();
    assert!(mail.html.contains("Hello Eve &#60;b&#62;&#38;&#34;O&#39;Hara&#34;,"), "{}", mail.html);
    assert!(mail.text.starts_with("Hello Eve <b>&\"O'Hara\","), "{}", mail.text);
    assert_eq!(mail.subject, "How was the help from Sam & <i>Co</i>?");
}

#[test]
fn a_name_with_a_link_stays_out_of_the_greeting() {
    for name in ["Win at http://evil.example", "evil.example", "eve@evil.example", &"x".repeat(61)]
    {
        let mail = render(&SurveyMail { customer_name: Some(name), ..sample_mail("en") }).unwrap();
        assert!(mail.text.starts_with("Hello,\n"), "{name}");
        assert!(!mail.html.contains("evil"), "{name}");
    }
}

#[test]
fn a_name_that_runs_against_the_sentence_is_isolated() {
    let mut arabic = sample_mail("ar");
    assert!(render(&arabic).unwrap().subject.contains("\u{2068}Sam Taylor\u{2069}"));
    arabic.agent = Some(Agent { name: "سامي", picture_url: None });
    assert!(!render(&arabic).unwrap().subject.contains('\u{2068}'));
    let mut english = sample_mail("en");
    assert!(!render(&english).unwrap().subject.contains('\u{2068}'));
    english.agent = Some(Agent { name: "سامي", picture_url: None });
    assert!(render(&english).unwrap().subject.contains("\u{2068}سامي\u{2069}"));
}

#[test]
fn a_value_that_no_mail_can_have_is_an_error_that_names_it() {
    let says =
        |survey_mail: SurveyMail<'_>| render(&survey_mail).map_err(|e| e.to_string()).unwrap_err();
    assert_eq!(
        says(SurveyMail { to: "jane", ..sample_mail("en") }),
        "`to` is not an address that a mail can have"
    );
    assert_eq!(
        says(SurveyMail { survey_url: "javascript:x", ..sample_mail("en") }),
        "`survey_url` is not a web address"
    );
    assert_eq!(
        says(SurveyMail {
            unsubscribe_url: "https://a.example/u/x>,<mailto:y",
            ..sample_mail("en")
        }),
        "`unsubscribe_url` is not a web address"
    );
    let long = format!("https://a.example/u/{}", "x".repeat(1000));
    assert!(matches!(
        render(&SurveyMail { unsubscribe_url: &long, ..sample_mail("en") }),
        Err(RenderError::Header("List-Unsubscribe"))
    ));
}

#[test]
fn senders_names_are_shown_and_their_headers_stay_short() {
    let sender = sample_mail("en").from;
    let mail = |from: &str, reply_to: &str| {
        let (from, reply_to) =
            (Sender { name: from, ..sender }, Some(Sender { name: reply_to, ..sender }));
        let mail = render(&SurveyMail { from, reply_to, ..sample_mail("en") }).unwrap();
        (mail.from, mail.reply_to.unwrap())
    };
    assert_eq!(
        mail("Blanca Peak", "Bäckerei"),
        (
            "\"Blanca Peak\" <surveys@acme.example>".to_owned(),
            "=?UTF-8?B?QsOkY2tlcmVp?= <surveys@acme.example>".to_owned()
        )
    );
    for long in ["W".repeat(4_000), "会".repeat(1_300), "\"".repeat(4_000)] {
        let (from, reply_to) = mail(&long, &long);
        assert!(from.len() < 160 && reply_to.len() < 160, "{from}");
    }
}

#[test]
fn a_customer_can_unsubscribe_by_mail_if_people_read_it_and_the_mail_contains_the_link() {
    let header = |survey_mail: &SurveyMail<'_>| render(survey_mail).unwrap().headers.remove(0).1;
    let url = "https://survey.acme.example/u/AQJkZW1vLXRva2VuLXRvLXVuc3Vic2NyaWJl";
    let body = "https%3A%2F%2Fsurvey.acme.example%2Fu%2FAQJkZW1vLXRva2VuLXRvLXVuc3Vic2NyaWJl";
    assert_eq!(
        header(&sample_mail("de")),
        format!("<{url}>, <mailto:support@acme.example?subject=unsubscribe&body={body}>")
    );
    assert_eq!(
        header(&SurveyMail { reply_to: None, ..sample_mail("de") }),
        format!("<{url}>"),
        "nobody is known to read what comes"
    );
    let long = format!("https://a.example/u/{}", "x".repeat(600));
    assert_eq!(
        header(&SurveyMail { unsubscribe_url: &long, ..sample_mail("de") }),
        format!("<{long}>"),
        "both would be longer than SES takes"
    );
}

#[test]
fn no_address_reaches_a_log() {
    assert!(!format!("{:?}", render(&sample_mail("en")).unwrap()).contains("jane"));
}

/// Each colour of text, on each background that it can have, in the light and in the dark mail.
#[test]
fn every_text_can_be_read_in_light_and_in_dark() {
    for color in ["#ffb400", "#ffffff", "#000000", "#e11d48", "#00ff00", "#b45309"] {
        let accent = Accent::parse(color).unwrap();
        let mut survey_mail = SurveyMail { test: true, ..sample_mail("en") };
        survey_mail.branding.accent = accent;
        let html = render(&survey_mail).unwrap().html;
        let (light, dark) = (accent.light(), accent.dark());
        let pairs = [
            ("#1f1f1f", "#ffffff"),
            ("#595959", "#ffffff"),
            (light.as_str(), "#ffffff"),
            ("#5c4400", "#fff3cd"),
            ("#f2f2f2", "#1f1f1f"),
            ("#b8b8b8", "#1f1f1f"),
            (dark.as_str(), "#1f1f1f"),
            ("#ffe08a", "#3a3000"),
        ];
        for (ink, paper) in pairs {
            assert!(
                html.contains(ink) && html.contains(paper),
                "{ink} and {paper} are in the mail"
            );
            assert!(contrast(ink, paper).unwrap() >= 4.5, "{ink} on {paper}");
        }
        // The mail has no other colours: a new one has to be added above.
        let known: Vec<&str> = pairs
            .iter()
            .flat_map(|(a, b)| [*a, *b])
            .chain(["#f3f3f3", "#121212", "#dddddd", "#3d3d3d"])
            .collect();
        for found in html
            .match_indices('#')
            .filter_map(|(at, _)| html.get(at..at + 7))
            .filter(|c| contrast(c, c).is_some())
        {
            assert!(known.contains(&found), "{found}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_name_breaks_the_mail(
        name: String,
        agent: String,
        brand: String,
        footer: String,
        question: String,
    ) {
        let mut survey_mail = sample_mail("he");
        survey_mail.customer_name = Some(&name);
        survey_mail.agent = Some(Agent { name: &agent, picture_url: Some(&name) });
        survey_mail.branding.name = &brand;
        survey_mail.branding.footer = Some(&footer);
        survey_mail.branding.question = Some(&question);
        let mail = render(&survey_mail).unwrap();
        prop_assert!(!mail.subject.chars().any(char::is_control));
        prop_assert!(mail.from.is_ascii() && !mail.from.contains(['\r', '\n']));
        prop_assert_eq!(mail.html.matches("<a ").count(), 7);
        prop_assert_eq!(mail.html.matches("<a ses:no-track ").count(), 7);
    }
}

#[test]
fn an_own_question_keeps_its_own_direction() {
    let mut survey_mail = sample_mail("ar");
    survey_mail.branding.question = Some("Did we make you smile?");
    assert!(
        render(&survey_mail).unwrap().html.contains("\u{2068}Did we make you smile?\u{2069}</h1>")
    );
}
