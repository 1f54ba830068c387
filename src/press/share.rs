//! What other programs read about the site: oEmbed answers, sitemap, robots, web app manifest.

use crate::pictures::{CARD, ICONS};
use crate::site::{LessonPage, Site};
use contract::snippet::Embed;
use serde_json::json;
use std::fmt::Write;

/// Width and height that an oEmbed answer states, in CSS pixels.
const SIZE: (u32, u32) = (600, 560);

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
        size: SIZE,
    };
    let page = at(&format!("l/{slug}/"));
    json!({
        "version": "1.0",
        "type": "rich",
        "provider_name": site.texts.get("title"),
        "provider_url": at(""),
        "title": title,
        "width": SIZE.0,
        "height": SIZE.1,
        "thumbnail_url": at(&format!("cards/{slug}.png")),
        "thumbnail_width": CARD.0,
        "thumbnail_height": CARD.1,
        "html": format!(
            "<blockquote class=\"loadlab\"><a href=\"{page}\">{}</a></blockquote>\n{}",
            engine::svg::escape(title),
            frame.iframe()
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
            (&json!("1.0"), &json!("rich"), &json!(600), &json!(560))
        );
        assert_eq!(
            answer["thumbnail_url"],
            "https://example.org/lab/cards/a-b.png"
        );
        let html = answer["html"].as_str().expect("text");
        assert!(html.starts_with("<blockquote") && html.contains("A &amp; b</a>"));
        assert!(html.contains("<iframe src=\"https://example.org/lab/embed/a-b/\""));
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
