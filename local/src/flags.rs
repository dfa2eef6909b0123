//! The flags of `cargo run`.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::{Error, Result};

/// What `--help` prints.
pub const HELP: &str = "\
Runs Afterword on this machine: API, DynamoDB, SES with a mailbox, and the samples of events/.

  --port N            API (3000)
  --dynamodb-port N   DynamoDB endpoint (8000)
  --mail-port N       SES endpoint and mailbox (8025)
  --bind ADDRESS      address to listen on (127.0.0.1); anything else shows names and addresses to the network
  --data-dir DIR      keep the tables in DIR; without it they are in memory
  --no-samples        do not play the samples
  --help              print this
";

/// The flags as given, with the defaults of [`HELP`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    /// Port of the API; 0 takes any free one.
    pub port: u16,
    /// Port of the DynamoDB endpoint; 0 takes any free one.
    pub dynamodb_port: u16,
    /// Port of the SES endpoint and the mailbox; 0 takes any free one.
    pub mail_port: u16,
    /// Address that all three listen on.
    pub bind: IpAddr,
    /// Where the tables are kept; in memory if absent.
    pub data_dir: Option<PathBuf>,
    /// Whether the samples are played.
    pub samples: bool,
    /// Whether only [`HELP`] is wanted.
    pub help: bool,
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            port: 3000,
            dynamodb_port: 8000,
            mail_port: 8025,
            bind: Ipv4Addr::LOCALHOST.into(),
            data_dir: None,
            samples: true,
            help: false,
        }
    }
}

impl Flags {
    /// Reads the arguments after the program's name: `--flag value` or `--flag=value`.
    ///
    /// # Errors
    /// [`Error::Flag`] names the flag that is unknown, lacks its value or has a wrong one.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self> {
        let mut flags = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let argument = text(argument)?;
            let (flag, inline) = match argument.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let mut value = || match inline.clone() {
                Some(value) => Ok(value),
                None => arguments
                    .next()
                    .map_or_else(|| Err(Error::Flag(format!("{flag} needs a value"))), text),
            };
            match flag {
                "--port" => flags.port = number(flag, &value()?)?,
                "--dynamodb-port" => flags.dynamodb_port = number(flag, &value()?)?,
                "--mail-port" => flags.mail_port = number(flag, &value()?)?,
                "--bind" => {
                    let address = value()?;
                    flags.bind = address.parse().map_err(|_| {
                        Error::Flag(format!("--bind: {address} is not an IP address"))
                    })?;
                }
                "--data-dir" => flags.data_dir = Some(value()?.into()),
                "--no-samples" if inline.is_none() => flags.samples = false,
                "--help" | "-h" if inline.is_none() => flags.help = true,
                _ => return Err(Error::Flag(format!("unknown flag {argument}"))),
            }
        }
        Ok(flags)
    }
}

fn text(argument: OsString) -> Result<String> {
    argument
        .into_string()
        .map_err(|argument| Error::Flag(format!("{} is not UTF-8", argument.to_string_lossy())))
}

fn number(flag: &str, value: &str) -> Result<u16> {
    value.parse().map_err(|_| Error::Flag(format!("{flag}: {value} is not a port (0 to 65535)")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Flags> {
        Flags::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn no_flags_are_the_ports_of_the_documentation() {
        let flags = parse(&[]).unwrap();
        assert_eq!(
            (flags.port, flags.dynamodb_port, flags.mail_port, flags.samples),
            (3000, 8000, 8025, true)
        );
        assert!(flags.bind.is_loopback());
    }

    #[test]
    fn both_spellings_of_a_value() {
        let flags = parse(&[
            "--port",
            "1",
            "--mail-port=2",
            "--bind=::1",
            "--data-dir",
            "d",
            "--no-samples",
        ])
        .unwrap();
        assert_eq!((flags.port, flags.mail_port, flags.data_dir), (1, 2, Some("d".into())));
        assert!(!flags.samples && flags.bind.is_ipv6());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (arguments, problem) in [
            (&["--prot", "1"][..], "unknown flag --prot"),
            (&["--port"], "--port needs a value"),
            (&["--port", "70000"], "--port: 70000 is not a port"),
            (&["--bind", "localhost"], "--bind: localhost is not an IP address"),
            (&["--no-samples=yes"], "unknown flag --no-samples=yes"),
        ] {
            assert!(
                parse(arguments).unwrap_err().to_string().starts_with(problem),
                "{arguments:?}"
            );
        }
    }
}
