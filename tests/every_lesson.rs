//! Tests over the catalogue: a new lesson is tested here before it has a test of its own.
//!
//! Each check is a test of its own for each lesson, named `<lesson>::<check>`, so that they run side by side and
//! `cargo test --test every_lesson caching` runs one lesson's.

use engine::knobs::Kind;
use engine::scene::{PartId, Role, Scene, Shape, WIDTHS};
use engine::show::{Picked, Watch};
use engine::tape::NoteId;
use engine::{Act, Player, Refusal, Setup, Show, Time, Words};
use lessons::{CATALOGUE, Entry, TEMPLATES};
use libtest_mimic::{Arguments, Trial};
use loadlab_tests::{Monkey, NASTY, schedule, scripted};
use press::sources;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::rc::Rc;

/// Proves one thing of a lesson; panics where it does not hold.
type Check = fn(&Entry);

/// So many links of a chain the page shows.
const SHOWN_CHAIN: usize = 8;
/// A beat is reached within so many seconds of a learner's time.
const BEAT_S: f64 = 8.0;
/// So far back a chain of causes is followed on every page.
const REMEMBERED: Time = Time::s(8);

/// What every lesson must do, and where it is proved.
const CHECKS: &[(&str, Check)] = &[
    (
        "the_same_seed_gives_the_same_tape",
        the_same_seed_gives_the_same_tape,
    ),
    (
        "scrubbing_is_the_same_as_running_straight",
        scrubbing_is_the_same_as_running_straight,
    ),
    (
        "stepping_back_undoes_stepping_forward",
        stepping_back_undoes_stepping_forward,
    ),
    (
        "nothing_a_learner_does_breaks_a_lesson",
        nothing_a_learner_does_breaks_a_lesson,
    ),
    ("schedules_hold", schedules_hold),
    (
        "links_of_an_ordinary_session_fit",
        links_of_an_ordinary_session_fit,
    ),
    (
        "every_story_can_be_walked_and_pictures_are_sound_at_every_beat",
        every_story_can_be_walked_and_pictures_are_sound_at_every_beat,
    ),
    (
        "the_tally_at_the_end_counts_every_question",
        the_tally_at_the_end_counts_every_question,
    ),
    (
        "less_motion_tells_as_much_as_motion",
        less_motion_tells_as_much_as_motion,
    ),
    (
        "no_story_makes_both_sides_of_a_comparison_the_same",
        no_story_makes_both_sides_of_a_comparison_the_same,
    ),
    (
        "challenges_are_three_or_more_and_not_reached_at_the_start",
        challenges_are_three_or_more_and_not_reached_at_the_start,
    ),
    (
        "pictures_are_sound_after_every_action_and_at_the_ends_of_every_knob",
        pictures_are_sound_after_every_action_and_at_the_ends_of_every_knob,
    ),
    (
        "words_are_complete_and_captions_short",
        words_are_complete_and_captions_short,
    ),
    (
        "opening_scenes_are_as_recorded",
        opening_scenes_are_as_recorded,
    ),
    (
        "tables_named_on_the_page_are_checked_and_have_a_name",
        tables_named_on_the_page_are_checked_and_have_a_name,
    ),
    ("captions_and_figures_agree", captions_and_figures_agree),
    (
        "every_part_says_why_at_every_beat",
        every_part_says_why_at_every_beat,
    ),
    ("nobody_waits_long_for_a_beat", nobody_waits_long_for_a_beat),
    (
        "challenges_can_be_reached_and_not_by_waiting",
        challenges_can_be_reached_and_not_by_waiting,
    ),
    (
        "the_key_names_each_kind_of_moving_thing_once",
        the_key_names_each_kind_of_moving_thing_once,
    ),
    (
        "the_story_marks_lines_of_the_code_that_is_shown",
        the_story_marks_lines_of_the_code_that_is_shown,
    ),
    (
        "an_hour_at_full_load_keeps_memory_bounded",
        an_hour_at_full_load_keeps_memory_bounded,
    ),
];

/// Runs the checks that the command line asks for.
pub(crate) fn main() -> ExitCode {
    let templates = TEMPLATES.iter().map(|(_, entry)| entry);
    let trials = CATALOGUE.iter().chain(templates).flat_map(|entry| {
        CHECKS.iter().map(move |(name, check)| {
            Trial::test(format!("{}::{name}", entry.card.slug), move || {
                check(entry);
                Ok(())
            })
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn words(entry: &Entry) -> Rc<Words> {
    let texts = sources::read(&sources::project(), &sources::lesson_file(entry.card.slug));
    Rc::new(texts.unwrap_or_else(|error| panic!("{error}")).to_words())
}

/// Place, picture and tape.
fn face(run: &dyn Show) -> (engine::run::Position, String, u64) {
    let mut scene = Scene::new(884.0, Rc::default());
    run.draw(&mut scene);
    (
        run.position(),
        scene.outline() + &format!("{:?}", scene.particles()),
        run.tape().fingerprint(),
    )
}

fn sound(entry: &Entry, player: &Player, words: &Rc<Words>, width: f32, where_: &str) {
    let slug = entry.card.slug;
    let twin = player.twin().map(|twin| &*twin.run);
    for run in [Some(player.main()), twin].into_iter().flatten() {
        run.audit()
            .unwrap_or_else(|fault| panic!("{slug}, {where_}: {fault}"));
        let mut scene = Scene::new(width, words.clone());
        run.draw(&mut scene);
        let faults = scene.faults();
        assert!(
            faults.is_empty(),
            "{slug}, {width} wide, {where_}:\n{}",
            faults.join("\n")
        );
        assert!(
            scene.parts().iter().any(|part| part.role == Role::Thing),
            "{slug} draws no part"
        );
    }
}

fn the_same_seed_gives_the_same_tape(entry: &Entry) {
    assert_eq!(
        face(&*scripted(entry)),
        face(&*scripted(entry)),
        "{}",
        entry.card.slug
    );
    let [one, other] = [7, 8].map(|seed| {
        let mut run = (entry.open)(seed);
        run.run(Time::s(10), Watch::Nothing, u64::MAX);
        face(&*run).1
    });
    assert_ne!(one, other, "{}: the seed changes nothing", entry.card.slug);
}

fn scrubbing_is_the_same_as_running_straight(entry: &Entry) {
    let mut run = scripted(entry);
    let (end, tape) = (run.position().at, run.tape().fingerprint());
    let state = run.state();
    for tenths in [7_u64, 2, 9, 0, 5, 10] {
        let at = Time(end.0 / 10 * tenths);
        run.seek(at);
        let mut straight = (entry.open)(7).restore(&state);
        straight.seek(Time::ZERO);
        straight.run(at, Watch::Nothing, u64::MAX);
        assert_eq!(
            face(&*run).1,
            face(&*straight).1,
            "{} at {at}",
            entry.card.slug
        );
    }
    assert_eq!(
        run.tape().fingerprint(),
        tape,
        "{}: replays write on the tape",
        entry.card.slug
    );
}

fn stepping_back_undoes_stepping_forward(entry: &Entry) {
    for fine in [false, true] {
        let mut player = Player::new(scripted(entry));
        let mut pictures = Vec::new();
        for _ in 0..25 {
            player.step_forward(fine);
            pictures.push(face(player.main()));
        }
        pictures.pop();
        for (place, picture, _) in pictures.into_iter().rev() {
            player.step_back(fine);
            let (here, now, _) = face(player.main());
            assert_eq!(
                (here, now),
                (place, picture),
                "{}, fine: {fine}",
                entry.card.slug
            );
        }
    }
}

fn nothing_a_learner_does_breaks_a_lesson(entry: &Entry) {
    let words = words(entry);
    for seed in 1..=6 {
        let mut monkey = Monkey::new(seed);
        let mut player = Player::new((entry.open)(seed));
        let mut did = Vec::new();
        for step in 0..60 {
            did.push(monkey.act(&mut player));
            let last = &did[did.len().saturating_sub(4)..];
            let width = [WIDTHS.0, 366.0, 560.0, 884.0][step % 4];
            sound(
                entry,
                &player,
                &words,
                width,
                &format!("seed {seed}, step {step}, after {last:?}"),
            );
        }
        let link = player.link();
        if let Ok(text) = link.encode() {
            let mut copy = Player::new((entry.open)(1));
            copy.restore_text(&text).unwrap();
            let (a, b) = (face(player.main()), face(copy.main()));
            assert_eq!(
                (a.0, a.1),
                (b.0, b.1),
                "{}, seed {seed}: a link restores another frame",
                entry.card.slug
            );
            let twin = |player: &Player| player.twin().map(|twin| face(&*twin.run).1);
            assert_eq!(
                twin(&player),
                twin(&copy),
                "{}, seed {seed}: a link restores another twin",
                entry.card.slug
            );
        }
    }
}

/// The balance of the model and the safety of its protocol, after every event of random schedules: `SCHEDULES=1000` tries so many.
fn schedules_hold(entry: &Entry) {
    let wanted = std::env::var("SCHEDULES").ok().and_then(|n| n.parse().ok());
    let found = schedule::search(entry, 0..wanted.unwrap_or(6), &|run| run.audit());
    assert!(found.is_none(), "{}", found.unwrap());
}

fn links_of_an_ordinary_session_fit(entry: &Entry) {
    let player = Player::new(scripted(entry));
    assert!(player.link().encode().is_ok(), "{}", entry.card.slug);
}

fn every_story_can_be_walked_and_pictures_are_sound_at_every_beat(entry: &Entry) {
    let (slug, words) = (entry.card.slug, words(entry));
    let mut player = Player::new((entry.open)(1));
    assert!(
        (6..=10).contains(&player.beats().len()),
        "{slug}: {} beats",
        player.beats().len()
    );
    assert!(
        player.main().beat_holds(0),
        "{slug}: the first beat does not hold at time zero"
    );
    let asked = player
        .beats()
        .iter()
        .filter(|beat| beat.predict.is_some())
        .count();
    assert!(asked >= 1, "{slug} asks no prediction");
    for scale in player.main().scales() {
        let question = scale.question;
        let mut asked = player.beats().iter().filter_map(|beat| beat.predict);
        let (_, options) = asked
            .find(|(id, _)| *id == question)
            .unwrap_or_else(|| panic!("{slug} asks no {question}"));
        let [min, max, step] = scale.range;
        assert!(min < max && step > 0.0, "{slug}, {question}");
        assert!(
            scale.answers.is_sorted_by(|one, next| one.0 < next.0),
            "{slug}, {question}"
        );
        let steps = ((max - min) / step) as u32;
        let meant: BTreeSet<_> = (0..=steps)
            .map(|at| scale.answer(min + f64::from(at) * step))
            .collect();
        assert!(
            meant.into_iter().eq(0..options.len()),
            "{slug}, {question}: not every answer has a number"
        );
    }
    let ids: BTreeSet<_> = player.beats().iter().map(|beat| beat.id).collect();
    assert_eq!(
        ids.len(),
        player.beats().len(),
        "{slug}: two beats share an id"
    );
    for beat in 0..player.beats().len() {
        if beat > 0 {
            player.jump(beat);
        }
        assert_eq!((player.beat(), player.stuck()), (beat, None), "{slug}");
        let view = player.beats()[beat];
        if let Some((_, options)) = view.predict {
            assert!((2..=4).contains(&options.len()), "{slug}, beat {}", view.id);
            let (question, _) = view.predict.unwrap_or_default();
            let why = |option: &&&str| words.has(&format!("predict.{question}.{option}.why"));
            assert!(
                options.iter().filter(why).count() + 1 >= options.len(),
                "{slug}, {question}: a wrong answer has no answer of its own"
            );
            assert_eq!(
                player.main().truth(beat),
                None,
                "{slug}, beat {}: settled before it is asked",
                view.id
            );
            player.guess(0);
        }
        for width in [WIDTHS.0, 366.0, 436.0, 559.0, 560.0, 700.0, 884.0, WIDTHS.1] {
            sound(entry, &player, &words, width, &format!("beat {}", view.id));
        }
        let mut scene = Scene::new(884.0, words.clone());
        player.main().draw(&mut scene);
        // A point without a number may stand for all parts of its kind.
        let meant = |part: PartId, point: PartId| {
            part == point || (point.number == 0 && part.kind == point.kind)
        };
        for point in view.points {
            assert!(
                scene.parts().iter().any(|part| meant(part.id, *point)),
                "{slug}, beat {}: no part {point}",
                view.id
            );
        }
    }
    assert!(
        player.guesses().iter().all(|guess| guess.settled.is_some()),
        "{slug}: a guess is never settled"
    );
}

/// Whoever asks a part of the stage why it is as it is gets a chain, and one that ends in a cause. Only before anything
/// has happened there is nothing to tell.
fn every_part_says_why_at_every_beat(entry: &Entry) {
    let (slug, words) = (entry.card.slug, words(entry));
    let mut player = Player::new((entry.open)(1));
    let mut mute = BTreeSet::new();
    for beat in 1..player.beats().len() {
        player.jump(beat);
        let id = player.beats()[beat].id;
        let mut ask = |run: &mut dyn Show, side: &str| {
            let mut scene = Scene::new(884.0, words.clone());
            run.draw(&mut scene);
            let things = scene.parts().iter().filter(|part| part.role == Role::Thing);
            for part in things.map(|part| part.id).collect::<Vec<_>>() {
                let chain = run.why(Picked::Part(part), SHOWN_CHAIN);
                let ends = chain.last().is_some_and(|last| {
                    // Hundreds of tries of one call may go back further than a page remembers.
                    let long =
                        chain[0].at.since(last.at) > REMEMBERED && chain.len() == SHOWN_CHAIN;
                    last.cause == NoteId::NONE || long
                });
                if !ends {
                    let told: Vec<_> = chain.iter().map(|note| note.word).collect();
                    mute.insert(format!("beat {id}{side}: {part} says {told:?}"));
                }
            }
        };
        ask(player.main_mut(), "");
        if let Some(twin) = player.twin_mut() {
            ask(&mut *twin.run, ", twin");
        }
    }
    assert!(
        mute.is_empty(),
        "{slug}:\n{}",
        mute.into_iter().collect::<Vec<_>>().join("\n")
    );
}

/// From Next to the moment that is told, at the speed of the story, on ten seeds.
fn nobody_waits_long_for_a_beat(entry: &Entry) {
    let mut late = BTreeSet::new();
    for seed in 1..=10 {
        let mut player = Player::new((entry.open)(seed));
        for beat in 1..player.beats().len() {
            let before = player.main().position().at;
            player.jump(beat);
            let waited_s = player.main().position().at.since(before).as_s() / player.speed();
            if waited_s > BEAT_S {
                late.insert(format!(
                    "beat {}, seed {seed}: {waited_s:.1} s at {}x",
                    player.beats()[beat].id,
                    player.speed()
                ));
            }
            if player.beats()[beat].predict.is_some() {
                player.guess(0);
            }
        }
    }
    assert!(
        late.is_empty(),
        "{}:\n{}",
        entry.card.slug,
        late.into_iter().collect::<Vec<_>>().join("\n")
    );
}

/// Walks a story to its end, answering with `answers`, and tells each question's right answer and the tally.
fn told(entry: &Entry, answers: &[usize]) -> (Vec<usize>, (usize, usize)) {
    let mut player = Player::new((entry.open)(1));
    let mut asked = 0;
    for beat in 0..player.beats().len() {
        player.jump(beat);
        if player.beats()[beat].predict.is_some() {
            let answer = answers.get(asked).copied().unwrap_or(0);
            assert!(player.guess(answer), "{}: beat {beat}", entry.card.slug);
            asked += 1;
        }
    }
    let truths = player.guesses().iter().map(|guess| {
        let settled = guess.settled;
        settled
            .expect("every question is settled when the last step is reached")
            .1
    });
    (truths.collect(), player.tally())
}

fn the_tally_at_the_end_counts_every_question(entry: &Entry) {
    let slug = entry.card.slug;
    let (truths, _) = told(entry, &[]);
    assert_eq!(
        told(entry, &truths).1,
        (truths.len(), truths.len()),
        "{slug}"
    );
    let wrong: Vec<usize> = truths
        .iter()
        .map(|truth| usize::from(*truth == 0))
        .collect();
    assert_eq!(told(entry, &wrong).1, (0, truths.len()), "{slug}");
}

fn less_motion_tells_as_much_as_motion(entry: &Entry) {
    let words = words(entry);
    let mut player = Player::new((entry.open)(1));
    for beat in 0..player.beats().len() {
        if beat > 0 {
            player.jump(beat);
        }
        for width in [366.0, 884.0] {
            let mut moving = Scene::new(width, words.clone());
            player.main().draw(&mut moving);
            let mut still = moving.clone();
            still.rest();
            let where_ = format!("{}, beat {beat}, {width} wide", entry.card.slug);
            let kinds = |scene: &Scene| -> BTreeSet<String> {
                let particles = scene.particles().iter();
                particles
                    .map(|one| format!("{:?} {:?}", one.glyph, one.ink))
                    .collect()
            };
            assert_eq!(kinds(&moving), kinds(&still), "{where_}");
            // A group that stands for several says how many; one that stands for itself says nothing.
            let counts = still.backdrop()[moving.backdrop().len()..].iter();
            let more: usize = counts
                .map(|shape| match shape {
                    Shape::Text { text, .. } => text.parse::<usize>().unwrap() - 1,
                    other => panic!("{where_}: {other:?} is no count"),
                })
                .sum();
            let all = moving.particles().len();
            assert_eq!(all, still.particles().len() + more, "{where_}");
            // Whoever could be asked about still leads to an answer about one of its kind.
            let asked = |scene: &Scene| scene.particles().iter().any(|one| one.dot > 0);
            assert_eq!(asked(&moving), asked(&still), "{where_}");
            assert_eq!(moving.parts(), still.parts(), "{where_}");
        }
    }
}

fn no_story_makes_both_sides_of_a_comparison_the_same(entry: &Entry) {
    let mut compared = 0;
    let opening = (entry.open)(1);
    let (first, differs) = opening.twin_default();
    for (knob, value) in opening.knobs() {
        let mut others: Vec<f64> = match knob.kind {
            Kind::Choice(options) => (0..options.len()).map(|other| other as f64).collect(),
            _ => Vec::new(),
        };
        if knob.id == first && !others.contains(&differs) {
            others.push(differs);
        }
        for other in others {
            let mut player = Player::new((entry.open)(1));
            if other == value || player.compare(knob.id, other).is_err() {
                continue;
            }
            for beat in 1..player.beats().len() {
                player.jump(beat);
                let Some(twin) = player.twin() else { continue };
                let now = player.main().knobs().into_iter();
                let (_, now) = now.clone().find(|(knob, _)| knob.id == twin.knob).unwrap();
                assert_ne!(now, twin.value, "{}, beat {beat}", entry.card.slug);
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "{}: nothing was compared", entry.card.slug);
}

fn challenges_are_three_or_more_and_not_reached_at_the_start(entry: &Entry) {
    let mut run = (entry.open)(1);
    let challenges = run.challenges();
    assert!(challenges.len() >= 3, "{}", entry.card.slug);
    run.run(Time::s(30), Watch::Nothing, u64::MAX);
    for (i, id) in challenges.iter().enumerate() {
        assert!(
            !run.challenge_done(i),
            "{}: `{id}` is reached by waiting",
            entry.card.slug
        );
    }
}

fn pictures_are_sound_after_every_action_and_at_the_ends_of_every_knob(entry: &Entry) {
    let words = words(entry);
    let check = |player: &mut Player, where_: &str| {
        for ms in [0, 90, 700, 3_000] {
            let at = player.main().position().at;
            player.seek(at + Time::ms(ms));
            for width in [WIDTHS.0, 560.0, 884.0] {
                sound(entry, player, &words, width, where_);
            }
        }
    };
    for (spec, action) in (entry.open)(1).actions().iter().enumerate() {
        let mut player = Player::new((entry.open)(1));
        player.seek(Time::s(2));
        let target = player.main().aim(spec);
        player.act(Act { spec, target });
        check(&mut player, action.id);
        // A link may name a part that is not there, and some targets are numbers of messages.
        for target in [40, 254, 255, 256, 65_536, u32::MAX as usize] {
            player.act(Act { spec, target });
        }
        check(&mut player, "an action aimed at nothing");
        let Some(field) = action.field else { continue };
        let flood = "x".repeat(10_000);
        for text in field.samples.iter().chain(NASTY).chain([&flood.as_str()]) {
            let mut player = Player::new((entry.open)(1));
            player.seek(Time::s(2));
            let target = player.main().aim(spec);
            let done = player.type_in(Act { spec, target }, text);
            if let Err(Refusal::Because(why)) = done {
                assert!(field.refusals.contains(&why), "{why} is not declared");
            }
            // What is refused changes nothing.
            match done {
                Ok(()) => check(&mut player, &format!("{}: {text:?}", action.id)),
                Err(_) => assert!(player.main().inputs().is_empty(), "{text:?}"),
            }
        }
    }
    for (knob, _) in (entry.open)(1).knobs() {
        for steps in [0, u32::MAX] {
            let mut player = Player::new((entry.open)(1));
            player.set_knob(knob.id, knob.from_steps(steps)).unwrap();
            check(
                &mut player,
                &format!("{} at {}", knob.id, knob.from_steps(steps)),
            );
        }
    }
}

fn words_are_complete_and_captions_short(entry: &Entry) {
    let project = sources::project();
    let site = sources::site(&project, CATALOGUE).unwrap_or_else(|error| panic!("{error}"));
    let texts = sources::read(&project, &sources::lesson_file(entry.card.slug)).unwrap();
    let mut wrong = press::check::lesson(&project, entry, &texts, &site.chapters);
    if lessons::find(entry.card.slug).is_none() {
        // A template stands in no chapter.
        wrong.retain(|fault| !fault.starts_with("src/lessons/catalogue.en.md"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for beat in (entry.open)(1).beats() {
        // What is said on the way to a beat stands where its caption will.
        let (wait, said) = (format!("wait.{}", beat.id), format!("beat.{}", beat.id));
        let on_the_way = texts.to_words().has(&wait).then_some(wait);
        for id in on_the_way.into_iter().chain([said]) {
            let caption = texts.get(&id).replace("**", "");
            assert!(
                !caption.contains('{'),
                "{}: {id} has a placeholder, so its length is not known",
                entry.card.slug
            );
            let count = caption
                .split_whitespace()
                .filter(|word| word.chars().any(char::is_alphanumeric))
                .count();
            assert!(
                count <= 20,
                "{}: {count} words in {caption:?}",
                entry.card.slug
            );
        }
    }
}

fn opening_scenes_are_as_recorded(entry: &Entry) {
    let words = words(entry);
    let mut text = String::new();
    let mut run = (entry.open)(1);
    for at in [Time::ZERO, run.still()] {
        run.seek(at);
        let mut scene = Scene::new(884.0, words.clone());
        run.draw(&mut scene);
        text += &format!("at {at}\n{}\n", scene.outline());
    }
    let file = format!(
        "{}/outlines/{}.txt",
        env!("CARGO_MANIFEST_DIR"),
        entry.card.slug
    );
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let recorded = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        text, recorded,
        "{file}: if the change is meant, run this test with UPDATE=1 and look at the diff"
    );
}

fn tables_named_on_the_page_are_checked_and_have_a_name(entry: &Entry) {
    let site = sources::read(&sources::project(), "src/site/en.md").unwrap();
    for table in entry.card.tables {
        let file = format!("{}/reference/{table}.json", env!("CARGO_MANIFEST_DIR"));
        let id = format!("table.{table}");
        assert_ne!(site.get(&id), id, "src/site/en.md has no word {id}");
        assert!(
            std::path::Path::new(&file).exists(),
            "{} names {table}, but there is no {file}",
            entry.card.slug
        );
    }
}

/// The figures that a beat's caption leans on, held against the picture at its moment.
fn captions_and_figures_agree(entry: &Entry) {
    let words = words(entry);
    let mut wrong = Vec::new();
    for seed in 1..=10 {
        let mut player = Player::new((entry.open)(seed));
        for beat in 0..player.beats().len() {
            if beat > 0 {
                player.jump(beat);
            }
            let run = player.main();
            let view = player.beats()[beat];
            if player.stuck().is_some() {
                wrong.push(format!("seed {seed}, beat {}: it never comes", view.id));
                break;
            }
            for width in [366.0, 884.0] {
                let mut scene = Scene::new(width, words.clone());
                run.draw(&mut scene);
                let read = |figure: engine::Figure| {
                    figure.read(&scene, run.plots(), run.tape(), run.position().at)
                };
                for claim in view.shows {
                    if let Err(shown) = claim.check(read) {
                        wrong.push(format!(
                            "seed {seed}, beat {}, {width} wide: {shown}",
                            view.id
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The stage's key is fixed, so it has to name all that moves in the story, after each action and at the ends of every knob,
/// and nothing else.
fn the_key_names_each_kind_of_moving_thing_once(entry: &Entry) {
    let (slug, words) = (entry.card.slug, words(entry));
    let opening = (entry.open)(1);
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut look = |run: &dyn Show| {
        for width in [366.0, 884.0] {
            let mut scene = Scene::new(width, words.clone());
            run.draw(&mut scene);
            for particle in scene.particles() {
                let name = words.glyph(particle.glyph, particle.ink).to_owned();
                let what = format!("({:?}, {:?})", particle.glyph, particle.ink);
                seen.entry(name).or_insert(what);
            }
        }
    };
    let mut player = Player::new((entry.open)(1));
    for beat in 1..player.beats().len() {
        let before = player.main().position().at;
        player.jump(beat);
        let reached = player.main().position().at;
        let mut at = before;
        while at < reached {
            player.seek(at);
            look(player.main());
            at += Time::ms(250);
        }
        player.jump(beat);
        look(player.main());
        if let Some(twin) = player.twin() {
            look(&*twin.run);
        }
    }
    let mut after = |player: &mut Player| {
        for _ in 0..20 {
            let at = player.main().position().at;
            player.seek(at + Time::ms(250));
            look(player.main());
        }
    };
    for spec in 0..opening.actions().len() {
        let mut player = Player::new((entry.open)(1));
        player.seek(Time::s(3));
        let target = player.main().aim(spec);
        player.act(Act { spec, target });
        after(&mut player);
        let field = opening.actions()[spec].field;
        for text in field.map_or(&[][..], |field| field.samples) {
            let _ = player.type_in(Act { spec, target }, text);
            after(&mut player);
        }
    }
    for (knob, _) in opening.knobs() {
        let values: Vec<f64> = match knob.kind {
            Kind::Choice(options) => (0..options.len()).map(|at| at as f64).collect(),
            _ => vec![knob.from_steps(0), knob.from_steps(u32::MAX)],
        };
        for value in values {
            let mut player = Player::new((entry.open)(1));
            player.set_knob(knob.id, value).unwrap();
            after(&mut player);
        }
    }
    let key: Vec<&str> = opening
        .key()
        .iter()
        .map(|(glyph, ink)| words.glyph(*glyph, *ink))
        .collect();
    let known: BTreeSet<&str> = key.iter().copied().collect();
    assert_eq!(
        key.len(),
        known.len(),
        "{slug}: the key names something twice"
    );
    let moves: BTreeSet<&str> = seen.keys().map(String::as_str).collect();
    assert_eq!(known, moves, "{slug}: what moves is {seen:?}");
}

/// What a lesson shows of its code is what its story is about: some of it runs in every story.
fn the_story_marks_lines_of_the_code_that_is_shown(entry: &Entry) {
    let slug = entry.card.slug;
    let about = lessons::about(slug).unwrap_or_else(|| panic!("{slug} is in no list"));
    let regions = press::code::regions(&sources::project(), about.code);
    let regions = regions.unwrap_or_else(|wrong| panic!("{slug}: {}", wrong.join("; ")));
    assert!(!regions.is_empty(), "{slug} shows no code");
    let mut player = Player::new((entry.open)(1));
    player.jump(player.beats().len() - 1);
    let marks = |word: &str| {
        let mut marks = about.code.iter().flat_map(|code| code.marks);
        marks.any(|(mark, _)| mark.split(' ').next() == Some(word))
    };
    let mut notes = player.main().tape().notes();
    assert!(
        notes.any(|note| marks(note.word)),
        "{slug}: nothing that its story says marks a line of its code"
    );
}

/// Each challenge's own solution reaches it, and waiting as long does not.
fn challenges_can_be_reached_and_not_by_waiting(entry: &Entry) {
    let ids = (entry.open)(1).challenges();
    for (challenge, id) in ids.iter().enumerate() {
        let mut player = Player::new((entry.open)(1));
        let solution = player.main().solution(challenge);
        if solution.is_empty() {
            continue;
        }
        for step in solution {
            match *step {
                Setup::Set(knob, value) => {
                    player.set_knob(knob, value).unwrap();
                }
                Setup::Act(action, target) => {
                    assert!(player.act_by_id(action, Some(target)), "{id}: {action}");
                }
                Setup::Wait(span) => {
                    let until = player.main().position().at + span;
                    // In steps, as a page would look, because some challenges are reached for a moment only.
                    while player.main().position().at < until && !player.done()[challenge] {
                        player.set_playing(true);
                        player.frame(0.05);
                    }
                }
                other => panic!("{id}: {other:?} is no step of a solution"),
            }
        }
        assert!(
            player.done()[challenge],
            "{}: `{id}` is not reached",
            entry.card.slug
        );
        let mut idle = Player::new((entry.open)(1));
        idle.set_playing(true);
        let until = player.main().position().at.max(Time::s(30));
        while idle.main().position().at < until {
            idle.frame(0.05);
        }
        assert!(
            !idle.done()[challenge],
            "{}: `{id}` is reached by waiting",
            entry.card.slug
        );
    }
}

fn an_hour_at_full_load_keeps_memory_bounded(entry: &Entry) {
    let mut run = (entry.open)(1);
    for (knob, _) in run.knobs() {
        if matches!(knob.kind, Kind::Slider { .. }) {
            run.set_knob(knob.id, 1e9).unwrap();
        }
    }
    run.run(Time::s(60), Watch::Nothing, u64::MAX);
    let (pending, ..) = run.weight();
    run.run(Time::s(600), Watch::Nothing, u64::MAX);
    let (later, keyframes, bytes) = run.weight();
    assert!(
        keyframes <= 64 && later <= 2 * pending + 200,
        "{}: {pending} then {later} pending",
        entry.card.slug
    );
    assert!(
        bytes <= 128 << 20,
        "{}: {keyframes} keyframes of {bytes} bytes",
        entry.card.slug
    );
}
