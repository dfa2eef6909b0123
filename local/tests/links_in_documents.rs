//! Every relative link in a document leads to a file that exists, and every anchor to a heading.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every document of the repository: those at the top and in `docs/`, and each crate's own.
fn documents() -> Vec<PathBuf> {
    let (mut documents, mut folders) = (Vec::new(), vec![root()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir()
                && !name.starts_with('.')
                && !["target", "node_modules"].contains(&name.as_str())
            {
                folders.push(path);
            } else if name.ends_with(".md") {
                documents.push(path);
            }
        }
    }
    documents.sort();
    documents
}

/// The lines outside of fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// A line without what stands in backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// The target of every link and picture: `](target)`, `[name]: target`, `src="target"`,
/// `href="target"`.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(text) {
        let line = without_code(line);
        let mut after = |mark: &str, end: char| {
            let parts = line.split(mark).skip(1);
            links.extend(parts.filter_map(|part| Some(part.split_once(end)?.0.to_owned())));
        };
        after("](", ')');
        after("src=\"", '"');
        after("href=\"", '"');
        if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            links.push(target.trim().to_owned());
        }
    }
    links
}

/// The anchors that GitHub makes of the headings: lower case, without punctuation, blanks as
/// hyphens, a number after one that stands there before.
fn anchors(text: &str) -> BTreeSet<String> {
    let (mut anchors, mut seen) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
    for line in prose(text) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let count = seen.entry(anchor.clone()).or_default();
        anchors.insert(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
        *count += 1;
    }
    anchors
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
        plain
    })
}

#[test]
fn every_relative_link_leads_somewhere() {
    let (mut dead, mut followed) = (Vec::new(), 0);
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            followed += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => document.clone(),
                file => plain(&document.parent().unwrap().join(file)),
            };
            let inside = target.starts_with(root()) && target.exists();
            let there = anchor.is_empty()
                || std::fs::read_to_string(&target)
                    .is_ok_and(|target| anchors(&target).contains(anchor));
            if !inside || !there {
                let document = document.strip_prefix(root()).unwrap().display();
                dead.push(format!("{document}: {link}"));
            }
        }
    }
    assert!(followed > 20, "{followed} links");
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn links_and_anchors_are_found_as_github_finds_them() {
    let text = "\
# A guide
See [one](docs/one.md), [two](two.md#part-2) and `[no](none.md)`.
<img src=\"a.png\"> [three]
```sh
echo '[no](none.md)'
# no heading
```
## Step 1: don't stop
## Step 1: don't stop
#no heading
[three]: three.md
";
    assert_eq!(links(text), ["docs/one.md", "two.md#part-2", "a.png", "three.md"]);
    let anchors = anchors(text);
    let wanted = ["a-guide", "step-1-dont-stop", "step-1-dont-stop-1"];
    assert_eq!(anchors.iter().map(String::as_str).collect::<Vec<_>>(), wanted);
}
