//! Turns the content of the text files into Rust source. Without I/O, so that a test can check what
//! the build says about each mistake.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The language whose keys every other language must have.
const REFERENCE: &str = "en";

/// Keys that describe the language itself; they are not texts.
const ABOUT: [&str; 3] = ["tag", "native_name", "direction"];

/// One piece of a text: literal, or the name of a placeholder.
enum Piece {
    Literal(String),
    Placeholder(String),
}

/// One language: its texts by key, and its own attributes.
struct Catalogue {
    tag: String,
    native_name: String,
    rtl: bool,
    texts: BTreeMap<String, Vec<Piece>>,
}

/// Makes one Rust file of all languages. `files` are pairs of name (without `.toml`) and content.
///
/// # Errors
/// Every fault of every file.
pub(crate) fn compile(files: &[(String, String)]) -> Result<String, Vec<String>> {
    let mut catalogues = Vec::new();
    let mut faults = Vec::new();
    for (name, source) in files {
        match read(name, source) {
            Ok(catalogue) => catalogues.push(catalogue),
            Err(fault) => faults.push(fault),
        }
    }
    catalogues
        .sort_by_key(|catalogue: &Catalogue| (catalogue.tag != REFERENCE, catalogue.tag.clone()));
    if let Some((reference, others)) = catalogues.split_first() {
        for other in others {
            faults.extend(differences(reference, other));
        }
    }
    if faults.is_empty() { generate(&catalogues).map_err(|fault| vec![fault]) } else { Err(faults) }
}

/// Reads one file.
fn read(name: &str, source: &str) -> Result<Catalogue, String> {
    let file = format!("texts/{name}.toml");
    let table: toml::Table =
        source.parse().map_err(|e| format!("{file}: {}", format!("{e}").replace('\n', " ")))?;
    let mut about = BTreeMap::new();
    let mut texts = BTreeMap::new();
    for (key, value) in &table {
        let text = value
            .as_str()
            .ok_or_else(|| format!("{file}: `{key}` must be a text in quotation marks"))?;
        if text.trim() != text || text.is_empty() {
            return Err(format!("{file}: `{key}` is empty, or begins or ends with a space"));
        }
        if text.contains(['\n', '\r', '<', '>']) {
            return Err(format!("{file}: `{key}` holds a line break or markup"));
        }
        if ABOUT.contains(&key.as_str()) {
            about.insert(key.as_str(), text.to_owned());
        } else {
            texts.insert(
                key.clone(),
                pieces(text).map_err(|fault| format!("{file}: `{key}` {fault}"))?,
            );
        }
    }
    let mut required =
        |key: &str| about.remove(key).ok_or_else(|| format!("{file}: `{key}` is missing"));
    let (tag, native_name, direction) =
        (required("tag")?, required("native_name")?, required("direction")?);
    if tag != name {
        return Err(format!("{file}: `tag` is {tag:?}, but the file is named {name:?}"));
    }
    let rtl = match direction.as_str() {
        "ltr" => false,
        "rtl" => true,
        _ => return Err(format!("{file}: `direction` must be \"ltr\" or \"rtl\"")),
    };
    Ok(Catalogue { tag, native_name, rtl, texts })
}

/// Cuts a text at its `{placeholders}`.
fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or("has a `{` without its `}`")?;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase()) {
            return Err(format!(
                "has the placeholder {{{name}}}; a placeholder is one word in small letters"
            ));
        }
        if !before.is_empty() {
            pieces.push(Piece::Literal(before.to_owned()));
        }
        pieces.push(Piece::Placeholder(name.to_owned()));
        rest = after;
    }
    if rest.contains('}') {
        return Err("has a `}` without its `{`".to_owned());
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.to_owned()));
    }
    Ok(pieces)
}

/// Placeholders of a text, in the order of their names: the arguments of its function.
fn placeholders(pieces: &[Piece]) -> Vec<&str> {
    let mut names: Vec<&str> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Placeholder(name) => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What `other` lacks, has in addition, or has with other placeholders.
fn differences(reference: &Catalogue, other: &Catalogue) -> Vec<String> {
    let file = format!("texts/{}.toml", other.tag);
    let missing = reference
        .texts
        .keys()
        .filter(|key| !other.texts.contains_key(*key))
        .map(|key| format!("{file}: `{key}` is missing"));
    let changed = other.texts.iter().filter_map(|(key, pieces)| {
        let Some(expected) = reference.texts.get(key) else {
            return Some(format!("{file}: `{key}` is not a key of texts/{REFERENCE}.toml"));
        };
        let (expected, found) = (placeholders(expected), placeholders(pieces));
        (expected != found).then(|| {
            format!("{file}: `{key}` must have the placeholders {expected:?}, but has {found:?}")
        })
    });
    missing.chain(changed).collect()
}

/// The struct, its functions, and one value per language.
fn generate(catalogues: &[Catalogue]) -> Result<String, String> {
    let reference = catalogues.first().ok_or("texts: no language")?;
    let mut fields = String::new();
    let mut functions = String::new();
    for (key, pieces) in &reference.texts {
        let english = pieces.iter().fold(String::new(), |text, piece| match piece {
            Piece::Literal(literal) => text + literal,
            Piece::Placeholder(name) => format!("{text}{{{name}}}"),
        });
        let arguments = placeholders(pieces);
        if arguments.is_empty() {
            writeln!(fields, "/// “{english}”\npub {key}: &'static str,")
        } else {
            let typed: String = arguments.iter().map(|name| format!(", {name}: &str")).collect();
            let passed = arguments.join(", ");
            writeln!(fields, "{key}: &'static [Piece],").and_then(|()| {
                writeln!(
                    functions,
                    "/// “{english}”\npub fn {key}(&self{typed}) -> String {{ \
                     fill(self.{key}, &[{passed}]) }}"
                )
            })
        }
        .map_err(|e| e.to_string())?;
    }
    let values: Vec<String> = catalogues.iter().map(value).collect();
    Ok(format!(
        "/// The texts of one language. Those with placeholders are functions.\n\
         #[derive(Debug)]\npub struct Texts {{\n\
         /// BCP 47 tag, in canonical spelling.\npub tag: &'static str,\n\
         /// Its name in itself, as a reader of it looks for it.\npub native_name: &'static str,\n\
         /// Whether it is written from right to left.\npub rtl: bool,\n{fields}}}\n\
         impl Texts {{\n{functions}}}\n\
         /// Every language, English first, then in the order of their tags.\n\
         pub static ALL: [Texts; {}] = [{}];\n\
         /// Their tags, without the texts: a function that shows none need not hold them.\n\
         static TAGS: [&str; {}] = {:?};\n",
        values.len(),
        values.join(",\n"),
        values.len(),
        catalogues.iter().map(|catalogue| &catalogue.tag).collect::<Vec<_>>()
    ))
}

/// One language as a Rust expression.
fn value(catalogue: &Catalogue) -> String {
    let Catalogue { tag, native_name, rtl, texts } = catalogue;
    let fields: String = texts
        .iter()
        .map(|(key, pieces)| {
            let arguments = placeholders(pieces);
            let value = match (pieces.as_slice(), arguments.is_empty()) {
                ([Piece::Literal(text)], true) => format!("{text:?}"),
                _ => {
                    let pieces: String = pieces
                        .iter()
                        .map(|piece| match piece {
                            Piece::Literal(text) => format!("Piece::Literal({text:?}), "),
                            Piece::Placeholder(name) => {
                                format!(
                                    "Piece::Argument({}), ",
                                    arguments.iter().take_while(|a| *a != name).count()
                                )
                            }
                        })
                        .collect();
                    format!("&[{pieces}]")
                }
            };
            format!("{key}: {value}, ")
        })
        .collect();
    format!("Texts {{ tag: {tag:?}, native_name: {native_name:?}, rtl: {rtl}, {fields} }}")
}
