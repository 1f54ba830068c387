//! Checks: which words a lesson needs and lacks, and which it has and nobody asks for.
//!
//! What a lesson declares (knobs, actions, beats, plots) names its words exactly. What it says and draws
//! is found by playing it: the whole story, every action, every option.

use crate::catalogue::{self, Chapter};
use crate::code;
use crate::sources;
use crate::words::{FOR_THE_CLASS, Texts};
use engine::knobs::Kind;
use engine::scene::Shape;
use engine::tape::Epoch;
use engine::{Act, Arg, PartId, Player, Scene, Show, Time, Words};
use lessons::Entry;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::rc::Rc;

/// Widths of a stage in a page at full size and on a telephone: both layouts speak.
const WIDTHS: [f32; 2] = [884.0, 340.0];
/// How long the lesson runs after each action and each turn of a knob.
const AFTERMATH: Time = Time::s(3);
/// Sections whose words are declared one by one, so that any other is unused.
const DECLARED: [&str; 10] = [
    "knob",
    "action",
    "refused",
    "growth",
    "beat",
    "wait",
    "predict",
    "challenge",
    "plot",
    "line",
];
/// What a lesson has for the class, in this order.
const CLASS: [&str; 3] = ["What to see first", "Objectives", "Questions"];
/// Sections that the page around the lesson reads.
const OF_THE_PAGE: [&str; 2] = ["group", "glyph"];

/// Everything wrong with the words of one lesson, one line each, with file and line.
pub fn lesson(project: &Path, entry: &Entry, texts: &Texts, chapters: &[Chapter]) -> Vec<String> {
    let slug = entry.card.slug;
    let source = source(project, slug);
    let file = sources::lesson_file(slug);
    let mut wrong: Vec<String> = words(&*(entry.open)(1), texts, &source)
        .into_iter()
        .map(|Finding { id, what }| match texts.lines.get(&id) {
            Some(line) => format!("{file}:{line}: word `{id}` {what}"),
            None => format!("{file}: word `{id}` {what}"),
        })
        .collect();
    for next in &texts.next {
        if catalogue::item(chapters, next).is_none() {
            wrong.push(format!(
                "{file}: `# Next` names `{next}`, which is no lesson"
            ));
        }
    }
    match catalogue::chapter_of(chapters, slug) {
        Some(chapter)
            if [&chapter.id, &chapter.title]
                .iter()
                .any(|name| *name == entry.card.chapter) => {}
        _ => wrong.push(format!(
            "src/lessons/catalogue.en.md: the lesson `{slug}` does not stand in its chapter `{}`",
            entry.card.chapter
        )),
    }
    for (prose, name) in [(&texts.notes, "Notes"), (&texts.left_out, "Left out")] {
        if prose.is_empty() {
            wrong.push(format!("{file}: `# {name}` is missing or empty"));
        }
        // Who hears a table is told each cell's heading.
        if prose.contains("<th></th>") {
            wrong.push(format!(
                "{file}: `# {name}` has a table with a column without a name"
            ));
        }
    }
    wrong.extend(shown_code(project, slug, texts));
    if texts.class != CLASS {
        wrong.push(format!(
            "{file}: `# {FOR_THE_CLASS}` has the parts {:?}, not {CLASS:?}",
            texts.class
        ));
    }
    wrong
}

/// A word that is missing or unused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The word.
    pub id: String,
    /// What is wrong with it.
    pub what: &'static str,
}

/// Compares the words that `show` needs with those of `texts`; `code` is the lesson's source, in which a
/// word counts as used where its id stands in quotes.
pub fn words(show: &dyn Show, texts: &Texts, code: &str) -> Vec<Finding> {
    let words = Rc::new(texts.to_words());
    let (needed, optional) = declared(show);
    let mut seen = BTreeSet::new();
    play(show, &words, &mut seen);
    let missing = needed
        .iter()
        .chain(&seen)
        .filter(|id| !words.has(id))
        .map(|id| Finding {
            id: id.clone(),
            what: "is missing",
        });
    let unused = words
        .ids()
        .filter(|id| !needed.contains(*id) && !optional.contains(*id) && !seen.contains(*id))
        .filter(|id| match id.split_once('.') {
            None => !["title", "question", "summary"].contains(id),
            Some((section, _)) if DECLARED.contains(&section) => true,
            Some((section, _)) if OF_THE_PAGE.contains(&section) => false,
            Some((_, rest)) => [*id, rest]
                .iter()
                .all(|name| !code.contains(&format!("\"{name}\""))),
        })
        .map(|id| Finding {
            id: id.to_owned(),
            what: "is unused",
        });
    let mut findings: Vec<Finding> = missing.chain(unused).collect();
    findings.sort();
    findings.dedup();
    findings
}

/// What is wrong with the code that a lesson shows: with its regions, their names, the events that mark their lines.
fn shown_code(project: &Path, slug: &str, texts: &Texts) -> Vec<String> {
    let file = sources::lesson_file(slug);
    let Some(lessons::About { code: shown, .. }) = lessons::about(slug) else {
        return vec![format!("{file}: no such lesson in the catalogue")];
    };
    let mut wrong = code::regions(project, shown).err().unwrap_or_default();
    let has = |id: &str| texts.words.iter().any(|(word, _)| word == id);
    for shown in shown {
        let name = format!("code.{}", shown.region);
        if !has(&name) {
            wrong.push(format!("{file}: word `{name}` is missing"));
        }
        for (event, _) in shown.marks {
            let mut words = event.split(' ');
            let said = words.next().is_some_and(|word| has(&format!("say.{word}")));
            let told = |detail: &str| {
                let end = format!(".{detail}");
                texts.words.iter().any(|(word, _)| word.ends_with(&end))
            };
            if !said || !words.all(told) {
                wrong.push(format!(
                    "{file}: the code `{}` marks `{event}`, which is no event",
                    shown.region
                ));
            }
        }
    }
    wrong
}

/// The source of a lesson and of the kit that lessons share.
fn source(project: &Path, slug: &str) -> String {
    let mut code = String::new();
    let mut folders = vec![project.join(lessons::folder(slug)), project.join("src/kit")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
        {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                code += &fs::read_to_string(path).unwrap_or_default();
            }
        }
    }
    code
}

/// The words that the declarations of a lesson name: those it must have and those it may have.
fn declared(show: &dyn Show) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut needed: BTreeSet<String> = ["title", "question"].map(str::to_owned).into();
    let mut optional = BTreeSet::new();
    let mut need = |id: String| {
        needed.insert(id);
    };
    for (knob, _) in show.knobs() {
        need(format!("knob.{}", knob.id));
        if let Kind::Choice(options) = knob.kind {
            for option in options {
                need(format!("knob.{}.{option}", knob.id));
            }
        }
    }
    for action in show.actions() {
        need(format!("action.{}", action.id));
        if action.aim.is_some() {
            need(format!("action.{}.part", action.id));
        }
        if let Some(field) = action.field {
            need(format!("action.{}.field", action.id));
            for why in field.refusals {
                need(format!("refused.{why}"));
            }
        }
        if action.pull {
            need(format!("action.{}.pull", action.id));
        }
    }
    if let Some(growth) = show.growth() {
        let words = ["title", "unit", "about"].into_iter();
        for id in words.chain(growth.lines.iter().map(|line| line.id)) {
            need(format!("growth.{id}"));
        }
    }
    for beat in show.beats() {
        need(format!("beat.{}", beat.id));
        optional.insert(format!("wait.{}", beat.id));
        if let Some((id, options)) = beat.predict {
            need(format!("predict.{id}"));
            for part in options.iter().copied().chain(["right", "wrong"]) {
                need(format!("predict.{id}.{part}"));
                // Why a wrong answer is wrong, where it is more than what is right.
                optional.insert(format!("predict.{id}.{part}.why"));
            }
        }
    }
    for id in show.challenges() {
        need(format!("challenge.{id}"));
        need(format!("challenge.{id}.hint"));
    }
    for plot in show.plots() {
        need(format!("plot.{}", plot.id));
        need(format!("plot.{}.unit", plot.id));
        for line in plot.lines {
            need(format!("line.{}", line.id));
        }
    }
    (needed, optional)
}

/// Plays the story, then every action and every option, and notes which words were said and shown.
fn play(show: &dyn Show, words: &Rc<Words>, seen: &mut BTreeSet<String>) {
    let mut story = Player::new(show.fresh(1));
    look(story.main(), words, seen);
    for beat in 1..story.beats().len() {
        story.jump(beat);
        look(story.main(), words, seen);
    }
    for spec in 0..show.actions().len() {
        let mut player = Player::new(show.fresh(1));
        player.seek(AFTERMATH);
        let target = player.main().aim(spec);
        player.act(Act { spec, target });
        look(player.main(), words, seen);
        player.seek(AFTERMATH + AFTERMATH);
        look(player.main(), words, seen);
    }
    for (spec, action) in show.actions().iter().enumerate() {
        let samples = action.field.map_or(&[][..], |field| field.samples);
        for text in samples {
            let mut player = Player::new(show.fresh(1));
            let target = player.main().aim(spec);
            // A sample may be one that the model refuses.
            let _ = player.type_in(Act { spec, target }, text);
            for _ in 0..5 {
                player.seek(player.main().position().at + AFTERMATH);
                look(player.main(), words, seen);
            }
        }
    }
    for (knob, _) in show.knobs() {
        let values: Vec<f64> = match knob.kind {
            Kind::Slider { min, max, .. } => vec![min, max],
            Kind::Choice(options) => (0..options.len()).map(|at| at as f64).collect(),
            Kind::Switch => vec![0.0, 1.0],
        };
        for value in values {
            let mut player = Player::new(show.fresh(1));
            // The knob was listed a moment ago, and its bounds are finite.
            let _ = player.set_knob(knob.id, value);
            player.seek(AFTERMATH);
            look(player.main(), words, seen);
        }
    }
}

fn look(show: &dyn Show, words: &Rc<Words>, seen: &mut BTreeSet<String>) {
    for note in show.tape().notes() {
        seen.insert(format!("say.{}", note.word));
        // What a learner may turn, a story may turn.
        if note.word == "you-set" {
            seen.insert("say.story-set".to_owned());
        }
        for arg in note.args.iter().flatten() {
            match arg {
                // The engine names the knob that was turned by its id, which is no word of its own.
                Arg::Word(_) if matches!(note.word, "you-set" | "story-set") => {}
                Arg::Word(id) => {
                    seen.insert((*id).to_owned());
                }
                Arg::Part(part) => {
                    named(*part, words, seen);
                }
                _ => {}
            }
        }
        if let Some(Epoch::Begins(word, _)) = note.epoch {
            seen.insert(format!("epoch.{word}"));
        }
    }
    for width in WIDTHS {
        let mut scene = Scene::new(width, Rc::clone(words));
        show.draw(&mut scene);
        for part in scene.parts() {
            named(part.id, words, seen);
            bare_ids(&part.value, words, seen);
            part.shapes
                .iter()
                .for_each(|shape| bare_ids_of(shape, words, seen));
        }
        scene
            .backdrop()
            .iter()
            .for_each(|shape| bare_ids_of(shape, words, seen));
    }
}

/// A part's name, with what its number is called where the name says so.
fn named(part: PartId, words: &Words, seen: &mut BTreeSet<String>) {
    let name = format!("part.{}", part.kind);
    if words.get(&name).contains("{1}") {
        seen.insert(format!("nth.{}", part.number));
    }
    seen.insert(name);
}

fn bare_ids_of(shape: &Shape, words: &Words, seen: &mut BTreeSet<String>) {
    if let Shape::Text { text, .. } = shape {
        bare_ids(text, words, seen);
    }
}

/// A missing word shows as its id, such as `stage.waiting`. What else holds a letter, a dot and a letter is the name of a
/// host, and begins like no section of words.
fn bare_ids(text: &str, words: &Words, seen: &mut BTreeSet<String>) {
    for token in text.split_whitespace() {
        let token = token.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let mut parts = token.split('.');
        let is_id = parts.clone().count() > 1
            && parts.all(|part| {
                part.starts_with(|c: char| c.is_ascii_lowercase())
                    && part
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            });
        let section = token.split_inclusive('.').next().unwrap_or_default();
        if is_id && (section == "stage." || words.ids().any(|id| id.starts_with(section))) {
            seen.insert(token.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::parse;
    use engine::lesson::sheet;

    mod fake {
        use engine::knobs::Visit;
        use engine::scene::{Rect, pt};
        use engine::*;

        #[derive(Clone, Default)]
        pub(super) struct Fake {
            ticks: u32,
        }
        #[derive(Clone, Default)]
        pub(super) struct FakeKnobs {
            busy: bool,
        }
        impl Knobs for FakeKnobs {
            fn visit(&mut self, visit: &mut dyn Visit) {
                visit.switch("busy", &mut self.busy);
            }
        }
        #[derive(Clone, Copy)]
        pub(super) struct Poke;
        impl Action for Poke {
            fn from_act(_: Act) -> Option<Poke> {
                Some(Poke)
            }
        }
        impl Model for Fake {
            type Knobs = FakeKnobs;
            type Event = ();
            type Action = Poke;
            fn new(_: &FakeKnobs, cx: &mut Context<()>) -> Fake {
                cx.schedule(Time::ms(500), ());
                Fake::default()
            }
            fn on_event(&mut self, (): (), _: &FakeKnobs, cx: &mut Context<()>) {
                self.ticks += 1;
                cx.say(Note::new("tick"));
                cx.schedule(Time::ms(500), ());
            }
            fn audit(&self) -> Result<(), String> {
                Ok(())
            }
            fn on_knobs(&mut self, _: &FakeKnobs, _: &mut Context<()>) {}
            fn on_action(&mut self, _: Poke, _: &FakeKnobs, cx: &mut Context<()>) {
                cx.say(Note::new("poked").with(Arg::Part(PartId::one("server"))));
            }
        }
        pub(super) struct FakeLesson;
        impl Lesson for FakeLesson {
            type Model = Fake;
            const LEVEL: engine::Level = engine::Level::Basics;
            const SHEET: Sheet<Fake> = Sheet {
                actions: &[ActionSpec::aimed("poke", "server")],
                story: &[
                    Beat {
                        id: "start",
                        ..Beat::at_once()
                    },
                    Beat {
                        id: "later",
                        when: |fake| fake.ticks > 3,
                        ..Beat::at_once()
                    },
                ],
                twin: ("busy", 1.0),
                ..Sheet::usual(
                    Card {
                        slug: "load-balancing",
                        chapter: "traffic",
                        tables: &[],
                    },
                    FakeKnobs::default,
                    |_, _, _, scene| {
                        let value = scene.say("idle", &[]);
                        scene
                            .thing(
                                PartId::one("server"),
                                Rect::new(0.0, 0.0, 90.0, 40.0),
                                value,
                            )
                            .text(pt(4.0, 20.0), 12.0, Ink::Ink, "up");
                    },
                )
            };
        }
    }

    const COMPLETE: &str = "# F\nWhy?\n\n## knob\n- busy: Busy\n\n## action\n- poke: Poke\n- poke.part: Poke {0}\n\n\
        ## beat\n- start: A\n- later: B\n\n## wait\n- later: Soon\n\n## say\n- tick: Tick\n- poked: {0} poked\n- you-set: You set {0} to {1}\n- story-set: The story set {0} to {1}\n\n\
        ## part\n- server: Server\n\n## stage\n- idle: idle\n- down: down\n\n## glyph\n- request: request\n";

    fn findings(source: &str) -> Vec<(String, &'static str)> {
        let show = engine::Run::new(sheet::<fake::FakeLesson>(), 1);
        let texts = parse("en.md", source).expect("well formed");
        words(
            &show,
            &texts,
            "scene.say(\"idle\", &[]); scene.say(\"down\", &[])",
        )
        .into_iter()
        .map(|Finding { id, what }| (id, what))
        .collect()
    }

    #[test]
    fn complete_words_pass() {
        assert_eq!(findings(COMPLETE), []);
    }

    #[test]
    fn each_missing_word_is_found() {
        for (line, id) in [
            ("- busy: Busy\n", "knob.busy"),
            ("- poke.part: Poke {0}\n", "action.poke.part"),
            ("- later: B\n", "beat.later"),
            ("- tick: Tick\n", "say.tick"),
            ("- poked: {0} poked\n", "say.poked"),
            ("- server: Server\n", "part.server"),
            ("- idle: idle\n", "stage.idle"),
        ] {
            assert_eq!(
                findings(&COMPLETE.replace(line, "")),
                [(id.to_owned(), "is missing")]
            );
        }
    }

    #[test]
    fn unused_words_are_found() {
        let source = COMPLETE
            .replace("- busy: Busy\n", "- busy: Busy\n- idle: Idle\n")
            .replace("- tick: Tick\n", "- tick: Tick\n- tock: Tock\n");
        assert_eq!(
            findings(&source),
            [
                ("knob.idle".to_owned(), "is unused"),
                ("say.tock".to_owned(), "is unused")
            ]
        );
    }

    #[test]
    fn a_still_is_drawn_with_its_words() {
        let entry = Entry {
            card: &sheet::<fake::FakeLesson>().card,
            open: |seed| Box::new(engine::Run::new(sheet::<fake::FakeLesson>(), seed)),
        };
        let page = sources::lesson(&entry, parse("en.md", COMPLETE).expect("well formed"));
        assert!(page.still.starts_with("<svg xmlns") && page.still.contains("<title>F</title>"));
        // 90 by 40 drawn, grown by the margin to 138 by 88: the height decides.
        assert!(
            page.still.contains("viewBox=\"-33.2 -24.0 156.4 88.0\""),
            "{}",
            page.still
        );
        assert!(page.still.contains("<rect x=\"-33.2\" y=\"-24.0\""));
        assert!(page.still.contains(">up</text>"));
    }
}
