//! Every page in every language, and with hostile input in every place.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use branding::{Accent, Agent, Branding, contrast};
use jiff::SignedDuration;
use jiff::civil::date;
use language::Texts;
use survey::pages::{self, Frame, Mistake, OptOut, Page, SurveyForm, Topic};

fn frame(texts: &'static Texts) -> Frame<'static> {
    let branding = Branding {
        id: "acme-kids",
        name: "Acme Kids",
        logo_url: None,
        accent: Accent::default(),
        footer: Some("Acme Kids Ltd\n1 Long Lane, London"),
        question: None,
        thank_you_url: Some("https://acme.example/thanks"),
    };
    Frame { texts, branding, test: false, languages: &[] }
}

fn form() -> SurveyForm<'static> {
    SurveyForm {
        action: "/s/TOKEN",
        agent: Some(Agent {
            name: "Sam Taylor",
            picture_url: Some("https://cdn.acme.example/sam.png"),
        }),
        stars: Some(4),
        ..SurveyForm::default()
    }
}

/// Each page with its name.
fn every_page(texts: &'static Texts) -> Vec<(&'static str, Page)> {
    let frame = frame(texts);
    let test = Frame { test: true, ..frame.clone() };
    let several = Frame { languages: &language::ALL, ..frame.clone() };
    let answered = SurveyForm {
        comment: "Thank you!\nاهلا",
        topics: &[Topic::Speed, Topic::Clarity],
        ..form()
    };
    let wrong = SurveyForm {
        stars: None,
        comment: "kept",
        mistakes: &[Mistake::NoStars, Mistake::CommentTooLong],
        ..form()
    };
    [
        ("survey", pages::survey(&several, &form())),
        (
            "survey-plain",
            pages::survey(
                &test,
                &SurveyForm { action: "/s/TOKEN", unsubscribed: true, ..SurveyForm::default() },
            ),
        ),
        ("survey-wrong", pages::survey(&frame, &wrong)),
        ("thanks", pages::thanks(&frame, 4, Some(date(2026, 3, 7)), Some(&answered))),
        ("thanks-final", pages::thanks(&frame, 1, None, None)),
        ("closed", pages::closed(&frame)),
        ("unknown", pages::unknown(texts)),
        ("trouble", pages::trouble(texts)),
        ("too-often", pages::too_often(&several, SignedDuration::from_millis(2_399_001))),
        ("unsubscribe", pages::unsubscribe(&frame, "/u/TOKEN", true)),
        ("unsubscribe-all", pages::unsubscribe(&frame, "/u/TOKEN", false)),
        ("unsubscribed-brand", pages::unsubscribed(&frame, "/u/TOKEN", OptOut::Brand)),
        ("unsubscribed-all", pages::unsubscribed(&frame, "/u/TOKEN", OptOut::All)),
        ("resubscribed", pages::resubscribed(&frame)),
    ]
    .map(|(name, page)| (name, page.unwrap()))
    .into()
}

/// The page without its stylesheet, which is the same on all.
fn unstyled(html: &str) -> String {
    let (before, rest) = html.split_once("<style>").unwrap();
    format!("{before}<style>…{}", &rest[rest.find("</style>").unwrap()..])
}

#[test]
fn every_page_in_every_language() {
    for texts in &language::ALL {
        let whole: String = every_page(texts)
            .iter()
            .map(|(name, page)| {
                format!("=== {name}: {}\n{}\n", page.status.as_u16(), unstyled(&page.html))
            })
            .collect();
        insta::assert_snapshot!(format!("pages.{}", texts.tag), whole);
    }
}

#[test]
fn one_whole_page_with_its_headers() {
    let mut frame = frame(language::find("en").unwrap());
    frame.branding.logo_url = Some("https://cdn.acme.example/logo.png");
    let page = pages::survey(&frame, &form()).unwrap();
    insta::assert_snapshot!("page.whole", format!("{:#?}\n{}", page.headers, page.html));
}

#[test]
fn every_page_has_the_headers_and_no_script() {
    for (name, page) in every_page(language::find("ar").unwrap()) {
        let header = |name: &str| {
            page.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
        };
        assert!(
            header("content-security-policy")
                .unwrap()
                .starts_with("default-src 'none'; style-src 'sha256-"),
            "{name}"
        );
        assert_eq!(header("referrer-policy"), Some("same-origin"));
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        assert!(header("x-robots-tag").unwrap().contains("noindex"));
        assert!(
            !page.html.contains("<script")
                && !page.html.contains(" style=")
                && !page.html.contains("{{"),
            "{name}"
        );
        assert_eq!(page.html.matches("<h1>").count(), 1, "{name}");
    }
}

#[test]
fn stars_from_the_link_are_chosen_and_nothing_else_is() {
    let frame = frame(language::find("en").unwrap());
    let html = pages::survey(&frame, &form()).unwrap().html;
    assert_eq!(html.matches("\" checked").count(), 1);
    assert!(html.contains("id=\"stars-4\" value=\"4\" checked>"));
    for stars in [None, Some(0), Some(6)] {
        let html = pages::survey(&frame, &SurveyForm { stars, ..form() }).unwrap().html;
        assert!(!html.contains("\" checked"), "{stars:?}");
    }
}

#[test]
fn what_was_typed_is_kept_beside_the_error() {
    let frame = frame(language::find("de").unwrap());
    let wrong = SurveyForm {
        stars: None,
        comment: "\nGut & <schön>",
        topics: &[Topic::Speed],
        mistakes: &[Mistake::NoStars],
        ..form()
    };
    let page = pages::survey(&frame, &wrong).unwrap();
    assert_eq!(page.status, 422);
    assert!(page.html.contains("<title>Fehler: Ihre Bewertung</title>"));
    assert!(
        page.html.contains(">\n\nGut &#38; &#60;schön&#62;</textarea>"),
        "a textarea swallows its first line break only"
    );
    assert!(page.html.contains("value=\"speed\" checked>"));
    assert_eq!(
        page.html.matches("Wählen Sie einen bis fünf Sterne.").count(),
        2,
        "on top, as a link, and in place"
    );
    assert!(
        page.html.contains("<a href=\"#stars-1\">")
            && page.html.contains("aria-describedby=\"stars-error\"")
    );
}

/// A value that would break out of each place it could stand in.
const HOSTILE: &str = "\"></textarea><script>alert('x')</script>&\u{202e}\u{2069}";

#[test]
fn whatever_is_put_in_stays_text() {
    type Place = (&'static str, fn(&mut Frame<'static>, &mut SurveyForm<'static>));
    let places: [Place; 9] = [
        ("brand", |frame, _| frame.branding.name = HOSTILE),
        ("footer", |frame, _| frame.branding.footer = Some(HOSTILE)),
        ("question", |frame, _| frame.branding.question = Some(HOSTILE)),
        ("logo", |frame, _| {
            frame.branding.logo_url = Some("https://x.example;script-src *\"/onerror=alert(1)")
        }),
        ("thank-you link", |frame, _| frame.branding.thank_you_url = Some("javascript:alert(1)")),
        ("agent", |_, form| form.agent = Some(Agent { name: HOSTILE, picture_url: None })),
        ("picture", |_, form| {
            form.agent =
                Some(Agent { name: "Sam", picture_url: Some("https://a;script-src/x.png") })
        }),
        ("comment", |_, form| form.comment = HOSTILE),
        ("action", |_, form| form.action = HOSTILE),
    ];
    for (place, put) in places {
        let (mut frame, mut form) = (frame(language::find("he").unwrap()), form());
        put(&mut frame, &mut form);
        let found = [
            pages::survey(&frame, &form),
            pages::thanks(&frame, 3, None, Some(&form)),
            pages::unsubscribe(&frame, form.action, true),
            pages::unsubscribed(&frame, form.action, OptOut::Brand),
        ];
        for page in found.map(Result::unwrap) {
            assert!(
                !page.html.contains("<script")
                    && !page.html.contains("onerror=a")
                    && !page.html.contains("javascript:"),
                "{place}: {}",
                page.html
            );
            assert_eq!(
                page.html.matches("<bdi>").count(),
                page.html.matches("</bdi>").count(),
                "{place}"
            );
            for (_, value) in &page.headers {
                assert!(
                    !value.contains("script-src") && !value.contains(['\r', '\n']),
                    "{place}: {value}"
                );
            }
        }
    }
}

#[test]
fn a_page_for_a_wrong_token_knows_nothing() {
    let page = pages::unknown(language::find("en").unwrap()).unwrap();
    assert_eq!(page.status, 404);
    assert!(!page.html.contains("<form") && !page.html.contains("Acme"));
}

#[test]
fn a_page_for_later_says_when_in_whole_seconds() {
    let frame = frame(language::find("en").unwrap());
    for (milliseconds, seconds) in [(1, "1"), (1_000, "1"), (1_001, "2"), (3_600_000, "3600")] {
        let page = pages::too_often(&frame, SignedDuration::from_millis(milliseconds)).unwrap();
        assert_eq!(page.status, 429);
        assert!(
            page.headers.contains(&("retry-after", seconds.to_owned())),
            "{milliseconds}: {:?}",
            page.headers
        );
    }
}

#[test]
fn the_policy_names_only_the_hosts_of_the_images() {
    let policy = pages::content_security_policy(
        "",
        &["https://cdn.acme.example:8443/a?b", "http://127.0.0.1:3000/x", "data:x", "https://a b/"],
    );
    assert!(
        policy.contains("img-src https://cdn.acme.example:8443 http://127.0.0.1:3000; "),
        "{policy}"
    );
    assert!(pages::content_security_policy("", &[]).contains("img-src 'none'"));
}

#[test]
fn every_text_can_be_read_in_light_and_in_dark() {
    let css = include_str!("../templates/page.css");
    let accent = Accent::parse("#ffb400").unwrap();
    let (light, dark) = (accent.light(), accent.dark());
    let four_and_a_half = [
        ("#1f1f1f", "#ffffff"),
        ("#595959", "#ffffff"),
        ("#b3261e", "#ffffff"),
        ("#5c4400", "#fff3cd"),
        (&light, "#ffffff"),
        ("#f2f2f2", "#1f1f1f"),
        ("#b8b8b8", "#1f1f1f"),
        ("#ff8a80", "#1f1f1f"),
        ("#ffe08a", "#3a3000"),
        (&dark, "#1f1f1f"),
        ("#767676", "#ffffff"),
        ("#8c8c8c", "#1f1f1f"),
    ];
    for (ink, paper) in four_and_a_half {
        assert!(
            contrast(ink, paper).unwrap() >= 4.5,
            "{ink} on {paper}: {:?}",
            contrast(ink, paper)
        );
        assert!(css.contains(ink) || ink == light || ink == dark, "{ink}");
    }
}

#[test]
fn names_of_topics_and_scopes_are_read_back() {
    assert!(Topic::ALL.iter().all(|topic| Topic::parse(topic.name()) == Some(*topic)));
    assert_eq!(OptOut::parse("brand"), Some(OptOut::Brand));
    assert_eq!((Topic::parse("x"), OptOut::parse("")), (None, None));
}

#[test]
fn an_own_question_keeps_its_own_direction() {
    let mut frame = frame(language::find("ar").unwrap());
    frame.branding.question = Some("Did we make you smile?");
    assert!(
        pages::survey(&frame, &form())
            .unwrap()
            .html
            .contains("<h1><bdi>Did we make you smile?</bdi></h1>")
    );
}

#[test]
fn another_language_is_the_same_page() {
    let frame = Frame { languages: &language::ALL, ..frame(language::find("en").unwrap()) };
    let kept = |page: Page, kept: &str| {
        assert!(page.html.contains(&format!("href=\"?lang=de{kept}\"")), "{kept}: {}", page.html)
    };
    kept(pages::survey(&frame, &form()).unwrap(), "&#38;stars=4");
    kept(pages::survey(&frame, &SurveyForm { stars: Some(6), ..form() }).unwrap(), "");
    kept(pages::thanks(&frame, 2, None, None).unwrap(), "&#38;thanks=2");
    kept(pages::unsubscribed(&frame, "/u/TOKEN", OptOut::Brand).unwrap(), "&#38;done=brand");
    kept(pages::resubscribed(&frame).unwrap(), "&#38;undone=1");
}
