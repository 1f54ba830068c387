//! Weight: what a lesson's page moves over the wire before it can be used, and whether that is still within bounds.

use crate::packages::{Files, attribute, from_top};
use std::fmt::Write;

/// No lesson's page may move more than this, in bytes after Brotli.
pub const PAGE_BYTES_MOST: usize = 250_000;
/// No lesson's own code may weigh more than this, in bytes after Brotli.
pub const CODE_BYTES_MOST: usize = 33_000;

/// What one lesson's page moves, in bytes after Brotli.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// The lesson.
    pub slug: String,
    /// The page itself with its prose and still.
    pub page: usize,
    /// Style sheets and the font.
    pub looks: usize,
    /// Scripts.
    pub scripts: usize,
    /// The program that all lessons share.
    pub core: usize,
    /// The lesson's own code.
    pub code: usize,
    /// The words of site and lesson.
    pub words: usize,
    /// What comes only once somebody uses the page, and is not part of the sum.
    pub rest: usize,
}

impl Weight {
    /// Everything together.
    pub fn total(&self) -> usize {
        self.page + self.looks + self.scripts + self.core + self.code + self.words
    }
}

/// Weighs the page of each lesson of a built site.
///
/// # Errors
/// A page names a file that is not there.
pub fn weigh(site: &Files) -> Result<Vec<Weight>, String> {
    let slugs = site
        .keys()
        .filter_map(|path| path.strip_prefix("l/")?.strip_suffix("/index.html"));
    slugs.map(|slug| one(site, slug)).collect()
}

/// What a host sends for a file: its compressed copy where there is one.
fn sent(site: &Files, path: &str) -> Result<usize, String> {
    let packed = site.get(&format!("{path}.br"));
    let file = packed.or_else(|| site.get(path));
    file.map(Vec::len)
        .ok_or_else(|| format!("{path} is missing in the built site"))
}

fn one(site: &Files, slug: &str) -> Result<Weight, String> {
    let path = format!("l/{slug}/index.html");
    let bytes = site
        .get(&path)
        .ok_or_else(|| format!("{path} is missing in the built site"))?;
    let page = String::from_utf8_lossy(bytes);
    let mut weight = Weight {
        slug: slug.to_owned(),
        page: sent(site, &path)?,
        words: sent(site, "words/site.en.json")? + sent(site, &format!("words/{slug}.en.json"))?,
        ..Weight::default()
    };
    for tag in page.split('<').map(|tag| format!("<{tag}")) {
        let file = |name: &str| {
            let address = attribute(&tag, name).unwrap_or_default();
            sent(site, &from_top(address).replace('*', slug))
        };
        if tag.starts_with("<link ") {
            match (attribute(&tag, "rel"), attribute(&tag, "as")) {
                (Some("stylesheet" | "icon"), _) | (Some("preload"), Some("font")) => {
                    weight.looks += file("href")?;
                }
                _ => {} // Hints for what is counted below.
            }
        } else if tag.starts_with("<script ") {
            weight.scripts += file("src")?;
        } else if tag.contains(" id=\"boot\"") {
            weight.scripts += file("data-script")?;
            weight.core = file("data-wasm")?;
            if attribute(&tag, "data-code").is_some() {
                weight.code = file("data-code")?;
            }
            if attribute(&tag, "data-rest").is_some() {
                weight.rest = file("data-rest")?;
            }
            if attribute(&tag, "data-late").is_some() {
                // Not every lesson has something to hold back.
                weight.rest += file("data-late").unwrap_or_default();
            }
        }
    }
    Ok(weight)
}

/// The table, and whether every page is within bounds.
pub fn table(weights: &[Weight]) -> (String, bool) {
    let mut out = String::from(
        "| lesson | its code | shared program | scripts | looks | words | page | all, bytes | later |\n",
    );
    out += "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n";
    let mut fits = true;
    for weight in weights {
        let Weight {
            slug,
            page,
            looks,
            scripts,
            core,
            code,
            words,
            rest,
        } = weight;
        let total = weight.total();
        fits &= total <= PAGE_BYTES_MOST && *code <= CODE_BYTES_MOST;
        let _ = writeln!(
            out,
            "| {slug} | {code} | {core} | {scripts} | {looks} | {words} | {page} | {total} | {rest} |"
        );
    }
    let _ = writeln!(
        out,
        "At most {CODE_BYTES_MOST} for a lesson's code and {PAGE_BYTES_MOST} for all."
    );
    (out, fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(code: usize) -> Files {
        let page = "<html><head><link rel=\"stylesheet\" href=\"../../style/a.css\">\
            <link rel=\"preload\" href=\"../../f.woff2\" as=\"font\"><link rel=\"preload\" href=\"../../s_bg.wasm\" as=\"fetch\">\
            <script src=\"../../boot.js\" defer></script></head><body><div id=\"boot\" data-script=\"../../s.js\" \
            data-wasm=\"../../s_bg.wasm\" data-code=\"../../s_*.wasm\" \
            data-rest=\"../../s_rest.wasm\" data-late=\"../../s_*.rest.wasm\"></div></body></html>";
        let mut site: Files = [
            ("l/a-b/index.html", page.len()),
            ("l/a-b/index.html.br", 10),
            ("style/a.css", 200),
            ("style/a.css.br", 20),
            ("f.woff2", 30),
            ("boot.js", 1),
            ("s.js", 2),
            ("s_bg.wasm", 4000),
            ("s_bg.wasm.br", 400),
            ("s_a-b.wasm", code),
            ("s_rest.wasm", 70),
            ("s_a-b.rest.wasm", 7),
            ("words/site.en.json", 5),
            ("words/a-b.en.json", 6),
        ]
        .map(|(path, bytes)| (path.to_owned(), vec![0; bytes]))
        .into();
        site.insert("l/a-b/index.html".to_owned(), page.as_bytes().to_vec());
        site
    }

    #[test]
    fn counts_what_the_page_asks_for_as_it_is_sent() {
        let weights = weigh(&site(50)).expect("complete");
        let expected = Weight {
            slug: "a-b".to_owned(),
            page: 10,
            looks: 50,
            scripts: 3,
            core: 400,
            code: 50,
            words: 11,
            rest: 77,
        };
        assert_eq!(weights, [expected]);
        assert_eq!(weights[0].total(), 524);
        assert!(table(&weights).1);
    }

    #[test]
    fn too_much_code_is_out_of_bounds_and_a_missing_file_is_named() {
        let weights = weigh(&site(CODE_BYTES_MOST + 1)).expect("complete");
        assert!(!table(&weights).1);
        let mut site = site(50);
        site.remove("s.js");
        assert_eq!(
            weigh(&site),
            Err("s.js is missing in the built site".to_owned())
        );
    }
}
