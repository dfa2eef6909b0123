//! What the function's environment variables say.

use jiff::SignedDuration;
use links::{Links, TokenSecrets};
use normalize::Address;
use policy::Mailbox;

/// The longest time-out that Lambda allows, in seconds.
const LONGEST_TIME_OUT: u32 = 900;
/// The longest name of a configuration set, in characters (SES API reference).
const LONGEST_NAME: usize = 64;

/// The settings that come from the environment.
#[derive(Clone, Debug)]
pub struct Environment {
    /// From `SURVEY_URL` and `TOKEN_SECRETS`.
    pub links: Links,
    /// `SENDER_ADDRESS`: the sender for a company that has set none. Optional.
    pub sender: Option<Address>,
    /// `CONFIGURATION_SET`: publishes SES's events about our mails. Optional.
    pub configuration_set: Option<String>,
    /// `TIME_OUT_SECONDS`: the function's own time-out, 1 to 900 seconds. Default: 60.
    pub time_out: SignedDuration,
}

/// An environment variable is missing, or has a value that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// `TOKEN_SECRETS`; see [`TokenSecrets::parse`].
    #[error(transparent)]
    Secrets(#[from] links::SecretError),
    /// `SUBJECT_SECRET`; see [`store::Store::from_env`].
    #[error(transparent)]
    Subject(#[from] store::MissingSecret),
    /// `SURVEY_URL` is missing.
    #[error("SURVEY_URL must be set")]
    NoSurveyUrl,
    /// `SURVEY_URL`; see [`Links::new`].
    #[error(transparent)]
    SurveyUrl(#[from] links::BaseUrlError),
    /// `SENDER_ADDRESS`.
    #[error("SENDER_ADDRESS is not an e-mail address")]
    Sender,
    /// `CONFIGURATION_SET`.
    #[error("CONFIGURATION_SET may hold only letters, digits, `_` and `-`, at most 64 in all")]
    ConfigurationSet,
    /// `TIME_OUT_SECONDS`.
    #[error("TIME_OUT_SECONDS must be a whole number from 1 to {LONGEST_TIME_OUT}")]
    TimeOut,
}

impl Environment {
    /// Reads the variables; `variable` gives the value of one. A blank value counts as absent,
    /// since `sam local` sets variables that have no value to an empty text.
    ///
    /// # Errors
    /// If a variable without a default is absent, or any value cannot be used.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SetUpError> {
        let given = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let secrets = TokenSecrets::parse(&given("TOKEN_SECRETS").unwrap_or_default())?;
        Ok(Self {
            links: Links::new(&given("SURVEY_URL").ok_or(SetUpError::NoSurveyUrl)?, secrets)?,
            sender: given("SENDER_ADDRESS").as_deref().map(sender).transpose()?,
            configuration_set: given("CONFIGURATION_SET").map(configuration_set).transpose()?,
            time_out: given("TIME_OUT_SECONDS")
                .as_deref()
                .map_or(Ok(SignedDuration::from_secs(60)), time_out)?,
        })
    }
}

fn sender(text: &str) -> Result<Address, SetUpError> {
    Mailbox::parse(text).map(|mailbox| mailbox.address).ok_or(SetUpError::Sender)
}

fn configuration_set(name: String) -> Result<String, SetUpError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let usable = name.len() <= LONGEST_NAME && name.bytes().all(allowed);
    usable.then_some(name).ok_or(SetUpError::ConfigurationSet)
}

fn time_out(text: &str) -> Result<SignedDuration, SetUpError> {
    let seconds = text.trim().parse::<u32>().ok();
    let seconds = seconds.filter(|seconds| (1..=LONGEST_TIME_OUT).contains(seconds));
    seconds.map(|seconds| SignedDuration::from_secs(seconds.into())).ok_or(SetUpError::TimeOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: (&str, &str) = ("TOKEN_SECRETS", "v1:0123456789abcdef");
    const URL: (&str, &str) = ("SURVEY_URL", "https://survey.example");

    fn read(variables: &[(&str, &str)]) -> Result<Environment, String> {
        let value = |name: &str| {
            let found = variables.iter().rfind(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Environment::read(value).map_err(|error| error.to_string())
    }

    #[test]
    fn optional_variables_have_defaults_and_a_blank_one_counts_as_absent() {
        for extra in [&[][..], &[("TIME_OUT_SECONDS", " "), ("SENDER_ADDRESS", "")]] {
            let environment = read(&[&[SECRETS, URL], extra].concat()).unwrap();
            assert_eq!(environment.time_out, SignedDuration::from_secs(60));
            assert!(environment.sender.is_none() && environment.configuration_set.is_none());
        }
        let environment = read(&[
            SECRETS,
            URL,
            ("TIME_OUT_SECONDS", " 120 "),
            ("SENDER_ADDRESS", "Acme <survey@acme.example>"),
            ("CONFIGURATION_SET", "afterword-Set_1"),
        ])
        .unwrap();
        assert_eq!(environment.time_out, SignedDuration::from_secs(120));
        assert_eq!(environment.sender.unwrap().as_mailbox(), "survey@acme.example");
        assert_eq!(environment.configuration_set.as_deref(), Some("afterword-Set_1"));
    }

    #[test]
    fn a_mistyped_variable_is_an_error_that_names_it() {
        for (name, value) in [
            ("TOKEN_SECRETS", "0123456789abcdef"),
            ("TOKEN_SECRETS", ""),
            ("SURVEY_URL", ""),
            ("SURVEY_URL", "survey.example"),
            ("SENDER_ADDRESS", "survey"),
            ("CONFIGURATION_SET", "after word"),
            ("CONFIGURATION_SET", &"a".repeat(65)),
            ("TIME_OUT_SECONDS", "2m"),
            ("TIME_OUT_SECONDS", "0"),
            ("TIME_OUT_SECONDS", "901"),
            ("TIME_OUT_SECONDS", "-1"),
            ("TIME_OUT_SECONDS", "60.5"),
        ] {
            let error = read(&[SECRETS, URL, (name, value)]).err();
            assert!(error.as_ref().is_some_and(|e| e.starts_with(name)), "{name}: {error:?}");
        }
    }
}
