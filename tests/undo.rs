//! Whatever a learner did, in whatever lesson, can be taken back step by step, and done anew.

use engine::place::Position;
use engine::player::Player;
use engine::state::Link;
use engine::{Difference, Scene, Show, Time};
use loadlab_tests::Monkey;

/// Lessons of every layer, with slow motion, actions on dots and parts, stories that compare and act.
const LESSONS: [&str; 8] = [
    "load-balancing",
    "consistent-hashing",
    "cap-theorem",
    "indexes",
    "message-queue",
    "retry-storm",
    "quorums",
    "transactions",
];

/// A run as it is: its picture, and what its tape holds.
type Seen = (String, u64, Position);

#[derive(Debug, PartialEq)]
struct Whole {
    link: Link,
    run: Seen,
    twin: Option<Seen>,
}

fn seen(run: &dyn Show) -> Seen {
    let mut scene = Scene::new(800.0, std::rc::Rc::default());
    run.draw(&mut scene);
    let picture = format!("{} {:?}", scene.outline(), scene.particles());
    (picture, run.tape().fingerprint(), run.horizon())
}

fn whole(player: &Player) -> Whole {
    Whole {
        link: player.link(),
        run: seen(player.main()),
        twin: player.twin().map(|twin| seen(&*twin.run)),
    }
}

impl Whole {
    /// Whether it is as it was. A run that went on with the same inputs keeps what it has recorded since.
    fn is_as(&self, was: &Whole) -> bool {
        let same = |now: &Seen, was: &Seen| {
            let further = now.2 > was.2;
            now.0 == was.0 && (further || (now.1, now.2) == (was.1, was.2))
        };
        let twins = match (&self.twin, &was.twin) {
            (Some(now), Some(was)) => same(now, was),
            (now, was) => now.is_none() && was.is_none(),
        };
        self.link == was.link && same(&self.run, &was.run) && twins
    }
}

/// Does one random thing more than a monkey does: what it has no hands for.
fn whim(monkey: &mut Monkey, player: &mut Player, turn: u32) -> String {
    let now = player.main().position().at;
    match turn % 11 {
        4 => {
            player.reset(turn);
            "another seed".to_owned()
        }
        7 => {
            player.restart();
            "restart".to_owned()
        }
        9 => {
            let (knob, _) = player.main().knobs()[turn as usize % player.main().knobs().len()];
            let act = engine::Act { spec: 0, target: 0 };
            player.compare_also(match turn % 2 {
                0 => Some(Difference::Knob(knob.id, knob.from_steps(1))),
                _ => Some(Difference::Act(act, now)),
            });
            "a second difference".to_owned()
        }
        _ => format!("{:?}", monkey.act(player)),
    }
}

#[test]
fn everything_is_taken_back_to_the_opening_and_done_anew() {
    let (mut exact, mut all) = (0, 0);
    for slug in LESSONS {
        let entry = lessons::find(slug).expect("in the catalogue");
        for seed in 1..=5 {
            let mut player = Player::new((entry.open)(seed));
            let opening = seen(player.main());
            let mut monkey = Monkey::new(seed);
            // How it was before each step, and what was done.
            let mut before: Vec<(Whole, String)> = Vec::new();
            for turn in 0..40 {
                player.let_go();
                let was = whole(&player);
                let did = whim(&mut monkey, &mut player, seed * 40 + turn);
                let steps = player.steps_weight().0;
                assert!(
                    steps <= before.len() + 1,
                    "{slug}, {seed}: {did} is two steps"
                );
                if steps > before.len() {
                    before.push((was, did));
                }
            }
            assert!(before.len() > 5, "{slug}, {seed}: {} steps", before.len());
            all += before.len();
            let mut after = Vec::new();
            while let Some((was, did)) = before.pop() {
                after.push((whole(&player), did.clone()));
                let (deed, _) = player.undo();
                assert!(deed.is_some(), "{slug}, {seed}: nothing left of {did}");
                let now = whole(&player);
                exact += usize::from(now == was);
                let what = || format!("{slug}, {seed}: {did}, {deed:?} taken back");
                assert!(now.is_as(&was), "{}\n{now:?}\n{was:?}", what());
            }
            assert_eq!(player.undo().0, None);
            assert!(player.main().inputs().is_empty() && player.main().seed() == seed);
            let last = player.main().position();
            while let Some((was, did)) = after.pop() {
                player.redo();
                let now = whole(&player);
                let what = || format!("{slug}, {seed}: {did} done anew");
                assert!(now.is_as(&was), "{}\n{now:?}\n{was:?}", what());
            }
            assert_eq!(player.redo().0, None);
            while player.undo().0.is_some() {}
            assert_eq!(player.main().position(), last);
            player.seek(Time::ZERO);
            assert_eq!(seen(player.main()).0, opening.0, "{slug}, {seed}");
            player.main().audit().expect("balanced");
        }
    }
    assert!(exact * 2 > all, "only {exact} of {all} with the same tape");
}
