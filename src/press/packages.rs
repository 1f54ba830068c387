//! Packages: one lesson taken out of a built site, as a single file or for a learning management system.

use crate::pages::{REST, chunk_of, rest_of};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine::svg::escape;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The files of a built site, by their path from its top.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The script that speaks with the system.
const ADAPTER: &str = include_str!("../../assets/scorm.js");

/// A version of SCORM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scorm {
    /// SCORM 1.2.
    V12,
    /// SCORM 2004, third edition.
    V2004,
}

impl Scorm {
    /// Reads `1.2` or `2004`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "1.2" => Some(Self::V12),
            "2004" => Some(Self::V2004),
            _ => None,
        }
    }

    /// How it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::V12 => "1.2",
            Self::V2004 => "2004",
        }
    }
}

fn text<'a>(site: &'a Files, path: &str) -> Result<&'a str, String> {
    let bytes = site
        .get(path)
        .ok_or_else(|| format!("{path} is missing in the built site"))?;
    std::str::from_utf8(bytes).map_err(|_| format!("{path} is no text"))
}

fn data(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

/// The value of an attribute in one tag.
pub(crate) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

/// A path as a page of a lesson names it, from the top of the site.
pub(crate) fn from_top(address: &str) -> &str {
    address.trim_start_matches("../")
}

/// One lesson as one file that needs neither server nor network.
///
/// # Errors
/// The built site lacks a file that the lesson needs.
pub fn single(site: &Files, slug: &str) -> Result<String, String> {
    let page = text(site, &format!("l/{slug}/index.html"))?;
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    // Tag by tag: what names another file is replaced by that file or left out.
    while let Some(start) = rest.find('<') {
        let end = rest[start..]
            .find('>')
            .map_or(rest.len(), |end| start + end + 1);
        let (before, tag) = (&rest[..start], &rest[start..end]);
        rest = &rest[end..];
        out += before;
        if tag.starts_with("<html ") {
            out += &tag
                .replace(" data-worker=\"sw.js\"", " data-alone=\"\"")
                .replace("\"../../\"", "\"./\"");
        } else if tag.starts_with("<link ") {
            let (rel, href) = (
                attribute(tag, "rel"),
                attribute(tag, "href").unwrap_or_default(),
            );
            match rel {
                Some("stylesheet") => {
                    let _ = write!(out, "<style>{}</style>", sheet(site, from_top(href))?);
                }
                Some("icon") => {
                    let icon = text(site, from_top(href))?;
                    let icon = data("image/svg+xml", icon.as_bytes());
                    let _ = write!(out, "<link rel=\"icon\" href=\"{icon}\">");
                }
                _ => {}
            }
        } else if tag.starts_with("<meta property=\"og:")
            || tag.starts_with("<meta name=\"twitter:")
        {
            // A file has no address that others could preview.
        } else if tag.starts_with("<script ") {
            let script = text(site, from_top(attribute(tag, "src").unwrap_or_default()))?;
            // As an address, so that it still waits for the page and cannot end its own element.
            let _ = write!(
                out,
                "<script defer src=\"{}\">",
                data("text/javascript", script.as_bytes())
            );
        } else if tag.starts_with("<a ")
            && !tag.contains("href=\"#")
            && !tag.contains("href=\"https:")
        {
            out += &without(tag, "href");
        } else if tag.contains(" id=\"boot\"") {
            let mut tag = with_chunks(site, tag, slug)?;
            for (name, kind) in [
                ("data-script", "text/javascript"),
                ("data-wasm", "application/wasm"),
                ("data-code", "application/wasm"),
                ("data-rest", "application/wasm"),
                ("data-late", "application/wasm"),
            ] {
                let Some(address) = attribute(&tag, name).map(str::to_owned) else {
                    continue; // Only a release build keeps the lesson's code apart.
                };
                let path = from_top(&address).replace('*', slug);
                if name == "data-late" && !site.contains_key(&path) {
                    tag = without(&tag, name); // This lesson needs all of its code from the start.
                    continue;
                }
                let bytes = site
                    .get(&path)
                    .ok_or_else(|| format!("{path} is missing in the built site"))?;
                tag = tag.replacen(&address, &data(kind, bytes), 1);
            }
            out += &tag;
        } else if tag == "</body>" {
            // Without the lesson's English words there is no lesson.
            text(site, &format!("words/{slug}.en.json"))?;
            for path in site.keys().filter(|path| has_words(path, slug)) {
                let words = text(site, path)?.replace('<', "\\u003c");
                let _ = writeln!(
                    out,
                    "<script type=\"application/json\" id=\"{path}\">{words}</script>"
                );
            }
            out += tag;
        } else {
            out += tag;
        }
    }
    Ok(out + rest)
}

/// The chunks that a lesson needs, by the names in the tag that tells of them.
pub(crate) fn chunks<'a>(tag: &'a str, slug: &str) -> Vec<&'a str> {
    let told = attribute(tag, "data-chunks").unwrap_or_default().split(';');
    let needed = told.filter_map(|chunk| {
        let (name, who) = chunk.split_once(' ')?;
        who.split(' ').skip(1).any(|of| of == slug).then_some(name)
    });
    needed.collect()
}

/// The tag that tells of the program, with the chunks of one lesson inside and no word of others.
fn with_chunks(site: &Files, tag: &str, slug: &str) -> Result<String, String> {
    let code = from_top(attribute(tag, "data-code").unwrap_or_default());
    let mut out = without(tag, "data-chunks");
    let mut told = Vec::new();
    let mut attributes = String::new();
    for name in chunks(tag, slug) {
        let path = code.replace('*', &chunk_of(name));
        let bytes = site
            .get(&path)
            .ok_or_else(|| format!("{path} is missing in the built site"))?;
        told.push(format!("{name} {} {slug}", bytes.len()));
        let rest = site.get(&code.replace('*', &rest_of(&chunk_of(name))));
        for (end, bytes) in [("", Some(bytes)), ("-rest", rest)] {
            let Some(bytes) = bytes else { continue };
            let _ = write!(
                attributes,
                " data-chunk-{name}{end}=\"{}\"",
                data("application/wasm", bytes)
            );
        }
    }
    if !told.is_empty() {
        let _ = write!(attributes, " data-chunks=\"{}\"", told.join(";"));
        out.insert_str(out.len() - 1, &attributes);
    }
    Ok(out)
}

/// Whether a file holds words that the lesson needs, in any language.
fn has_words(path: &str, slug: &str) -> bool {
    let of = |name: &str| {
        let rest = path.strip_prefix("words/")?.strip_prefix(name)?;
        rest.strip_prefix('.')?.strip_suffix(".json")
    };
    ["site", slug].into_iter().any(|name| of(name).is_some())
}

/// A tag without one of its attributes.
fn without(tag: &str, name: &str) -> String {
    match attribute(tag, name) {
        Some(value) => tag.replacen(&format!(" {name}=\"{value}\""), "", 1),
        None => tag.to_owned(),
    }
}

/// A style sheet with its fonts inside.
fn sheet(site: &Files, path: &str) -> Result<String, String> {
    let mut css = text(site, path)?.to_owned();
    for (name, bytes) in site.iter().filter(|(name, _)| name.ends_with(".woff2")) {
        css = css.replace(&format!("../{name}"), &data("font/woff2", bytes));
    }
    Ok(css.replace("</", "<\\/"))
}

/// The files of a SCORM package, its manifest first among equals.
///
/// # Errors
/// The built site lacks the lesson.
pub fn scorm(site: &Files, slug: &str, version: Scorm, pass: Option<u8>) -> Result<Files, String> {
    let page = text(site, &format!("embed/{slug}/index.html"))?;
    let title = page
        .split("<h1>")
        .nth(1)
        .and_then(|rest| rest.split("</h1>").next())
        .unwrap_or(slug);
    let tags = page.split('<').find(|tag| tag.contains(" id=\"boot\""));
    let chunks = chunks(tags.unwrap_or_default(), slug).into_iter();
    let codes = chunks.flat_map(|name| [chunk_of(name), rest_of(&chunk_of(name))]);
    let codes = codes.chain(["bg", slug, REST, &rest_of(slug)].map(str::to_owned));
    let codes: Vec<String> = codes.map(|name| format!("_{name}.wasm")).collect();
    let needed = |path: &str| {
        let others_code =
            path.ends_with(".wasm") && !codes.iter().any(|code| path.ends_with(code.as_str()));
        let program = !path.contains('/')
            && !others_code
            && [".js", ".wasm", ".svg"]
                .iter()
                .any(|end| path.ends_with(end))
            && !["sw.js", "embed.js", "authors.js"].contains(&path);
        program
            || path.starts_with("style/")
            || path.starts_with("assets/")
            || has_words(path, slug)
    };
    let mut files: Files = site
        .iter()
        .filter(|(path, _)| needed(path) && !path.ends_with(".br"))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    // There is no worker to install beside somebody else's system.
    let embed = page.replace(" data-worker=\"sw.js\"", "");
    files.insert(format!("embed/{slug}/index.html"), embed.into_bytes());
    files.insert("scorm.js".to_owned(), ADAPTER.as_bytes().to_vec());
    files.insert("scorm.css".to_owned(), FRAME.as_bytes().to_vec());
    files.insert(
        "index.html".to_owned(),
        launch(slug, title, version, pass, &said(site, slug)?).into_bytes(),
    );
    let manifest = manifest(slug, title, version, files.keys());
    files.insert("imsmanifest.xml".to_owned(), manifest.into_bytes());
    Ok(files)
}

/// The sheet of the page that the system opens: the lesson fills it, under what there is to say about keeping it.
const FRAME: &str = "html, body { height: 100%; margin: 0; }\nbody { display: flex; flex-direction: column; }\n\
    iframe { display: block; width: 100%; flex: 1; border: 0; }\n\
    p { margin: 0; padding: 4px 12px; font: 14px/1.4 system-ui, sans-serif; color: #3a2a00; background: #fff3d6; }\n\
    p[hidden] { display: none; }\n";

/// What the page says to a system and to a learner: what the story asks, as JSON, and what is not kept.
struct Said {
    questions: String,
    unsaved: String,
    watching: String,
}

fn said(site: &Files, slug: &str) -> Result<Said, String> {
    let words = |path: &str| -> Result<serde_json::Value, String> {
        serde_json::from_str(text(site, path)?).map_err(|error| format!("{path}: {error}"))
    };
    let (ours, theirs) = (
        words("words/site.en.json")?,
        words(&format!("words/{slug}.en.json"))?,
    );
    let word = |all: &serde_json::Value, id: &str| {
        all["words"][id].as_str().unwrap_or_default().to_owned()
    };
    let beats = lessons::find(slug).map_or_else(Vec::new, |entry| (entry.open)(1).beats());
    let asked = beats.iter().enumerate().filter_map(|(at, beat)| {
        let (id, options) = beat.predict?;
        let option = |option: &&str| word(&theirs, &format!("predict.{id}.{option}"));
        Some(serde_json::json!({
            "beat": at + 1,
            "text": word(&theirs, &format!("predict.{id}")),
            "options": options.iter().map(option).collect::<Vec<_>>(),
        }))
    });
    Ok(Said {
        questions: serde_json::Value::Array(asked.collect()).to_string(),
        unsaved: word(&ours, "scorm.unsaved"),
        watching: word(&ours, "scorm.watching"),
    })
}

/// The page that the system opens. `title` is escaped already.
fn launch(slug: &str, title: &str, version: Scorm, pass: Option<u8>, said: &Said) -> String {
    let pass = pass.map_or(String::new(), |pass| format!(" data-pass=\"{pass}\""));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"scorm.css\">\n<script src=\"scorm.js\" defer></script>\n</head>\n<body>\n\
         <p role=\"status\" hidden data-unsaved=\"{}\" data-watching=\"{}\"></p>\n\
         <iframe title=\"{title}\" data-src=\"embed/{slug}/index.html\" data-scorm=\"{}\"{pass} data-questions=\"{}\" \
         allow=\"fullscreen; clipboard-write\"></iframe>\n\
         </body>\n</html>\n",
        escape(&said.unsaved),
        escape(&said.watching),
        version.name(),
        escape(&said.questions)
    )
}

/// The manifest (SCORM 1.2 Content Aggregation Model, section 2.3; SCORM 2004 3rd edition, section 3.4).
fn manifest<'a>(
    slug: &str,
    title: &str,
    version: Scorm,
    files: impl Iterator<Item = &'a String>,
) -> String {
    let (content, adl, schema, kind) = match version {
        Scorm::V12 => (
            "http://www.imsproject.org/xsd/imscp_rootv1p1p2",
            "http://www.adlnet.org/xsd/adlcp_rootv1p2",
            "1.2",
            "scormtype",
        ),
        Scorm::V2004 => (
            "http://www.imsglobal.org/xsd/imscp_v1p1",
            "http://www.adlnet.org/xsd/adlcp_v1p3",
            "2004 3rd Edition",
            "scormType",
        ),
    };
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <manifest identifier=\"loadlab-{slug}\" version=\"1\" xmlns=\"{content}\" xmlns:adlcp=\"{adl}\">\n\
         <metadata><schema>ADL SCORM</schema><schemaversion>{schema}</schemaversion></metadata>\n\
         <organizations default=\"course\"><organization identifier=\"course\"><title>{title}</title>\n\
         <item identifier=\"item\" identifierref=\"lesson\"><title>{title}</title></item></organization></organizations>\n\
         <resources><resource identifier=\"lesson\" type=\"webcontent\" adlcp:{kind}=\"sco\" href=\"index.html\">\n"
    );
    for file in files {
        let _ = writeln!(out, "<file href=\"{}\"/>", escape(file));
    }
    out + "</resource></resources>\n</manifest>\n"
}

/// Files as a zip archive; the same files give the same bytes.
///
/// # Errors
/// The archive cannot be written, which takes a file of more than four gigabytes.
pub fn zip(files: &Files) -> Result<Vec<u8>, String> {
    let fault = |error: &dyn std::fmt::Display| format!("zip: {error}");
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    for (path, bytes) in files {
        archive
            .start_file(path.as_str(), options)
            .map_err(|error| fault(&error))?;
        archive.write_all(bytes).map_err(|error| fault(&error))?;
    }
    let archive = archive.finish().map_err(|error| fault(&error))?;
    Ok(archive.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn site() -> Files {
        let page = "<!doctype html>\n<html lang=\"en\" data-root=\"../../\" data-slug=\"a-b\" data-version=\"1\" data-worker=\"sw.js\">\n<head>\
            <meta property=\"og:url\" content=\"./\"><link rel=\"canonical\" href=\"./\">\
            <link rel=\"stylesheet\" href=\"../../style/a.css\"><link rel=\"icon\" href=\"../../icon.svg\">\
            <script src=\"../../boot.js\" defer></script></head>\n<body><a class=\"brand\" href=\"../../\">L</a>\
            <a href=\"#main\">S</a><h1>A &amp; b</h1>\
            <div id=\"boot\" data-script=\"../../s.js\" data-wasm=\"../../s_bg.wasm\" data-code=\"../../s_*.wasm\" \
            data-rest=\"../../s_rest.wasm\" data-chunks=\"cluster 4 other;system 5 other a-b\"></div></body></html>\n";
        [
            ("l/a-b/index.html", page),
            ("embed/a-b/index.html", page),
            (
                "style/a.css",
                "@font-face{src:url(\"../assets/fonts/f.woff2\")}",
            ),
            ("assets/fonts/f.woff2", "font"),
            ("icon.svg", "<svg/>"),
            ("boot.js", "// </script> in a comment"),
            ("s.js", "export {}"),
            ("s_bg.wasm", "\0asm"),
            ("s_bg.wasm.br", "packed"),
            ("s_rest.wasm", "\0rest"),
            ("s_a-b.wasm", "\0own"),
            ("s_system.chunk.wasm", "\0many"),
            ("s_system.chunk.rest.wasm", "\0late"),
            ("s_cluster.chunk.wasm", "\0few"),
            ("s_other.wasm", "\0other"),
            ("sw.js", "worker"),
            ("words/site.en.json", "{\"a\":\"</script>\"}"),
            ("words/a-b.en.json", "{}"),
            ("words/other.en.json", "{}"),
            ("cards/a-b.png", "png"),
        ]
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into()
    }

    #[test]
    fn a_single_file_names_no_other() {
        let html = single(&site(), "a-b").expect("complete");
        for name in ["../", "sw.js", "canonical", "og:", "cluster"] {
            assert!(!html.contains(name), "{name}: {html}");
        }
        for needed in [
            "data-alone=\"\"",
            "data-root=\"./\"",
            "data-wasm=\"data:application/wasm;base64,AGFzbQ==\"",
            "data-rest=\"data:application/wasm;base64,AHJlc3Q=\"",
            "data-code=\"data:application/wasm;base64,AG93bg==\"",
            "data-chunks=\"system 5 a-b\"",
            "data-chunk-system=\"data:application/wasm;base64,AG1hbnk=\"",
            "data-chunk-system-rest=\"data:application/wasm;base64,AGxhdGU=\"",
            "url(\"data:font/woff2;base64,",
            "<a class=\"brand\">",
            "<a href=\"#main\">",
            "<script type=\"application/json\" id=\"words/site.en.json\">{\"a\":\"\\u003c/script>\"}</script>",
        ] {
            assert!(html.contains(needed), "{needed}: {html}");
        }
        assert!(single(&site(), "none").is_err());
    }

    #[test]
    fn a_package_lists_every_file_and_holds_one_lesson() {
        for version in [Scorm::V12, Scorm::V2004] {
            let files = scorm(&site(), "a-b", version, None).expect("complete");
            let manifest = text(&files, "imsmanifest.xml").expect("there");
            assert!(manifest.contains("<title>A &amp; b</title>"));
            for path in files.keys().filter(|path| *path != "imsmanifest.xml") {
                assert!(
                    manifest.contains(&format!("<file href=\"{path}\"/>")),
                    "{path}"
                );
            }
            assert_eq!(manifest.matches("<file ").count() + 1, files.len());
            for present in [
                "s_rest.wasm",
                "s_a-b.wasm",
                "s_system.chunk.wasm",
                "s_system.chunk.rest.wasm",
            ] {
                assert!(files.contains_key(present), "{present}");
            }
            for absent in [
                "sw.js",
                "words/other.en.json",
                "cards/a-b.png",
                "s_bg.wasm.br",
                "s_other.wasm",
                "s_cluster.chunk.wasm",
                "l/a-b/index.html",
            ] {
                assert!(!files.contains_key(absent), "{absent}");
            }
        }
    }

    #[test]
    fn versions_differ_where_the_standards_do() {
        let manifest = |version| {
            let files = scorm(&site(), "a-b", version, None).expect("complete");
            text(&files, "imsmanifest.xml").expect("there").to_owned()
        };
        assert!(manifest(Scorm::V12).contains("adlcp:scormtype=\"sco\""));
        assert!(manifest(Scorm::V2004).contains("adlcp:scormType=\"sco\""));
        assert_eq!(Scorm::parse("2004"), Some(Scorm::V2004));
        assert_eq!(Scorm::parse("3"), None);
        let files = scorm(&site(), "a-b", Scorm::V2004, Some(60)).expect("complete");
        let page = String::from_utf8_lossy(&files["index.html"]);
        assert!(
            page.contains("data-scorm=\"2004\" data-pass=\"60\" data-questions=\"[]\""),
            "{page}"
        );
    }

    #[test]
    fn an_archive_unpacks_to_the_same_and_is_the_same_each_time() {
        let files = scorm(&site(), "a-b", Scorm::V12, None).expect("complete");
        let packed = zip(&files).expect("packed");
        assert_eq!(packed, zip(&files).expect("packed"));
        let mut archive = zip::ZipArchive::new(Cursor::new(packed)).expect("an archive");
        assert_eq!(archive.len(), files.len());
        let mut manifest = Vec::new();
        let mut file = archive.by_name("imsmanifest.xml").expect("there");
        file.read_to_end(&mut manifest).expect("unpacks");
        assert_eq!(manifest, files["imsmanifest.xml"]);
    }
}
