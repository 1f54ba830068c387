//! New lessons: a layer's template becomes a folder of its own that already runs and passes every test.

use crate::catalogue::{self, Chapter};
use crate::publish::write_file;
use crate::sources;
use lessons::{CATALOGUE, TEMPLATES};
use std::path::Path;

/// The longest name of a lesson, so that addresses stay short.
const SLUG_MAX: usize = 40;
/// Where the templates stand, beside the chapters.
const TEMPLATES_FOLDER: &str = "src/lessons/templates";
/// The words of the catalogue.
const TITLES: &str = "src/lessons/catalogue.en.md";
/// How a chapter's list of lessons begins.
const LIST: &str = "\nkit::lessons![";
/// What the tapes of scripted runs are.
const TAPES: &str = "tests/fingerprints.txt";

/// What a lesson is called in an address, as a module and as a type.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Names {
    slug: String,
    module: String,
    kind: String,
}

impl Names {
    fn of(slug: &str) -> Names {
        let upper = |word: &str| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters).collect()
            })
        };
        Names {
            slug: slug.to_owned(),
            module: slug.replace('-', "_"),
            kind: slug.split('-').map(upper).collect(),
        }
    }

    /// Its name in words, for a lesson that the catalogue does not list yet.
    fn title(&self) -> String {
        let words = self.slug.replace('-', " ");
        words[..1].to_uppercase() + &words[1..]
    }
}

/// Writes the folder of a new lesson on a layer and tells the catalogue and the tests of it. Returns the files written.
///
/// # Errors
/// The slug is no name or is taken, there is no template of this layer, or a file cannot be read or written.
pub fn lesson(project: &Path, slug: &str, layer: &str) -> Result<Vec<String>, String> {
    let well_formed = slug.starts_with(|c: char| c.is_ascii_lowercase())
        && slug.split('-').all(|word| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            !word.is_empty() && word.chars().all(plain)
        });
    if !well_formed || slug.len() > SLUG_MAX {
        return Err(format!(
            "press new: `{slug}` is no name: small letters, digits and single hyphens, at most {SLUG_MAX}"
        ));
    }
    let names = Names::of(slug);
    if CATALOGUE.iter().any(|entry| entry.card.slug == slug) {
        return Err(format!("press new: there is a lesson `{slug}` already"));
    }
    let (_, template) = TEMPLATES
        .iter()
        .find(|(name, _)| *name == layer)
        .ok_or_else(|| {
            let layers: Vec<_> = TEMPLATES.iter().map(|(name, _)| *name).collect();
            format!(
                "press new: no template for the layer `{layer}`; there are {}",
                layers.join(", ")
            )
        })?;
    let read = |path: &str| {
        let path = project.join(path);
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let listed = listed(project, slug)?;
    let chapter = listed
        .as_ref()
        .map_or(template.card.chapter, |chapter| &chapter.id);
    let folder = format!("src/lessons/{chapter}/{}", names.module);
    if project.join(&folder).exists() {
        return Err(format!("press new: there is a folder {folder} already"));
    }
    let model = Names::of(template.card.slug);
    let from = project.join(TEMPLATES_FOLDER).join(&model.module);
    let entries =
        std::fs::read_dir(&from).map_err(|error| format!("{}: {error}", from.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| error.to_string())?.file_name();
        let name = name.to_string_lossy();
        let mut text = read(&format!("{TEMPLATES_FOLDER}/{}/{name}", model.module))?
            .replace(&model.slug, slug)
            .replace("lessons/templates/", &format!("lessons/{chapter}/"))
            .replace(&model.module, &names.module)
            .replace("Template of a lesson on", "A lesson on")
            .replace("Template", &names.kind);
        let stands = format!("chapter: \"{}\"", template.card.chapter);
        text = text.replace(&stands, &format!("chapter: \"{chapter}\""));
        if name == "en.md" {
            let item = listed
                .as_ref()
                .and_then(|chapter| chapter.lessons.iter().find(|item| item.slug == slug));
            let title = item.map_or_else(|| names.title(), |item| item.title.clone());
            let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
            text = format!("# {title}\n{rest}");
        }
        files.push((format!("{folder}/{name}"), text));
    }
    let outline = read(&format!("tests/outlines/{}.txt", model.slug))?;
    files.push((format!("tests/outlines/{slug}.txt"), outline));
    let file = format!("src/lessons/{chapter}/lib.rs");
    let place = || format!("press new: {file} has no list to add to");
    let list = opened(&read(&file)?);
    let list = with_module(&list, &names.module).ok_or_else(place)?;
    let line = format!("    {}::{},\n", names.module, names.kind);
    let list = before(&list, LIST, "];", &line).ok_or_else(place)?;
    files.push((file, list));
    if listed.is_none() {
        let place = format!("## {}", template.card.chapter);
        let lines = format!(
            "- {slug}: {0}\n- {slug}.question: What does {0} do?\n",
            names.title()
        );
        let titles = before(&read(TITLES)?, &format!("{place}\n"), "\n\n##", &lines);
        let titles = titles.ok_or_else(|| format!("press new: {TITLES} has no `{place}`"))?;
        files.push((TITLES.to_owned(), titles));
    }
    let tapes = read(TAPES)?;
    let mut tapes: Vec<&str> = tapes.lines().collect();
    let tape = tapes
        .iter()
        .find_map(|line| line.strip_prefix(&format!("{} ", model.slug)));
    let tape = tape.ok_or_else(|| format!("press new: {TAPES} has no line of `{}`", model.slug))?;
    let tape = format!("{slug} {tape}");
    tapes.push(&tape);
    tapes.sort_unstable();
    files.push((TAPES.to_owned(), tapes.join("\n") + "\n"));
    for (path, text) in &files {
        write_file(project, path, text.as_bytes())?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// The chapter that lists the lesson as one to come.
fn listed(project: &Path, slug: &str) -> Result<Option<Chapter>, String> {
    let titles = sources::read(project, TITLES)?;
    let chapters = catalogue::chapters(&titles, &|_| None)?;
    Ok(catalogue::chapter_of(&chapters, slug).cloned())
}

/// The list of a chapter with a line for each lesson; a short one stands on one line.
fn opened(list: &str) -> String {
    let parts = list.split_once(LIST).and_then(|(head, tail)| {
        let (inside, rest) = tail.split_once("];")?;
        Some((head, inside, rest))
    });
    let Some((head, inside, rest)) = parts.filter(|(_, inside, _)| !inside.contains('\n')) else {
        return list.to_owned();
    };
    let lessons = inside
        .split(',')
        .map(str::trim)
        .filter(|lesson| !lesson.is_empty());
    let lines: String = lessons.map(|lesson| format!("    {lesson},\n")).collect();
    format!("{head}{LIST}\n{lines}];{rest}")
}

/// The list of a chapter with one more module, in the order of the alphabet.
fn with_module(list: &str, module: &str) -> Option<String> {
    let line = format!("pub mod {module};\n");
    let mut mods = list.lines().filter(|other| other.starts_with("pub mod "));
    let next = mods.clone().find(|other| **other > *line.trim_end());
    let at = match (next, mods.next_back()) {
        (Some(next), _) => list.find(next)?,
        (None, Some(last)) => list.find(last)? + last.len() + 1,
        // The first of its chapter.
        (None, None) => {
            let at = list.find(LIST)?;
            return Some(format!("{}\n{line}{}", &list[..at], &list[at..]));
        }
    };
    Some(format!("{}{line}{}", &list[..at], &list[at..]))
}

/// The text with `more` before the first `end` after `from`.
fn before(text: &str, from: &str, end: &str, more: &str) -> Option<String> {
    let from = text.find(from)?;
    let at = from + text[from..].find(end)?;
    // A blank line before the next chapter stays where it is.
    let at = at + usize::from(end.starts_with('\n'));
    Some(format!("{}{more}{}", &text[..at], &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAFFIC: &str = "src/lessons/traffic/lib.rs";
    const SYSTEMS: &str = "src/lessons/systems/lib.rs";

    /// A copy of what `press new` reads, and so of what it may write.
    struct Copy(std::path::PathBuf);

    impl Copy {
        fn new(name: &str) -> Copy {
            let to =
                std::env::temp_dir().join(format!("loadlab-new-{}-{name}", std::process::id()));
            let project = sources::project();
            let mut paths = vec![TITLES.to_owned(), TAPES.to_owned()];
            paths.extend([TRAFFIC, SYSTEMS].map(str::to_owned));
            for (_, entry) in TEMPLATES {
                let names = Names::of(entry.card.slug);
                paths.push(format!("tests/outlines/{}.txt", names.slug));
                let folder = format!("{TEMPLATES_FOLDER}/{}", names.module);
                for file in std::fs::read_dir(project.join(&folder)).unwrap() {
                    paths.push(format!("{folder}/{}", file.unwrap().file_name().display()));
                }
            }
            for path in paths {
                let bytes = std::fs::read(project.join(&path)).unwrap();
                write_file(&to, &path, &bytes).unwrap();
            }
            Copy(to)
        }

        fn read(&self, path: &str) -> String {
            std::fs::read_to_string(self.0.join(path)).unwrap()
        }
    }

    impl Drop for Copy {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_new_lesson_is_a_template_under_its_own_name() {
        for (layer, _) in TEMPLATES {
            let copy = Copy::new(layer);
            let files = lesson(&copy.0, "proxies", layer).unwrap();
            let code = copy.read("src/lessons/traffic/proxies/mod.rs");
            assert!(code.contains("pub struct Proxies;") && code.contains("slug: \"proxies\""));
            assert!(
                copy.read("src/lessons/traffic/proxies/en.md")
                    .starts_with("# Proxies\n")
            );
            for path in files.iter().filter(|path| path.contains("proxies")) {
                let text = copy.read(path);
                assert!(
                    !text.contains("emplate"),
                    "{path} still speaks of the template"
                );
            }
            let list = copy.read(TRAFFIC);
            let mods = list.lines().filter(|line| line.starts_with("pub mod "));
            assert!(
                mods.clone().is_sorted() && mods.clone().any(|line| line == "pub mod proxies;")
            );
            assert!(list.contains("    proxies::Proxies,\n];"));
            let tapes = copy.read(TAPES);
            assert!(tapes.contains("\nproxies "), "{tapes}");
            // The catalogue knows it as one to come.
            assert!(!files.contains(&TITLES.to_owned()));
        }
    }

    #[test]
    fn a_lesson_that_the_catalogue_does_not_know_is_added_to_it() {
        let copy = Copy::new("unknown");
        lesson(&copy.0, "zoo-2", "system").unwrap();
        let titles = sources::read(&copy.0, TITLES).unwrap();
        let chapters = catalogue::chapters(&titles, &|_| None).unwrap();
        assert_eq!(catalogue::item(&chapters, "zoo-2").unwrap().title, "Zoo 2");
        assert!(copy.read(TRAFFIC).contains("pub mod zoo_2;\n\nkit::"));
    }

    #[test]
    fn a_chapter_begins_with_its_first_lesson() {
        let empty = "//! Whole systems.\n\nkit::lessons![\n];\n";
        let list = with_module(empty, "sandbox").unwrap();
        let list = before(&list, LIST, "];", "    sandbox::Sandbox,\n").unwrap();
        let whole =
            "//! Whole systems.\n\npub mod sandbox;\n\nkit::lessons![\n    sandbox::Sandbox,\n];\n";
        assert_eq!(list, whole);
        let short = "\npub mod zoo;\n\nkit::lessons![zoo::Zoo,];\n";
        assert_eq!(
            opened(short),
            "\npub mod zoo;\n\nkit::lessons![\n    zoo::Zoo,\n];\n"
        );
        assert_eq!(opened("\nkit::lessons![];\n"), "\nkit::lessons![\n];\n");
        assert_eq!(opened(whole), whole);
        // Whatever chapter has none yet is written like this.
        let copy = Copy::new("first");
        lesson(&copy.0, "sandbox", "system").unwrap();
        assert!(copy.read(SYSTEMS).contains("\n    sandbox::Sandbox,\n"));
    }

    #[test]
    fn what_cannot_be_is_refused_and_nothing_is_written() {
        let copy = Copy::new("refused");
        let told = |slug: &str, layer: &str| lesson(&copy.0, slug, layer).unwrap_err();
        for slug in ["", "A", "a--b", "-a", "a_b", "7a", "ä", &"a".repeat(41)] {
            assert!(told(slug, "system").contains("is no name"), "{slug}");
        }
        assert!(told("caching", "system").contains("already"));
        assert!(told("proxies", "clouds").contains("there are "));
        assert!(!copy.0.join("src/lessons/traffic/proxies").exists());
    }
}
