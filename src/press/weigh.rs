//! Weight: what a lesson's page moves over the wire before it can be used, and whether that is still within bounds.

use crate::packages::{self, Files, attribute, from_top};
use crate::pages::chunk_of;
use crate::split::{Code, Pieces};
use crate::{cuts, pages};
use std::collections::BTreeMap;
use std::fmt::Write;

/// No lesson's page may move more than this, in bytes after Brotli.
// The aim is 250,000: the bound stands above what pages weigh, so that none grows unseen, and goes back down with them.
pub const PAGE_BYTES_MOST: usize = 321_000;
/// No chunk may weigh more than this, in bytes after Brotli.
// The aim is 30,000, likewise.
pub const CHUNK_BYTES_MOST: usize = 38_000;
/// No lesson's own code may weigh more than this together with its chunks, in bytes after Brotli.
// The aim is 45,000, likewise.
pub const CODE_BYTES_MOST: usize = 82_000;
/// So many functions are named of a piece that is too heavy.
const NAMED: usize = 12;

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
    /// The chunks that it shares with some others, by name.
    pub chunks: BTreeMap<String, usize>,
    /// The words of site and lesson.
    pub words: usize,
    /// What comes only once somebody uses the page, and is not part of the sum.
    pub rest: usize,
}

impl Weight {
    /// Everything together.
    pub fn total(&self) -> usize {
        self.page + self.looks + self.scripts + self.core + self.own() + self.words
    }

    /// What not every page moves: the lesson's own code and its chunks.
    pub fn own(&self) -> usize {
        self.code + self.chunks.values().sum::<usize>()
    }
}

/// Weighs the page of each lesson of a built site.
///
/// # Errors
/// A page names a file that is not there.
pub fn weigh(site: &Files) -> Result<Vec<Weight>, String> {
    let slugs = site
        .keys()
        .filter_map(|path| path.strip_prefix("l/")?.strip_suffix("/index.html"))
        // A hand-out, one folder below, is paper.
        .filter(|slug| !slug.contains('/'));
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
            let code = from_top(attribute(&tag, "data-code").unwrap_or_default());
            for name in packages::chunks(&tag, slug) {
                let file = |name: &str| sent(site, &code.replace('*', name));
                let chunk = chunk_of(name);
                weight.chunks.insert(name.to_owned(), file(&chunk)?);
                // Not every chunk has something to hold back.
                weight.rest += file(&pages::rest_of(&chunk)).unwrap_or_default();
            }
        }
    }
    Ok(weight)
}

/// Something that is out of bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// What is wrong, as one line.
    pub said: String,
    /// The pieces that it is made of: `core`, chunks and lessons by their names, as [`largest`] knows them.
    pub pieces: Vec<String>,
}

/// The name of the core for [`largest`].
const CORE: &str = "core";

/// The table, and what of it is out of bounds.
pub fn table(weights: &[Weight]) -> (String, Vec<Excess>) {
    let mut out = String::from(
        "| lesson | its code | chunks | shared program | scripts | looks | words | page | all, bytes | later |\n",
    );
    out += "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
    let mut heavy = Vec::new();
    let mut of_chunks = BTreeMap::new();
    for weight in weights {
        let Weight {
            slug,
            page,
            looks,
            scripts,
            core,
            code,
            chunks,
            words,
            rest,
        } = weight;
        let (total, own) = (weight.total(), weight.own());
        let each: Vec<String> = chunks.keys().map(|name| chunk_of(name)).collect();
        let shared = own - code;
        of_chunks.extend(chunks.iter());
        let _ = writeln!(
            out,
            "| {slug} | {code} | {shared} | {core} | {scripts} | {looks} | {words} | {page} | {total} | {rest} |"
        );
        let mut check = |what: &str, bytes: usize, most: usize, pieces: Vec<String>| {
            if bytes > most {
                let said = format!("{what} weighs {bytes} bytes, {} too many", bytes - most);
                heavy.push(Excess { said, pieces });
            }
        };
        let own_pieces = [std::slice::from_ref(slug), &each].concat();
        check(
            &format!("the code of {slug} with its chunks"),
            own,
            CODE_BYTES_MOST,
            own_pieces,
        );
        check(
            &format!("the page of {slug}"),
            total,
            PAGE_BYTES_MOST,
            vec![CORE.to_owned()],
        );
    }
    for (name, &bytes) in of_chunks {
        let _ = writeln!(out, "| chunk {name} | | {bytes} | | | | | | | |");
        if bytes > CHUNK_BYTES_MOST {
            let over = bytes - CHUNK_BYTES_MOST;
            heavy.push(Excess {
                said: format!("the chunk {name} weighs {bytes} bytes, {over} too many"),
                pieces: vec![chunk_of(name)],
            });
        }
    }
    let _ = writeln!(
        out,
        "At most {CHUNK_BYTES_MOST} for a chunk, {CODE_BYTES_MOST} for a lesson's code with its chunks and \
         {PAGE_BYTES_MOST} for all."
    );
    (out, heavy)
}

/// The largest functions of a piece, as linked, a line each; `slugs` as in the catalogue. Empty for a piece that is not
/// there.
///
/// # Errors
/// The program does not hold exactly these lessons.
pub fn largest(pieces: &Pieces, slugs: &[&str], piece: &str) -> Result<String, String> {
    let doors: Vec<&str> = pieces.parts.iter().map(|part| part.door.as_str()).collect();
    let names = cuts::part_names(&doors, slugs)?;
    let parts = names.iter().map(|name| (*name).to_owned());
    let parts = parts.zip(pieces.parts.iter().map(|part| &part.code));
    let chunks = pieces.chunks.iter();
    let chunks = chunks.map(|chunk| (chunk_of(cuts::FAMILIES[chunk.family].name), &chunk.code));
    let all: BTreeMap<String, &Code> = parts
        .chain(chunks)
        .chain([(CORE.to_owned(), &pieces.core)])
        .collect();
    let mut functions: Vec<(usize, String)> = all.get(piece).map_or_else(Vec::new, |code| {
        let functions = code.functions.iter();
        functions
            .map(|(symbol, bytes)| (*bytes, cuts::short_name(symbol)))
            .collect()
    });
    functions.sort_unstable_by(|a, b| b.cmp(a));
    let lines = functions.iter().take(NAMED);
    Ok(lines
        .map(|(bytes, name)| format!("{bytes:>8} {name}\n"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(code: usize, chunk: usize) -> Files {
        let page = "<html><head><link rel=\"stylesheet\" href=\"../../style/a.css\">\
            <link rel=\"preload\" href=\"../../f.woff2\" as=\"font\"><link rel=\"preload\" href=\"../../s_bg.wasm\" as=\"fetch\">\
            <script src=\"../../boot.js\" defer></script></head><body><div id=\"boot\" data-script=\"../../s.js\" \
            data-wasm=\"../../s_bg.wasm\" data-code=\"../../s_*.wasm\" \
            data-rest=\"../../s_rest.wasm\" data-late=\"../../s_*.rest.wasm\" \
            data-chunks=\"system 9 a-b c;cluster 9 c\"></div></body></html>";
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
            ("s_system.chunk.wasm", chunk),
            ("s_system.chunk.rest.wasm", 7),
            ("s_a-b.rest.wasm", 100),
            ("s_cluster.chunk.wasm", 9000),
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
        let weights = weigh(&site(50, 9)).expect("complete");
        let expected = Weight {
            slug: "a-b".to_owned(),
            page: 10,
            looks: 50,
            scripts: 3,
            core: 400,
            code: 50,
            chunks: [("system".to_owned(), 9)].into(),
            words: 11,
            rest: 177,
        };
        assert_eq!(weights, [expected]);
        assert_eq!((weights[0].own(), weights[0].total()), (59, 533));
        let (table, heavy) = table(&weights);
        assert!(
            table.contains("| a-b | 50 | 9 | 400 |") && table.contains("| chunk system | | 9 |")
        );
        assert_eq!(heavy, []);
    }

    #[test]
    fn what_is_too_much_is_said_with_the_pieces_it_is_made_of() {
        let of = |code, chunk| {
            let (_, heavy) = table(&weigh(&site(code, chunk)).expect("complete"));
            let pieces = |excess: Excess| (excess.said, excess.pieces.join(" "));
            heavy.into_iter().map(pieces).collect::<Vec<_>>()
        };
        assert_eq!(of(CODE_BYTES_MOST - 10, 10), []);
        let own = (
            format!(
                "the code of a-b with its chunks weighs {} bytes, 1 too many",
                CODE_BYTES_MOST + 1
            ),
            "a-b system.chunk".to_owned(),
        );
        assert_eq!(of(CODE_BYTES_MOST - 9, 10), [own]);
        let chunk = (
            format!(
                "the chunk system weighs {} bytes, 1 too many",
                CHUNK_BYTES_MOST + 1
            ),
            "system.chunk".to_owned(),
        );
        assert_eq!(of(0, CHUNK_BYTES_MOST + 1), [chunk]);
        let page = PAGE_BYTES_MOST - 474;
        assert_eq!(of(page, 0).len(), 1, "the code alone");
        assert_eq!(of(page + 1, 0)[1].1, "core");
    }

    #[test]
    fn the_largest_functions_of_a_piece_have_names() {
        let code = |functions: &[(&str, usize)]| Code {
            first: Vec::new(),
            rest: None,
            functions: functions
                .iter()
                .map(|(symbol, bytes)| ((*symbol).to_owned(), *bytes))
                .collect(),
        };
        let pieces = Pieces {
            core: code(&[("_RNvCs1_4site4draw", 7), ("small", 1)]),
            chunks: Vec::new(),
            parts: Vec::new(),
        };
        let listed = largest(&pieces, &[], CORE).expect("no lesson");
        assert_eq!(listed, "       7 site::draw\n       1 small\n");
        assert_eq!(largest(&pieces, &[], "system.chunk"), Ok(String::new()));
        assert!(largest(&pieces, &["a-b"], CORE).is_err());
    }

    #[test]
    fn a_missing_file_is_named() {
        let mut site = site(50, 9);
        site.remove("s.js");
        assert_eq!(
            weigh(&site),
            Err("s.js is missing in the built site".to_owned())
        );
    }
}
