//! Turns `texts/*.toml` into one `static` struct per language.
//!
//! Every file must have exactly the keys and placeholders of `en.toml`. So a forgotten translation
//! makes the build fail, with a message that names file and key, and no customer sees a gap.

#[path = "build/catalogue.rs"]
mod catalogue;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=texts");
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(faults) => {
            for fault in faults {
                println!("cargo::error={fault}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Vec<String>> {
    let rust = catalogue::compile(&files().map_err(|e| vec![format!("texts: {e}")])?)?;
    let out = env::var("OUT_DIR").map_err(|e| vec![e.to_string()])?;
    fs::write(Path::new(&out).join("texts.rs"), rust).map_err(|e| vec![e.to_string()])
}

/// Name and content of every `texts/*.toml`.
fn files() -> std::io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir("texts")? {
        let path = entry?.path();
        if let (Some("toml"), Some(name)) =
            (path.extension().and_then(|e| e.to_str()), path.file_stem().and_then(|n| n.to_str()))
        {
            files.push((name.to_owned(), fs::read_to_string(&path)?));
        }
    }
    Ok(files)
}
