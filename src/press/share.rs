//! What other programs read about the site: oEmbed answers, sitemap, robots, web app manifest.

use crate::pictures::{CARD, ICONS};
use crate::site::{LessonPage, Site};
use contract::snippet::Embed;
use engine::{Scene, Words, text};
use lessons::Entry;
use serde_json::json;
use std::fmt::Write;
use std::rc::Rc;

/// The width that an oEmbed answer states, in CSS pixels.
const WIDTH: u32 = 600;
/// Bounds of the height that it states: what the story needs, and what WordPress takes.
const HEIGHTS: (f32, f32) = (560.0, 1_000.0);
/// What stands beside the stage in a frame of that width, in CSS pixels (`--side`).
const STORY: f32 = 190.0;
/// How high tape and drawers are together, and each line of the key, in CSS pixels.
const BELOW: f32 = 109.0;
const KEY_LINE: f32 = 20.0;
/// The key's margins, the gap between its entries, what stands before the words of each, and the size of these (`.stage-key`).
const KEY: (f32, f32, f32, f32) = (40.0, 20.0, 16.0, 12.0);

/// How high a lesson wishes to be as it opens in the frame that an oEmbed answer gives, in CSS pixels: as high as it will
/// tell a host that follows.
pub fn height(entry: &Entry, words: &Rc<Words>) -> u32 {
    let room = WIDTH as f32 - STORY;
    let show = (entry.open)(1);
    let mut scene = Scene::new(room, Rc::clone(words));
    show.draw(&mut scene);
    let (margins, gap, glyph, size) = KEY;
    let mut lines = 0.0;
    let mut free = 0.0;
    for &(kind, ink) in show.key() {
        let wide = glyph + text::width(words.glyph(kind, ink), size, false);
        if free < wide {
            (lines, free) = (lines + 1.0, room - margins);
        }
        free -= wide + gap;
    }
    let height = scene.height + lines * KEY_LINE + BELOW;
    height.clamp(HEIGHTS.0, HEIGHTS.1).ceil() as u32
}

/// What is said where the site does not know its place.
pub const HOMELESS: &str = "LOADLAB_HOME is not set, so the addresses in Open Graph, oEmbed and sitemap are relative, \
     and other sites will not show previews; set it to where the site will stand, such as https://example.org/loadlab/";

/// Where the site will stand, ending in a slash, from what `LOADLAB_HOME` says; nothing if it says nothing.
///
/// # Errors
/// It is no web address of a folder.
pub fn home(said: Option<&str>) -> Result<Option<String>, String> {
    let Some(said) = said.map(str::trim).filter(|said| !said.is_empty()) else {
        return Ok(None);
    };
    let rest = said
        .strip_prefix("https://")
        .or_else(|| said.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next());
    let odd = |c: char| c.is_whitespace() || "?#\"<>".contains(c);
    if host.is_none_or(str::is_empty) || said.contains(odd) {
        return Err(format!(
            "LOADLAB_HOME={said} is no address such as https://example.org/loadlab/"
        ));
    }
    Ok(Some(format!("{}/", said.trim_end_matches('/'))))
}

/// An address from the top of the site, absolute where the site knows its place, else from `root`.
fn address(site: &Site, root: &str, path: &str) -> String {
    match &site.home {
        Some(home) => format!("{}/{path}", home.trim_end_matches('/')),
        None => format!("{root}{path}"),
    }
}

/// The oEmbed answer of a lesson (oEmbed 1.0, type `rich`).
pub fn oembed(site: &Site, lesson: &LessonPage) -> String {
    let (slug, title) = (&lesson.slug, lesson.texts.get("title"));
    let at = |path: &str| address(site, "../", path);
    let frame = Embed {
        root: &at(""),
        slug,
        query: "",
        title: &format!("{title}: interactive lesson"),
        size: (WIDTH, lesson.height),
    };
    let page = at(&format!("l/{slug}/"));
    json!({
        "version": "1.0",
        "type": "rich",
        "provider_name": site.texts.get("title"),
        "provider_url": at(""),
        "title": title,
        "width": WIDTH,
        "height": lesson.height,
        "thumbnail_url": at(&format!("cards/{slug}.png")),
        "thumbnail_width": CARD.0,
        "thumbnail_height": CARD.1,
        "html": format!(
            "<blockquote class=\"loadlab\"><a href=\"{page}\">{}</a></blockquote>\n{}",
            engine::svg::escape(title),
            // WordPress takes the style away, but not this.
            frame.iframe().replacen("<iframe ", "<iframe frameborder=\"0\" ", 1)
        ),
    })
    .to_string()
}

/// The sitemap (sitemaps.org 0.9). Its addresses are absolute where the site knows its place; readers of
/// sitemaps want them so.
pub fn sitemap(site: &Site) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    let lessons = site
        .lessons
        .iter()
        .map(|lesson| format!("l/{}/", lesson.slug));
    for path in ["", "authors/", "authors/course/"]
        .into_iter()
        .map(str::to_owned)
        .chain(lessons)
    {
        let _ = writeln!(
            out,
            "  <url><loc>{}</loc></url>",
            engine::svg::escape(&address(site, "./", &path))
        );
    }
    out + "</urlset>\n"
}

/// Everything may be read (RFC 9309); the sitemap is named where its address is known.
pub fn robots(site: &Site) -> String {
    let sitemap = match &site.home {
        Some(_) => format!("\nSitemap: {}\n", address(site, "", "sitemap.xml")),
        None => String::new(),
    };
    format!("User-agent: *\nAllow: /\n{sitemap}")
}

/// The web app manifest (W3C Web Application Manifest): what the installed site is called and looks like.
pub fn manifest(site: &Site) -> String {
    let icons: Vec<_> = ICONS
        .iter()
        .map(|px| {
            json!({
                "src": format!("icons/{px}.png"),
                "sizes": format!("{px}x{px}"),
                "type": "image/png",
                "purpose": "any maskable",
            })
        })
        .collect();
    json!({
        "id": "./",
        "start_url": "./",
        "scope": "./",
        "name": site.texts.get("title"),
        "short_name": site.texts.get("title"),
        "description": site.texts.get("summary"),
        "lang": "en",
        "display": "minimal-ui",
        "background_color": "#FAF9F6",
        "theme_color": "#FAF9F6",
        "icons": icons,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::parse;

    fn site(home: Option<&str>) -> Site {
        Site {
            texts: parse("site", include_str!("../site/en.md")).expect("well formed"),
            lessons: vec![LessonPage {
                slug: "a-b".to_owned(),
                texts: parse("a", "# A & b\nWhy?\n").expect("well formed"),
                height: 640,
                ..LessonPage::default()
            }],
            home: home.map(str::to_owned),
            ..Site::default()
        }
    }

    #[test]
    fn an_oembed_answer_is_rich_and_holds_a_frame() {
        let site = site(Some("https://example.org/lab"));
        let answer: serde_json::Value =
            serde_json::from_str(&oembed(&site, &site.lessons[0])).expect("well formed");
        assert_eq!(
            (
                &answer["version"],
                &answer["type"],
                &answer["width"],
                &answer["height"]
            ),
            (&json!("1.0"), &json!("rich"), &json!(600), &json!(640))
        );
        assert_eq!(
            answer["thumbnail_url"],
            "https://example.org/lab/cards/a-b.png"
        );
        let html = answer["html"].as_str().expect("text");
        assert!(html.starts_with("<blockquote") && html.contains("A &amp; b</a>"));
        assert!(
            html.contains("<iframe frameborder=\"0\" src=\"https://example.org/lab/embed/a-b/\"")
        );
    }

    #[test]
    fn the_sitemap_lists_every_page_that_is_not_an_embed() {
        let map = sitemap(&site(Some("https://example.org/lab/")));
        for path in ["", "authors/", "authors/course/", "l/a-b/"] {
            assert!(
                map.contains(&format!("<loc>https://example.org/lab/{path}</loc>")),
                "{path}"
            );
        }
        assert!(!map.contains("embed"));
        let robots = robots(&site(Some("https://example.org/lab/")));
        assert!(robots.ends_with("Sitemap: https://example.org/lab/sitemap.xml\n"));
    }

    #[test]
    fn a_home_is_a_web_address_or_nothing() {
        assert_eq!(home(None), Ok(None));
        assert_eq!(home(Some(" ")), Ok(None));
        let known = Ok(Some("https://example.org/lab/".to_owned()));
        assert_eq!(home(Some("https://example.org/lab")), known);
        assert_eq!(home(Some("https://example.org/lab/")), known);
        for odd in [
            "example.org",
            "ftp://a",
            "https://",
            "https:///x",
            "https://a/?b",
            "https://a b",
        ] {
            assert!(home(Some(odd)).is_err(), "{odd}");
        }
    }

    #[test]
    fn without_a_home_nothing_names_a_host() {
        let site = site(None);
        assert!(sitemap(&site).contains("<loc>./l/a-b/</loc>"));
        assert!(!robots(&site).contains("Sitemap"));
        assert!(oembed(&site, &site.lessons[0]).contains("../cards/a-b.png"));
    }

    #[test]
    fn the_manifest_is_relative() {
        let manifest: serde_json::Value =
            serde_json::from_str(&manifest(&site(None))).expect("well formed");
        assert_eq!(
            (&manifest["start_url"], &manifest["scope"]),
            (&json!("./"), &json!("./"))
        );
        assert_eq!(manifest["icons"][1]["src"], "icons/512.png");
    }
}
