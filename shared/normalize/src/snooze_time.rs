//! The time until which a Gorgias ticket is snoozed.
//!
//! In: the text of `snooze_datetime`. Out: a time. How Gorgias renders it is unconfirmed
//! (docs/facts.md, Gorgias 1), so that ISO 8601 and both of Python's forms are understood.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// Reads a time. `None` if it cannot be read.
///
/// Understood are ISO 8601 with `T` or a blank, as Python's `str` writes it, and what `repr` makes
/// of a `datetime.datetime`. A time without a zone is in UTC.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_matches(['\'', '"']).trim();
    if let Some(call) =
        text.strip_prefix("datetime.datetime(").or_else(|| text.strip_prefix("datetime("))
    {
        return from_arguments(call.strip_suffix(')')?);
    }
    // Python writes no blank before the zone; other engines do.
    let text = match text.rsplit_once(' ') {
        Some((time, zone))
            if zone.starts_with(['+', '-']) || matches!(zone, "Z" | "z" | "UTC" | "GMT") =>
        {
            format!("{time}{}", if zone.len() == 3 { "Z" } else { zone })
        }
        _ => text.to_owned(),
    };
    text.parse::<Timestamp>().ok().or_else(|| in_zone(text.parse().ok()?, Offset::UTC))
}

/// Reads the arguments of a `datetime.datetime`: year to microsecond, then `fold` and `tzinfo`.
fn from_arguments(arguments: &str) -> Option<Timestamp> {
    let (numbers, zone) = match arguments.split_once("tzinfo=") {
        Some((numbers, zone)) => (numbers, offset(zone.trim())?),
        None => (arguments, Offset::UTC),
    };
    let numbers = numbers
        .split(',')
        .map(str::trim)
        .filter(|number| !number.is_empty() && !number.starts_with("fold="));
    let numbers = numbers.map(|number| number.parse::<i32>().ok()).collect::<Option<Vec<i32>>>()?;
    let small = |index: usize| i8::try_from(numbers.get(index).copied().unwrap_or(0)).ok();
    if !(3..=7).contains(&numbers.len()) {
        return None;
    }
    let date = Date::new(i16::try_from(*numbers.first()?).ok()?, small(1)?, small(2)?).ok()?;
    let microseconds = numbers.get(6).copied().unwrap_or(0);
    let time = Time::new(small(3)?, small(4)?, small(5)?, microseconds.checked_mul(1_000)?).ok()?;
    in_zone(DateTime::from_parts(date, time), zone)
}

/// Reads what `repr` makes of a time zone: UTC as the common libraries write it, or an offset in
/// days and seconds. The names of other zones are not understood.
fn offset(zone: &str) -> Option<Offset> {
    let zone = zone.split(", fold=").next().unwrap_or_default();
    if matches!(
        zone,
        "datetime.timezone.utc"
            | "timezone.utc"
            | "<UTC>"
            | "tzutc()"
            | "zoneinfo.ZoneInfo(key='UTC')"
    ) {
        return Some(Offset::UTC);
    }
    let delta = zone.strip_prefix("datetime.timezone(datetime.timedelta(")?.split(')').next()?;
    let mut seconds = 0_i32;
    for part in delta.split(',') {
        let (unit, number) = part.trim().split_once('=')?;
        let number: i32 = number.parse().ok()?;
        let each = match unit {
            "days" => 86_400,
            "seconds" => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(each)?)?;
    }
    Offset::from_seconds(seconds).ok()
}

fn in_zone(time: DateTime, zone: Offset) -> Option<Timestamp> {
    zone.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in [
            ("2030-01-02T03:04:05+00:00", Some("2030-01-02T03:04:05Z")),
            ("2030-01-02T03:04:05Z", Some("2030-01-02T03:04:05Z")),
            ("2030-01-02T03:04:05", Some("2030-01-02T03:04:05Z")),
            ("2030-01-02T03:04:05.123456+02:00", Some("2030-01-02T01:04:05.123456Z")),
            ("2030-01-02T03:04:05+0200", Some("2030-01-02T01:04:05Z")),
            ("2030-01-02 03:04:05", Some("2030-01-02T03:04:05Z")),
            ("2030-01-02 03:04:05.123456", Some("2030-01-02T03:04:05.123456Z")),
            ("2030-01-02 03:04:05+00:00", Some("2030-01-02T03:04:05Z")),
            ("2030-01-02 03:04:05 +0530", Some("2030-01-01T21:34:05Z")),
            ("2030-01-02 03:04:05 UTC", Some("2030-01-02T03:04:05Z")),
            ("2030-01-02 03:04", Some("2030-01-02T03:04:00Z")),
            ("2030-01-02", Some("2030-01-02T00:00:00Z")),
            ("'2030-01-02T03:04:05'", Some("2030-01-02T03:04:05Z")),
            ("datetime.datetime(2030, 1, 2, 3, 4)", Some("2030-01-02T03:04:00Z")),
            ("datetime.datetime(2030, 1, 2, 3, 4, 5, 123456)", Some("2030-01-02T03:04:05.123456Z")),
            (
                "datetime.datetime(2030, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)",
                Some("2030-01-02T03:04:00Z"),
            ),
            (
                "datetime.datetime(2030, 1, 2, 3, 4, fold=1, tzinfo=<UTC>)",
                Some("2030-01-02T03:04:00Z"),
            ),
            ("datetime.datetime(2030, 1, 2, 3, 4, tzinfo=tzutc())", Some("2030-01-02T03:04:00Z")),
            (
                "datetime.datetime(2030, 1, 2, 3, 4, \
                 tzinfo=datetime.timezone(datetime.timedelta(seconds=7200)))",
                Some("2030-01-02T01:04:00Z"),
            ),
            (
                "datetime.datetime(2030, 1, 2, 3, 4, \
                 tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=68400)))",
                Some("2030-01-02T08:04:00Z"),
            ),
            (
                "datetime.datetime(2030, 1, 2, 3, 4, \
                 tzinfo=<DstTzInfo 'Europe/Paris' CET+1:00:00 STD>)",
                None,
            ),
            ("datetime.datetime(2030, 13, 2)", None),
            ("datetime.datetime(2030)", None),
            ("datetime.datetime(", None),
            ("tomorrow", None),
            ("true", None),
            ("1893553445", None),
            ("2030-13-02", None),
        ] {
            let expected: Option<Timestamp> = expected.map(|time| time.parse().expect(time));
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
