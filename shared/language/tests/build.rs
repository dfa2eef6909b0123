//! What the build says about a translator's mistakes: its checks, run on small files.

#[path = "../build/catalogue.rs"]
mod catalogue;

const ABOUT: &str = "native_name = \"x\"\ndirection = \"ltr\"\n";

/// The faults of a `de.toml` beside an English file that has `hello` with `{name}` and `bye`
/// without placeholder.
fn faults(german: &str) -> String {
    let files = [
        (
            "en".to_owned(),
            format!("tag = \"en\"\n{ABOUT}hello = \"Hello {{name}}\"\nbye = \"Bye\"\n"),
        ),
        ("de".to_owned(), format!("tag = \"de\"\n{ABOUT}{german}\n")),
    ];
    catalogue::compile(&files).err().unwrap_or_default().join("\n")
}

#[test]
fn each_mistake_names_file_and_key() {
    assert_eq!(faults("hello = \"Hallo {name}\"\nbye = \"Ciao\""), "");
    assert_eq!(faults("hello = \"Hallo {name}\""), "texts/de.toml: `bye` is missing");
    assert_eq!(
        faults("hello = \"Hallo {name}\"\nbye = \"Ciao\"\nby = \"Ciao\""),
        "texts/de.toml: `by` is not a key of texts/en.toml"
    );
    assert_eq!(
        faults("hello = \"Hallo\"\nbye = \"Ciao\""),
        "texts/de.toml: `hello` must have the placeholders [\"name\"], but has []"
    );
    assert_eq!(
        faults("hello = \"Hallo {nmae}\"\nbye = \"Ciao {name}\""),
        "texts/de.toml: `bye` must have the placeholders [], but has [\"name\"]\n\
         texts/de.toml: `hello` must have the placeholders [\"name\"], but has [\"nmae\"]"
    );
    assert_eq!(
        faults("hello = \"Hallo {name\"\nbye = \"\""),
        "texts/de.toml: `bye` is empty, or begins or ends with a space"
    );
    assert_eq!(
        faults("hello = \"Hallo {name\"\nbye = \"Ciao\""),
        "texts/de.toml: `hello` has a `{` without its `}`"
    );
    assert_eq!(
        faults("hello = \"<b>{name}</b>\"\nbye = \"Ciao\""),
        "texts/de.toml: `hello` holds a line break or markup"
    );
    assert_eq!(faults("hello = 1"), "texts/de.toml: `hello` must be a text in quotation marks");
    assert!(
        faults("hello = \"Hallo").starts_with("texts/de.toml: TOML parse error at line 4"),
        "{}",
        faults("hello = \"Hallo")
    );
}
