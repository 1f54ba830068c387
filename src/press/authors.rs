//! The author's reference page: parameters, messages and snippets from the contract, knobs from the lessons.

use crate::site::{LessonPage, Site};
use crate::words::{self, Texts};
use contract::message::{MESSAGES, Way};
use contract::parameter::{PARAMETERS, Parameter, RECORD, Takes};
use contract::snippet::{Embed, SIZE};
use engine::knobs::Kind;
use engine::svg::escape;
use engine::text::trim_number;
use serde_json::json;
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

/// How a course page talks to a lesson through the element.
const WITH_ELEMENT: &str = r#"<script type="module">
  const lesson = document.querySelector("loadlab-lesson");
  lesson.addEventListener("loadlab-ready", () => lesson.send("set", { name: "KNOB", value: VALUE }));
  lesson.addEventListener("loadlab-complete", ({ detail }) => console.log(detail.score));
</script>"#;

/// How a course page talks to a lesson in a plain iframe.
const WITHOUT_ELEMENT: &str = r#"<script type="module">
  const frame = document.querySelector("iframe");
  const say = (type, fields) => ({ ns: "loadlab", v: 1, type, ...fields });
  addEventListener("message", ({ source, data }) => {
    if (source !== frame.contentWindow || data?.ns !== "loadlab" || data.type !== "hello") return;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => {
      if (data.type === "ready") port1.postMessage(say("play", { id: 1 }));
      if (data.type === "resize") frame.style.height = `${data.height}px`;
    };
    frame.contentWindow.postMessage(say("connect"), "ORIGIN", [port2]);
  });
</script>"#;

/// The top of the site as snippets name it.
pub(crate) fn home(site: &Site) -> String {
    site.home.as_deref().map_or_else(
        || SOMEWHERE.to_owned(),
        |home| format!("{}/", home.trim_end_matches('/')),
    )
}

/// The inside of the page below its header; `root` leads to the top of the site.
pub fn main(site: &Site, texts: &Texts, root: &str) -> String {
    let word = |id: &str| texts.get(&format!("authors.{id}")).to_owned();
    let say = |id: &str| escape(&word(id));
    let mut out = format!(
        "<main class=\"catalogue authors\" id=\"main\">\n<div class=\"catalogue-head\"><div><h1>{}</h1><p class=\"question\">{}</p></div></div>\n",
        escape(texts.get("title")),
        escape(texts.get("question"))
    );
    let contents = [
        "try",
        "snippets",
        "parameters",
        "messages",
        "lessons",
        "course",
        "hosts",
    ];
    let entries = contents.map(|id| format!("<li><a href=\"#{id}\">{}</a></li>", say(id)));
    let _ = writeln!(
        out,
        "<nav class=\"contents\" aria-label=\"{}\"><ul>{}</ul></nav>",
        say("contents"),
        entries.concat()
    );
    let section = |id: &str, body: String| {
        format!(
            "<section class=\"notes\" aria-labelledby=\"{id}\"><h2 id=\"{id}\">{}</h2><p>{}</p>\n{body}</section>\n",
            say(id),
            say(&format!("{id}-text"))
        )
    };
    let home = home(site);
    if let Some(lesson) = site.lessons.first() {
        out += &section("try", bench(site, texts, root, lesson));
        let title = word("frame-title").replace("{0}", lesson.texts.get("title"));
        let embed = Embed {
            root: &home,
            slug: &lesson.slug,
            query: "",
            title: &title,
            size: SIZE,
        };
        let snippets = [
            ("snippet-address", embed.address()),
            ("snippet-iframe", embed.iframe()),
            ("snippet-jsx", embed.jsx()),
            ("snippet-element", embed.element()),
        ];
        let snippets = snippets.map(|(id, snippet)| snippet_block(texts, id, &snippet));
        out += &section("snippets", snippets.concat());
    }
    let listed = |name: &str, parameters: &[Parameter]| {
        let rows = parameters.iter().map(|parameter| {
            [
                code(parameter.name),
                escape(&parameter.takes.describe()),
                escape(parameter.default),
                escape(parameter.rule),
                code(&format!("{}={}", parameter.name, parameter.example)),
            ]
        });
        let heads = ["name", "type", "default", "rule", "example"].map(say);
        table(&say(name), &heads, rows)
    };
    let record = format!(
        "<h3>{}</h3><p>{}</p>\n{}",
        say("record"),
        say("record-text"),
        listed("record", &RECORD)
    );
    out += &section("parameters", listed("parameters", &PARAMETERS) + &record);
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
    let origin = home.split('/').take(3).collect::<Vec<_>>().join("/");
    let (knob, value) = site
        .lessons
        .first()
        .and_then(|lesson| slider(&lesson.slug))
        .unwrap_or_default();
    let examples = [
        (
            "with-element",
            WITH_ELEMENT.replace("KNOB", &knob).replace("VALUE", &value),
        ),
        (
            "without-element",
            WITHOUT_ELEMENT.replace("ORIGIN", &origin),
        ),
    ];
    let examples = examples.map(|(id, example)| snippet_block(texts, id, &example));
    out += &section(
        "messages",
        table(&say("messages"), &heads, rows) + &examples.concat(),
    );
    out += &section(
        "lessons",
        site.lessons
            .iter()
            .map(|lesson| details(texts, root, lesson))
            .collect(),
    );
    let recipes = format!(
        "<p><a href=\"{root}authors/course/\">{}</a></p>",
        say("course-link")
    );
    out += &section("course", recipes);
    out += &section(
        "hosts",
        texts
            .notes
            .replace("<h2>", "<h3>")
            .replace("</h2>", "</h3>"),
    );
    out + "</main>\n"
}

fn snippet_block(texts: &Texts, id: &str, snippet: &str) -> String {
    named_snippet(texts, id, texts.get(&format!("authors.{id}")), snippet)
}

/// A named piece of code with a button that copies it; the button waits for the script that makes it work.
pub(crate) fn named_snippet(texts: &Texts, id: &str, name: &str, snippet: &str) -> String {
    let say = |id: &str| escape(texts.get(&format!("authors.{id}")));
    format!(
        "<div class=\"snippet\"><div class=\"snippet-head\"><h3>{}</h3>\
         <button class=\"btn\" type=\"button\" data-copies=\"{id}\" data-done=\"{}\" hidden>{}</button></div>\n\
         <pre tabindex=\"0\"><code id=\"{id}\">{}</code></pre></div>\n",
        escape(name),
        say("copied"),
        say("copy"),
        escape(snippet)
    )
}

/// The workbench: a control for every parameter, the lesson, and a line to it.
fn bench(site: &Site, texts: &Texts, root: &str, first: &LessonPage) -> String {
    let word = |id: &str| texts.get(&format!("authors.{id}")).to_owned();
    let say = |id: &str| escape(&word(id));
    // What a command says depends on the lesson, so each brings its own examples.
    let options = site.lessons.iter().map(|lesson| {
        let slug = &lesson.slug;
        let own = |command: &str| match example(command, slug) {
            Some(fields) => format!(" data-{command}=\"{}\"", escape(&fields)),
            None => String::new(),
        };
        let knob = slider(slug).map_or_else(String::new, |(knob, value)| format!("{knob}={value}"));
        format!(
            "<option value=\"{slug}\" data-knobs=\"{}\"{}{}>{}</option>",
            escape(&knob),
            own("set"),
            own("act"),
            escape(lesson.texts.get("title"))
        )
    });
    let mut form = format!(
        "<div class=\"field\"><label for=\"bench-lesson\">{}</label><select class=\"input\" id=\"bench-lesson\" name=\"lesson\">{}</select></div>\n",
        say("lesson"),
        options.collect::<String>()
    );
    for parameter in &PARAMETERS {
        let name = escape(parameter.name);
        let id = format!("bench-{}", parameter.name.replace(".<knob>", ""));
        let choices: &[&str] = match parameter.takes {
            Takes::OneOf(words) => words,
            Takes::Flag => &["1", "0"],
            _ => &[],
        };
        let control = if choices.is_empty() {
            let example = match parameter.takes {
                Takes::Knob => slider(&first.slug)
                    .map_or_else(String::new, |(knob, value)| format!("{knob}={value}")),
                _ => parameter.example.to_owned(),
            };
            format!(
                "<input class=\"input\" id=\"{id}\" data-parameter=\"{name}\" placeholder=\"{}\" autocomplete=\"off\" spellcheck=\"false\">",
                escape(&example)
            )
        } else {
            let default = escape(&word("default-option").replace("{0}", parameter.default));
            let options = choices
                .iter()
                .map(|choice| format!("<option value=\"{choice}\">{choice}</option>"));
            format!(
                "<select class=\"input\" id=\"{id}\" data-parameter=\"{name}\"><option value=\"\">{default}</option>{}</select>",
                options.collect::<String>()
            )
        };
        let _ = writeln!(
            form,
            "<div class=\"field\"><label for=\"{id}\"><code>{name}</code></label>{control}</div>"
        );
    }
    let commands = MESSAGES
        .iter()
        .filter(|message| message.way == Way::Command)
        .map(|message| {
            let fields = example(message.name, &first.slug).unwrap_or_else(|| "{}".to_owned());
            format!(
                "<option data-fields=\"{}\">{}</option>",
                escape(&fields),
                message.name
            )
        });
    let (width, height) = SIZE;
    let title = word("frame-title");
    format!(
        "<div class=\"bench\" data-root=\"{root}\" data-title=\"{}\">\n\
         <form class=\"bench-form\" id=\"bench-form\" hidden>\n{form}<div class=\"actions\"><button class=\"btn\" type=\"submit\">{}</button><button class=\"btn btn-quiet\" type=\"reset\">{}</button></div></form>\n\
         <iframe class=\"preview\" id=\"bench-frame\" src=\"{root}embed/{}/\" title=\"{}\" width=\"{width}\" height=\"{height}\" loading=\"lazy\" allow=\"fullscreen; clipboard-write\"></iframe>\n\
         <form class=\"bench-talk\" id=\"bench-talk\" hidden>\n\
         <div class=\"field\"><label for=\"bench-command\">{}</label><select class=\"input\" id=\"bench-command\" name=\"command\">{}</select></div>\n\
         <div class=\"field\"><label for=\"bench-fields\">{}</label><input class=\"input\" id=\"bench-fields\" name=\"fields\" autocomplete=\"off\" spellcheck=\"false\"></div>\n\
         <button class=\"btn btn-primary\" type=\"submit\">{}</button>\n\
         <ol class=\"bench-log\" id=\"bench-log\" tabindex=\"0\" aria-label=\"{}\"></ol></form>\n</div>\n",
        escape(&title),
        say("show"),
        say("clear"),
        first.slug,
        escape(&title.replace("{0}", first.texts.get("title"))),
        say("command-label"),
        commands.collect::<String>(),
        say("fields-label"),
        say("send"),
        say("log"),
    )
}

/// Fields that show a command at work in a lesson, as JSON; none if it has no fields.
fn example(command: &str, slug: &str) -> Option<String> {
    let fields = match command {
        "seek" => json!({ "at": 4.5 }),
        "beat" => json!({ "n": 2 }),
        "set" => {
            let (knob, value) = slider(slug)?;
            json!({ "name": knob, "value": value.parse::<f64>().ok()? })
        }
        "act" => {
            let show = (lessons::find(slug)?.open)(1);
            let actions = show.actions();
            let able = |spec: &usize| {
                let target = show.aim(*spec);
                actions[*spec].field.is_none()
                    && show.can(engine::Act {
                        spec: *spec,
                        target,
                    })
            };
            json!({ "name": actions[(0..actions.len()).find(able)?].id })
        }
        "setState" => json!({ "state": "" }),
        "theme" => json!({ "value": "dark" }),
        "motion" => json!({ "value": "reduce" }),
        "lang" => json!({ "value": "en" }),
        _ => return None,
    };
    Some(fields.to_string())
}

/// The first slider of a lesson and the middle of its range.
fn slider(slug: &str) -> Option<(String, String)> {
    let show = (lessons::find(slug)?.open)(1);
    show.knobs()
        .into_iter()
        .find_map(|(knob, _)| match knob.kind {
            Kind::Slider { min, max, .. } => {
                let middle = knob.snap((min + max) / 2.0)?;
                Some((knob.id.to_owned(), knob.write(middle)))
            }
            _ => None,
        })
}

/// What an author needs to know of one lesson: its knobs, actions and steps.
fn details(texts: &Texts, root: &str, lesson: &LessonPage) -> String {
    let say = |id: &str| escape(texts.get(&format!("authors.{id}")));
    let slug = &lesson.slug;
    let rows = knobs(slug).into_iter().map(|(knob, values)| {
        let label = format!("knob.{knob}");
        [
            code(&format!("p.{knob}")),
            escape(lesson.texts.get(&label)),
            escape(&values),
        ]
    });
    let title = escape(lesson.texts.get("title"));
    let heads = ["knob", "meaning", "values"].map(say);
    let table = table(&title, &heads, rows);
    let list = |head: &str, ids: Vec<&'static str>| {
        let ids: Vec<String> = ids.into_iter().map(code).collect();
        format!("<p>{}: {}</p>\n", say(head), ids.join(", "))
    };
    let (steps, actions) = lessons::find(slug).map_or_else(Default::default, |entry| {
        let player = engine::Player::new((entry.open)(1));
        let steps = player.beats().iter().map(|beat| beat.id).collect();
        let actions = player.main().actions();
        let ids = |typed: bool| {
            let actions = actions
                .iter()
                .filter(move |one| one.field.is_some() == typed);
            actions.map(|action| action.id).collect::<Vec<_>>()
        };
        (steps, [false, true].map(ids))
    });
    let [plain, typed] = actions;
    let typed = (!typed.is_empty()).then(|| list("typed", typed));
    format!(
        "<details class=\"more\"><summary>{title}</summary>\n\
         <p><a href=\"{root}l/{slug}/\">{}</a> · <a href=\"{root}oembed/{slug}.json\">{}</a></p>\n{table}{}{}{}</details>\n",
        code(slug),
        say("oembed"),
        list("actions", plain),
        typed.unwrap_or_default(),
        list("steps", steps),
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_record_store_is_what_its_script_reads() {
        let script = include_str!("../../assets/xapi.js");
        let read = script
            .split("const launch = [")
            .nth(1)
            .and_then(|rest| rest.split(']').next())
            .expect("a list");
        let mut read: Vec<&str> = read
            .split(',')
            .map(|name| name.trim().trim_matches('"'))
            // These two a cmi5 launch brings.
            .filter(|name| !["activityId", "fetch"].contains(name))
            .collect();
        let mut said = RECORD.map(|parameter| parameter.name).to_vec();
        read.sort_unstable();
        said.sort_unstable();
        assert_eq!(said, read);
    }
}
