//! Packages: lessons taken out of a built site, as a single file or for a learning management system. The Embed dialog makes the
//! same ones in the page (`assets/packages.js`) from the same table and the same templates.

use crate::pages::{REST, chunk_of, rest_of};
use crate::template::fill;
use crate::words::Texts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The files of a built site, by their path from its top.
pub type Files = BTreeMap<String, Vec<u8>>;

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

/// What gives a page of its own the author's query; a query holds nothing that would end the text. Where the page may not
/// change its address it opens at the lesson's default.
const WISH: &str = "try { location.search || history.replaceState(null, \"\", \"?QUERY\" + location.hash); } catch {}";

/// One lesson as one file that needs neither server nor network; it opens as `query` asks where its address asks nothing.
///
/// # Errors
/// The built site lacks a file that the lesson needs.
pub fn single(site: &Files, slug: &str, query: &str) -> Result<String, String> {
    let page = text(site, &format!("l/{slug}/index.html"))?;
    let mut wish = match query {
        "" => String::new(),
        query => WISH.replace("QUERY", query),
    };
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
            let wish = std::mem::take(&mut wish);
            if !wish.is_empty() {
                let wish = data("text/javascript", wish.as_bytes());
                let _ = write!(out, "<script src=\"{wish}\"></script>");
            }
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
    ["site", "more", "film", slug]
        .into_iter()
        .any(|name| of(name).is_some())
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

/// What every package needs beside its lessons, by name: the page shows it (`assets/packages.js`) as press does.
const TEMPLATES: [(&str, &str); 7] = [
    ("launch.html", include_str!("packages/launch.html")),
    ("launch.css", include_str!("packages/launch.css")),
    ("scorm-1.2", include_str!("packages/scorm-12.xml")),
    ("scorm-2004", include_str!("packages/scorm-2004.xml")),
    ("cmi5", include_str!("packages/cmi5.xml")),
    ("cartridge", include_str!("packages/cartridge.xml")),
    ("link", include_str!("packages/link.xml")),
];
/// What an author chose for one lesson and every other one in the package gets as well.
const SHARED: [&str; 4] = ["theme", "motion", "lang", "hide"];
/// Scripts that a page fetches when it is asked to, and that no lesson of a package is asked for.
const ASKED_FOR: [&str; 8] = [
    "sw.js",
    "embed.js",
    "authors.js",
    "scorm.js",
    "xapi.js",
    "packages.js",
    "download.js",
    "fflate.js",
];

fn template(name: &str) -> &'static str {
    TEMPLATES
        .iter()
        .find(|(known, _)| *known == name)
        .map_or("", |(_, text)| text)
}

/// The table that everybody packs by: of each lesson the files that it needs, its title and what its story asks, and what
/// is the same for all of them.
///
/// # Errors
/// The site lacks a lesson's page or its words.
pub fn tables(site: &Files, texts: &Texts) -> Result<Files, String> {
    let words = |path: &str| -> Result<Value, String> {
        serde_json::from_str(text(site, path)?).map_err(|error| format!("{path}: {error}"))
    };
    let mut made = Files::new();
    let mut put = |name: &str, table: &Value| {
        made.insert(table_path(name), table.to_string().into_bytes());
    };
    let mut all = Vec::new();
    for path in site.keys() {
        let slug = path
            .strip_prefix("embed/")
            .and_then(|rest| rest.strip_suffix("/index.html"));
        let Some(slug) = slug else { continue };
        let own = words(&format!("words/{slug}.en.json"))?;
        let word = |id: &str| own["words"][id].as_str().unwrap_or_default().to_owned();
        let beats = lessons::find(slug).map_or_else(Vec::new, |entry| (entry.open)(1).beats());
        let steps = beats.iter().map(|beat| {
            let asks = beat.predict.map(|(id, options)| {
                let option = |option: &&str| word(&format!("predict.{id}.{option}"));
                json!({
                    "text": word(&format!("predict.{id}")),
                    "options": options.iter().map(option).collect::<Vec<_>>(),
                })
            });
            json!({ "id": beat.id, "asks": asks })
        });
        put(
            slug,
            &json!({
                "slug": slug,
                "title": word("title"),
                "about": word("question"),
                "files": needed(site, slug)?,
                "steps": steps.collect::<Vec<_>>(),
            }),
        );
        all.push(json!({ "slug": slug, "title": word("title") }));
    }
    let ours = texts.section("packages");
    let ours: BTreeMap<&str, &str> = ours.collect();
    put(
        "index",
        &json!({
            "title": words("words/site.en.json")?["words"]["title"],
            "lessons": all,
            "templates": TEMPLATES.into_iter().collect::<BTreeMap<_, _>>(),
            "words": ours,
            "shared": SHARED,
        }),
    );
    Ok(made)
}

fn table_path(name: &str) -> String {
    format!("packages/{name}.json")
}

/// The files of the site that a lesson needs wherever it stands.
fn needed(site: &Files, slug: &str) -> Result<Vec<String>, String> {
    let embed = format!("embed/{slug}/index.html");
    let page = text(site, &embed)?;
    let tags = page.split('<').find(|tag| tag.contains(" id=\"boot\""));
    let chunks = chunks(tags.unwrap_or_default(), slug).into_iter();
    let codes = chunks.flat_map(|name| [chunk_of(name), rest_of(&chunk_of(name))]);
    let codes = codes.chain(["bg", slug, REST, &rest_of(slug)].map(str::to_owned));
    let codes: Vec<String> = codes.map(|name| format!("_{name}.wasm")).collect();
    let program = |path: &str| {
        let own = match path.ends_with(".wasm") {
            true => codes.iter().any(|code| path.ends_with(code.as_str())),
            false => path.ends_with(".js") || path.ends_with(".svg"),
        };
        own && !path.contains('/') && !ASKED_FOR.contains(&path)
    };
    // What a page names one folder higher than the top is the copy that it finds without its last slash, too.
    let named = |path: &str| {
        let name = path.strip_prefix("embed/");
        name.is_some_and(|name| page.contains(&format!(" src=\"../{name}\"")))
    };
    let needed = |path: &&String| {
        let kept = program(path)
            || path.starts_with("style/")
            || path.starts_with("assets/")
            || has_words(path, slug)
            || **path == embed
            || named(path);
        kept && !path.ends_with(".br")
    };
    Ok(site.keys().filter(needed).cloned().collect())
}

/// What a course is packed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SCORM 1.2.
    Scorm12,
    /// SCORM 2004, fourth edition.
    ///
    /// Earlier editions would hold these packages too: nothing in them is new in the fourth but its name. It is named because it is the
    /// one that ADL recommends and keeps a test suite for, because systems that keep SCORM 2004 at all have known it since 2009
    /// (Moodle takes the third and the fourth alike, engines such as Rustici's take every one), and because only the
    /// fourth promises to sum the progress of several lessons up. Who has an older system takes SCORM 1.2.
    ///
    /// Without sequencing (SN 3.2.2, 3.10) a system may not open the first lesson by itself (`flow` is false by default), and takes
    /// a lesson that says nothing of success for passed (`objectiveSetByContent` likewise). A pass mark stands there, too: from it the
    /// system knows `cmi.scaled_passing_score` and judges as the lesson does. The schemas (XSD) that the book on packaging wants beside
    /// the manifest are left out: no system reads them from a package, and they would be as many files as the lesson has.
    Scorm2004,
    /// cmi5, which tells by xAPI.
    Cmi5,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Scorm12, Kind::Scorm2004, Kind::Cmi5];

    /// As it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scorm12 => "1.2",
            Self::Scorm2004 => "2004",
            Self::Cmi5 => "cmi5",
        }
    }

    /// Reads `1.2`, `2004` or `cmi5`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }

    /// The template and the path of what lists the package's content.
    fn manifest(self) -> (&'static str, &'static str) {
        match self {
            Self::Scorm12 => ("scorm-1.2", "imsmanifest.xml"),
            Self::Scorm2004 => ("scorm-2004", "imsmanifest.xml"),
            Self::Cmi5 => ("cmi5", "cmi5.xml"),
        }
    }

    /// The script that speaks with the system, and the version that it is told.
    fn script(self) -> (&'static str, &'static str) {
        match self {
            Self::Cmi5 => ("xapi.js", ""),
            _ => ("scorm.js", self.name()),
        }
    }
}

/// What an author chose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    /// The lessons; the query is about the first.
    pub slugs: &'a [&'a str],
    /// As the Embed dialog writes it.
    pub query: &'a str,
    /// So many per cent of the questions, answered rightly, pass.
    pub pass: Option<u8>,
}

/// One lesson of a package, as its table and the author have it.
struct Chosen {
    table: Value,
    query: String,
}

impl Choice<'_> {
    fn lessons(&self, site: &Files) -> Result<Vec<Chosen>, String> {
        let choose = |(at, slug): (usize, &&str)| {
            let missing = |_| format!("there is no lesson `{slug}` in the built site");
            let table = text(site, &table_path(slug)).map_err(missing)?;
            let table = serde_json::from_str(table).map_err(|error| format!("{slug}: {error}"))?;
            let shared = |pair: &&str| {
                let name = pair.split('=').next().unwrap_or_default();
                at == 0 || SHARED.contains(&name) || *pair == "lock=all"
            };
            let query: Vec<&str> = self.query.split('&').filter(shared).collect();
            let query = query.join("&");
            Ok(Chosen { table, query })
        };
        self.slugs.iter().enumerate().map(choose).collect()
    }
}

impl Chosen {
    fn text(&self, name: &str) -> &str {
        self.table[name].as_str().unwrap_or_default()
    }

    /// What the part of the story that is told asks, by the number of its step there, from 1.
    ///
    /// # Errors
    /// The query names a step that the lesson lacks.
    fn questions(&self) -> Result<Value, String> {
        let steps = self.table["steps"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let asked = contract::parse(&self.query);
        let find = |name: &Option<String>, default: usize| match name {
            Some(name) => steps
                .iter()
                .position(|step| step["id"] == name.as_str())
                .ok_or_else(|| format!("{} has no step `{name}`", self.text("slug"))),
            None => Ok(default),
        };
        let first = find(&asked.from, 0)?;
        let last = find(&asked.to, steps.len().saturating_sub(1))?;
        if last < first && !steps.is_empty() {
            return Err("the last step comes before the first".to_owned());
        }
        let told = steps.iter().enumerate().take(last + 1).skip(first);
        // What the last step asks is answered by a step that is not told.
        let told = told.filter(|(at, _)| *at < last || last + 1 == steps.len());
        let questions = told.filter_map(|(at, step)| {
            let asks = step["asks"].as_object()?;
            Some(json!({ "beat": at - first + 1, "id": step["id"], "options": asks["options"], "text": asks["text"] }))
        });
        Ok(Value::Array(questions.collect()))
    }
}

/// The files of a package.
///
/// # Errors
/// The built site lacks a lesson or one of its files, or the choice names a step that the lesson lacks.
pub fn package(site: &Files, kind: Kind, choice: &Choice<'_>) -> Result<Files, String> {
    let index: Value = serde_json::from_str(text(site, &table_path("index"))?)
        .map_err(|error| format!("packages/index.json: {error}"))?;
    let chosen = choice.lessons(site)?;
    let alone = chosen.len() == 1;
    let (script, version) = kind.script();
    let mut files = Files::new();
    let mut listed = Vec::new();
    for lesson in &chosen {
        let slug = lesson.text("slug");
        let page = match alone {
            true => "index.html".to_owned(),
            false => format!("{slug}.html"),
        };
        let launch = json!({
            "slug": slug,
            "title": lesson.text("title"),
            "script": script,
            "version": version,
            "query": lesson.query,
            "pass": choice.pass.map_or(String::new(), |pass| pass.to_string()),
            "questions": lesson.questions()?.to_string(),
            "unsaved": index["words"]["unsaved"],
            "full": index["words"]["full"],
            "slow": index["words"]["slow"],
            "watching": index["words"]["watching"],
            "refused": index["words"]["refused"],
        });
        let mut own = Files::new();
        for path in lesson.table["files"].as_array().into_iter().flatten() {
            let path = path.as_str().unwrap_or_default();
            let bytes = site
                .get(path)
                .ok_or_else(|| format!("{path} is missing in the built site"))?;
            own.insert(path.to_owned(), bytes.clone());
        }
        // There is no worker to install beside somebody else's system.
        let embed = format!("embed/{slug}/index.html");
        let plain = text(site, &embed)?.replace(" data-worker=\"sw.js\"", "");
        own.insert(embed, plain.into_bytes());
        own.insert(script.to_owned(), text(site, script)?.as_bytes().to_vec());
        own.insert(
            "launch.css".to_owned(),
            template("launch.css").as_bytes().to_vec(),
        );
        own.insert(
            page.clone(),
            fill(template("launch.html"), &launch).into_bytes(),
        );
        let paths = own.keys().map(|path| json!({ "path": path }));
        listed.push(json!({
            "slug": slug,
            "title": lesson.text("title"),
            "about": lesson.text("about"),
            "page": page,
            "files": paths.collect::<Vec<_>>(),
        }));
        files.append(&mut own);
    }
    let one = |name: &str| match alone {
        true => listed[0][name].clone(),
        false => index["title"].clone(),
    };
    let marks = choice.pass.iter();
    let marks = marks.map(|pass| json!({ "mark": (f64::from(*pass) / 100.0).to_string() }));
    let course = json!({
        "id": if alone { one("slug") } else { json!("course") },
        "title": one("title"),
        "about": one("about"),
        "moves": if choice.pass.is_some() { "Passed" } else { "Completed" },
        "marks": marks.collect::<Vec<_>>(),
        "lessons": listed,
    });
    let (manifest, path) = kind.manifest();
    files.insert(
        path.to_owned(),
        fill(template(manifest), &course).into_bytes(),
    );
    Ok(files)
}

/// The files of a Common Cartridge of links (1EdTech Common Cartridge 1.3, section 4.5) to the lessons of the site at `home`, which ends in a slash.
///
/// # Errors
/// The built site lacks a lesson.
pub fn cartridge(site: &Files, home: &str, choice: &Choice<'_>) -> Result<Files, String> {
    let index: Value = serde_json::from_str(text(site, &table_path("index"))?)
        .map_err(|error| format!("packages/index.json: {error}"))?;
    let chosen = choice.lessons(site)?;
    let mut files = Files::new();
    let mut listed = Vec::new();
    for lesson in &chosen {
        lesson.questions()?;
        let slug = lesson.text("slug");
        let url = contract::snippet::page(home, "embed", slug, &lesson.query);
        let link = json!({ "slug": slug, "title": lesson.text("title"), "url": url });
        let path = format!("links/{slug}.xml");
        files.insert(path, fill(template("link"), &link).into_bytes());
        listed.push(link);
    }
    let course = json!({
        "id": if chosen.len() == 1 { listed[0]["slug"].clone() } else { json!("course") },
        "title": if chosen.len() == 1 { listed[0]["title"].clone() } else { index["title"].clone() },
        "lessons": listed,
    });
    let manifest = fill(template("cartridge"), &course);
    files.insert("imsmanifest.xml".to_owned(), manifest.into_bytes());
    Ok(files)
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
            ("scorm.js", "scorm"),
            ("xapi.js", "xapi"),
        ]
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into()
    }

    /// The same with the table that press writes beside it, and two lessons that are packed from it.
    fn packable() -> Files {
        let mut site = site();
        let mut words = |slug: &str, title: &str| {
            let words = json!({ "words": { "title": title, "question": "Why?" } });
            site.insert(
                format!("words/{slug}.en.json"),
                words.to_string().into_bytes(),
            );
        };
        words("a-b", "A & b");
        words("other", "Other");
        site.insert(
            "embed/other/index.html".to_owned(),
            site["embed/a-b/index.html"].clone(),
        );
        let texts = crate::authors::texts().expect("sound");
        let tables = tables(&site, &texts).expect("complete");
        site.extend(tables);
        let table = r#"{"slug":"other","title":"Other","about":"Why?","files":["boot.js","embed/other/index.html"],
            "steps":[{"id":"a","asks":{"text":"Q?","options":["x","y"]}},{"id":"b","asks":null},
            {"id":"c","asks":{"text":"R?","options":["z","w"]}},{"id":"d","asks":null}]}"#;
        site.insert("packages/other.json".to_owned(), table.as_bytes().to_vec());
        site
    }

    fn packed(kind: Kind, slugs: &[&str], query: &str, pass: Option<u8>) -> Result<Files, String> {
        package(&packable(), kind, &Choice { slugs, query, pass })
    }

    #[test]
    fn a_single_file_names_no_other() {
        let html = single(&site(), "a-b", "").expect("complete");
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
        assert!(single(&site(), "none", "").is_err());
    }

    #[test]
    fn a_single_file_brings_the_authors_choice() {
        let html = single(&site(), "a-b", "theme=dark&lock=all").expect("complete");
        let wish = html
            .split("text/javascript;base64,")
            .nth(1)
            .expect("a script");
        let wish = STANDARD.decode(wish.split('"').next().unwrap_or_default());
        let wish = String::from_utf8(wish.expect("base64")).expect("text");
        assert!(wish.contains("\"?theme=dark&lock=all\""), "{wish}");
        assert_eq!(html.matches("<script ").count(), 4);
    }

    #[test]
    fn a_package_lists_every_file_and_holds_one_lesson() {
        for kind in [Kind::Scorm12, Kind::Scorm2004] {
            let files = packed(kind, &["a-b"], "", None).expect("complete");
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
                "launch.css",
                "scorm.js",
            ] {
                assert!(files.contains_key(present), "{present}");
            }
            for absent in [
                "sw.js",
                "xapi.js",
                "words/other.en.json",
                "cards/a-b.png",
                "s_bg.wasm.br",
                "s_other.wasm",
                "s_cluster.chunk.wasm",
                "l/a-b/index.html",
                "packages/a-b.json",
            ] {
                assert!(!files.contains_key(absent), "{absent}");
            }
        }
    }

    #[test]
    fn kinds_differ_where_the_standards_do() {
        let manifest = |kind: Kind, pass| {
            let files = packed(kind, &["a-b"], "", pass).expect("complete");
            text(&files, kind.manifest().1).expect("there").to_owned()
        };
        assert!(manifest(Kind::Scorm12, None).contains("adlcp:scormtype=\"sco\""));
        let modern = manifest(Kind::Scorm2004, None);
        assert!(modern.contains("adlcp:scormType=\"sco\""), "{modern}");
        assert!(modern.contains(">2004 4th Edition<"), "{modern}");
        assert!(modern.contains("flow=\"true\""), "{modern}");
        assert!(!modern.contains("minNormalizedMeasure"), "{modern}");
        let modern = manifest(Kind::Scorm2004, Some(57));
        assert!(
            modern.contains(">0.57</imsss:minNormalizedMeasure>"),
            "{modern}"
        );
        let cmi5 = manifest(Kind::Cmi5, None);
        assert!(
            cmi5.contains("moveOn=\"Completed\"") && !cmi5.contains("masteryScore"),
            "{cmi5}"
        );
        let cmi5 = manifest(Kind::Cmi5, Some(57));
        assert!(cmi5.contains("moveOn=\"Passed\""), "{cmi5}");
        assert!(cmi5.contains(" masteryScore=\"0.57\""), "{cmi5}");
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.name()), Some(kind));
        }
        assert_eq!(Kind::parse("3"), None);
        let files =
            packed(Kind::Scorm2004, &["a-b"], "theme=dark&lock=all", Some(60)).expect("complete");
        let page = String::from_utf8_lossy(&files["index.html"]);
        assert!(
            page.contains("data-query=\"theme=dark&amp;lock=all\" data-scorm=\"2004\" data-pass=\"60\" data-questions=\"[]\""),
            "{page}"
        );
    }

    #[test]
    fn a_part_of_the_story_asks_only_what_it_settles() {
        let asked = |query: &str| -> Result<String, String> {
            let files = packed(Kind::Scorm12, &["other"], query, None)?;
            let page = String::from_utf8_lossy(&files["index.html"]).into_owned();
            let asked = attribute(&page, "data-questions").unwrap_or_default();
            Ok(asked.replace("&quot;", "\""))
        };
        let one = |beat: usize, id: &str, text: &str, options: [&str; 2]| {
            json!({ "beat": beat, "id": id, "text": text, "options": options }).to_string()
        };
        let (q, r) = (one(1, "a", "Q?", ["x", "y"]), |beat| {
            one(beat, "c", "R?", ["z", "w"])
        });
        assert_eq!(asked(""), Ok(format!("[{q},{}]", r(3))));
        assert_eq!(asked("to=c"), Ok(format!("[{q}]")));
        assert_eq!(asked("from=b"), Ok(format!("[{}]", r(2))));
        assert!(asked("from=e").is_err() && asked("from=c&to=b").is_err());
    }

    #[test]
    fn several_lessons_share_files_and_the_common_choices() {
        let query = "theme=dark&p.load=80&from=b&lock=load&hide=story";
        let files = packed(Kind::Scorm2004, &["other", "a-b"], query, None).expect("complete");
        let page =
            |slug: &str| String::from_utf8_lossy(&files[&format!("{slug}.html")]).into_owned();
        assert!(page("other").contains("p.load=80&amp;from=b&amp;lock=load"));
        assert!(page("a-b").contains("data-query=\"theme=dark&amp;hide=story\""));
        let manifest = text(&files, "imsmanifest.xml").expect("there");
        for one in ["other", "a-b"] {
            let item = format!("<item identifier=\"item-{one}\" identifierref=\"lesson-{one}\">");
            assert!(manifest.contains(&item), "{manifest}");
            assert!(
                manifest.contains(&format!("href=\"{one}.html\">")),
                "{manifest}"
            );
        }
        assert!(packed(Kind::Cmi5, &["none"], "", None).is_err());
        let choice = Choice {
            slugs: &["other", "a-b"],
            query,
            pass: None,
        };
        let links = cartridge(&packable(), "https://a.example/", &choice).expect("complete");
        assert_eq!(links.len(), 3);
        let link = text(&links, "links/a-b.xml").expect("there");
        assert!(
            link.contains("https://a.example/embed/a-b/?theme=dark&amp;hide=story\""),
            "{link}"
        );
    }

    #[test]
    fn an_archive_unpacks_to_the_same_and_is_the_same_each_time() {
        let files = packed(Kind::Scorm12, &["a-b"], "", None).expect("complete");
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
