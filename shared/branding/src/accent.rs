//! The brand's colour, made readable.

use std::fmt;

use policy::Colour;

/// Background of text in a light mail or page.
const WHITE: Rgb = Rgb(255, 255, 255);
/// Background of text in a dark mail or page; the templates use the same.
const NIGHT: Rgb = Rgb(0x1f, 0x1f, 0x1f);
/// WCAG 2.2, success criterion 1.4.3, for text of normal size.
const ENOUGH: f64 = 4.5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rgb(u8, u8, u8);

impl From<Colour> for Rgb {
    fn from(Colour(red, green, blue): Colour) -> Self {
        Self(red, green, blue)
    }
}

impl Rgb {
    fn parse(text: &str) -> Option<Self> {
        Colour::parse(text).map(Self::from)
    }

    /// WCAG 2.2, relative luminance.
    fn luminance(self) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// `percent` of the way to `other`.
    fn towards(self, other: Self, percent: u16) -> Self {
        let mix = |a: u8, b: u8| {
            u8::try_from((u16::from(a) * (100 - percent) + u16::from(b) * percent) / 100)
                .unwrap_or(b)
        };
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// The first mixture with `end`, from this colour on, that can be read on `background`.
    fn readable(self, background: Self, end: Self) -> Self {
        (0..=100)
            .map(|percent| self.towards(end, percent))
            .find(|c| c.contrast(background) >= ENOUGH)
            .unwrap_or(end)
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// A readable colour for stars, links and buttons, made from the one that the brand chose.
///
/// A colour with a contrast below 4.5:1 (WCAG 1.4.3) is corrected, not refused. It is mixed with
/// black until it can be read on white, and with white until it can be read on the dark background
/// `#1f1f1f`. The hue stays. [`corrected`](Self::corrected) says whether this happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent {
    light: Rgb,
    dark: Rgb,
    corrected: bool,
}

impl Accent {
    /// Reads `#rrggbb` and `#rgb`, with or without `#`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        Colour::parse(text).map(Self::of)
    }

    /// The colour, made dark enough on white, and light enough on the dark background.
    pub fn of(colour: Colour) -> Self {
        let wanted = Rgb::from(colour);
        let light = wanted.readable(WHITE, Rgb(0, 0, 0));
        Self { light, dark: wanted.readable(NIGHT, WHITE), corrected: light != wanted }
    }

    /// On white, and behind white text: `#rrggbb`.
    pub fn light(&self) -> String {
        self.light.to_string()
    }

    /// On `#1f1f1f`, and behind text of that colour: `#rrggbb`.
    pub fn dark(&self) -> String {
        self.dark.to_string()
    }

    /// Whether the light colour differs from the one that the brand chose. (The dark one often
    /// does, as it should.)
    pub fn corrected(&self) -> bool {
        self.corrected
    }
}

/// Amber: what people expect of a star, and 5:1 on white.
impl Default for Accent {
    fn default() -> Self {
        let amber = Rgb(0xb4, 0x53, 0x09);
        Self { light: amber, dark: amber.readable(NIGHT, WHITE), corrected: false }
    }
}

/// The contrast of two `#rrggbb` colours by WCAG 2.2, from 1 to 21; `None` if either text is not a
/// colour. For tests of rendered mails and pages.
pub fn contrast(one: &str, other: &str) -> Option<f64> {
    Some(Rgb::parse(one)?.contrast(Rgb::parse(other)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_readable_colour_stays_and_another_is_corrected() {
        let blue = Accent::parse("#2563eb").unwrap();
        assert_eq!((blue.light().as_str(), blue.corrected()), ("#2563eb", false));
        let gold = Accent::parse("FFB400").unwrap();
        assert_eq!(
            (gold.light().as_str(), gold.dark().as_str(), gold.corrected()),
            ("#9b6d00", "#ffb400", true)
        );
        assert_eq!(Accent::parse("#fff").unwrap().light(), "#757575");
        assert_eq!(Accent::parse("#1af").unwrap().dark(), "#11aaff");
        assert_eq!(Accent::default().light(), "#b45309");
    }

    #[test]
    fn a_text_that_is_not_a_colour_gives_none() {
        for text in ["", "#", "red", "#12345", "#1234567", "#+12345", "url(x)", "#12 456", "#ééé"]
        {
            assert!(Accent::parse(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_colour_can_be_read(r: u8, g: u8, b: u8) {
            let accent = Accent::parse(&Rgb(r, g, b).to_string()).unwrap();
            prop_assert!(contrast(&accent.light(), "#ffffff").unwrap() >= 4.5);
            prop_assert!(contrast(&accent.dark(), "#1f1f1f").unwrap() >= 4.5);
        }

        #[test]
        fn no_text_is_a_panic(text: String) {
            let _ = Accent::parse(&text);
        }
    }
}
