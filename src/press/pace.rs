//! How long a lesson takes: its story played as fast as it can be read.

use engine::{Player, Show, Words};

/// A reader of plain text: words a second (200 a minute).
const WORDS_PER_S: f64 = 200.0 / 60.0;
/// A question is thought about for so long, in seconds.
const THOUGHT_S: f64 = 10.0;
/// A challenge takes about so long, in seconds.
const CHALLENGE_S: f64 = 60.0;

/// Whole minutes for the story of a run at its own speeds, its questions and its challenges; at least 1. Each beat is shown to
/// `see` once it is reached.
pub fn minutes(run: Box<dyn Show>, words: &Words, see: &mut dyn FnMut(usize, &Player)) -> u32 {
    let mut player = Player::new(run);
    let read = |id: &str| words.get(id).split_whitespace().count() as f64 / WORDS_PER_S;
    let mut s = 0.0;
    for beat in 0..player.beats().len() {
        let before = player.main().position().at;
        if beat > 0 {
            player.jump(beat);
        }
        see(beat, &player);
        let view = player.beats()[beat];
        let played_s = player.main().position().at.since(before).as_s() / player.speed();
        // What is on the way is read while it plays.
        s += played_s.max(read(&format!("wait.{}", view.id))) + read(&format!("beat.{}", view.id));
        if let Some((id, options)) = view.predict {
            s += THOUGHT_S + read(&format!("predict.{id}")) + read(&format!("predict.{id}.right"));
            let options = options
                .iter()
                .map(|option| read(&format!("predict.{id}.{option}")));
            s += options.sum::<f64>();
            player.guess(0);
        }
    }
    s += player.main().challenges().len() as f64 * CHALLENGE_S;
    ((s / 60.0).ceil() as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_takes_as_long_as_its_story_and_its_challenges() {
        for entry in lessons::CATALOGUE {
            let run = (entry.open)(1);
            let challenges = run.challenges().len() as u32;
            let minutes = minutes(run, &Words::default(), &mut |_, _| {});
            assert!(
                (challenges..challenges + 10).contains(&minutes),
                "{}: {minutes} minutes with {challenges} challenges",
                entry.card.slug
            );
        }
    }
}
