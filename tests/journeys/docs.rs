//! The documents say what is there: paths that they name exist, commands that they give are real.

use std::path::Path;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Words in backquotes that look like paths of this repository.
fn paths(text: &str) -> Vec<String> {
    let tops = [
        "crates/",
        "dashboards/",
        "deploy/",
        "docs/",
        "firmware-sim/",
        "tests/",
        ".ci/",
        ".github/",
    ];
    let mut found: Vec<String> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| tops.iter().any(|top| word.starts_with(top)))
        .filter(|word| !word.contains(['<', '*', '{', ' ', '…']))
        .map(str::to_owned)
        .collect();
    found.dedup();
    found
}

#[test]
fn every_path_that_the_documents_name_is_there() {
    let mut missing = Vec::new();
    for document in [
        "ARCHITECTURE.md",
        "README.md",
        ".github/CONTRIBUTING.md",
        "docs/operations.md",
        "docs/deployment.md",
    ] {
        let text = std::fs::read_to_string(root().join(document)).expect(document);
        let named = paths(&text);
        assert!(named.len() >= 5, "{document} names only {named:?}; is the test blind?");
        missing.extend(
            named
                .into_iter()
                .filter(|path| !root().join(path).exists())
                .map(|path| format!("{document}: {path}")),
        );
    }
    assert!(missing.is_empty(), "these are gone: {missing:#?}");
}

#[test]
fn the_life_of_a_reading_is_told_in_paths() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let (_, life) = text.split_once("## Life of a reading").expect("the section");
    let life = life.split("\n## ").next().unwrap_or(life);
    assert!(paths(life).len() >= 12, "too few paths: {:?}", paths(life));
}

#[test]
fn the_readme_gives_both_commands() {
    let text = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    for command in ["cargo run --release -- demo", "cargo xtask test"] {
        assert!(text.contains(command), "{command} is not in README.md");
    }
}
