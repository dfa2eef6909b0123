//! The flags of `cargo run`.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use lexopt::{Arg, Parser};

use crate::{Error, Result};

/// What `--help` prints.
pub const HELP: &str = "\
Runs Afterword on this machine: the API, DynamoDB, SES with a mailbox, a fake of Gladly, and a
sample company. Then it posts the sample requests in events/ and says how each of them ended.

  --port N            port of the API (3000)
  --dynamodb-port N   port of DynamoDB (8000)
  --mail-port N       port of SES and the mailbox (8025)
  --bind ADDRESS      IP address to listen on (127.0.0.1). Whoever can reach another address can
                      read names and e-mail addresses there.
  --data-dir DIR      keep the tables in DIR; without this flag they are in memory
  --no-samples        no history and no sample requests; the sample company is there all the same
  --help              print this text
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
    /// Folder of the tables; `None` keeps them in memory.
    pub data_dir: Option<PathBuf>,
    /// Whether to post the sample requests.
    pub samples: bool,
    /// Whether to print [`HELP`] and end.
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
    /// [`Error::Flag`] names the flag that is unknown, has no value or has an invalid one.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self> {
        let mut flags = Self::default();
        let mut parser = Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(unusable)? {
            match argument {
                Arg::Long("port") => flags.port = port(&mut parser, "--port")?,
                Arg::Long("dynamodb-port") => {
                    flags.dynamodb_port = port(&mut parser, "--dynamodb-port")?;
                }
                Arg::Long("mail-port") => flags.mail_port = port(&mut parser, "--mail-port")?,
                Arg::Long("bind") => {
                    let address = text(&mut parser, "--bind")?;
                    flags.bind = address.parse().map_err(|_| {
                        Error::Flag(format!("--bind: {address} is not an IP address"))
                    })?;
                }
                Arg::Long("data-dir") => {
                    flags.data_dir = Some(value(&mut parser, "--data-dir")?.into());
                }
                Arg::Long("no-samples") => {
                    no_value(&mut parser, "--no-samples")?;
                    flags.samples = false;
                }
                Arg::Long("help") | Arg::Short('h') => {
                    no_value(&mut parser, "--help")?;
                    flags.help = true;
                }
                Arg::Long(name) => return Err(Error::Flag(format!("unknown flag --{name}"))),
                Arg::Short(name) => return Err(Error::Flag(format!("unknown flag -{name}"))),
                Arg::Value(value) => {
                    return Err(Error::Flag(format!("unknown flag {}", value.display())));
                }
            }
        }
        Ok(flags)
    }
}

fn value(parser: &mut Parser, flag: &str) -> Result<OsString> {
    parser.value().map_err(|_| Error::Flag(format!("{flag} needs a value")))
}

fn no_value(parser: &mut Parser, flag: &str) -> Result<()> {
    match parser.optional_value() {
        Some(value) => Err(Error::Flag(format!("unknown flag {flag}={}", value.display()))),
        None => Ok(()),
    }
}

fn text(parser: &mut Parser, flag: &str) -> Result<String> {
    value(parser, flag)?
        .into_string()
        .map_err(|value| Error::Flag(format!("{flag}: {} is not UTF-8", value.display())))
}

fn port(parser: &mut Parser, flag: &str) -> Result<u16> {
    let value = text(parser, flag)?;
    value.parse().map_err(|_| Error::Flag(format!("{flag}: {value} is not a port (0 to 65535)")))
}

fn unusable(problem: lexopt::Error) -> Error {
    Error::Flag(problem.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Flags> {
        Flags::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn without_flags_the_ports_are_those_of_the_documentation() {
        let flags = parse(&[]).unwrap();
        assert_eq!(
            (flags.port, flags.dynamodb_port, flags.mail_port, flags.samples),
            (3000, 8000, 8025, true)
        );
        assert!(flags.bind.is_loopback());
    }

    #[test]
    fn a_value_follows_a_blank_or_an_equals_sign() {
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
    fn an_error_names_the_flag_and_what_is_wrong() {
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
