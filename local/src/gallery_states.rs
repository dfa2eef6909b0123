//! What the gallery shows: themes, and the states of mails and pages.

use branding::{Accent, Agent, Branding};
use jiff::SignedDuration;
use jiff::civil::date;
use language::Texts;
use mail::{RenderError, RenderedMail, Sender, SurveyMail};
use policy::Mailbox;
use survey::pages::{self, Frame, Mistake, OptOut, Page, SurveyForm, Topic};

use crate::functions::FunctionError;

/// A brand's settings that change how mails and pages look.
pub(crate) struct Theme {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    brand: &'static str,
    colour: &'static str,
    footer: &'static str,
    logo: bool,
    question: Option<&'static str>,
    thank_you_url: Option<&'static str>,
}

/// The sample brand; the sample company, for requests without a brand; and a brand with settings
/// that are hard to design for.
pub(crate) const THEMES: [Theme; 3] = [
    Theme {
        name: "blancakids",
        title: "Blanca Kids, a brand",
        brand: "Blanca Kids",
        colour: "#B45309",
        footer: "Blanca Kids, 1 Main Street",
        logo: false,
        question: None,
        thank_you_url: Some("https://blancakids.example/"),
    },
    Theme {
        name: "company",
        title: "Blanca Peak, the company without a brand",
        brand: "Blanca Peak",
        colour: "#1F6F54",
        footer: "Blanca Peak, 1 Main Street",
        logo: false,
        question: None,
        thank_you_url: None,
    },
    Theme {
        name: "sunny",
        title: "Sunny: a colour without contrast, a logo, a question of its own",
        brand: "Sunny Side Up & Daughters Breakfast Company",
        colour: "#ffd400",
        footer: "Sunny Side Up & Daughters Breakfast Company\n\
                 12345 Long and Winding Road, Third Floor\nshop.sunny.example",
        logo: true,
        question: Some("Did Sunny make your morning?"),
        thank_you_url: None,
    },
];

/// Changes the plain mail into one of the states.
pub(crate) type Adapt = for<'a> fn(SurveyMail<'a>) -> SurveyMail<'a>;
/// Renders one of the states of a page.
pub(crate) type Write = fn(&Frame<'_>, SurveyForm<'_>) -> askama::Result<Page>;

/// The mails: name, title, difference from the plain mail.
pub(crate) const MAILS: [(&str, &str, Adapt); 4] = [
    ("mail", "Mail", |survey_mail| survey_mail),
    ("mail-no-picture", "Mail: the agent has no picture", |survey_mail| SurveyMail {
        agent: survey_mail.agent.map(|agent| Agent { picture_url: None, ..agent }),
        ..survey_mail
    }),
    ("mail-nobody", "Mail: neither agent nor customer has a name", |survey_mail| SurveyMail {
        agent: None,
        customer_name: None,
        ..survey_mail
    }),
    ("mail-test", "Mail of a test key", |survey_mail| SurveyMail { test: true, ..survey_mail }),
];

/// The pages: name, title, rendering.
pub(crate) const PAGES: [(&str, &str, Write); 17] = [
    ("survey", "Survey", |frame, form| pages::survey(frame, &form)),
    ("survey-chosen", "Survey: four stars clicked in the mail", |frame, form| {
        pages::survey(frame, &SurveyForm { stars: Some(4), ..form })
    }),
    ("survey-low", "Survey: one star clicked in the mail", |frame, form| {
        pages::survey(frame, &SurveyForm { stars: Some(1), ..form })
    }),
    ("survey-mistakes", "Survey: mistakes", |frame, form| {
        pages::survey(
            frame,
            &SurveyForm {
                mistakes: &[Mistake::NoStars, Mistake::CommentTooLong],
                comment: "…",
                ..form
            },
        )
    }),
    ("survey-unsubscribed", "Survey: the customer has unsubscribed", |frame, form| {
        pages::survey(frame, &SurveyForm { unsubscribed: true, ..form })
    }),
    ("survey-test", "Survey of a test key, no agent", |frame, form| {
        pages::survey(&Frame { test: true, ..frame.clone() }, &SurveyForm { agent: None, ..form })
    }),
    ("thanks", "Thank you", |frame, form| {
        let form = SurveyForm {
            stars: Some(4),
            comment: "👍 <3",
            topics: &[Topic::Speed, Topic::Clarity],
            ..form
        };
        pages::thanks(frame, 4, Some(date(2026, 3, 7)), Some(&form))
    }),
    ("thanks-final", "Thank you: can no longer be changed", |frame, _| {
        pages::thanks(frame, 2, None, None)
    }),
    ("closed", "The survey has closed", |frame, _| pages::closed(frame)),
    ("unknown", "No such survey", |frame, _| pages::unknown(frame.texts)),
    ("trouble", "Our own trouble", |frame, _| pages::trouble(frame.texts)),
    ("too-often", "Changed too often", |frame, _| {
        pages::too_often(frame, SignedDuration::from_mins(40))
    }),
    ("unsubscribe", "Unsubscribe: brand or all", |frame, _| {
        pages::unsubscribe(frame, "/u/TOKEN", true)
    }),
    ("unsubscribe-all", "Unsubscribe: no brand", |frame, _| {
        pages::unsubscribe(frame, "/u/TOKEN", false)
    }),
    ("unsubscribed", "Unsubscribed from all", |frame, _| {
        pages::unsubscribed(frame, "/u/TOKEN", OptOut::All)
    }),
    ("unsubscribed-brand", "Unsubscribed from the brand", |frame, _| {
        pages::unsubscribed(frame, "/u/TOKEN", OptOut::Brand)
    }),
    ("resubscribed", "Subscribed again", |frame, _| pages::resubscribed(frame)),
];

impl Theme {
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        THEMES.iter().find(|theme| theme.name == name)
    }

    /// How the accent colour was corrected; `None` if its contrast is high enough.
    pub(crate) fn corrected(&self) -> Option<String> {
        let accent = Accent::parse(self.colour).filter(Accent::corrected)?;
        Some(format!(
            "{} cannot be read on white: corrected to {}, in the dark {}",
            self.colour,
            accent.light(),
            accent.dark()
        ))
    }

    /// # Errors
    /// A theme that no mail can have: a mistake in this file.
    pub(crate) fn mail(
        &self,
        texts: &'static Texts,
        origin: &str,
        adapt: Adapt,
    ) -> Result<RenderedMail, FunctionError> {
        let (logo, picture) = pictures(origin);
        let from =
            Mailbox::parse("survey@blancapeak.example").ok_or(RenderError::Address("from"))?;
        Ok(mail::render(&adapt(SurveyMail {
            to: "jane@customers.example",
            from: Sender { name: self.brand, address: &from.address },
            reply_to: None,
            texts,
            customer_name: Some("Jane Doe"),
            agent: Some(Agent { name: "Paul Peak", picture_url: Some(&picture) }),
            branding: self.branding(&logo),
            survey_url: "https://survey.example/s/TOKEN",
            unsubscribe_url: "https://survey.example/u/TOKEN",
            request_id: "gallery",
            test: false,
        }))?)
    }

    /// # Errors
    /// As [`mail`](Self::mail).
    pub(crate) fn page(
        &self,
        texts: &'static Texts,
        origin: &str,
        write: Write,
    ) -> Result<Page, FunctionError> {
        let (logo, picture) = pictures(origin);
        let frame =
            Frame { texts, branding: self.branding(&logo), test: false, languages: &language::ALL };
        let agent = Some(Agent { name: "Paul Peak", picture_url: Some(&picture) });
        Ok(write(&frame, SurveyForm { action: "/s/TOKEN", agent, ..SurveyForm::default() })?)
    }

    fn branding<'a>(&self, logo: &'a str) -> Branding<'a> {
        Branding {
            id: self.name,
            name: self.brand,
            logo_url: self.logo.then_some(logo),
            accent: Accent::parse(self.colour).unwrap_or_default(),
            footer: Some(self.footer),
            question: self.question,
            thank_you_url: self.thank_you_url,
        }
    }
}

/// URLs of the logo and of the agent's picture.
fn pictures(origin: &str) -> (String, String) {
    (format!("{origin}/gallery/logo.svg"), format!("{origin}/gallery/agent.svg"))
}
