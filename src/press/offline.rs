//! Offline: which version of the site this is, and the service worker that keeps exactly that version.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The worker, with two places for what it keeps.
const WORKER: &str = include_str!("../../assets/sw.js");
/// How a page says of which version it is; empty until all is known.
const STAMP: &str = "data-version=\"\"";
/// Characters of a digest that are kept: enough to tell files and versions apart.
const DIGEST: usize = 16;
/// What is of no use without a network, or for paper only, by the beginning or the end of its path.
const LEFT_OUT: [&str; 7] = [
    "cards/",
    "oembed/",
    "handouts/",
    "handout.css",
    "handout.js",
    "sitemap.xml",
    "robots.txt",
];
const LEFT_OUT_KINDS: [&str; 3] = [".br", "sw.js", "/handout/index.html"];

/// The beginning of a file's SHA-256, in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in Sha256::digest(bytes) {
        let _ = write!(out, "{byte:02x}");
    }
    out.truncate(DIGEST);
    out
}

/// The version of a site: the same for the same files.
pub fn version(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut all = String::new();
    for (path, bytes) in files.iter().filter(|(path, _)| kept(path)) {
        let _ = writeln!(all, "{path} {}", digest(bytes));
    }
    digest(all.as_bytes())
}

/// Writes the version into a page.
pub fn stamp(page: &str, version: &str) -> String {
    page.replacen(STAMP, &format!("data-version=\"{version}\""), 1)
}

/// Whether the worker keeps this file.
fn kept(path: &str) -> bool {
    !LEFT_OUT.iter().any(|start| path.starts_with(start))
        && !LEFT_OUT_KINDS.iter().any(|end| path.ends_with(end))
}

/// The service worker of a version.
///
/// # Errors
/// The worker lacks a place, which would be a mistake in `assets/sw.js`.
pub fn worker(files: &BTreeMap<String, Vec<u8>>, version: &str) -> Result<String, String> {
    let kept: BTreeMap<&str, String> = files
        .iter()
        .filter(|(path, _)| kept(path))
        .map(|(path, bytes)| {
            let page = path.ends_with(".html");
            (
                path.as_str(),
                if page { String::new() } else { digest(bytes) },
            )
        })
        .collect();
    let list = serde_json::to_string(&kept).map_err(|error| error.to_string())?;
    let mut out = WORKER.to_owned();
    for (place, with) in [
        ("\"press:version\"", version),
        // JSON as a text of the script; neither path nor digest holds what would need more escaping.
        ("\"press:files\"", list.as_str()),
    ] {
        if out.matches(place).count() != 1 {
            return Err(format!("assets/sw.js must hold {place} exactly once"));
        }
        let text = serde_json::to_string(with).map_err(|error| error.to_string())?;
        out = out.replacen(place, &text, 1);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(words: &str) -> BTreeMap<String, Vec<u8>> {
        [
            ("index.html", "<html data-version=\"\">"),
            ("words/a.json", words),
            ("cards/a.png", "png"),
            ("site-1.js.br", "packed"),
        ]
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into()
    }

    #[test]
    fn a_version_follows_from_what_is_kept() {
        assert_eq!(version(&files("a")), version(&files("a")));
        assert_ne!(version(&files("a")), version(&files("b")));
        let mut more = files("a");
        more.insert("cards/b.png".to_owned(), Vec::new());
        assert_eq!(version(&files("a")), version(&more));
        assert_eq!(
            digest(b"abc"),
            "ba7816bf8f01cfea",
            "FIPS 180-4, example of one block"
        );
    }

    #[test]
    fn the_worker_lists_files_with_digests_and_pages_without() {
        let worker = worker(&files("abc"), "0123").expect("places");
        assert!(worker.contains("const VERSION = \"0123\";"));
        assert!(
            worker.contains(
                r#"JSON.parse("{\"index.html\":\"\",\"words/a.json\":\"ba7816bf8f01cfea\"}")"#
            ),
            "{worker}"
        );
    }

    #[test]
    fn a_page_is_stamped_once() {
        assert_eq!(
            stamp("<html data-version=\"\">", "1"),
            "<html data-version=\"1\">"
        );
    }
}
