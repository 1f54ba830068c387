//! The page of recipes: how a lesson comes into each of the places that courses are made with, and what each cannot do. The
//! recipes are a table (`course.json`), which `tests/browser/clients.mjs` tries.

use crate::site::Site;
use crate::words::Texts;
use contract::snippet::{Embed, SIZE, page};
use engine::svg::escape;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// One recipe.
#[derive(Clone, Debug, Deserialize)]
pub struct Recipe {
    /// Its words: `course.<id>`, and `course.<id>-not` for what it cannot do.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What it was tried with; empty if it was not.
    pub tried: String,
    /// When, and what was seen of it.
    pub seen: Option<Seen>,
    /// Where the code goes.
    pub file: String,
    /// The code, with places for the lesson; may be empty where there is nothing to paste.
    pub code: String,
}

/// What `tests/browser/clients.mjs` saw of a recipe.
#[derive(Clone, Debug, Deserialize)]
pub struct Seen {
    /// The day, as in ISO 8601.
    pub day: String,
    /// The answers to [`ASKED`], by name; what was not looked at has none.
    #[serde(flatten)]
    pub answers: BTreeMap<String, Answer>,
}

/// How a system did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// As it should be.
    Yes,
    /// With a limit that the recipe names.
    Part,
    /// Not at all.
    No,
}

impl Answer {
    /// Its word, and a glyph that says the same: a disc, half of one, a dash.
    fn cell(self, texts: &Texts) -> String {
        let (word, ink, path) = match self {
            Self::Yes => ("yes", "ok", "M0 5a5 5 0 1 0 10 0a5 5 0 1 0-10 0Z"),
            Self::Part => (
                "part",
                "warn",
                "M0 5a5 5 0 1 0 10 0a5 5 0 1 0-10 0ZM5 1.5a3.5 3.5 0 0 1 0 7Z",
            ),
            Self::No => ("no", "mark", "M0 4h10v2h-10Z"),
        };
        let word = escape(texts.get(&format!("course.{word}")));
        format!(
            "<td><svg class=\"glyph\" viewBox=\"0 0 10 10\" aria-hidden=\"true\"><path class=\"f-{ink}\" fill-rule=\"evenodd\" d=\"{path}\"/></svg>{word}</td>"
        )
    }
}

/// What is asked of every system, in the order of the table; what each means is `course.<name>-means`.
pub const ASKED: [&str; 7] = ["shows", "runs", "fits", "keys", "resumes", "score", "dark"];

/// All recipes.
///
/// # Errors
/// The table is no table, which would be a mistake in `src/press/course.json`.
pub fn recipes() -> Result<Vec<Recipe>, String> {
    serde_json::from_str(include_str!("course.json"))
        .map_err(|error| format!("src/press/course.json: {error}"))
}

/// The code of a recipe for one lesson. A frame stands as deep as its place.
fn code(recipe: &Recipe, embed: &Embed<'_>) -> String {
    let mut out = String::new();
    for line in recipe.code.lines() {
        let depth = line.len() - line.trim_start().len();
        let frame = embed
            .iframe()
            .replace('\n', &format!("\n{}", &line[..depth]));
        let line = line
            .replace("IFRAME", &frame)
            .replace("JSX", &embed.jsx())
            .replace("ADDRESS", &embed.address())
            .replace("PAGE", &page(embed.root, "l", embed.slug, ""))
            .replace("ROOT", embed.root)
            .replace("SLUG", embed.slug)
            .replace("TITLE", embed.title);
        out += &line;
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// The inside of the page below its header; `root` leads to the top of the site, `home` is its address in snippets.
///
/// # Errors
/// The table of recipes is no table.
pub fn main(site: &Site, texts: &Texts, root: &str, home: &str) -> Result<String, String> {
    let word = |id: &str| texts.get(&format!("course.{id}")).to_owned();
    let say = |id: &str| escape(&word(id));
    let recipes = recipes()?;
    let mut out = format!(
        "<main class=\"catalogue authors\" id=\"main\">\n<div class=\"catalogue-head\"><div><h1>{}</h1><p class=\"question\">{}</p></div></div>\n",
        say("title"),
        say("question")
    );
    let entries = recipes.iter().map(|recipe| {
        format!(
            "<li><a href=\"#{}\">{}</a></li>",
            recipe.id,
            escape(&recipe.name)
        )
    });
    let _ = writeln!(
        out,
        "<p>{} <a href=\"{root}authors/\">{}</a></p>\n<nav class=\"contents\" aria-label=\"{}\"><ul>{}</ul></nav>",
        say("text"),
        say("back"),
        escape(texts.get("authors.contents")),
        entries.collect::<String>()
    );
    out += &seen(&recipes, texts);
    let Some(lesson) = site.lessons.first() else {
        return Ok(out + "</main>\n");
    };
    let title = texts.get("authors.frame-title");
    let title = title.replace("{0}", lesson.texts.get("title"));
    let embed = Embed {
        root: home,
        slug: &lesson.slug,
        query: "",
        title: &title,
        size: SIZE,
    };
    for recipe in &recipes {
        let id = &recipe.id;
        let tried = match &recipe.seen {
            None => say("untried"),
            Some(seen) => {
                let tried = word("tried").replace("{0}", &recipe.tried);
                escape(&tried.replace("{1}", &seen.day))
            }
        };
        let _ = writeln!(
            out,
            "<section class=\"notes\" aria-labelledby=\"{id}\"><h2 id=\"{id}\">{}</h2><p>{} <small>{tried}</small></p>",
            escape(&recipe.name),
            say(id)
        );
        if !recipe.code.is_empty() {
            let into = word("into").replace("{0}", &recipe.file);
            out += &crate::authors::named_snippet(
                texts,
                &format!("code-{id}"),
                &into,
                &code(recipe, &embed),
            );
        }
        let _ = writeln!(
            out,
            "<p><strong>{}.</strong> {}</p></section>",
            say("not"),
            say(&format!("{id}-not"))
        );
    }
    Ok(out + "</main>\n")
}

/// The table of what was seen: a row for each recipe, and what the heads of its columns mean.
fn seen(recipes: &[Recipe], texts: &Texts) -> String {
    let say = |id: &str| escape(texts.get(&format!("course.{id}")));
    let means = ASKED.map(|asked| {
        let means = say(&format!("{asked}-means"));
        format!("<dt>{}</dt><dd>{means}</dd>", say(asked))
    });
    let heads = ["system", "version"].iter().chain(&ASKED);
    let heads = heads.map(|head| format!("<th scope=\"col\">{}</th>", say(head)));
    let rows = recipes.iter().map(|recipe| {
        let answers = match &recipe.seen {
            None => format!(
                "<td colspan=\"{}\">{}</td>",
                ASKED.len() + 1,
                say("not-tried")
            ),
            Some(seen) => {
                let cells = ASKED.iter().map(|asked| match seen.answers.get(*asked) {
                    Some(answer) => answer.cell(texts),
                    None => format!("<td>{}</td>", say("not-tried")),
                });
                format!(
                    "<td>{} <small>{}</small></td>{}",
                    escape(&recipe.tried),
                    escape(&seen.day),
                    cells.collect::<String>()
                )
            }
        };
        format!(
            "<tr><th scope=\"row\"><a href=\"#{}\">{}</a></th>{answers}</tr>\n",
            recipe.id,
            escape(&recipe.name)
        )
    });
    format!(
        "<section class=\"notes\" aria-labelledby=\"seen\"><h2 id=\"seen\">{}</h2><p>{}</p>\n<dl class=\"means\">{}</dl>\n\
         <div class=\"table seen\" role=\"group\" tabindex=\"0\" aria-labelledby=\"seen\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody></table></div></section>\n",
        say("seen"),
        say("seen-text"),
        means.concat(),
        heads.collect::<String>(),
        rows.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_recipe_has_its_words_and_its_frame_stands_in_its_place() {
        let texts = crate::authors::texts().expect("sound");
        let embed = Embed {
            root: "https://a.example/",
            slug: "caching",
            query: "",
            title: "Caching",
            size: SIZE,
        };
        let all = recipes().expect("a table");
        assert!(all.len() > 20);
        for recipe in &all {
            assert_eq!(recipe.seen.is_none(), recipe.tried.is_empty());
            if let Some(seen) = &recipe.seen {
                let answers: BTreeSet<&str> = seen.answers.keys().map(String::as_str).collect();
                assert!(answers.is_subset(&BTreeSet::from(ASKED)), "{}", recipe.id);
                assert!(answers.contains("shows"), "{}", recipe.id);
            }
            for id in [recipe.id.clone(), format!("{}-not", recipe.id)] {
                let id = format!("course.{id}");
                assert_ne!(texts.get(&id), id, "has no words");
            }
            let code = code(recipe, &embed);
            for place in ["IFRAME", "JSX", "ADDRESS", "ROOT", "SLUG", "TITLE"] {
                assert!(!code.contains(place), "{code}");
            }
            assert!(
                code.is_empty() || code.contains("caching") || recipe.id == "scorm-again",
                "{code}"
            );
        }
        let sphinx = all
            .iter()
            .find(|recipe| recipe.id == "sphinx")
            .expect("there");
        let code = code(sphinx, &embed);
        assert!(
            code.lines().skip(2).all(|line| line.starts_with("   ")),
            "{code}"
        );
    }
}
