//! The rendered notice: with hostile input in each text, and without what belongs to a survey.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

#[expect(dead_code, reason = "each test file uses its own part of it")]
mod support;

use mail::{Block, NoticeLink, RenderError, render_notice};
use support::{sample_blocks, sample_notice};

/// A value that would break out of each place, if it were not made safe.
const HOSTILE: &str = "\"><script>alert('x')</script>&{{name}}\r\nBcc: eve\u{202e}\0";

#[test]
fn hostile_texts_stay_text() {
    let mail = render_notice(&sample_notice(HOSTILE, &sample_blocks(HOSTILE))).unwrap();
    assert!(!mail.html.contains("<script") && !mail.html.contains('\u{202e}'), "{}", mail.html);
    assert!(!mail.subject.contains(['\r', '\n', '\0']), "{:?}", mail.subject);
    assert!(!mail.text.lines().any(|line| line.starts_with("Bcc:")), "{}", mail.text);
    assert!(mail.text.contains("<script>") && !mail.text.contains("&#60;"), "{}", mail.text);
    let long = "W".repeat(100_000);
    let mail = render_notice(&sample_notice(&long, &sample_blocks(&long))).unwrap();
    assert_eq!(mail.subject.chars().count(), 150);
    assert!(mail.html.len() < 30_000, "{}", mail.html.len());
}

#[test]
fn a_notice_is_no_survey() {
    let mail = render_notice(&sample_notice("Subject", &sample_blocks("Text"))).unwrap();
    let names: Vec<&str> = mail.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Auto-Submitted", "X-Auto-Response-Suppress"]);
    let tag = |name: &str| mail.tags.iter().find(|(tag, _)| tag == name).map(|(_, v)| v.as_str());
    assert_eq!((tag("mode"), tag("notice")), (Some("notice"), Some("errors")));
    assert_eq!(mail.reply_to, None);
}

#[test]
fn a_link_that_is_none_is_refused() {
    for url in ["javascript:alert(1)", "/admin", "", "https://a.example/\r\nBcc: x"] {
        let link = Block::Link(NoticeLink { text: "Look".to_owned(), url: url.to_owned() });
        let error = render_notice(&sample_notice("Subject", &[link])).unwrap_err();
        assert!(matches!(error, RenderError::Url(_)), "{url}: {error}");
    }
    let mut nobody = sample_notice("Subject", &[]);
    nobody.to = "ops@acme.example\r\nBcc: x";
    assert!(matches!(render_notice(&nobody), Err(RenderError::Address(_))));
}
