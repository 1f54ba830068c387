//! The tidiness of the source tree: what every file owes its reader.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

fn files(folder: &Path, ends: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if ![
                "target",
                "node_modules",
                "dist",
                "gallery",
                ".git",
                "test-results",
            ]
            .contains(&name.as_str())
            {
                files(&path, ends, found);
            }
        } else if ends.iter().any(|end| name.ends_with(end)) {
            found.push(path);
        }
    }
}

fn all(ends: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root(), ends, &mut found);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap_or_default();
        (
            path.strip_prefix(root())
                .unwrap()
                .to_string_lossy()
                .into_owned(),
            text,
        )
    };
    found.into_iter().map(read).collect()
}

#[test]
fn each_rust_file_opens_with_a_sentence() {
    for (path, text) in all(&[".rs"]) {
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! ") && first.len() > 20,
            "{path} opens with {first:?}"
        );
    }
}

/// Whether a line of code has this name, not as a part of another: `engine::` is not in `base64::engine::`.
fn imports(line: &str, name: &str) -> bool {
    line.match_indices(name)
        .any(|(at, _)| !line[..at].ends_with(|c: char| c == ':' || c == '_' || c.is_alphanumeric()))
}

#[test]
fn imports_run_one_way() {
    let forbidden = [
        (
            "src/algorithms",
            ["engine::", "lessons::", "web_sys", "press::"].as_slice(),
        ),
        (
            "src/engine",
            ["lessons::", "algorithms::", "web_sys", "press::", "leptos"].as_slice(),
        ),
        (
            "src/kit",
            ["lessons::", "web_sys", "press::", "leptos", "wasm_bindgen"].as_slice(),
        ),
        (
            "src/lessons",
            ["web_sys", "press::", "leptos", "wasm_bindgen"].as_slice(),
        ),
        (
            "src/press",
            ["web_sys", "leptos", "wasm_bindgen"].as_slice(),
        ),
    ];
    for (path, text) in all(&[".rs"]) {
        for (folder, names) in forbidden {
            for name in names.iter().filter(|_| path.starts_with(folder)) {
                let used = text
                    .lines()
                    .any(|line| !line.trim_start().starts_with("//") && imports(line, name));
                assert!(!used, "{path} names {name}");
            }
        }
    }
}

/// The modules of a crate that a module's text names, by the file that holds them: `crate::a::b` and `super::a` as code says
/// them.
fn named(own: &str, text: &str, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let code = text
        .split("\n#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    let mut found = BTreeSet::new();
    for line in code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        for (from, base) in [
            ("crate::", String::new()),
            ("super::", parent(own).to_owned()),
        ] {
            for (at, _) in line.match_indices(from) {
                if at > 0
                    && line[..at].ends_with(|c: char| c == '$' || c == ':' || c.is_alphanumeric())
                {
                    continue;
                }
                let rest = line[at + from.len()..].trim_start_matches("super::");
                // `a::b::C`, or the first names of `{a::B, c::D}`: the longest module that they begin with.
                for name in rest
                    .trim_start_matches('{')
                    .split([',', '{', '}', ';', ' ', '(', '<', ')'])
                {
                    let whole = if base.is_empty() {
                        name.to_owned()
                    } else {
                        format!("{base}::{name}")
                    };
                    let parts: Vec<&str> = whole.split("::").collect();
                    let longest = (1..=parts.len()).rev().map(|n| parts[..n].join("::"));
                    found.extend(longest.into_iter().find(|name| modules.contains(name)));
                }
            }
        }
    }
    found.remove(own);
    found
}

/// `system::plan` for `system/plan.rs`, a path within a crate.
fn module(inner: &str) -> String {
    inner
        .trim_end_matches(".rs")
        .trim_end_matches("/mod")
        .replace('/', "::")
}

fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

/// A module and the ones inside it are one room; between rooms of a crate nobody comes back to where they set out.
#[test]
fn no_files_import_each_other_in_a_circle() {
    let chapters = fs::read_dir(root().join("src/lessons")).unwrap();
    let chapters = chapters
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir());
    let chapters = chapters.map(|entry| format!("lessons/{}", entry.file_name().display()));
    let crates = ["algorithms", "engine", "kit", "press"].map(str::to_owned);
    for folder in crates.into_iter().chain(chapters) {
        let prefix = format!("src/{folder}/");
        let of_crate = |path: &str| module(path.trim_start_matches(&prefix));
        let mut files = all(&[".rs"]);
        files.retain(|(path, _)| {
            path.starts_with(&prefix)
                && !path.ends_with("tests.rs")
                && !path.ends_with("/lib.rs")
                && !path.ends_with("/main.rs")
        });
        let modules: BTreeSet<String> = files.iter().map(|(path, _)| of_crate(path)).collect();
        let mut leads: BTreeMap<String, BTreeSet<String>> = files
            .iter()
            .map(|(path, text)| {
                let own = of_crate(path);
                let names = named(&own, text, &modules);
                (own, names)
            })
            .collect();
        // Who leads to nobody is in no circle; what is left in the end goes round.
        loop {
            let ends: Vec<String> = leads
                .iter()
                .filter(|(_, to)| to.is_empty())
                .map(|(name, _)| name.clone())
                .collect();
            if ends.is_empty() {
                break;
            }
            for end in ends {
                leads.remove(&end);
                leads.values_mut().for_each(|to| {
                    to.remove(&end);
                });
            }
        }
        assert!(
            leads.is_empty(),
            "src/{folder}: a circle among or below {leads:#?}"
        );
    }
}

#[test]
fn the_site_names_no_lesson() {
    for (path, text) in all(&[".rs"]) {
        for entry in lessons::CATALOGUE {
            let slug = entry.card.slug;
            assert!(
                !path.starts_with("src/site") || !text.contains(&format!("\"{slug}\"")),
                "{path} names {slug}"
            );
        }
    }
}

#[test]
fn nothing_is_left_to_do() {
    for (path, text) in all(&[".rs", ".mjs", ".css", ".toml", ".sh"]) {
        for mark in ["TODO", "FIXME", "XXX"] {
            let marked = text.lines().any(|line| line.contains(mark));
            assert!(!marked || path == "tests/tidy.rs", "{path} says {mark}");
        }
    }
}

#[test]
fn the_top_level_holds_only_what_belongs_there() {
    let allowed = [
        ".cargo",
        ".ci",
        ".git",
        ".gitignore",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "Makefile",
        "README.md",
        "Trunk.toml",
        "assets",
        "dist",
        "gallery",
        "index.html",
        "rust-toolchain.toml",
        "src",
        "style",
        "target",
        "test-results",
        "tests",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(
            allowed.contains(&name.as_str()),
            "{name} does not belong at the top level"
        );
    }
}
