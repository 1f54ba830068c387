//! Opening a run as an address asks, and the shortest address that opens the run on screen.

use contract::Address;
use engine::state::LinkError;
use engine::{Knob, Player, Time};

/// Runs longer than this are shared by their state without trying whether less would do.
const TRY_MAX: Time = Time::s(300);

/// The knobs that an address sets, with their values; what cannot be read becomes a warning.
pub(crate) fn knobs(address: &mut Address, known: &[(Knob, f64)]) -> Vec<(&'static str, f64)> {
    let mut set = Vec::new();
    for (id, text) in std::mem::take(&mut address.knobs) {
        let Some((knob, _)) = known.iter().find(|(knob, _)| knob.id == id) else {
            continue;
        };
        match knob.parse(&text) {
            Some(value) => set.push((knob.id, value)),
            None => address.refuse(&format!("p.{id}"), &text),
        }
    }
    set
}

/// Tells the player which part of its story the address asks for; a name that the lesson lacks, or an end before the
/// beginning, becomes a warning.
fn part(player: &mut Player, address: &mut Address) {
    let find = |name: &str| player.beats().iter().position(|beat| beat.id == name);
    let last = player.beats().len().saturating_sub(1);
    let (from, to) = (
        address.from.as_deref().map(find),
        address.to.as_deref().map(find),
    );
    let first = from.flatten().unwrap_or(0);
    let end = to.flatten().filter(|end| *end >= first);
    if from == Some(None)
        && let Some(name) = address.from.take()
    {
        address.refuse("from", &name);
    }
    if end.is_none()
        && let Some(name) = address.to.take()
    {
        address.refuse("to", &name);
    }
    player.tell_only(first, end.unwrap_or(last));
}

/// Brings a fresh player to where the address asks. A state wins over knobs, beat and moment.
///
/// # Errors
/// Why the state cannot be opened; the player stands at its default then.
pub(crate) fn open(player: &mut Player, asked: &mut Address) -> Result<(), LinkError> {
    let part_asked = asked.from.is_some() || asked.to.is_some();
    if part_asked {
        part(player, asked);
    }
    let set = knobs(asked, &player.main().knobs());
    if let Some(state) = &asked.state {
        player.restore_text(state)?;
        return Ok(());
    }
    for (id, value) in set {
        // The knob came from the lesson's own list, and its value is snapped.
        let _ = player.set_knob(id, value);
    }
    if part_asked || asked.beat.is_some() {
        player.jump(asked.beat.unwrap_or(1).saturating_sub(1));
    }
    if let Some(at) = asked.at {
        player.seek(Time::from_s(at.min(engine::tape::END.as_s())));
    }
    Ok(())
}

/// The shortest address that restores exactly what is on screen: seed, knobs, beat and moment where they suffice,
/// else the whole run; none if that is too long for an address. The part of the story is that of `asked`.
pub(crate) fn shortest(player: &Player, asked: &Address) -> Option<Address> {
    let link = player.link();
    let here = player.main().position();
    let seed = player.main().seed();
    let at = Some(here.at.as_s()).filter(|at| *at > 0.0);
    let plain = Address {
        seed: Some(seed).filter(|seed| *seed != 1),
        from: asked.from.clone(),
        to: asked.to.clone(),
        ..Address::default()
    };
    if here.at <= TRY_MAX {
        let before = player.main().fresh(seed).knobs();
        let now = player.main().knobs();
        let turned: Vec<_> = now
            .iter()
            .zip(&before)
            .filter(|((_, now), (_, before))| now != before)
            .map(|((knob, now), _)| (knob.id.to_owned(), knob.write(*now)))
            .collect();
        let beat = (player.beat() > 0).then(|| player.beat() + 1);
        for (beat, at, knobs) in [
            (beat, None, Vec::new()),
            (None, at, turned.clone()),
            (beat, at, Vec::new()),
            (beat, at, turned),
        ] {
            let asked = Address {
                beat,
                at,
                knobs,
                ..plain.clone()
            };
            let mut other = Player::new(player.main().fresh(seed));
            if open(&mut other, &mut asked.clone()).is_ok() && other.link() == link {
                return Some(asked);
            }
        }
    }
    let state = link.encode().ok()?;
    Some(Address {
        state: Some(state),
        seed: None,
        ..plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::knobs::Kind;

    #[test]
    fn knobs_are_read_by_the_lesson_and_never_out_of_range() {
        let kind = Kind::Slider {
            min: 1.0,
            max: 8.0,
            step: 1.0,
        };
        let knob = Knob {
            id: "servers",
            kind,
            unit: "",
            part: None,
        };
        let known = [(knob, 3.0)];
        let mut address = contract::parse("p.servers=99&p.none=1");
        assert_eq!(knobs(&mut address, &known), [("servers", 8.0)]);
        let mut address = contract::parse("p.servers=many");
        assert_eq!(knobs(&mut address, &known), []);
        assert_eq!(address.warnings.len(), 1);
    }

    /// The address of a run, and whether it opens the same run again.
    fn round_trip(entry: &lessons::Entry, play: impl FnOnce(&mut Player)) -> String {
        let mut player = Player::new((entry.open)(1));
        play(&mut player);
        let asked = shortest(&player, &Address::default()).expect("short enough");
        let query = asked.query();
        let mut asked = contract::parse(&query);
        assert_eq!(asked.warnings, [""; 0], "{query}");
        let mut other = Player::new((entry.open)(asked.seed.unwrap_or(1)));
        open(&mut other, &mut asked).expect("valid");
        assert_eq!(other.link(), player.link(), "{}: {query}", entry.card.slug);
        query
    }

    #[test]
    fn short_parameters_carry_what_they_can() {
        for entry in lessons::CATALOGUE {
            assert_eq!(round_trip(entry, |_| ()), "", "{}", entry.card.slug);
            let moved = round_trip(entry, |player| {
                player.seek(Time::ms(3_217));
            });
            assert_eq!(moved, "at=3.217", "{}", entry.card.slug);
            let told = round_trip(entry, |player| {
                player.jump(1);
            });
            assert_eq!(told, "beat=2", "{}", entry.card.slug);
            let other = round_trip(entry, |player| player.reset(77));
            assert_eq!(other, "seed=77", "{}", entry.card.slug);
        }
    }

    #[test]
    fn all_else_goes_by_state() {
        for entry in lessons::CATALOGUE {
            let query = round_trip(entry, |player| {
                player.seek(Time::s(2));
                let acts = player.main().actions().len();
                for spec in 0..acts {
                    let target = player.main().aim(spec);
                    player.act(engine::Act { spec, target });
                }
                player.step_forward(true);
            });
            assert!(query.starts_with("state="), "{}: {query}", entry.card.slug);
        }
    }

    /// Does something that the number says.
    fn whim(player: &mut Player, number: u32) {
        let (kind, rest) = (number % 8, (number / 8) as usize);
        let knobs = player.main().knobs();
        let (knob, value) = knobs[rest % knobs.len()];
        match kind {
            0 | 1 => {
                let _ = player.set_knob(knob.id, knob.from_steps((rest / 64 % 40) as u32));
            }
            2 => {
                let spec = rest % player.main().actions().len().max(1);
                let target = player.main().aim(spec);
                player.act(engine::Act { spec, target });
            }
            3 => {
                player.seek(Time::ms((rest % 20_000) as u64));
            }
            4 => {
                player.step_forward(rest % 2 == 0);
            }
            5 => {
                player.jump(rest % player.beats().len());
            }
            6 if rest % 3 == 0 => player.alone(),
            6 => {
                let _ = player.compare(knob.id, value + 1.0);
            }
            _ => {
                player.step_back(rest % 2 == 0);
            }
        }
    }

    /// What both stages show, and where.
    fn frame(player: &Player) -> Vec<String> {
        let runs = [Some(player.main()), player.twin().map(|twin| &*twin.run)];
        let drawn = runs.into_iter().flatten().map(|run| {
            let mut scene = engine::Scene::new(800.0, std::rc::Rc::default());
            run.draw(&mut scene);
            let place = run.position();
            format!("{place:?} {} {:?}", scene.outline(), scene.particles())
        });
        drawn.collect()
    }

    #[test]
    fn whatever_was_done_an_address_restores_the_frame() {
        for entry in lessons::CATALOGUE {
            let slug = entry.card.slug;
            let mut twins = 0;
            for seed in 1..=12_u32 {
                let mut player = Player::new((entry.open)(seed % 3));
                let mut number = seed;
                for _ in 0..12 {
                    // The constants are those of Numerical Recipes' quick generator.
                    number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    whim(&mut player, number >> 8);
                }
                let Some(mut asked) = shortest(&player, &Address::default()) else {
                    continue;
                };
                asked.lock = vec!["all".to_owned()];
                let query = asked.query();
                let mut asked = contract::parse(&query);
                assert_eq!(asked.warnings, [""; 0], "{slug}: {query}");
                assert!(asked.locks("any"));
                let mut other = Player::new((entry.open)(asked.seed.unwrap_or(1)));
                open(&mut other, &mut asked).expect("valid");
                assert_eq!(frame(&other), frame(&player), "{slug}, {seed}: {query}");
                twins += frame(&player).len() - 1;
            }
            assert!(twins > 0, "{slug}: no comparison among them");
        }
    }

    /// A player that an address has brought to where it asks, and what was wrong with it.
    fn opened(entry: &lessons::Entry, query: &str) -> (Player, Address) {
        let mut player = Player::new((entry.open)(1));
        let mut asked = contract::parse(query);
        open(&mut player, &mut asked).expect("valid");
        (player, asked)
    }

    #[test]
    fn a_part_of_the_story_shows_what_the_whole_shows_and_its_address_keeps_it() {
        for entry in lessons::CATALOGUE {
            let slug = entry.card.slug;
            let (mut whole, _) = opened(entry, "");
            let ids: Vec<_> = whole.beats().iter().map(|beat| beat.id).collect();
            for (first, from) in ids.iter().enumerate() {
                whole.jump(first);
                let last = (first + 2).min(ids.len() - 1);
                let (mut part, asked) = opened(entry, &format!("from={from}&to={}", ids[last]));
                assert_eq!(asked.warnings, [""; 0], "{slug}");
                assert_eq!((part.beat(), part.beats().len()), (0, last - first + 1));
                assert_eq!(frame(&part), frame(&whole), "{slug} from {from}");
                assert!(part.at_beat(), "{slug} from {from}");
                // What is shared of it, opened anew, is the same part at the same moment.
                part.jump(1);
                let shared = shortest(&part, &asked).expect("short enough").query();
                let (other, again) = opened(entry, &shared);
                assert_eq!(
                    (again.from, again.to),
                    (asked.from, asked.to),
                    "{slug}: {shared}"
                );
                assert_eq!(other.link(), part.link(), "{slug}: {shared}");
                assert_eq!(other.beats(), part.beats(), "{slug}: {shared}");
            }
        }
    }

    #[test]
    fn a_part_that_the_lesson_lacks_is_warned_of_and_ignored() {
        let entry = &lessons::CATALOGUE[0];
        let (whole, _) = opened(entry, "");
        let ids: Vec<_> = whole.beats().iter().map(|beat| beat.id).collect();
        for (query, beats, warnings) in [
            ("from=nowhere".to_owned(), ids.len(), 1),
            ("to=nowhere&from=".to_owned(), ids.len(), 2),
            (format!("from={}&to={}", ids[3], ids[1]), ids.len() - 3, 1),
            (format!("from={0}&to={0}&beat=9", ids[2]), 1, 0),
        ] {
            let (player, asked) = opened(entry, &query);
            assert_eq!(player.beats().len(), beats, "{query}");
            assert_eq!(asked.warnings.len(), warnings, "{query}");
        }
    }

    #[test]
    fn a_damaged_state_opens_the_default() {
        for entry in lessons::CATALOGUE {
            let mut player = Player::new((entry.open)(1));
            let mut asked = contract::parse("state=AAAA&at=3&beat=2");
            assert!(open(&mut player, &mut asked).is_err());
            assert_eq!(player.main().position(), engine::run::Position::default());
        }
    }
}
