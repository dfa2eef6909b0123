//! The names of attributes that each kind of config item can have, and which one a misspelled name
//! means.

/// The longest unknown name that a log shows whole, in characters. No known name is nearly as long.
const LONGEST: usize = 64;

/// The names that an item of this kind can have, or a map attribute of this name. Nothing for a
/// kind that no admin writes.
///
/// Names of settings that this version does not read yet stand here too, so that nobody is told
/// that they do not exist.
pub(crate) fn known(kind: &str) -> &'static [&'static str] {
    match kind {
        "company" => &[
            "name",
            "test_email",
            "from",
            "reply_to",
            "suppression_days",
            "default_brand",
            "default_language",
            "internal_domains",
            "do_not_send_tag",
            "do_not_send_topic",
            "dedupe_minutes",
            "survey_days",
            "retention_days",
            "send_rate",
            "send_attempts",
            "bounce_days",
            "logo_url",
            "color",
            "footer",
            "question",
            "thank_you_url",
            "alert_stars",
            "alert_to",
            "alert_per_hour",
            "answers_days",
        ],
        "dedupe_minutes" => &["requests", "zendesk", "freshdesk", "gladly", "gorgias"],
        "channel" => &["mode", "enabled", "delay_minutes", "aliases"],
        "employee" => &["name", "status", "custom_id", "picture_url", "send_box"],
        "employee_id" => &["email"],
        "brand" => &[
            "name",
            "active",
            "from",
            "reply_to",
            "logo_url",
            "color",
            "footer",
            "question",
            "thank_you_url",
        ],
        "language" => &["active"],
        "key" => &["mode", "scopes", "label", "prefix", "revoked", "mails_per_hour", "sources"],
        "integration" => &[
            "base_url",
            "agent_email",
            "signature_required",
            "closed_statuses",
            "write_back",
            "user",
            "rating_field",
        ],
        "webhook" => {
            &["url", "events", "stars_at_most", "payload", "secret", "secret_before", "active"]
        }
        "alert" => &["percent", "at_least", "to"],
        _ => &[],
    }
}

/// Which of `names` was probably meant by `written`: the nearest, if it is a slip of the pen away.
/// Case, blanks around it, and `-` or a blank for `_` are no distance; besides, names of up to five
/// letters may differ by one letter (or two swapped), longer ones by two.
pub(crate) fn meant(
    written: &str,
    names: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    let written = written.trim();
    if written.len() > LONGEST {
        return None;
    }
    let written = written.to_lowercase().replace(['-', ' '], "_");
    let slips = names.map(|name| (strsim::osa_distance(&written, name), name));
    slips
        .filter(|(distance, name)| *distance <= if name.len() <= 5 { 1 } else { 2 })
        .min()
        .map(|(_, name)| name)
}

/// A name of an attribute as a log shows it.
pub(crate) fn shown(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        name.to_owned()
    } else {
        name.chars().take(LONGEST - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_means_the_nearest_name() {
        let of = |kind: &str, written: &str| meant(written, known(kind).iter().copied());
        for (kind, written, name) in [
            ("channel", "enabld", Some("enabled")),
            ("channel", "enabled ", Some("enabled")),
            ("channel", "Mode", Some("mode")),
            ("channel", "mdoe", Some("mode")),
            ("channel", "modes", Some("mode")),
            ("channel", "alias", Some("aliases")),
            ("channel", "Delay Minutes", Some("delay_minutes")),
            ("channel", "delay-minutes", Some("delay_minutes")),
            ("channel", "delayMinutes", Some("delay_minutes")),
            ("channel", "delay", None),
            ("channel", "note", None),
            ("company", "form", Some("from")),
            ("company", "reply-to", Some("reply_to")),
            ("company", "colour", Some("color")),
            ("company", "suppresion_days", Some("suppression_days")),
            ("company", "suppression", None),
            ("key", "revokd", Some("revoked")),
            ("key", "created_by", None),
            ("integration", "signature_requird", Some("signature_required")),
            ("tally", "mode", None),
        ] {
            assert_eq!(of(kind, written), name, "{kind} {written:?}");
        }
        assert_eq!(of("channel", &format!("mode{}", "e".repeat(100_000))), None);
    }

    #[test]
    fn known_names_are_no_slips_of_each_other_that_would_be_noticed_twice() {
        for kind in [
            "company",
            "dedupe_minutes",
            "channel",
            "employee",
            "brand",
            "key",
            "integration",
            "webhook",
            "alert",
        ] {
            let names = known(kind);
            for name in names {
                assert_eq!(meant(name, names.iter().copied()), Some(*name), "{kind}");
                assert_eq!(names.iter().filter(|n| *n == name).count(), 1, "{kind} {name}");
            }
        }
    }
}
