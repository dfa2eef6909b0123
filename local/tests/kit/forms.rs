//! A form as a browser fills it in and posts it.

use super::admin::unescaped;
use super::{Reply, World};

/// The fields of a form on a page, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Filled {
    fields: Vec<(String, String)>,
}

impl Filled {
    /// The form of the page that has this text in it.
    pub(crate) fn on(page: &Reply, marker: &str) -> Self {
        let forms = page.text.split("<form").skip(1).filter_map(|rest| rest.split("</form").next());
        let form = forms.into_iter().find(|form| form.contains(marker));
        let form = form.unwrap_or_else(|| panic!("no form with {marker}: {}", page.text));
        let mut fields = Vec::new();
        let mut select = None;
        for tag in form.split('<').skip(1) {
            let (tag, text) = tag.split_once('>').unwrap_or((tag, ""));
            let name = attribute(tag, "name");
            let value = attribute(tag, "value").unwrap_or_default();
            match (tag.split_whitespace().next().unwrap_or_default(), name) {
                ("input", Some(name))
                    if !tag.contains("type=\"checkbox\"") || tag.contains(" checked") =>
                {
                    fields.push((name, value));
                }
                ("textarea", Some(name)) => {
                    let text = text.strip_prefix('\n').unwrap_or(text);
                    fields.push((name, unescaped(text).replace('\n', "\r\n")));
                }
                ("select", name) => select = name,
                ("option", _) if tag.contains(" selected") => {
                    fields.push((select.clone().unwrap_or_default(), value));
                }
                _ => {}
            }
        }
        Self { fields }
    }

    /// What a field holds.
    pub(crate) fn value(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map_or_else(|| panic!("no {name} in {:?}", self.fields), |(_, value)| value)
    }

    /// The same with this in a field.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Posts it as Ann.
    pub(crate) async fn submit(&self, world: &World, path: &str) -> Reply {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        world.submit(path, &fields).await
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| unescaped(value))
}
