//! The catalogue: chapters, and in each the lessons that exist and those still to come; and paths through them.

use crate::words::Texts;
use serde::Serialize;

/// One lesson as the catalogue shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its address.
    pub slug: String,
    /// Its name.
    pub title: String,
    /// Its driving question.
    pub question: String,
    /// Whether it can be opened.
    pub ready: bool,
    /// What it asks of a learner and how long it takes, as a few words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// What a search finds it by beside title and question: names of its parts, words of its captions.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub find: String,
}

/// What a lesson that exists says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// Its name.
    pub title: String,
    /// Its driving question.
    pub question: String,
    /// See [`Item::about`].
    pub about: String,
    /// See [`Item::find`].
    pub find: String,
}

/// A way through some lessons, in an order that has a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Path {
    /// Its id, for messages of the build.
    #[serde(skip)]
    pub id: String,
    /// Its name.
    pub title: String,
    /// Why these, and why in this order.
    pub why: String,
    /// The lessons that exist, in order.
    pub lessons: Vec<String>,
}

/// The section with paths.
const PATHS: &str = "paths";
/// A path of fewer lessons leads nowhere yet.
const PATH_MIN: usize = 4;

/// One chapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chapter {
    /// Its id.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Its lessons in order.
    pub lessons: Vec<Item>,
}

/// Chapters in the order of `## chapter`, each with the lessons of the section that its id names.
/// `built` gives what the lessons that exist say of themselves.
///
/// # Errors
/// A chapter without lessons, a lesson without question, a section that is no chapter.
pub fn chapters(
    catalogue: &Texts,
    built: &dyn Fn(&str) -> Option<Own>,
) -> Result<Vec<Chapter>, String> {
    let mut chapters = Vec::new();
    for (id, title) in catalogue.section("chapter") {
        let mut lessons = Vec::new();
        for (slug, title) in catalogue
            .section(id)
            .filter(|(slug, _)| !slug.contains('.'))
        {
            let question = catalogue
                .section(id)
                .find(|(word, _)| word.strip_suffix(".question") == Some(slug))
                .ok_or_else(|| format!("`{id}.{slug}` has no `{slug}.question`"))?
                .1;
            let own = built(slug);
            let ready = own.is_some();
            let own = own.unwrap_or_else(|| Own {
                title: title.to_owned(),
                question: question.to_owned(),
                ..Own::default()
            });
            lessons.push(Item {
                slug: slug.to_owned(),
                title: own.title,
                question: own.question,
                ready,
                about: own.about,
                find: own.find,
            });
        }
        if lessons.is_empty() {
            return Err(format!("chapter `{id}` has no section with its lessons"));
        }
        chapters.push(Chapter {
            id: id.to_owned(),
            title: title.to_owned(),
            lessons,
        });
    }
    for (word, _) in &catalogue.words {
        if let Some((section, _)) = word.split_once('.')
            && section != "chapter"
            && section != PATHS
            && !chapters.iter().any(|chapter| chapter.id == section)
        {
            return Err(format!("`{word}` stands in a section that is no chapter"));
        }
    }
    Ok(chapters)
}

/// The paths of `## paths`, each with those of its lessons that exist; one with hardly any is left out.
///
/// # Errors
/// A path without a reason or without lessons, or a lesson that no chapter has.
pub fn paths(catalogue: &Texts, chapters: &[Chapter]) -> Result<Vec<Path>, String> {
    let mut paths = Vec::new();
    for (id, title) in catalogue.section(PATHS).filter(|(id, _)| !id.contains('.')) {
        let own = |word: &str| {
            let wanted = format!("{id}.{word}");
            let mut words = catalogue.section(PATHS);
            let found = words.find(|(known, _)| *known == wanted);
            found
                .map(|(_, text)| text)
                .ok_or_else(|| format!("the path `{id}` has no `{wanted}`"))
        };
        let mut lessons = Vec::new();
        for slug in own("lessons")?.split(", ") {
            let item = item(chapters, slug);
            let item = item.ok_or_else(|| format!("the path `{id}` names no lesson: `{slug}`"))?;
            if item.ready {
                lessons.push(slug.to_owned());
            }
        }
        if lessons.len() >= PATH_MIN {
            paths.push(Path {
                id: id.to_owned(),
                title: title.to_owned(),
                why: own("why")?.to_owned(),
                lessons,
            });
        }
    }
    Ok(paths)
}

/// The chapter that a lesson stands in.
pub fn chapter_of<'a>(chapters: &'a [Chapter], slug: &str) -> Option<&'a Chapter> {
    chapters
        .iter()
        .find(|chapter| chapter.lessons.iter().any(|item| item.slug == slug))
}

/// One lesson of any chapter.
pub fn item<'a>(chapters: &'a [Chapter], slug: &str) -> Option<&'a Item> {
    chapters
        .iter()
        .flat_map(|chapter| &chapter.lessons)
        .find(|item| item.slug == slug)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::parse;

    #[test]
    fn the_real_catalogue_holds_every_lesson_and_short_questions() {
        let source = include_str!("../lessons/catalogue.en.md");
        let texts = parse("catalogue.en.md", source).expect("well formed");
        let chapters = chapters(&texts, &|_| None).expect("complete");
        assert_eq!(
            chapters
                .iter()
                .map(|chapter| chapter.title.as_str())
                .collect::<Vec<_>>(),
            [
                "Traffic",
                "Services",
                "Messages",
                "Memory",
                "Data at scale",
                "Inside a database",
                "Compute",
                "Whole systems"
            ]
        );
        let items: Vec<_> = chapters
            .iter()
            .flat_map(|chapter| &chapter.lessons)
            .collect();
        assert_eq!(items.len(), 59);
        for item in &items {
            let words = item.question.split_whitespace().count();
            assert!(words <= 14, "{}: {words} words", item.slug);
            assert_eq!(
                items.iter().filter(|other| other.slug == item.slug).count(),
                1,
                "{}",
                item.slug
            );
        }
        assert_eq!(
            chapter_of(&chapters, "caching").map(|chapter| chapter.id.as_str()),
            Some("memory")
        );
    }

    #[test]
    fn a_built_lesson_speaks_for_itself() {
        let source = "# All\nWhich?\n\n## chapter\n- one: One\n\n## one\n- a: A\n- a.question: Why a?\n- b: B\n- b.question: Why b?\n";
        let texts = parse("c", source).expect("well formed");
        let built = |slug: &str| {
            (slug == "b").then(|| Own {
                title: "Bee".to_owned(),
                question: "Buzz?".to_owned(),
                ..Own::default()
            })
        };
        let chapters = chapters(&texts, &built).expect("complete");
        let shown: Vec<_> = chapters[0]
            .lessons
            .iter()
            .map(|item| (item.title.as_str(), item.ready))
            .collect();
        assert_eq!(shown, [("A", false), ("Bee", true)]);
    }

    #[test]
    fn paths_lead_through_lessons_that_exist() {
        let source = include_str!("../lessons/catalogue.en.md");
        let texts = parse("catalogue.en.md", source).expect("well formed");
        let all = |slug: &str| {
            Some(Own {
                title: slug.to_owned(),
                ..Own::default()
            })
        };
        let whole = chapters(&texts, &all).expect("complete");
        let whole = paths(&texts, &whole).expect("complete");
        assert_eq!(whole.len(), 7);
        assert!(
            whole
                .iter()
                .all(|path| (6..=10).contains(&path.lessons.len()))
        );
        let few = |slug: &str| all(slug).filter(|_| slug.len() < 8);
        let few = chapters(&texts, &few).expect("complete");
        let few = paths(&texts, &few).expect("complete");
        assert!(
            few.iter()
                .all(|path| path.lessons.iter().all(|slug| slug.len() < 8))
        );
        assert!(few.len() < whole.len());
        let wrong = "# A\nW?\n\n## chapter\n- one: One\n\n## one\n- a: A\n- a.question: W?\n\n## paths\n- p: P\n- p.why: W.\n- p.lessons: a, b\n";
        let texts = parse("c", wrong).expect("well formed");
        let one = chapters(&texts, &|_| None).expect("complete");
        assert!(paths(&texts, &one).expect_err("no b").contains("`b`"));
    }

    #[test]
    fn gaps_are_named() {
        let broken = |source: &str| {
            chapters(&parse("c", source).expect("well formed"), &|_| None).expect_err("a gap")
        };
        assert!(broken("# A\nW?\n\n## chapter\n- one: One\n").contains("has no section"));
        assert!(
            broken("# A\nW?\n\n## chapter\n- one: One\n\n## one\n- a: A\n").contains("a.question")
        );
        assert!(
            broken("# A\nW?\n\n## chapter\n- one: One\n\n## one\n- a: A\n- a.question: W?\n\n## two\n- b: B\n")
                .contains("no chapter")
        );
    }
}
