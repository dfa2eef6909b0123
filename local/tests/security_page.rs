//! `SECURITY.md` names tests as evidence: each of them exists.

use std::path::Path;

#[test]
fn every_test_that_the_security_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let (mut source, mut found) = (String::new(), 0);
    let rows = page.lines().filter(|line| line.starts_with("| **"));
    for row in rows {
        let evidence = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for name in evidence.split('`').skip(1).step_by(2) {
            if name.ends_with(".rs") {
                source = std::fs::read_to_string(root.join(name))
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
            } else {
                assert!(source.contains(&format!("fn {name}(")), "{name}");
                found += 1;
            }
        }
    }
    assert!(found > 15, "{found}");
}
