//! Sources: finds and reads the project's words, and puts together what the site says.

use crate::catalogue::{self, Own};
use crate::handout;
use crate::opening::{self, Opening};
use crate::outline::Font;
use crate::pictures::{self, CARD_STAGES, Saying};
use crate::site::{Asked, LessonPage, Site, Step, Translation};
use crate::stills;
use crate::words::{self, FOR_THE_CLASS, Texts};
use crate::{code, pace, share};
use contract::language::FALLBACK;
use engine::Player;
use lessons::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

/// The site's font, from the top of the project.
const FONT: &str = "assets/fonts/inter-latin-wght.woff2";

/// The project's top folder: that of the current folder and those above it that holds the lessons, or the
/// one that press was built from.
pub fn project() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors()
        .find(|folder| folder.join("src/lessons/catalogue.en.md").is_file())
        .map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."),
            Path::to_owned,
        )
}

/// The site's program as the linker left it, before wasm-bindgen: the release build's.
///
/// # Errors
/// Cargo does not say where it builds.
pub fn linked(project: &Path) -> Result<PathBuf, String> {
    let said = Command::new("cargo")
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(project)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let said: serde_json::Value =
        serde_json::from_slice(&said.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let folder = said["target_directory"]
        .as_str()
        .ok_or("cargo metadata names no target_directory")?;
    Ok(Path::new(folder).join("wasm32-unknown-unknown/release/loadlab-site.wasm"))
}

/// The words of a lesson, from the top of the project.
pub fn lesson_file(slug: &str) -> String {
    format!("{}/en.md", lessons::folder(slug))
}

/// Reads one file of words.
///
/// # Errors
/// The file cannot be read, or what is wrong in it, one line each.
pub fn read(project: &Path, file: &str) -> Result<Texts, String> {
    let source =
        fs::read_to_string(project.join(file)).map_err(|error| format!("{file}: {error}"))?;
    words::parse(file, &source).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })
}

/// Reads everything and draws the stills of `entries`.
///
/// # Errors
/// All files that cannot be read and all that is wrong in them, one line each.
pub fn site(project: &Path, entries: &[Entry]) -> Result<Site, String> {
    let mut wrong = Vec::new();
    let mut pages = Vec::new();
    for entry in entries {
        let slug = entry.card.slug;
        match read(project, &lesson_file(slug)) {
            Ok(texts) => match code::regions(
                project,
                lessons::about(slug).map_or(&[], |about| about.code),
            ) {
                Ok(code) => pages.push(LessonPage {
                    code,
                    ..lesson(entry, texts)
                }),
                Err(faults) => wrong.extend(faults),
            },
            Err(error) => wrong.push(error),
        }
    }
    let mut texts = |file| {
        read(project, file).unwrap_or_else(|error| {
            wrong.push(error);
            Texts::default()
        })
    };
    let (site, about) = (
        texts("src/site/en.md"),
        texts("src/lessons/catalogue.en.md"),
    );
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    for (entry, page) in entries.iter().zip(&mut pages) {
        tell_facts(entry, page, &site);
        let words = Rc::new(page.texts.to_words());
        page.opening = opening::opening(entry, &words, &site);
    }
    let built = |slug: &str| {
        let lesson = pages.iter().find(|lesson| lesson.slug == slug)?;
        let word = |id: &str| lesson.texts.get(id).to_owned();
        Some(Own {
            title: word("title"),
            question: word("question"),
            about: lesson.facts.clone(),
            find: found_by(&lesson.texts),
        })
    };
    let chapters = catalogue::chapters(&about, &built)
        .map_err(|error| format!("src/lessons/catalogue.en.md: {error}"))?;
    let paths = catalogue::paths(&about, &chapters)
        .map_err(|error| format!("src/lessons/catalogue.en.md: {error}"))?;
    for lesson in &pages {
        if catalogue::item(&chapters, &lesson.slug).is_none() {
            return Err(format!(
                "src/lessons/catalogue.en.md: the lesson `{}` stands in no chapter",
                lesson.slug
            ));
        }
    }
    let mut whole = Site {
        texts: site,
        about,
        chapters,
        paths,
        lessons: pages,
        card: String::new(),
        home: None,
        translations: BTreeMap::new(),
    };
    let slugs: Vec<&str> = entries.iter().map(|entry| entry.card.slug).collect();
    whole.translations = translations(project, &slugs)?;
    cards(project, entries, &mut whole)?;
    Ok(whole)
}

/// What a search finds a lesson by beside its title: each word of its parts' names and its captions once.
fn found_by(texts: &Texts) -> String {
    let told = texts
        .words
        .iter()
        .filter(|(id, _)| id.starts_with("part.") || id.starts_with("beat."));
    let words = told.flat_map(|(_, text)| text.split(|c: char| !c.is_alphanumeric() && c != '-'));
    let words: BTreeSet<String> = words
        .filter(|word| word.chars().count() > 3)
        .map(str::to_lowercase)
        .collect();
    let words: Vec<String> = words.into_iter().collect();
    words.join(" ")
}

/// Says at the head of what is for the class what the lesson asks of a learner, and how long it takes.
fn tell_facts(entry: &Entry, page: &mut LessonPage, site: &Texts) {
    let Some(about) = lessons::about(entry.card.slug) else {
        return;
    };
    let words = Rc::new(page.texts.to_words());
    let run = (entry.open)(1);
    page.asked.challenges = run.challenges();
    let mut wanted = Vec::new();
    let mut steps = Vec::new();
    let mut asked = Vec::new();
    let title = page.texts.get("title").to_owned();
    let mut see = |beat: usize, player: &Player| {
        let beats = player.beats();
        if beat == 0 {
            wanted = handout::chosen(beats);
            let questions = beats.iter().filter_map(|beat| beat.predict);
            asked = questions
                .map(|(id, options)| (id, options.to_vec()))
                .collect();
        }
        if wanted.contains(&beat) {
            steps.push(Step {
                number: beat + 1,
                beat: beats[beat].id,
                pictures: handout::pictures(player, &words, &title),
            });
        }
    };
    let minutes = pace::minutes(run, &words, &mut see);
    (page.steps, page.asked.predictions) = (steps, asked);
    let level = format!("level.{}", about.level.id());
    let level = site.get(&level);
    let time = site
        .get("level.minutes")
        .replace("{0}", &minutes.to_string());
    let short = format!("catalogue.{}", about.level.id());
    let short = site.get(&short);
    let facts = site.get("catalogue.about").replace("{0}", short);
    page.facts = facts.replace("{1}", &minutes.to_string());
    let heading = format!("<h2>{FOR_THE_CLASS}</h2>\n");
    let facts = format!("{heading}<p>{level} {time}</p>\n");
    page.texts.notes = page.texts.notes.replace(&heading, &facts);
}

/// The words in other languages than English: `src/site/<tag>.md` makes a language known, and `<tag>.md` beside a
/// lesson's `en.md` is that lesson in it.
///
/// # Errors
/// What is wrong in a file, or that its name is no language.
pub fn translations(
    project: &Path,
    slugs: &[&str],
) -> Result<BTreeMap<String, Translation>, String> {
    let mut found = BTreeMap::new();
    let folder = project.join("src/site");
    let entries = fs::read_dir(&folder).map_err(|error| format!("src/site: {error}"))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(tag) = name.strip_suffix(".md").filter(|tag| *tag != FALLBACK) else {
            continue;
        };
        let file = format!("src/site/{name}");
        if contract::language::tidy(tag).as_deref() != Some(tag) {
            return Err(format!("{file}: `{tag}` is no language tag in lower case"));
        }
        let mut translation = Translation {
            texts: read(project, &file)?,
            lessons: BTreeMap::new(),
        };
        for slug in slugs {
            let file = lesson_file(slug).replace("en.md", &name);
            if project.join(&file).is_file() {
                let texts = read(project, &file)?;
                translation.lessons.insert((*slug).to_owned(), texts);
            }
        }
        found.insert(tag.to_owned(), translation);
    }
    Ok(found)
}

/// Draws the cards that links unfold to.
fn cards(project: &Path, entries: &[Entry], site: &mut Site) -> Result<(), String> {
    let woff2 = fs::read(project.join(FONT)).map_err(|error| format!("{FONT}: {error}"))?;
    let font = Font::unpack(&woff2).map_err(|error| format!("{FONT}: {error}"))?;
    let brand = site.texts.get("title");
    for (entry, lesson) in entries.iter().zip(&mut site.lessons) {
        let words = Rc::new(lesson.texts.to_words());
        let scenes = CARD_STAGES.map(|width| stills::scene(entry, &words, width));
        let chapter = catalogue::chapter_of(&site.chapters, &lesson.slug);
        let saying = |corner, title, question| Saying {
            brand,
            corner,
            title,
            question,
        };
        let word = |id| lesson.texts.get(id);
        let corner = chapter.map_or("", |chapter| chapter.title.as_str());
        lesson.card = pictures::card(
            &font,
            saying(corner, word("title"), word("question")),
            &scenes,
        );
        // The whole site shows its first lesson.
        if site.card.is_empty() {
            let [title, question] = [site.about.get("title"), site.texts.get("question")];
            site.card = pictures::card(&font, saying("", title, question), &scenes);
        }
    }
    Ok(())
}

/// One lesson with its stills.
pub fn lesson(entry: &Entry, texts: Texts) -> LessonPage {
    let words = Rc::new(texts.to_words());
    let still = stills::scene(entry, &words, stills::WIDE);
    // The picture's name says what the lesson is about: its parts are named in the picture itself.
    let title = texts.get("title").to_owned();
    LessonPage {
        slug: entry.card.slug.to_owned(),
        tables: entry
            .card
            .tables
            .iter()
            .map(|table| (*table).to_owned())
            .collect(),
        still: stills::document(&still, &title),
        opening: Opening::default(),
        card: String::new(),
        facts: String::new(),
        height: share::height(entry, &words),
        steps: Vec::new(),
        asked: Asked::default(),
        code: Vec::new(),
        texts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_found_and_its_words_are_well_formed() {
        let project = project();
        let site = site(&project, lessons::CATALOGUE).expect("words without faults");
        assert_eq!(site.lessons.len(), lessons::CATALOGUE.len());
        assert_eq!(site.texts.get("title"), "Loadlab");
    }

    #[test]
    fn a_second_language_is_found_and_published() {
        let folder = std::env::temp_dir().join(format!("loadlab-languages-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        write("src/site/en.md", "# Loadlab\nSee.\n");
        write("src/site/de.md", "# Lastlabor\nSieh.\n");
        write("src/lessons/a_b/de.md", "# A und B\nWarum?\n");
        let found = translations(&folder, &["a-b", "c-d"]).expect("well formed");
        write("src/site/notes.draft.md", "# No language\nNo.\n");
        assert!(translations(&folder, &[]).is_err(), "no language tag");
        fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(found.keys().collect::<Vec<_>>(), ["de"]);

        let mut site = site(&project(), lessons::CATALOGUE).expect("words without faults");
        let [first, second] = [0, 1].map(|at| site.lessons[at].slug.clone());
        site.translations = found;
        let german = site.translations.get_mut("de").expect("found");
        let lesson = german.lessons.remove("a-b").expect("found");
        german.lessons.insert(first.clone(), lesson);
        let template = include_str!("../../index.html").to_owned();
        let assets = crate::pages::Assets {
            template,
            ..Default::default()
        };
        let files = crate::pages::files(&site, &assets).expect("complete");
        assert!(files["index.html"].contains("data-languages=\"en de\""));
        assert!(files["words/site.de.json"].contains("Lastlabor"));
        assert!(files[&format!("words/{first}.de.json")].contains("A und B"));
        let english = &files[&format!("words/{second}.en.json")];
        assert_eq!(&files[&format!("words/{second}.de.json")], english);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(&project(), &lesson_file("no-such")).expect_err("missing");
        assert!(error.starts_with("src/lessons/no_such/en.md: "), "{error}");
    }
}
