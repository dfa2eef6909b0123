//! The page of an editor.

use askama::Template;

use super::{Editor, Field};
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;

/// A form with one item, and what stands around it.
#[derive(Template)]
#[template(path = "edit.html")]
pub(crate) struct EditPage {
    pub(crate) frame: Frame,
    /// Sentences above the form.
    pub(crate) intro: Vec<String>,
    /// Where the form is posted to.
    pub(crate) path: &'static str,
    /// Hidden fields: what the form is about.
    pub(crate) hidden: Vec<(&'static str, String)>,
    /// The field of a new item's id.
    pub(crate) new_id: Option<NewId>,
    pub(crate) groups: Vec<Group>,
    pub(crate) editor: Editor,
    /// What was posted was refused, so that the messages are news.
    pub(crate) refused: bool,
    pub(crate) button: &'static str,
    /// Links below the form: path and text.
    pub(crate) links: Vec<(String, String)>,
}

/// The field of a new item's id.
pub(crate) struct NewId {
    pub(crate) label: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) value: String,
}

/// Fields that belong together.
pub(crate) struct Group {
    /// Empty if there is one group only.
    pub(crate) title: &'static str,
    pub(crate) fields: Vec<Field>,
}

impl EditPage {
    /// The editor's form with all fields in one group.
    pub(crate) fn new(frame: Frame, path: &'static str, mut editor: Editor) -> Self {
        let fields = std::mem::take(&mut editor.fields);
        Self {
            frame,
            intro: Vec::new(),
            path,
            hidden: Vec::new(),
            new_id: None,
            groups: vec![Group { title: "", fields }],
            editor,
            refused: false,
            button: "Save",
            links: Vec::new(),
        }
    }

    /// Puts the fields into groups; those that are in none come last.
    pub(crate) fn grouped(mut self, groups: &[(&'static str, &[&str])]) -> Self {
        let mut fields: Vec<Field> = self.groups.into_iter().flat_map(|g| g.fields).collect();
        self.groups = Vec::new();
        for (title, names) in groups {
            let (of_group, others) = fields.into_iter().partition(|f| names.contains(&f.name));
            self.groups.push(Group { title, fields: of_group });
            fields = others;
        }
        self.groups.push(Group { title: "More", fields });
        self.groups.retain(|group| !group.fields.is_empty());
        self
    }

    /// What is wrong with the id of a new item.
    fn id_error(&self) -> Option<&str> {
        let error = self.editor.errors.iter().find(|error| error.field == "id");
        error.map(|error| error.message.as_str())
    }

    /// What the id's field is called in the list of messages.
    fn field_label(&self, error: &super::FieldError) -> String {
        match (&self.new_id, error.field.as_str()) {
            (Some(id), "id") => id.label.to_owned(),
            _ => error.label(),
        }
    }

    /// The page with this status.
    pub(crate) fn reply(mut self, status: u16) -> Result<Reply, AdminError> {
        self.refused = status == 422;
        Ok(Reply::html(status, self.render()?))
    }
}

/// Asks before an item is deleted.
#[derive(Template)]
#[template(path = "remove.html")]
pub(crate) struct RemovalPage {
    pub(crate) frame: Frame,
    /// Where the form is posted to, and where "Cancel" leads.
    pub(crate) path: &'static str,
    pub(crate) id: String,
    pub(crate) version: String,
    /// What will happen.
    pub(crate) sentences: Vec<String>,
    /// Somebody else has changed the item since the page was shown.
    pub(crate) conflict: bool,
}

impl RemovalPage {
    pub(crate) fn reply(self) -> Result<Reply, AdminError> {
        Ok(Reply::html(if self.conflict { 409 } else { 200 }, self.render()?))
    }
}
