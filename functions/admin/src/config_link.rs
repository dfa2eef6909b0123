//! Where an item of the config table is edited.

/// The path of the field of an attribute; `None` if no page edits such an item.
pub(crate) fn field(kind: &str, id: &str, attribute: &str) -> Option<String> {
    let id_of = encoded(id);
    let path = match (kind, attribute) {
        ("company", _) => format!("/admin/settings#{attribute}"),
        ("integration" | "alert", _) => {
            format!("/admin/settings?item={kind}%2F{id_of}#{attribute}")
        }
        ("channel", "mode") => format!("/admin/channels?flip={id_of}"),
        ("channel", _) => format!("/admin/channels?edit={id_of}#{attribute}"),
        ("brand", _) => format!("/admin/brands?edit={id_of}#{attribute}"),
        ("language", _) => "/admin/languages".to_owned(),
        ("employee", _) => format!("/admin/people?edit={id_of}#{attribute}"),
        ("key", _) => "/admin/keys".to_owned(),
        _ => return None,
    };
    Some(path)
}

/// A text as a part of a query.
pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
