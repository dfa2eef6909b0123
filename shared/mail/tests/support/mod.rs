//! A mail to start from.

use std::sync::LazyLock;

use branding::{Accent, Agent, Branding};
use mail::{Block, NoticeLink, NoticeMail, Point, Sender, SurveyMail};
use normalize::Address;

static SURVEYS: LazyLock<Address> =
    LazyLock::new(|| Address::parse("surveys@acme.example").unwrap());
static SUPPORT: LazyLock<Address> =
    LazyLock::new(|| Address::parse("support@acme.example").unwrap());

/// A mail with every value set, and none unusual.
pub(crate) fn sample_mail(tag: &str) -> SurveyMail<'static> {
    SurveyMail {
        to: "jane@customer.example",
        from: Sender { name: "Acme Kids", address: &SURVEYS },
        reply_to: Some(Sender { name: "", address: &SUPPORT }),
        texts: language::find(tag).unwrap(),
        customer_name: Some("Jane Doe"),
        agent: Some(Agent {
            name: "Sam Taylor",
            picture_url: Some("https://cdn.acme.example/sam.png"),
        }),
        branding: Branding {
            id: "acme-kids",
            name: "Acme Kids",
            logo_url: None,
            accent: Accent::default(),
            footer: Some("Acme Kids Ltd\n1 Long Lane, London"),
            question: None,
            thank_you_url: None,
        },
        survey_url: "https://survey.acme.example/s/AQFkZW1vLXRva2VuLWZvci1hLXN1cnZleQ",
        unsubscribe_url: "https://survey.acme.example/u/AQJkZW1vLXRva2VuLXRvLXVuc3Vic2NyaWJl",
        request_id: "01987a3e-5c1b-7d52-9f3a-2b6e8c0d4f11",
        test: false,
    }
}

/// A notice with every kind of block, each with this text.
pub(crate) fn sample_blocks(text: &str) -> Vec<Block> {
    let link = || NoticeLink {
        text: text.to_owned(),
        url: "https://survey.acme.example/admin/channels?a=b&c=d".to_owned(),
    };
    let points = vec![
        Point { text: text.to_owned(), links: vec![link(), link()] },
        Point { text: text.to_owned(), links: Vec::new() },
    ];
    vec![Block::Paragraph(text.to_owned()), Block::Points(points), Block::Link(link())]
}

/// A notice to start from.
pub(crate) fn sample_notice<'a>(subject: &'a str, blocks: &'a [Block]) -> NoticeMail<'a> {
    NoticeMail {
        to: "ops@acme.example",
        from: Sender { name: "Acme", address: &SURVEYS },
        subject,
        blocks,
        why: "Because you are on call.",
        accent: Accent::default(),
        request_id: "01987a3e-5c1b-7d52-9f3a-2b6e8c0d4f11",
        kind: "errors",
    }
}
