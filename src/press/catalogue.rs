//! The catalogue: chapters, and in each the lessons that exist and those still to come.

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
}

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
/// `built` gives title and question of the lessons that exist, which say so themselves.
///
/// # Errors
/// A chapter without lessons, a lesson without question, a section that is no chapter.
pub fn chapters(
    catalogue: &Texts,
    built: &dyn Fn(&str) -> Option<(String, String)>,
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
            let (title, question) = own.unwrap_or_else(|| (title.to_owned(), question.to_owned()));
            lessons.push(Item {
                slug: slug.to_owned(),
                title,
                question,
                ready,
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
            && !chapters.iter().any(|chapter| chapter.id == section)
        {
            return Err(format!("`{word}` stands in a section that is no chapter"));
        }
    }
    Ok(chapters)
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
        let built = |slug: &str| (slug == "b").then(|| ("Bee".to_owned(), "Buzz?".to_owned()));
        let chapters = chapters(&texts, &built).expect("complete");
        let shown: Vec<_> = chapters[0]
            .lessons
            .iter()
            .map(|item| (item.title.as_str(), item.ready))
            .collect();
        assert_eq!(shown, [("A", false), ("Bee", true)]);
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
