//! One editor for every item of the config table, made of the table's declaration in `policy`.
//!
//! What a form would write is first read as the functions will read it: a form refuses exactly what
//! they cannot understand. Attributes that were not changed stay as they are, however they are
//! spelled; so do those that no version knows. What no input can show is never removed in silence:
//! something is written in its place, or a box is ticked, or nothing is saved.

mod field;
mod page;
mod value;
mod words;

use policy::{AttributeDescription, Company, ConfigFault, Item, Kind, LanguageRow, ValueType};
use serde_json::{Map, Value};
use store::{Change, StoredItem};

pub(crate) use field::Field;
pub(crate) use page::{EditPage, NewId, RemovalPage};
pub(crate) use words::{label, may_say, spoken};

use crate::form::Form;
use value::Shown;

/// Bytes of an item at most; DynamoDB takes 400 KB.
const LARGEST_ITEM: usize = 300_000;

/// A message at a field.
pub(crate) struct FieldError {
    /// The attribute; `id` for the field of a new item's id.
    pub(crate) field: String,
    pub(crate) message: String,
}

impl FieldError {
    pub(crate) fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }

    pub(crate) fn label(&self) -> String {
        label(&self.field)
    }
}

/// The item to edit, and which of its attributes.
pub(crate) struct Target {
    pub(crate) kind: &'static Kind,
    pub(crate) id: String,
    attributes: Vec<AttributeDescription>,
}

impl Target {
    /// The item's attributes without those of the names in `left_out`.
    pub(crate) fn new(kind: &'static Kind, id: &str, left_out: &[&str]) -> Self {
        let mut attributes = kind.attributes_of(id);
        attributes.retain(|attribute| !left_out.contains(&attribute.name));
        Self { kind, id: id.to_owned(), attributes }
    }
}

/// The item as a form would leave it.
pub(crate) struct Candidate<'a> {
    pub(crate) before: &'a Map<String, Value>,
    pub(crate) after: &'a Map<String, Value>,
}

impl Candidate<'_> {
    /// Whether the form changes the attribute.
    pub(crate) fn changes(&self, name: &str) -> bool {
        self.before.get(name) != self.after.get(name)
    }
}

/// What becomes of a posted form.
pub(crate) enum Submitted {
    /// It says what stands there already.
    Unchanged,
    /// It may be written.
    Change(Box<Change>),
    /// It is shown again, with this status: 422 for messages at fields, 409 if somebody else has
    /// changed the item meanwhile.
    Again(u16, Box<Editor>),
}

/// A form that edits one item.
pub(crate) struct Editor {
    /// What the item was when the form was shown; empty: it did not exist.
    pub(crate) version: String,
    pub(crate) fields: Vec<Field>,
    /// Attributes that nothing reads.
    pub(crate) strangers: Vec<Stranger>,
    pub(crate) errors: Vec<FieldError>,
    /// What somebody else has changed meanwhile.
    pub(crate) theirs: Vec<Theirs>,
    /// Whether the form is shown again because somebody else was faster.
    pub(crate) conflict: bool,
}

/// An attribute that nothing reads.
pub(crate) struct Stranger {
    pub(crate) name: String,
    pub(crate) value: String,
    /// The name that is probably meant.
    pub(crate) meant: Option<&'static str>,
    pub(crate) removed: bool,
}

/// A field of which somebody else has made something else meanwhile.
pub(crate) struct Theirs {
    pub(crate) label: String,
    pub(crate) was: String,
    pub(crate) now: String,
    pub(crate) typed: String,
    /// Whether the visitor had changed the field too. If not, the form now has the other's value.
    pub(crate) both: bool,
}

impl Editor {
    /// The form of an item as it stands, with what is wrong with it at the fields.
    pub(crate) fn open(target: &Target, stored: Option<&StoredItem>) -> Self {
        let empty = Map::new();
        let attributes = stored.map_or(&empty, |stored| &stored.attributes);
        let shown = |description: &AttributeDescription| {
            value::shown(description, attributes.get(description.name)).0
        };
        let shown: Vec<Shown> = target.attributes.iter().map(shown).collect();
        let faults = stored.map(|stored| faults_of(target.kind, &stored.attributes));
        let errors = messages(target, &faults.unwrap_or_default(), attributes);
        Self::of(target, stored, &shown, &[], errors)
    }

    fn of(
        target: &Target,
        stored: Option<&StoredItem>,
        shown: &[Shown],
        removed: &[&str],
        errors: Vec<FieldError>,
    ) -> Self {
        let empty = Map::new();
        let attributes = stored.map_or(&empty, |stored| &stored.attributes);
        let field = |(description, shown): (&AttributeDescription, &Shown)| {
            let (was, odd) = value::shown(description, attributes.get(description.name));
            let error = errors.iter().find(|error| error.field == description.name);
            let error = error.map(|error| error.message.clone());
            Field::new(description, shown, &was, odd, error)
        };
        let strangers = attributes.iter().filter(|(name, _)| !target.kind.knows(name));
        Self {
            version: stored.map(StoredItem::version).unwrap_or_default(),
            fields: target.attributes.iter().zip(shown).map(field).collect(),
            strangers: strangers
                .map(|(name, value)| Stranger {
                    name: name.clone(),
                    value: value.to_string(),
                    meant: target.kind.meant(name),
                    removed: removed.contains(&name.as_str()),
                })
                .collect(),
            errors,
            theirs: Vec::new(),
            conflict: false,
        }
    }

    /// What becomes of the posted form, with `stored` as the item stands now. `check` finds what is
    /// wrong besides the item itself, such as a clash with another item.
    pub(crate) fn submit(
        target: &Target,
        form: &Form,
        stored: Option<&StoredItem>,
        check: impl FnOnce(&Candidate<'_>) -> Vec<FieldError>,
    ) -> Submitted {
        if form.text("version") != stored.map(StoredItem::version).unwrap_or_default() {
            return Submitted::Again(409, Box::new(Self::conflict(target, form, stored)));
        }
        let before = stored.map(|stored| stored.attributes.clone()).unwrap_or_default();
        let mut after = before.clone();
        let (mut shown, mut errors) = (Vec::new(), Vec::new());
        for description in &target.attributes {
            let name = description.name;
            let (stands, odd) = value::shown(description, before.get(name));
            let Some(mut typed) = value::typed(form, "", description) else {
                shown.push(stands);
                continue;
            };
            typed.dropped &= odd.is_some();
            if typed.none && !typed.text().is_empty() {
                errors.push(FieldError::new(name, "Either write something, or tick the box."));
            }
            if typed != stands && typed.texts.iter().any(|text| text.contains(no_text)) {
                errors.push(FieldError::new(name, "It has characters that are no text."));
            }
            if let Some(odd) = &odd
                && value::leaves_odd(description, &typed, before.get(name))
            {
                let message = words::left_standing(odd, &description.value_type);
                errors.push(FieldError::new(name, message));
            } else if typed != stands {
                match value::value(description, &typed, before.get(name)) {
                    Some(value) => drop(after.insert(name.to_owned(), value)),
                    None => drop(after.remove(name)),
                }
                errors.extend(too_small(description, &typed));
            }
            shown.push(typed);
        }
        let removed: Vec<&str> =
            form.all("remove").filter(|name| !target.kind.knows(name)).collect();
        after.retain(|name, _| !removed.contains(&name.as_str()));
        after.insert("kind".to_owned(), target.kind.name.into());
        after.insert("id".to_owned(), target.id.clone().into());
        // What was wrong before and is not touched does not keep the rest from being mended.
        let old = stored.map(|_| faults_of(target.kind, &before)).unwrap_or_default();
        let changed = stored.is_none() || after != before;
        let mut faults = faults_of(target.kind, &after);
        let name_of = |fault: &ConfigFault| field_of(fault).to_owned();
        faults.retain(|fault| {
            let name = name_of(fault);
            !changed || !old.contains(fault) || before.get(&name) != after.get(&name)
        });
        for error in messages(target, &faults, &after) {
            if !errors.iter().any(|other| other.field == error.field) {
                errors.push(error);
            }
        }
        errors.extend(check(&Candidate { before: &before, after: &after }));
        if Value::Object(after.clone()).to_string().len() > LARGEST_ITEM {
            let field = target.attributes.first().map_or("id", |description| description.name);
            errors.push(FieldError::new(field, "All fields together are too long. Shorten them."));
        }
        if !errors.is_empty() {
            return Submitted::Again(
                422,
                Box::new(Self::of(target, stored, &shown, &removed, errors)),
            );
        }
        if !changed {
            return Submitted::Unchanged;
        }
        Submitted::Change(Box::new(Change {
            kind: target.kind.name.to_owned(),
            id: target.id.clone(),
            before: stored.cloned(),
            after: Some(after),
        }))
    }

    /// The form again, after somebody else has changed the item to `stored`: with what was typed,
    /// and the other's value in the fields that the visitor had not touched.
    pub(crate) fn conflict(target: &Target, form: &Form, stored: Option<&StoredItem>) -> Self {
        let empty = Map::new();
        let attributes = stored.map_or(&empty, |stored| &stored.attributes);
        let (mut shown, mut theirs) = (Vec::new(), Vec::new());
        for description in &target.attributes {
            let (now, odd) = value::shown(description, attributes.get(description.name));
            let was = value::typed(form, "was.", description);
            let typed = value::typed(form, "", description)
                .map(|typed| Shown { dropped: typed.dropped && odd.is_some(), ..typed });
            let typed = typed.unwrap_or_else(|| now.clone());
            let touched = was.as_ref() != Some(&typed);
            let moved = was.as_ref().is_none_or(|was| *was != now);
            if moved && typed != now {
                let in_words = |shown: &Shown| shown.in_words(description);
                theirs.push(Theirs {
                    label: label(description.name),
                    was: was.as_ref().map(in_words).unwrap_or_default(),
                    now: odd.unwrap_or_else(|| in_words(&now)),
                    typed: in_words(&typed),
                    both: touched,
                });
            }
            shown.push(if touched { typed } else { now });
        }
        let removed: Vec<&str> = form.all("remove").collect();
        Self { theirs, conflict: true, ..Self::of(target, stored, &shown, &removed, Vec::new()) }
    }
}

/// What the readers of the item find wrong with it.
pub(crate) fn faults_of(kind: &Kind, attributes: &Map<String, Value>) -> Vec<ConfigFault> {
    let mut faults = kind.faults(&Item::new(attributes));
    // A language needs texts, which the declaration does not know of.
    let more = match kind.name {
        "company" => Company::read(attributes, language::is_spoken).faults,
        "language" => LanguageRow::read(attributes, language::is_spoken).faults,
        _ => Vec::new(),
    };
    for fault in more {
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    for missing in missing(kind, attributes) {
        faults.push(Item::new(attributes).fault(missing));
    }
    faults
}

/// The required attributes that the item lacks.
fn missing(kind: &Kind, attributes: &Map<String, Value>) -> Vec<&'static str> {
    let id = attributes.get("id").and_then(Value::as_str).unwrap_or_default();
    let lacks = |name: &str| match attributes.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(_) => false,
    };
    let required = kind.attributes_of(id).into_iter().filter(|attribute| attribute.required);
    required.map(|attribute| attribute.name).filter(|name| lacks(name)).collect()
}

/// The attribute at whose field a fault is shown.
fn field_of(fault: &ConfigFault) -> &str {
    let written = fault.attribute.split('.').next().unwrap_or_default();
    // Within a map, it is an entry that is misspelled.
    if fault.attribute.contains('.') { written } else { fault.meant.unwrap_or(written) }
}

/// Faults as messages at the fields of the form. Those of other attributes are left out.
fn messages(
    target: &Target,
    faults: &[ConfigFault],
    attributes: &Map<String, Value>,
) -> Vec<FieldError> {
    let missing = missing(target.kind, attributes);
    let message = |fault: &ConfigFault| {
        let name = field_of(fault);
        let description = target.attributes.iter().find(|a| a.name == name)?;
        let message = match fault.meant {
            _ if missing.contains(&description.name) => "It has to be set.".to_owned(),
            Some(meant) => format!(
                "The item has “{}”, which probably means “{meant}”. Set it here, and remove the \
                 other below.",
                fault.attribute
            ),
            None => may_say(&description.value_type),
        };
        Some(FieldError::new(name, message))
    };
    let mut errors: Vec<FieldError> = Vec::new();
    for error in faults.iter().filter_map(message) {
        if !errors.iter().any(|other| other.field == error.field) {
            errors.push(error);
        }
    }
    errors
}

/// Characters that stand for bytes that were no text, or that no keyboard types.
pub(crate) fn no_text(c: char) -> bool {
    c == char::REPLACEMENT_CHARACTER || c.is_control() && !matches!(c, '\n' | '\t')
}

/// The reader takes a number below the range for the smallest one. Who types it means something
/// else.
fn too_small(description: &AttributeDescription, typed: &Shown) -> Option<FieldError> {
    let (ValueType::Count(least, _) | ValueType::Days(least, _)) = description.value_type else {
        return None;
    };
    let number: u32 = typed.text().parse().ok()?;
    let error = || FieldError::new(description.name, may_say(&description.value_type));
    (number < least).then(error)
}
