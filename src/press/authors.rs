//! The author's reference page: parameters, messages and snippets from the contract, knobs from the lessons.

use crate::pages::Site;
use crate::words::{self, Texts};
use contract::message::{MESSAGES, Way};
use contract::parameter::PARAMETERS;
use contract::snippet::{Embed, SIZE};
use engine::knobs::Kind;
use engine::svg::escape;
use engine::text::trim_number;
use std::fmt::Write;

/// What stands in an address for the place of a site that does not know it.
const SOMEWHERE: &str = "https://HOST/BASE/";

/// The page's own words.
///
/// # Errors
/// What is wrong in the file, which would be a mistake in `src/press/en.md`.
pub fn texts() -> Result<Texts, String> {
    words::parse("src/press/en.md", include_str!("en.md")).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })
}

/// The inside of the page below its header; `root` leads to the top of the site.
pub fn main(site: &Site, texts: &Texts, root: &str) -> String {
    let say = |id: &str| escape(texts.get(&format!("authors.{id}")));
    let mut out = format!(
        "<main class=\"catalogue authors\" id=\"main\">\n<div class=\"catalogue-head\"><div><h1>{}</h1><p class=\"question\">{}</p></div></div>\n",
        escape(texts.get("title")),
        escape(texts.get("question"))
    );
    let section = |id: &str, body: String| {
        format!(
            "<section class=\"notes\" aria-labelledby=\"{id}\"><h2 id=\"{id}\">{}</h2><p>{}</p>\n{body}</section>\n",
            say(id),
            say(&format!("{id}-text"))
        )
    };
    if let Some(lesson) = site.lessons.first() {
        let title = lesson.texts.get("title");
        let (width, height) = SIZE;
        out += &section(
            "try",
            format!(
                "<iframe class=\"preview\" src=\"{root}embed/{}/\" title=\"{}\" width=\"{width}\" height=\"{height}\" loading=\"lazy\" allow=\"fullscreen; clipboard-write\"></iframe>\n",
                lesson.slug,
                escape(title)
            ),
        );
        let home = site.home.as_deref().map_or_else(
            || SOMEWHERE.to_owned(),
            |home| format!("{}/", home.trim_end_matches('/')),
        );
        let embed = Embed {
            root: &home,
            slug: &lesson.slug,
            query: "theme=auto",
            title: &format!("{title}: interactive lesson"),
            size: SIZE,
        };
        let snippets = [embed.iframe(), embed.element()].map(|snippet| {
            format!(
                "<pre tabindex=\"0\"><code>{}</code></pre>\n",
                escape(&snippet)
            )
        });
        out += &section("snippets", snippets.concat());
    }
    let rows = PARAMETERS.iter().map(|parameter| {
        [
            code(parameter.name),
            escape(&parameter.takes.describe()),
            escape(parameter.default),
            escape(parameter.rule),
            code(&format!("{}={}", parameter.name, parameter.example)),
        ]
    });
    let heads = ["name", "type", "default", "rule", "example"].map(say);
    out += &section("parameters", table(&say("parameters"), &heads, rows));
    let rows = MESSAGES.iter().map(|message| {
        let way = match message.way {
            Way::Greeting => "greeting",
            Way::Opening => "opening",
            Way::Event => "event",
            Way::Command => "command",
        };
        let fields = message
            .fields
            .iter()
            .map(|field| format!("{} {}", code(field.name), escape(field.what)));
        let fields: Vec<String> = fields.collect();
        [
            code(message.name),
            say(way),
            fields.join("<br>"),
            escape(message.what),
        ]
    });
    let heads = ["name", "direction", "fields", "meaning"].map(say);
    out += &section("messages", table(&say("messages"), &heads, rows));
    let rows = site.lessons.iter().flat_map(|lesson| {
        let slug = &lesson.slug;
        let link = format!("<a href=\"{root}l/{slug}/\">{}</a>", code(slug));
        let oembed = format!("<a href=\"{root}oembed/{slug}.json\">JSON</a>");
        knobs(slug).into_iter().map(move |(knob, values)| {
            let label = format!("knob.{knob}");
            let label = lesson.texts.get(&label);
            [
                link.clone(),
                code(&format!("p.{knob}")),
                escape(label),
                escape(&values),
                oembed.clone(),
            ]
        })
    });
    let heads = ["lesson", "knob", "meaning", "values", "oembed"].map(say);
    out += &section("lessons", table(&say("lessons"), &heads, rows));
    out + "</main>\n"
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

fn table<const N: usize>(
    name: &str,
    heads: &[String; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let mut out = format!(
        "<div class=\"table\" role=\"group\" tabindex=\"0\" aria-label=\"{name}\"><table>\n<thead><tr>"
    );
    for head in heads {
        let _ = write!(out, "<th scope=\"col\">{head}</th>");
    }
    out += "</tr></thead>\n<tbody>\n";
    for row in rows {
        out += "<tr>";
        for cell in row {
            let _ = write!(out, "<td>{cell}</td>");
        }
        out += "</tr>\n";
    }
    out + "</tbody></table></div>\n"
}

/// The knobs of a lesson and the values that each takes, in words.
fn knobs(slug: &str) -> Vec<(String, String)> {
    let Some(entry) = lessons::find(slug) else {
        return Vec::new();
    };
    let show = (entry.open)(1);
    let told = show.knobs().into_iter().map(|(knob, value)| {
        let default = knob.write(value);
        let values = match &knob.kind {
            Kind::Choice(options) => options.join(", "),
            Kind::Switch => "true, false".to_owned(),
            Kind::Slider { min, max, step } => {
                let [min, max, step] = [*min, *max, *step].map(trim_number);
                format!("{min} to {max} {}, step {step}", knob.unit).replace(" ,", ",")
            }
        };
        (knob.id.to_owned(), format!("{values} ({default})"))
    });
    told.collect()
}
