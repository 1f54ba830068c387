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

/// Brings a fresh player to where the address asks. A state wins over knobs, beat and moment.
///
/// # Errors
/// Why the state cannot be opened; the player stands at its default then.
pub(crate) fn open(player: &mut Player, asked: &mut Address) -> Result<(), LinkError> {
    let set = knobs(asked, &player.main().knobs());
    if let Some(state) = &asked.state {
        player.restore_text(state)?;
        return Ok(());
    }
    for (id, value) in set {
        // The knob came from the lesson's own list, and its value is snapped.
        let _ = player.set_knob(id, value);
    }
    if let Some(beat) = asked.beat {
        player.jump(beat.saturating_sub(1));
    }
    if let Some(at) = asked.at {
        player.seek(Time::from_s(at.min(engine::tape::END.as_s())));
    }
    Ok(())
}

/// The shortest address that restores exactly what is on screen: seed, knobs, beat and moment where they suffice,
/// else the whole run; none if that is too long for an address.
pub(crate) fn shortest(player: &Player) -> Option<Address> {
    let link = player.link();
    let here = player.main().position();
    let seed = player.main().seed();
    let at = Some(here.at.as_s()).filter(|at| *at > 0.0);
    let plain = Address {
        seed: Some(seed).filter(|seed| *seed != 1),
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
        let beat = (link.beat > 0).then(|| usize::from(link.beat) + 1);
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
        ..Address::default()
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
        let asked = shortest(&player).expect("short enough");
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
                let Some(mut asked) = shortest(&player) else {
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
