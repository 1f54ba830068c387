//! Pages: one real HTML file for each address, readable without script, made from Trunk's `index.html`.

use crate::catalogue::{self, Item};
use crate::opening;
use crate::pictures::{self, CARD, ICONS};
use crate::site::{LessonPage, Site};
use crate::words::Texts;
use crate::{authors, course, handout, share};
use engine::Words;
use engine::svg::escape;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

/// The name of the card of the pages that are no lesson.
const CATALOGUE_CARD: &str = "catalogue";

/// The files that Trunk built, by the names it gave them, and the page that names them.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    /// Trunk's `index.html`.
    pub template: String,
    /// The script that goes with the wasm.
    pub script: String,
    /// The wasm.
    pub wasm: String,
    /// The size of the wasm as the browser sees it, uncompressed.
    pub wasm_bytes: u64,
    /// Each lesson's own code, uncompressed, by slug, and the catalogue's; empty where the program was not cut.
    pub code_bytes: BTreeMap<String, u64>,
    /// The chunks, by their names.
    pub chunks: BTreeMap<String, Chunk>,
    /// The names of what no start runs, where that is kept apart: [`REST`], and [`rest_of`] chunks and lessons.
    pub rests: BTreeSet<String>,
}

/// What stands in a file's name where the slug stands in that of a lesson's code: what of the program that all pages
/// share no start runs.
pub const REST: &str = "rest";
/// The same for the catalogue's own code.
pub const CATALOGUE: &str = "catalogue";

/// The end of the same for what some lessons share.
pub const CHUNK: &str = "chunk";
/// The same for the chunk of this name.
pub fn chunk_of(name: &str) -> String {
    format!("{name}.{CHUNK}")
}

/// The same for what no start runs of the code that has this name there.
pub fn rest_of(name: &str) -> String {
    format!("{name}.{REST}")
}

/// What some lessons share.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// Its size in bytes, uncompressed.
    pub bytes: u64,
    /// The lessons that need it; [`CATALOGUE`] among them where that does.
    pub lessons: Vec<String>,
}

impl Assets {
    /// The chunks that a lesson needs, with their names.
    pub fn needed(&self, slug: &str) -> impl Iterator<Item = (&String, &Chunk)> {
        let needs = move |(_, chunk): &(&String, &Chunk)| chunk.lessons.iter().any(|of| of == slug);
        self.chunks.iter().filter(needs)
    }

    /// The file of a lesson's code: the program's name makes sure that both are of one build.
    pub fn code(&self, slug: &str) -> String {
        self.wasm.replace("_bg.wasm", &format!("_{slug}.wasm"))
    }
}

/// What kind of page it is; its name is the value of `data-page`.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Catalogue,
    Lesson,
    Embed,
    Authors,
    Course,
}

/// What stands in the head of one page.
struct Page<'a> {
    kind: Kind,
    slug: &'a str,
    /// From the page to the top of the site.
    root: &'static str,
    title: String,
    description: &'a str,
    /// The page to be found instead of this one, from the top of the site.
    canonical: String,
    /// The name of its card.
    card: String,
    /// How high the scene of an embed is at each width ([`crate::opening::Opening`]).
    heights: &'a str,
    body: String,
}

/// The paths of the copies of the boot script that pages in folders look for first, by the name that Trunk gave it.
pub fn boot_copies(template: &str) -> Vec<(String, String)> {
    let name = boot_name(template);
    let copies = ["l", "embed", "authors"];
    let copies = copies.map(|folder| (format!("{folder}/{name}"), name.clone()));
    copies.into_iter().filter(|_| !name.is_empty()).collect()
}

/// The name that Trunk gave the boot script; empty if the template has none.
pub fn boot_name(template: &str) -> String {
    let mut sources = template.split("<script src=\"./");
    let found = sources.find(|rest| rest.starts_with("boot"));
    let name = found.and_then(|rest| rest.split('"').next());
    name.unwrap_or_default().to_owned()
}

/// Every file that press adds to a site or replaces in it, by its path from the top.
///
/// # Errors
/// The template lacks a place that a page needs.
pub fn files(site: &Site, assets: &Assets) -> Result<BTreeMap<String, String>, String> {
    let mut files = BTreeMap::new();
    let authors = authors::texts()?;
    files.insert(
        "index.html".to_owned(),
        page(site, assets, catalogue_page(site, assets))?,
    );
    files.insert(
        "authors/index.html".to_owned(),
        page(site, assets, authors_page(site, &authors))?,
    );
    files.insert(
        "authors/course/index.html".to_owned(),
        page(site, assets, course_page(site, &authors)?)?,
    );
    files.insert("handout.css".to_owned(), handout::style());
    files.insert("handout.js".to_owned(), handout::SCRIPT.to_owned());
    files.insert(
        "words/site.en.json".to_owned(),
        site_words(&site.texts, false)?,
    );
    files.insert(
        "words/more.en.json".to_owned(),
        site_words(&site.texts, true)?,
    );
    files.insert("words/film.en.json".to_owned(), film_words(&site.texts)?);
    let catalogue = write_json(&json!({ "chapters": site.chapters, "paths": site.paths }))?;
    for (tag, translation) in &site.translations {
        for (name, later) in [("site", false), ("more", true)] {
            let words = site_words(&translation.texts, later)?;
            files.insert(format!("words/{name}.{tag}.json"), words);
        }
        let words = film_words(&translation.texts)?;
        files.insert(format!("words/film.{tag}.json"), words);
        files.insert(format!("words/catalogue.{tag}.json"), catalogue.clone());
    }
    files.insert("words/catalogue.en.json".to_owned(), catalogue);
    files.insert("sitemap.xml".to_owned(), share::sitemap(site));
    files.insert("robots.txt".to_owned(), share::robots(site));
    files.insert("manifest.webmanifest".to_owned(), share::manifest(site));
    for lesson in &site.lessons {
        let slug = &lesson.slug;
        for (folder, kind) in [("l", Kind::Lesson), ("embed", Kind::Embed)] {
            files.insert(
                format!("{folder}/{slug}/index.html"),
                page(site, assets, lesson_page(site, assets, lesson, kind))?,
            );
        }
        files.insert(
            format!("words/{slug}.en.json"),
            lesson_words(site, &site.texts, lesson, &lesson.texts)?,
        );
        files.insert(format!("words/{slug}.notes.en.json"), prose(&lesson.texts)?);
        if !lesson.code.is_empty() {
            files.insert(
                format!("words/{slug}.code.json"),
                write_json(&json!(lesson.code))?,
            );
        }
        for (tag, translation) in &site.translations {
            // A lesson that is not translated yet speaks English in every language.
            let texts = translation.lessons.get(slug).unwrap_or(&lesson.texts);
            let words = lesson_words(site, &translation.texts, lesson, texts)?;
            files.insert(format!("words/{slug}.{tag}.json"), words);
            files.insert(format!("words/{slug}.notes.{tag}.json"), prose(texts)?);
        }
        files.insert(format!("stills/{slug}.svg"), lesson.still.clone());
        let handout = handout::page(site, lesson, &boot_name(&assets.template));
        files.insert(format!("l/{slug}/handout/index.html"), handout);
        for step in &lesson.steps {
            for (side, picture) in step.pictures.iter().enumerate() {
                let name = handout::picture(slug, step.number, side);
                files.insert(name, picture.clone());
            }
        }
        files.insert(format!("oembed/{slug}.json"), share::oembed(site, lesson));
    }
    Ok(files)
}

/// Sections of the site's words that no page shows as it opens: the page asks for them with what says them.
const LATER: [&str; 7] = ["help", "share", "embed", "undo", "follow", "jot", "second"];
/// Sections that only this tool reads, or that travel with the lesson that says them.
const OWN: [&str; 5] = ["handout", "table", FILM, TYPING, MEASURE];
/// The words that only lessons with fields, or with something to measure, need: they travel with those lessons.
const TYPING: &str = "typing";
const MEASURE: &str = "measure";
/// The section that only the dialog for films reads, which fetches it when it is opened.
const FILM: &str = "film";

/// Those of the site's words that a page opens with, or the others.
fn site_words(texts: &Texts, later: bool) -> Result<String, String> {
    let all = texts.to_words();
    let chosen = all.ids().filter(|id| {
        let section = id.split_once('.').map_or("", |(section, _)| section);
        !OWN.contains(&section) && LATER.contains(&section) == later
    });
    let words = Words::new(chosen.map(|id| (id.to_owned(), all.get(id).to_owned())));
    write_json(&json!({ "words": words }))
}

fn film_words(texts: &Texts) -> Result<String, String> {
    let words: BTreeMap<_, _> = texts.section(FILM).collect();
    write_json(&json!({ "words": words }))
}

fn lesson_words(
    site: &Site,
    own: &Texts,
    lesson: &LessonPage,
    texts: &Texts,
) -> Result<String, String> {
    // What a lesson was checked against is named among the site's words, but only its own page says it.
    let tables = lesson.tables.iter().map(|table| {
        let id = format!("table.{table}");
        // In a language that lacks the word it is said in English, as the lesson is.
        let text = match own.get(&id) {
            text if text == id => site.texts.get(&id),
            text => text,
        };
        (id.clone(), text.to_owned())
    });
    let run = lessons::find(&lesson.slug).map(|entry| (entry.open)(1));
    let run = run.as_deref();
    let types = run.is_some_and(|run| run.actions().iter().any(|action| action.field.is_some()));
    let grows = run.is_some_and(|run| run.growth().is_some());
    let needed = |id: &str| match id.split_once('.').map_or("", |(section, _)| section) {
        TYPING => types,
        MEASURE => grows,
        _ => false,
    };
    let all = own.words.iter().filter(|(id, _)| needed(id)).cloned();
    let ours = texts.to_words();
    let ours = ours
        .ids()
        .map(|id| (id.to_owned(), ours.get(id).to_owned()));
    let words = Words::new(all.chain(ours).chain(tables));
    let chapter = catalogue::chapter_of(&site.chapters, &lesson.slug);
    let chapter = chapter.map(|chapter| &chapter.title);
    let next = texts.next.iter();
    let next: Vec<_> = next
        .filter_map(|slug| catalogue::item(&site.chapters, slug))
        .filter(|item| item.ready)
        .map(|item| json!({ "slug": item.slug, "title": item.title, "question": item.question, "ready": true }))
        .collect();
    write_json(&json!({
        "words": words,
        "chapter": chapter,
        "next": next,
    }))
}

/// What stands below the lesson. Its English page has it already; others, and who comes from another page, ask for it.
fn prose(texts: &Texts) -> Result<String, String> {
    write_json(&json!({ "notes": texts.notes, "left_out": texts.left_out }))
}

fn write_json(value: &serde_json::Value) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

/// Puts a page into the template.
fn page(site: &Site, assets: &Assets, page: Page<'_>) -> Result<String, String> {
    let kind = match page.kind {
        Kind::Catalogue => "catalogue",
        Kind::Lesson => "lesson",
        Kind::Embed => "embed",
        Kind::Authors => "authors",
        Kind::Course => "course",
    };
    let mut html = without_rust_link(&assets.template);
    // Trunk's addresses begin at the top of the site; the page may stand deeper.
    html = html.replace("=\"./", &format!("=\"{}", page.root));
    // A host may serve the page without the slash at its end, which makes every address in it mean one folder higher.
    // The script that mends that is found either way: a copy of it stands in the folder below (`boot_copies`).
    if let Some(nearer) = page.root.strip_prefix("../") {
        let nearer = if nearer.is_empty() { "./" } else { nearer };
        let script = |root: &str| format!("<script src=\"{root}boot");
        html = html.replacen(&script(page.root), &script(nearer), 1);
    }
    // The version is written in when every file is known.
    let tags: String = site
        .translations
        .keys()
        .map(|tag| format!(" {tag}"))
        .collect();
    let attributes = format!(
        "<html lang=\"en\" data-languages=\"en{tags}\" data-root=\"{}\" data-page=\"{kind}\" data-slug=\"{}\" data-version=\"\" data-worker=\"sw.js\"{}>",
        page.root,
        page.slug,
        if page.heights.is_empty() {
            String::new()
        } else {
            format!(" data-heights=\"{}\"", page.heights)
        }
    );
    for (place, with) in [
        ("<html lang=\"en\">", attributes),
        ("<!-- press:head -->", head(site, assets, &page)),
        ("<!-- press:body -->", page.body),
    ] {
        if html.matches(place).count() != 1 {
            return Err(format!("index.html must hold `{place}` exactly once"));
        }
        html = html.replacen(place, &with, 1);
    }
    if matches!(page.kind, Kind::Authors | Kind::Course) {
        // Behind the site's own sheet, some of whose rules it overrules.
        let sheet = format!(
            "  <link rel=\"stylesheet\" href=\"{}authors.css\">\n  </head>",
            page.root
        );
        html = html.replacen("</head>", &sheet, 1);
    }
    // The comment at the top explains the template, not the page.
    if let (Some(from), Some(until)) = (html.find("<!--"), html.find("<html"))
        && from < until
        && let Some(end) = html[from..until].find("-->")
    {
        html.replace_range(from..from + end + 4, "");
    }
    Ok(html)
}

/// With its scripts not injected, Trunk leaves the link that told it what to build.
fn without_rust_link(template: &str) -> String {
    template
        .lines()
        .filter(|line| !(line.contains("<link") && line.contains("rel=\"rust\"")))
        .fold(String::new(), |all, line| all + line + "\n")
}

fn head(site: &Site, assets: &Assets, page: &Page<'_>) -> String {
    let root = page.root;
    let (title, description) = (escape(&page.title), escape(page.description));
    let outside = |path: &str| match &site.home {
        Some(home) => format!("{}/{path}", home.trim_end_matches('/')),
        None => match (page.kind, path == page.canonical) {
            (Kind::Embed, _) | (_, false) => format!("{root}{path}"),
            (_, true) => "./".to_owned(),
        },
    };
    let mut out = format!("<title>{title}</title>\n");
    let mut line = |text: String| {
        let _ = writeln!(out, "    {text}");
    };
    line(format!(
        "<meta name=\"description\" content=\"{description}\">"
    ));
    line(format!(
        "<link rel=\"canonical\" href=\"{}\">",
        outside(&page.canonical)
    ));
    let kind = if page.kind == Kind::Catalogue {
        "website"
    } else {
        "article"
    };
    let picture = outside(&format!("cards/{}.png", page.card));
    for (property, content) in [
        ("og:type", kind),
        ("og:site_name", &escape(site.texts.get("title"))),
        ("og:title", &title),
        ("og:description", &description),
        ("og:url", &outside(&page.canonical)),
        ("og:image", &picture),
        ("og:image:type", "image/png"),
        ("og:image:width", &CARD.0.to_string()),
        ("og:image:height", &CARD.1.to_string()),
        ("og:image:alt", &title),
    ] {
        line(format!(
            "<meta property=\"{property}\" content=\"{content}\">"
        ));
    }
    for (name, content) in [
        ("twitter:card", "summary_large_image"),
        ("twitter:title", &title),
        ("twitter:description", &description),
        ("twitter:image", &picture),
    ] {
        line(format!("<meta name=\"{name}\" content=\"{content}\">"));
    }
    if !page.slug.is_empty() {
        line(format!(
            "<link rel=\"alternate\" type=\"application/json+oembed\" href=\"{}\" title=\"{title}\">",
            outside(&format!("oembed/{}.json", page.slug))
        ));
    }
    // An embed is part of its course and not a place of its own to install.
    if page.kind != Kind::Embed {
        line(format!(
            "<link rel=\"manifest\" href=\"{root}manifest.webmanifest\">"
        ));
        line(format!(
            "<link rel=\"apple-touch-icon\" href=\"{root}icons/{}.png\">",
            ICONS[0]
        ));
    }
    if matches!(page.kind, Kind::Lesson | Kind::Embed) {
        // Half of a lesson would be laid out otherwise than the whole: browsers that know this wait until it is read.
        line(format!(
            "<link rel=\"expect\" href=\"#{AT_REST}\" blocking=\"render\">"
        ));
    }
    if !matches!(page.kind, Kind::Authors | Kind::Course) {
        line(format!(
            "<link rel=\"modulepreload\" href=\"{root}{}\">",
            assets.script
        ));
        line(format!(
            "<link rel=\"preload\" href=\"{root}{}\" as=\"fetch\" type=\"application/wasm\" crossorigin>",
            assets.wasm
        ));
        let own = own_code(page.slug);
        if assets.code_bytes.contains_key(own) {
            line(format!(
                "<link rel=\"preload\" href=\"{root}{}\" as=\"fetch\" type=\"application/wasm\" crossorigin>",
                assets.code(own)
            ));
        }
        for (name, _) in assets.needed(own) {
            line(format!(
                "<link rel=\"preload\" href=\"{root}{}\" as=\"fetch\" type=\"application/wasm\" crossorigin>",
                assets.code(&chunk_of(name))
            ));
        }
    }
    out.trim_end().to_owned()
}

/// The id of what ends the lesson at rest.
const AT_REST: &str = "at-rest";

/// The messages of the boot script, by the attribute that carries each.
const BOOT: [(&str, &str); 18] = [
    ("title", "title"),
    ("sized", "bytes"),
    ("starting", "starting"),
    ("failed", "failed"),
    ("no-wasm", "no-wasm"),
    ("not-found", "not-found"),
    ("unreachable", "unreachable"),
    ("cut", "cut"),
    ("damaged", "damaged"),
    ("panicked", "panicked"),
    ("below", "below"),
    ("retry", "retry"),
    ("stopped", "stopped"),
    ("reload", "reload"),
    ("update", "update"),
    ("all", "all"),
    ("catalogue-title", "catalogue-title"),
    ("catalogue-failed", "catalogue-failed"),
];

/// The name of the code that the page of a lesson, or the catalogue, has for itself.
fn own_code(slug: &str) -> &str {
    if slug.is_empty() { CATALOGUE } else { slug }
}

/// The place where the boot script says how it goes.
fn boot(site: &Site, assets: &Assets, root: &str, slug: &str) -> String {
    let mut out = format!(
        "<div id=\"boot\" class=\"notice\" role=\"status\" data-script=\"{root}{}\" data-wasm=\"{root}{}\" data-bytes=\"{}\"",
        assets.script, assets.wasm, assets.wasm_bytes
    );
    if !assets.code_bytes.is_empty() {
        let bytes = assets.code_bytes.get(own_code(slug)).copied();
        let bytes = bytes.unwrap_or_default();
        let _ = write!(
            out,
            " data-code=\"{root}{}\" data-code-bytes=\"{bytes}\"",
            assets.code("*")
        );
    }
    if assets.rests.contains(REST) {
        let _ = write!(out, " data-rest=\"{root}{}\"", assets.code(REST));
    }
    if assets
        .code_bytes
        .keys()
        .any(|of| assets.rests.contains(&rest_of(of)))
    {
        let _ = write!(out, " data-late=\"{root}{}\"", assets.code(&rest_of("*")));
    }
    if !assets.chunks.is_empty() {
        // Each with its size and the lessons that need it: the application goes from one to another without a page.
        let chunk = |(name, chunk): (&String, &Chunk)| {
            format!("{name} {} {}", chunk.bytes, chunk.lessons.join(" "))
        };
        let chunks: Vec<String> = assets.chunks.iter().map(chunk).collect();
        let _ = write!(out, " data-chunks=\"{}\"", chunks.join(";"));
    }
    for (attribute, word) in BOOT {
        let id = format!("boot.{word}");
        let _ = write!(out, " data-{attribute}=\"{}\"", escape(site.texts.get(&id)));
    }
    let _ = write!(
        out,
        "><noscript><p>{}</p></noscript></div>",
        escape(site.texts.get("boot.script-off"))
    );
    out
}

/// The sign of the site: a door and the three ways behind it.
const SIGN: &str = "<svg viewBox=\"0 0 22 22\" aria-hidden=\"true\"><path class=\"f-none s-ink\" stroke-width=\"1.8\" \
    d=\"M4 11h14M11 11l7-7M11 11l7 7\"/><circle class=\"f-accent\" cx=\"4\" cy=\"11\" r=\"3\"/><circle class=\"f-ink\" \
    cx=\"18\" cy=\"4\" r=\"2.6\"/><circle class=\"f-ink\" cx=\"18\" cy=\"11\" r=\"2.6\"/><circle class=\"f-ink\" cx=\"18\" \
    cy=\"18\" r=\"2.6\"/></svg>";

fn header(site: &Site, root: &str, crumbs: &[&str], tools: &str) -> String {
    let mut out = format!(
        "<header class=\"top\"><a class=\"brand\" href=\"{root}\">{SIGN}{}</a>",
        escape(site.texts.get("title"))
    );
    if !crumbs.is_empty() {
        let _ = write!(
            out,
            "<nav class=\"crumbs\" aria-label=\"{}\">",
            escape(site.texts.get("page.breadcrumb"))
        );
        for (at, crumb) in crumbs.iter().enumerate() {
            let crumb = escape(crumb);
            let _ = if at + 1 == crumbs.len() {
                write!(out, "<span aria-current=\"page\">{crumb}</span>")
            } else {
                write!(
                    out,
                    "<span>{crumb}</span><span aria-hidden=\"true\">/</span>"
                )
            };
        }
        out += "</nav>";
    }
    out + tools + "</header>\n"
}

fn lesson_page<'a>(site: &Site, assets: &Assets, lesson: &'a LessonPage, kind: Kind) -> Page<'a> {
    let root = "../../";
    let (slug, texts) = (&lesson.slug, &lesson.texts);
    let title = escape(texts.get("title"));
    let say = |id: &str| escape(site.texts.get(&format!("page.{id}")));
    let mut body = String::from("<div id=\"app\"></div>\n<div id=\"static\">\n");
    let (main, heading) = if kind == Kind::Embed {
        ("embed-page", "visually-hidden")
    } else {
        let chapter = catalogue::chapter_of(&site.chapters, slug)
            .map_or("", |chapter| chapter.title.as_str());
        let _ = writeln!(body, "<a class=\"skip\" href=\"#main\">{}</a>", say("skip"));
        body += &header(
            site,
            root,
            &[chapter, texts.get("title")],
            &lesson.opening.tools,
        );
        ("lesson", "lesson-head")
    };
    let _ = writeln!(
        body,
        "<main class=\"{main}\" id=\"main\">\n<div class=\"{heading}\" data-hides=\"title\"><h1>{title}</h1><p class=\"question\">{}</p></div>",
        escape(texts.get("question"))
    );
    let opening = &lesson.opening;
    let (frame, drawers) = if kind == Kind::Embed {
        let link = format!(
            "<a data-hides=\"links\" href=\"{root}l/{slug}/\" target=\"_blank\" rel=\"noopener\">{}</a>",
            say("open-full")
        );
        (
            // Edge to edge, as the running lesson will be; the words below keep their margins.
            "<div class=\"lesson embed\">\n",
            format!("<div class=\"drawers\">{}{link}</div>\n", opening.drawers),
        )
    } else {
        ("", String::new())
    };
    let _ = writeln!(
        body,
        "{frame}<div class=\"room\"><section class=\"lab\" aria-label=\"{}\">\n<div class=\"stages\"><figure class=\"stage\">{}</figure></div>\n{}\n{}\n{drawers}{}</section>\n<aside class=\"side\">{}</aside></div><i id=\"{AT_REST}\" hidden></i>",
        say("stage"),
        opening.stage,
        opening.story,
        opening.tape,
        boot(site, assets, root, slug),
        opening.side
    );
    body += if kind == Kind::Embed {
        "</div>\n<div class=\"lesson\">\n<article class=\"notes\">\n"
    } else {
        "<article class=\"notes\" data-hides=\"prose\">\n"
    };
    // The running lesson takes its prose from here, so that it travels once.
    let _ = writeln!(
        body,
        "<div class=\"prose\" id=\"page-notes\">{}</div>\n<section class=\"leaves-out\"><h2>{}</h2>\n<div id=\"page-left-out\">{}</div></section>",
        texts.notes,
        say("left-out"),
        texts.left_out
    );
    if !lesson.tables.is_empty() {
        let _ = write!(body, "<section><h2>{}</h2><ul>", say("checked"));
        for table in &lesson.tables {
            let id = format!("table.{table}");
            let _ = write!(body, "<li>{}</li>", escape(site.texts.get(&id)));
        }
        body += "</ul></section>\n";
    }
    let next: Vec<&Item> = texts
        .next
        .iter()
        .filter_map(|slug| catalogue::item(&site.chapters, slug))
        .filter(|item| item.ready)
        .collect();
    if !next.is_empty() && kind == Kind::Lesson {
        let _ = write!(body, "<section><h2>{}</h2>", say("next"));
        for item in next {
            let _ = write!(
                body,
                "<a class=\"next-card\" href=\"{root}l/{}/\"><strong>{}</strong><span>{}</span></a>",
                item.slug,
                escape(&item.title),
                escape(&item.question)
            );
        }
        body += "</section>\n";
    }
    body += if kind == Kind::Embed {
        "</article>\n</div>\n</main>\n</div>"
    } else {
        "</article>\n</main>\n</div>"
    };
    Page {
        kind,
        slug,
        root,
        title: format!(
            "{} \u{2013} {}",
            texts.get("title"),
            site.texts.get("title")
        ),
        description: texts.get("summary"),
        canonical: format!("l/{slug}/"),
        card: slug.clone(),
        heights: if kind == Kind::Embed {
            &opening.heights
        } else {
            ""
        },
        body,
    }
}

fn catalogue_page<'a>(site: &'a Site, assets: &Assets) -> Page<'a> {
    let root = "./";
    let say = |id: &str| escape(site.texts.get(&format!("page.{id}")));
    let mut body = String::from("<div id=\"app\"></div>\n<div id=\"static\">\n");
    let _ = writeln!(
        body,
        "<a class=\"skip\" href=\"#main\">{}</a>",
        say("skip-catalogue")
    );
    body += &header(site, root, &[], &opening::theme(&site.texts));
    // As `site/catalogue.rs` builds it for who has not been here before.
    let told = |id: &str| escape(site.texts.get(&format!("catalogue.{id}")));
    let _ = writeln!(
        body,
        "<main class=\"catalogue\" id=\"main\">\n<div class=\"catalogue-head\"><div><h1>{}</h1><p class=\"question\">{}</p></div>\
         <div class=\"field\"><label class=\"visually-hidden\" for=\"search\">{search}</label>\
         <input class=\"input\" id=\"search\" type=\"search\" placeholder=\"{search}\"></div></div>\n{}",
        escape(site.texts.get("question")),
        escape(site.texts.get("summary")),
        boot(site, assets, root, ""),
        search = told("search"),
    );
    if !site.paths.is_empty() {
        let _ = writeln!(
            body,
            "<section class=\"routes\" aria-labelledby=\"routes\"><h2 id=\"routes\">{}</h2><ul>",
            told("paths")
        );
        for path in &site.paths {
            let count = told("path-new").replace("{0}", &path.lessons.len().to_string());
            let _ = writeln!(
                body,
                "<li><button type=\"button\" class=\"route\" aria-pressed=\"false\"><b>{}</b><small>{count}</small><span class=\"bar\" aria-hidden=\"true\"></span></button></li>",
                escape(&path.title)
            );
        }
        body += "</ul></section>\n";
    }
    for chapter in &site.chapters {
        let (ready, coming): (Vec<&Item>, Vec<&Item>) =
            chapter.lessons.iter().partition(|item| item.ready);
        let id = &chapter.id;
        let count = say("ready")
            .replace("{0}", &ready.len().to_string())
            .replace("{1}", &coming.len().to_string());
        let _ = writeln!(
            body,
            "<section class=\"chapter\" aria-labelledby=\"chapter-{id}\"><div class=\"chapter-head\"><h2 id=\"chapter-{id}\">{}</h2><small>{count}</small></div>",
            escape(&chapter.title)
        );
        if !ready.is_empty() {
            body += "<ul class=\"cards\">\n";
            for item in ready {
                let slug = &item.slug;
                let _ = writeln!(
                    body,
                    "<li class=\"card\"><img class=\"card-still\" src=\"{root}stills/{slug}.svg\" alt=\"\" loading=\"lazy\" width=\"320\" height=\"180\"><div class=\"card-body\"><h3 class=\"card-title\"><a href=\"{root}l/{slug}/\">{}</a></h3><p class=\"card-question\">{}</p><p class=\"card-progress\"><span>{}</span></p></div></li>",
                    escape(&item.title),
                    escape(&item.question),
                    escape(&item.about)
                );
            }
            body += "</ul>\n";
        }
        if !coming.is_empty() {
            let titles: Vec<&str> = coming.iter().map(|item| item.title.as_str()).collect();
            let titles = escape(&titles.join(", "));
            let _ = writeln!(
                body,
                "<p class=\"to-come\">{}</p>",
                say("to-come").replace("{0}", &titles)
            );
        }
        body += "</section>\n";
    }
    body += "</main>\n</div>";
    Page {
        kind: Kind::Catalogue,
        slug: "",
        root,
        title: format!(
            "{} \u{2013} {}",
            site.texts.get("title"),
            site.texts.get("question").trim_end_matches('.')
        ),
        description: site.texts.get("summary"),
        canonical: String::new(),
        card: CATALOGUE_CARD.to_owned(),
        heights: "",
        body,
    }
}

fn authors_page<'a>(site: &Site, texts: &'a Texts) -> Page<'a> {
    let root = "../";
    let mut body = String::from("<div id=\"static\">\n");
    body += &header(site, root, &[texts.get("title")], "");
    body += &authors::main(site, texts, root);
    let _ = write!(
        body,
        "<script src=\"{root}authors.js\" defer></script></div>"
    );
    Page {
        kind: Kind::Authors,
        slug: "",
        root,
        title: format!(
            "{} \u{2013} {}",
            texts.get("title"),
            site.texts.get("title")
        ),
        description: texts.get("summary"),
        canonical: "authors/".to_owned(),
        card: CATALOGUE_CARD.to_owned(),
        heights: "",
        body,
    }
}

/// The page of recipes; like the authors' page it loads no program.
fn course_page<'a>(site: &Site, texts: &'a Texts) -> Result<Page<'a>, String> {
    let root = "../../";
    let title = texts.get("course.title");
    let mut body = String::from("<div id=\"static\">\n");
    body += &header(site, root, &[texts.get("title"), title], "");
    body += &course::main(site, texts, root, &authors::home(site))?;
    let _ = write!(
        body,
        "<script src=\"{root}authors.js\" defer></script></div>"
    );
    Ok(Page {
        kind: Kind::Course,
        slug: "",
        root,
        title: format!("{title} \u{2013} {}", site.texts.get("title")),
        description: texts.get("course.summary"),
        canonical: "authors/course/".to_owned(),
        card: CATALOGUE_CARD.to_owned(),
        heights: "",
        body,
    })
}

/// The pictures of pixels, by their path from the top; what was drawn before is taken from `kept`.
///
/// # Errors
/// A picture cannot be drawn.
pub fn pictures(site: &Site, kept: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut files = BTreeMap::new();
    let lessons = site
        .lessons
        .iter()
        .map(|lesson| (lesson.slug.as_str(), &lesson.card));
    for (name, markup) in lessons.chain([(CATALOGUE_CARD, &site.card)]) {
        let card = pictures::png_kept(kept, markup, CARD.0)?;
        files.insert(format!("cards/{name}.png"), card);
    }
    for px in ICONS {
        let icon = pictures::png_kept(kept, &pictures::icon(), px)?;
        files.insert(format!("icons/{px}.png"), icon);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Own;
    use crate::opening::Opening;
    use crate::site::Asked;
    use crate::words::parse;

    fn fake() -> (Site, Assets) {
        let texts = parse("site", include_str!("../site/en.md")).expect("well formed");
        let about =
            parse("catalogue", include_str!("../lessons/catalogue.en.md")).expect("well formed");
        let lesson = parse(
            "fake",
            "# Fake & true\nWho <goes> first?\n\nA \"summary\" of it.\n\n# Notes\n### Why\nThe [request](term:request) waits.\n\n# Left out\nThe network.\n\n# Next\n- caching\n",
        )
        .expect("well formed");
        let built = |slug: &str| {
            (slug == "caching" || slug == "load-balancing").then(|| Own {
                title: "Built".to_owned(),
                question: "Why?".to_owned(),
                ..Own::default()
            })
        };
        let chapters = catalogue::chapters(&about, &built).expect("complete");
        let site = Site {
            texts,
            about,
            chapters,
            paths: Vec::new(),
            lessons: vec![LessonPage {
                height: 640,
                slug: "load-balancing".to_owned(),
                texts: lesson,
                tables: vec!["lb_ip_hash".to_owned()],
                still: "<svg/>".to_owned(),
                opening: Opening {
                    stage: "<svg class=\"stage-svg\"></svg>".to_owned(),
                    ..Opening::default()
                },
                code: Vec::new(),
                card: pictures::icon(),
                facts: String::new(),
                steps: Vec::new(),
                asked: Asked::default(),
            }],
            card: pictures::icon(),
            translations: BTreeMap::new(),
            home: None,
        };
        let assets = Assets {
            template: include_str!("../../index.html")
                .replace(
                    "data-trunk rel=\"css\" href=\"style/",
                    "rel=\"stylesheet\" href=\"./style/",
                )
                .replace("data-trunk src=\"assets/", "src=\"./")
                .replace(
                    "data-trunk rel=\"icon\" href=\"assets/",
                    "rel=\"icon\" href=\"./",
                )
                .lines()
                // What is only copied leaves no trace in the page.
                .filter(|line| !line.contains("rel=\"copy-"))
                .fold(String::new(), |all, line| all + line + "\n"),
            script: "site-1.js".to_owned(),
            wasm: "site-1_bg.wasm".to_owned(),
            wasm_bytes: 12_345,
            code_bytes: [("load-balancing".to_owned(), 678)].into(),
            chunks: [
                (
                    "system".to_owned(),
                    Chunk {
                        bytes: 90,
                        lessons: vec!["load-balancing".to_owned(), "fan-out".to_owned()],
                    },
                ),
                ("bench".to_owned(), Chunk::default()),
            ]
            .into(),
            rests: [REST, &rest_of(&chunk_of("system")), "load-balancing.rest"]
                .map(str::to_owned)
                .into(),
        };
        (site, assets)
    }

    /// The values of every attribute that holds an address.
    fn addresses(html: &str) -> Vec<&str> {
        let mut found = Vec::new();
        for attribute in [
            " href=\"",
            " src=\"",
            " data-script=\"",
            " data-wasm=\"",
            " data-rest=\"",
            " data-late=\"",
            " data-code=\"",
            " data-root=\"",
        ] {
            for (at, _) in html.match_indices(attribute) {
                let value = &html[at + attribute.len()..];
                found.push(value.split('"').next().unwrap_or_default());
            }
        }
        found
    }

    #[test]
    fn every_address_is_relative_and_leads_to_the_top() {
        let (site, assets) = fake();
        let files = files(&site, &assets).expect("complete template");
        let pages: Vec<_> = files
            .iter()
            // A hand-out is paper: it has neither program nor header.
            .filter(|(path, _)| path.ends_with(".html") && !path.contains("handout"))
            .collect();
        assert_eq!(pages.len(), 5);
        for (path, html) in pages {
            let up = match path.matches('/').count() {
                0 => "./",
                1 => "../",
                _ => "../../",
            };
            let found = addresses(html);
            assert!(found.len() > 12, "{path}: {found:?}");
            for address in found {
                // The boot script is looked for one folder nearer, where a copy of it lies.
                if let Some(boot) = address.strip_suffix("boot.js") {
                    let nearer = up.strip_prefix("../").unwrap_or(up);
                    let nearer = if nearer.is_empty() { "./" } else { nearer };
                    assert_eq!(boot, nearer, "{path}");
                    continue;
                }
                assert!(
                    address.starts_with(up) || address.starts_with('#') || address == "./",
                    "{path}: {address}"
                );
            }
            // Authors are shown what to paste, with a host that is none.
            assert!(
                path.starts_with("authors/") || !html.contains("http"),
                "{path} names a host"
            );
            assert!(
                !html.contains("data-trunk") && !html.contains("press:"),
                "{path}"
            );
        }
    }

    #[test]
    fn pages_carry_metadata_and_prose() {
        let (site, assets) = fake();
        let files = files(&site, &assets).expect("complete template");
        for path in [
            "l/load-balancing/index.html",
            "embed/load-balancing/index.html",
        ] {
            let html = &files[path];
            for needed in [
                "<title>Fake &amp; true \u{2013} Loadlab</title>",
                "<meta name=\"description\" content=\"A &quot;summary&quot; of it.\">",
                "<meta property=\"og:title\" content=\"Fake &amp; true \u{2013} Loadlab\">",
                "<meta property=\"og:description\" content=\"A &quot;summary&quot; of it.\">",
                "<meta property=\"og:type\" content=\"article\">",
                "<meta property=\"og:image\" content=\"../../cards/load-balancing.png\">",
                "<meta property=\"og:image:width\" content=\"1200\">",
                "<link rel=\"alternate\" type=\"application/json+oembed\" href=\"../../oembed/load-balancing.json\"",
                "<meta name=\"twitter:card\" content=\"summary_large_image\">",
                "data-slug=\"load-balancing\"",
                "<h1>Fake &amp; true</h1>",
                "Who &lt;goes&gt; first?",
                "<h2>Why</h2>",
                "</svg>request</span> waits.",
                "The network.",
                "<svg class=\"stage-svg\">",
                "id=\"app\"",
                "id=\"boot\"",
                "data-bytes=\"12345\"",
                "<noscript>",
            ] {
                assert!(html.contains(needed), "{path} lacks {needed}");
            }
        }
        let lesson = &files["l/load-balancing/index.html"];
        assert!(lesson.contains("<link rel=\"canonical\" href=\"./\">"));
        assert!(lesson.contains("data-root=\"../../\" data-page=\"lesson\""));
        assert!(lesson.contains("href=\"../../l/caching/\""), "next");
        let embed = &files["embed/load-balancing/index.html"];
        assert!(embed.contains("<link rel=\"canonical\" href=\"../../l/load-balancing/\">"));
        assert!(embed.contains("data-page=\"embed\"") && !embed.contains("class=\"top\""));
        let catalogue = &files["index.html"];
        assert!(
            catalogue.contains("href=\"./l/load-balancing/\"") && catalogue.contains("CAP theorem")
        );
        assert!(
            !catalogue.contains("l/cap-theorem/"),
            "no link to a lesson to come"
        );
    }

    #[test]
    fn no_page_holds_inline_script_or_style() {
        let (site, assets) = fake();
        for (path, html) in files(&site, &assets).expect("complete template") {
            if path.ends_with(".html") {
                assert!(
                    !html.contains(" style=\"")
                        && !html.contains("<style")
                        && !html.contains(" onclick"),
                    "{path}"
                );
                let scripts: Vec<&str> = html.split("<script").skip(1).collect();
                for script in scripts {
                    let tag = script.split('>').next().unwrap_or_default();
                    assert!(tag.contains(" src="), "{path}: <script{tag}>");
                }
            }
        }
    }

    #[test]
    fn a_known_home_makes_previews_absolute_and_nothing_else() {
        let (mut site, assets) = fake();
        site.home = Some("https://example.org/lab/".to_owned());
        let html =
            &files(&site, &assets).expect("complete template")["embed/load-balancing/index.html"];
        for needed in [
            "<link rel=\"canonical\" href=\"https://example.org/lab/l/load-balancing/\">",
            "content=\"https://example.org/lab/cards/load-balancing.png\"",
            "data-wasm=\"../../site-1_bg.wasm\"",
            "data-rest=\"../../site-1_rest.wasm\"",
            "data-late=\"../../site-1_*.rest.wasm\"",
            "data-chunks=\"bench 0 ;system 90 load-balancing fan-out\"",
            "<link rel=\"preload\" href=\"../../site-1_system.chunk.wasm\" as=\"fetch\"",
        ] {
            assert!(html.contains(needed), "{needed}");
        }
        assert!(
            !html.contains("site-1_bench"),
            "this lesson does not need it"
        );
    }

    #[test]
    fn the_script_for_films_asks_for_words_that_are_there_and_for_no_others() {
        let script = include_str!("../../assets/film.js");
        let texts = parse("site", include_str!("../site/en.md")).expect("well formed");
        let words: BTreeSet<_> = texts.section(FILM).map(|(id, _)| id).collect();
        // An id stands in quotes, or is made of a beginning and a choice's value.
        let used = |id: &&str| match id.split_once('-') {
            Some(("captions", choice)) => script.contains(&format!("\"{choice}\"")),
            Some(("speed", factor)) => script.contains(&factor.replace('-', ".")),
            _ => [format!("\"{id}\""), format!("{id}: [")]
                .iter()
                .any(|text| script.contains(text)),
        };
        let unused: Vec<_> = words.iter().filter(|id| !used(id)).collect();
        assert!(unused.is_empty(), "{unused:?}");
        let asked = script
            .split("word(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        let missing: Vec<_> = asked.filter(|id| !words.contains(id)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let site: serde_json::Value =
            serde_json::from_str(&site_words(&texts, false).expect("words")).expect("JSON");
        assert!(site["words"]["film.title"].is_null());
    }

    #[test]
    fn words_of_fields_travel_with_lessons_that_have_fields() {
        let (site, _) = fake();
        let has = |words: &str, id: &str| {
            let all: serde_json::Value = serde_json::from_str(words).expect("well formed");
            all["words"][id].is_string()
        };
        let all = site_words(&site.texts, false).expect("well formed");
        let of = |slug: &str| {
            let lesson = LessonPage {
                slug: slug.to_owned(),
                ..site.lessons[0].clone()
            };
            lesson_words(&site, &site.texts, &lesson, &lesson.texts)
        };
        for (slug, types, grows) in [
            ("inverted-index", true, false),
            ("bloom-filter", true, true),
            ("load-balancing", false, false),
        ] {
            let words = of(slug).expect("well formed");
            assert_eq!(has(&words, "typing.empty"), types, "{slug}");
            assert_eq!(has(&words, "measure.open"), grows, "{slug}");
            assert!(has(&words, "title"), "{slug}");
        }
        assert!(has(&all, "boot.retry"));
        assert!(!has(&all, "typing.empty") && !has(&all, "measure.open"));
    }

    #[test]
    fn words_travel_as_json() {
        let (site, assets) = fake();
        let files = files(&site, &assets).expect("complete template");
        let read = |path: &str| -> serde_json::Value {
            serde_json::from_str(&files[path]).expect("well formed")
        };
        let lesson = read("words/load-balancing.en.json");
        assert_eq!(lesson["words"]["title"], "Fake & true");
        assert_eq!(lesson["next"][0]["slug"], "caching");
        assert!(lesson["chapter"].is_string());
        assert!(
            read("words/load-balancing.notes.en.json")["notes"]
                .as_str()
                .is_some_and(|html| html.contains("<h2>Why</h2>"))
        );
        let site = read("words/site.en.json");
        assert_eq!(site["words"]["boot.retry"], "Try again");
        assert!(
            site["words"]["help.title"].is_null(),
            "nobody has asked for help yet"
        );
        assert_eq!(
            read("words/more.en.json")["words"]["help.title"],
            "Keys and help"
        );
        assert!(site["chapters"].is_null(), "only the catalogue needs them");
        let first = &read("words/catalogue.en.json")["chapters"][0];
        assert_eq!(
            (&first["id"], &first["lessons"][0]["ready"]),
            (&json!("traffic"), &json!(true))
        );
    }

    #[test]
    fn every_word_of_the_static_pages_exists() {
        let (site, assets) = fake();
        for (attribute, word) in BOOT {
            assert!(
                site.texts.lines.contains_key(&format!("boot.{word}")),
                "{attribute}"
            );
        }
        for (path, text) in files(&site, &assets).expect("complete template") {
            assert!(
                !text.contains(">page.") && !text.contains("\"boot.\""),
                "{path}"
            );
        }
    }

    #[test]
    fn a_template_without_its_places_is_refused() {
        let (site, mut assets) = fake();
        assets.template = assets.template.replace("<!-- press:head -->", "");
        let error = files(&site, &assets).expect_err("no head");
        assert!(error.contains("press:head"), "{error}");
    }
}
