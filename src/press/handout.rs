//! The hand-out of a lesson: a page to print, with the question, the stage at three steps, the predictions with boxes, what to
//! try and the notes. What is for teachers stands on its last page, which `?answers=1` or `#answers` asks for.

use crate::site::{LessonPage, Site};
use crate::words::FOR_THE_CLASS;
use engine::story::BeatView;
use engine::svg::{LIGHT, escape};
use engine::{Player, Scene, Setup, Words, svg};
use std::fmt::Write;
use std::rc::Rc;

/// The width of a stage on paper, in units of the scene.
const WIDTH: f32 = 884.0;

/// Which steps are printed, three at most: what follows the first question, the comparison, and the end.
pub fn chosen(beats: &[BeatView]) -> Vec<usize> {
    let last = beats.len().saturating_sub(1);
    let asked = beats.iter().position(|beat| beat.predict.is_some());
    let compares = |beat: &BeatView| {
        let mut setup = beat.setup.iter();
        setup.any(|setup| matches!(setup, Setup::Twin(..)))
    };
    let twin = beats.iter().position(compares);
    let mut steps = vec![
        asked.map_or(0, |at| (at + 1).min(last)),
        twin.unwrap_or(last / 2),
        last,
    ];
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// The stage as it is now.
pub fn pictures(player: &Player, words: &Rc<Words>, title: &str) -> Vec<String> {
    let mut out = Vec::new();
    let twin = player.twin().map(|twin| &*twin.run);
    for run in [Some(player.main()), twin].into_iter().flatten() {
        let mut scene = Scene::new(WIDTH, Rc::clone(words));
        run.draw(&mut scene);
        // Without motion, each thing that moves is told apart from what it is on.
        scene.rest();
        // Paper is light, whatever the screen is.
        out.push(svg::document(&scene, title).replace("prefers-color-scheme:dark", "not all"));
    }
    out
}

/// The address of a picture, from the top of the site.
pub fn picture(slug: &str, step: usize, side: usize) -> String {
    format!("handouts/{slug}-{step}{}.svg", ["", "-b"][side.min(1)])
}

/// The style of hand-outs: a file of its own, for pages hold no style.
const STYLE: &str = "\
:root{color-scheme:light}body{max-width:46rem;margin:0 auto;padding:1.5rem;color:#15171c;background:#fff;font:11pt/1.45 Inter,system-ui,sans-serif}\
h1{margin:0;font-size:20pt}h2{margin:1.4em 0 .4em;font-size:13pt}h3{font-size:11pt}p,ul,ol{margin:.4em 0}\
figure,.ask,li,section>p{break-inside:avoid}h2,h3{break-after:avoid}figure{margin:1em 0}figure img{display:block;width:100%;border:1px solid #c9c9c9;border-radius:6px}\
figcaption{margin-top:.4em}.glyph{width:.7em;height:.7em;overflow:visible}.ask ul{list-style:none;padding:0}.ask li::before{content:\"\";display:inline-block;width:.8em;height:.8em;margin-right:.6em;border:1.2px solid #15171c;vertical-align:-.08em}\
a{color:inherit}.tool{margin:0 0 1rem}#answers{display:none}#answers:target,[data-answers] #answers{display:block;break-before:page}.prose .for-class{display:none}\
@page{margin:16mm}@media print{body{max-width:none;padding:0}.tool{display:none}figure img{width:auto;max-width:100%;max-height:68mm;margin:0 auto}figure img:has(+img),figure img+img{max-height:54mm}}";

/// The whole style: the colours of what moves are those of the pictures.
pub fn style() -> String {
    let mut css = STYLE.to_owned();
    for (ink, value) in LIGHT {
        let name = ink.name();
        let _ = write!(
            css,
            ".glyph .f-{name}{{fill:{value}}}.glyph .s-{name}{{fill:none;stroke:{value}}}"
        );
    }
    css
}

/// What reads the parameter; without scripts `#answers` is left.
pub const SCRIPT: &str = "\
\"use strict\";\n// With answers=1 the last page, which is for teachers, is there.\n\
if ([\"\", \"1\", \"true\"].includes(new URLSearchParams(location.search).get(\"answers\"))) document.documentElement.dataset.answers = \"\";\n";

/// The page. Of `boot`, the boot script's name, it needs the beginning alone, which puts addresses right where a host serves the
/// page without its last slash; a copy lies one folder higher than there (`pages::boot_copies`).
pub fn page(site: &Site, lesson: &LessonPage, boot: &str) -> String {
    let word = |id: &str| rich(lesson.texts.get(id));
    let say = |id: &str| escape(site.texts.get(&format!("handout.{id}")));
    let (slug, title) = (&lesson.slug, escape(lesson.texts.get("title")));
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\" data-page=\"handout\">\n<head>\n<meta charset=\"utf-8\">\n<script src=\"../../{boot}\"></script>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n<link rel=\"icon\" href=\"data:,\">\n<title>{title}: {}</title>\n<link rel=\"stylesheet\" href=\"../../../handout.css\">\n<script src=\"../../../handout.js\"></script>\n</head>\n<body>\n<main>\n",
        say("title")
    );
    let _ = writeln!(
        out,
        "<p class=\"tool\"><a href=\"../\">{}</a> · <a href=\"#answers\">{}</a></p>\n<h1>{title}</h1>\n<p>{}</p>\n<p>{}</p>",
        say("back"),
        say("with-answers"),
        word("question"),
        escape(&lesson.facts)
    );
    for step in &lesson.steps {
        out += "<figure>\n";
        for (side, _) in step.pictures.iter().enumerate() {
            let label = if step.pictures.len() > 1 {
                ["A", "B"][side.min(1)]
            } else {
                ""
            };
            let alt = format!(
                "{} {label}",
                say("stage").replace("{0}", &step.number.to_string())
            );
            let _ = writeln!(
                out,
                "<img src=\"../../../{}\" alt=\"{}\">",
                picture(slug, step.number, side),
                alt.trim()
            );
        }
        let _ = writeln!(
            out,
            "<figcaption><b>{}.</b> {}</figcaption>\n</figure>",
            step.number,
            word(&format!("beat.{}", step.beat))
        );
    }
    if !lesson.asked.predictions.is_empty() {
        let _ = writeln!(out, "<section>\n<h2>{}</h2>", say("predict"));
        for (id, options) in &lesson.asked.predictions {
            let _ = writeln!(
                out,
                "<div class=\"ask\"><p>{}</p>\n<ul>",
                word(&format!("predict.{id}"))
            );
            for option in options {
                let _ = writeln!(out, "<li>{}</li>", word(&format!("predict.{id}.{option}")));
            }
            out += "</ul></div>\n";
        }
        out += "</section>\n";
    }
    if !lesson.asked.challenges.is_empty() {
        let _ = writeln!(out, "<section>\n<h2>{}</h2>\n<ul>", say("try"));
        for id in &lesson.asked.challenges {
            let _ = writeln!(out, "<li>{}</li>", word(&format!("challenge.{id}")));
        }
        out += "</ul>\n</section>\n";
    }
    let _ = writeln!(
        out,
        "<div class=\"prose\">{}\n<section><h2>{}</h2>\n{}</section></div>",
        lesson.texts.notes,
        escape(site.texts.get("page.left-out")),
        lesson.texts.left_out
    );
    let _ = writeln!(
        out,
        "<section id=\"answers\">\n<h2>{}</h2>\n<ol>",
        say("answers")
    );
    for (id, _) in &lesson.asked.predictions {
        let _ = writeln!(
            out,
            "<li>{} <b>{}</b></li>",
            word(&format!("predict.{id}")),
            word(&format!("predict.{id}.wrong"))
        );
    }
    let class = lesson.texts.notes.find("<section class=\"for-class\">");
    let class = class.map_or("", |at| &lesson.texts.notes[at..]);
    let class = class.replace(&format!("<h2>{FOR_THE_CLASS}</h2>"), "");
    let hints: String = lesson
        .asked
        .challenges
        .iter()
        .map(|id| {
            let (what, hint) = (format!("challenge.{id}"), format!("challenge.{id}.hint"));
            format!("<li>{} <b>{}</b></li>\n", word(&what), word(&hint))
        })
        .collect();
    let _ = writeln!(
        out,
        "</ol>\n<ul>\n{hints}</ul>\n{}\n</section>\n</main>\n</body>\n</html>",
        class.replace(" class=\"for-class\"", "")
    );
    out
}

/// A word with its bold stretches.
fn rich(text: &str) -> String {
    let mut out = String::new();
    for (place, piece) in text.split("**").enumerate() {
        let piece = escape(piece);
        out += &if place % 2 == 1 {
            format!("<b>{piece}</b>")
        } else {
            piece
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Step;

    #[test]
    fn three_steps_at_most_are_printed_and_the_last_is_one() {
        for entry in lessons::CATALOGUE {
            let beats = Player::new((entry.open)(1)).beats().to_vec();
            let steps = chosen(&beats);
            assert!((1..=3).contains(&steps.len()), "{}", entry.card.slug);
            assert_eq!(steps.last(), Some(&(beats.len() - 1)));
        }
    }

    #[test]
    fn captions_keep_what_is_bold() {
        assert_eq!(
            rich("A < B. **No one waits.**"),
            "A &lt; B. <b>No one waits.</b>"
        );
    }

    #[test]
    fn answers_are_there_and_not_on_the_first_pages() {
        let mut lesson = LessonPage {
            slug: "fake".to_owned(),
            ..LessonPage::default()
        };
        lesson.asked.predictions.push(("who", vec!["a", "b"]));
        lesson.asked.challenges.push("twice");
        lesson.steps.push(Step {
            number: 3,
            beat: "end",
            pictures: vec![String::new(), String::new()],
        });
        let page = page(&Site::default(), &lesson, "boot.js");
        let (first, last) = page.split_once("<section id=\"answers\">").unwrap();
        assert!(first.contains("predict.who.a") && !first.contains("predict.who.wrong"));
        assert!(last.contains("predict.who.wrong") && last.contains("challenge.twice.hint"));
        assert!(first.contains("handouts/fake-3-b.svg"));
    }
}
