//! The lesson's own figure: the state diagram of the breaker in M2, what it has seen, and what users got now and lately.

use super::{Got, INNER, LATELY, NOW, Seen, service, to_open};
use algorithms::circuit_breaker::State;
use algorithms::circuit_breaker::rates::{Span, Window};
use engine::scene::{Anchor, Curve, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time};
use kit::figures::label::ending;
use kit::figures::shares::{Fill, Shares};
use kit::figures::states::{Pill, cause, transition};
use kit::figures::{panel, tenths};
use kit::system::{Breaker, System, Values, breaker_part, state_inks, state_word};

/// The state diagram.
pub(super) const STATES: PartId = PartId::one("states");
/// The calls that the breaker judges by.
pub(super) const RECENT: PartId = PartId::one("recent");
/// How many calls to M3 one request has caused.
pub(super) const MOST: PartId = PartId::one("most");
/// What users got.
pub(super) const GOT: PartId = PartId::one("got");

/// Whose chain of causes answers for what is drawn here, and for the links.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (STATES, breaker_part(INNER)),
    (RECENT, breaker_part(INNER)),
    // Where no breaker stands, it shows the calls of the service that would have one.
    (STATES, service(1)),
    (RECENT, service(1)),
    (PartId::one("others"), service(2)),
    (MOST, service(2)),
    (GOT, PartId::one("users")),
    (PartId::nth("flood", 3), PartId::one("others")),
    (PartId::nth("link", 1), service(0)),
    (PartId::nth("link", 2), service(1)),
    (PartId::nth("link", 3), service(2)),
];

const PAD: f32 = 12.0;
const GAP: f32 = 8.0;
const STATES_H: f32 = 184.0;
const RECENT_H: f32 = 72.0;
const MOST_H: f32 = 28.0;
const GOT_H: f32 = 84.0;

/// Draws all of it under the parts and returns its height.
pub(super) fn draw(
    system: &System,
    knobs: &Values,
    at: Time,
    area: Rect,
    scene: &mut Scene,
) -> f32 {
    let wide = area.w >= 560.0;
    let (y, w) = (area.y + 2.0, area.w - 2.0 * PAD);
    let side_h = RECENT_H + MOST_H + GOT_H + 2.0 * GAP;
    let (states, side) = if wide {
        let left = (w - GAP) * 0.56;
        let side = Rect::new(PAD + left + GAP, y, w - left - GAP, side_h);
        (Rect::new(PAD, y, left, side_h), side)
    } else {
        let side = Rect::new(PAD, y + STATES_H + GAP, w, side_h);
        (Rect::new(PAD, y, w, STATES_H), side)
    };
    self::states(system, knobs, at, states, scene);
    recent(
        system,
        knobs,
        Rect {
            h: RECENT_H,
            ..side
        },
        scene,
    );
    let most_y = side.y + RECENT_H + GAP;
    most(system, Rect::new(side.x, most_y, side.w, MOST_H), scene);
    let got_y = most_y + MOST_H + GAP;
    got(system, at, Rect::new(side.x, got_y, side.w, GOT_H), scene);
    side.y + side.h + GAP - area.y
}

fn count(n: u64) -> Arg {
    Arg::Count(n as i64)
}

/// The state diagram of the breaker in M2, with what leads from state to state.
fn states(system: &System, knobs: &Values, at: Time, r: Rect, scene: &mut Scene) {
    let breaker = system.guard(INNER);
    let probes = u64::from(knobs.whole("probes"));
    let wide = r.w >= 420.0;
    let opens = match (knobs.whole("rule"), wide) {
        (0, _) => "opens.share",
        (_, true) => "opens.row-long",
        (_, false) => "opens.row",
    };
    let args = [
        count(u64::from(to_open(knobs))),
        Arg::Number(knobs.get("window")),
    ];
    let opens = scene.say(opens, &args);
    let after = scene.say("after", &[Arg::Number(knobs.get("open"))]);
    let fails = scene.say("probe-fails", &[]);
    let word = if probes == 1 {
        "probe-succeeds"
    } else {
        "probes-succeed"
    };
    let succeed = scene.say(word, &[count(probes)]);
    let (title, off) = (scene.name(STATES), scene.say("no-breaker", &[]));
    let all = [State::Closed, State::Open, State::HalfOpen];
    let names = all.map(|state| scene.say(state_word(state), &[]));
    let details = all.map(|state| detail(state, breaker, probes, at, scene));
    let here = breaker.and_then(|it| all.iter().position(|state| *state == it.state));
    let value = match here {
        Some(i) => format!("{}, {}", names[i], details[i]),
        None => off.clone(),
    };
    let mut pencil = scene.thing(STATES, r, value);
    panel(&mut pencil, r, title);
    if breaker.is_none() && wide {
        let at = pt(r.x + r.w - 12.0, r.y + 18.0);
        ending(&mut pencil, at, 12.0, true, Ink::Warn, off);
    }
    let edge = if wide { 24.0 } else { 9.0 };
    let (w, h) = ((r.w * 0.315).min(150.0), 48.0);
    let low = r.y + r.h - h - 42.0;
    let pill = |x: f32, y: f32| Rect::new(x, y, w, h);
    let closed = pill(r.x + edge, low);
    let open = pill(r.x + (r.w - w) / 2.0, r.y + 30.0);
    let half = pill(r.x + r.w - edge - w, low);
    let out = pt(closed.x + w * 0.82, closed.y);
    let into = pt(half.x + w * 0.18, half.y);
    let back = (pt(half.x, half.y + 16.0), pt(open.x + w * 0.78, open.y + h));
    let well = (
        pt(half.x + w * 0.35, half.y + h),
        pt(closed.x + w * 0.65, closed.y + h),
    );
    let middle = open.centre().y;
    let ways = [
        Curve::cubic(
            out,
            pt(out.x, middle + 6.0),
            pt(out.x + 4.0, middle),
            open.left(),
        ),
        Curve::cubic(
            open.right(),
            pt(into.x - 4.0, middle),
            pt(into.x, middle + 6.0),
            into,
        ),
        Curve::cubic(
            back.0,
            pt(back.0.x - 14.0, back.0.y),
            pt(back.1.x, back.1.y + 16.0),
            back.1,
        ),
        Curve::cubic(
            well.0,
            pt(well.0.x - 20.0, well.0.y + 28.0),
            pt(well.1.x + 20.0, well.1.y + 28.0),
            well.1,
        ),
    ];
    let mark = if breaker.is_some() {
        Ink::Mark
    } else {
        Ink::LineStrong
    };
    for way in &ways {
        transition(&mut pencil, way, mark);
    }
    let fail_at = pt(back.1.x + 0.2 * (half.x - back.1.x), half.y + 22.0);
    let well_at = pt(r.x + r.w / 2.0, r.y + r.h - 7.0);
    for (at, anchor, text) in [
        (pt(out.x - 8.0, closed.y - 10.0), Anchor::End, opens),
        (pt(into.x + 8.0, half.y - 10.0), Anchor::Start, after),
        (fail_at, Anchor::End, fails),
        (well_at, Anchor::Middle, succeed),
    ] {
        cause(&mut pencil, at, anchor, text);
    }
    let pills = [closed, open, half].into_iter().zip(all);
    for ((rect, state), (name, detail)) in pills.zip(names.into_iter().zip(details)) {
        let is_here = breaker.filter(|breaker| breaker.state == state);
        Pill {
            rect,
            name,
            detail,
            here: is_here.map(|_| state_inks(state)),
            off: breaker.is_none(),
        }
        .draw(&mut pencil);
        // The open time runs out along the lower edge.
        if let (State::Open, Some(breaker)) = (state, is_here)
            && let Some(until) = breaker.open_until()
        {
            let bar = Rect::new(rect.x + w * 0.25, rect.y + h - 8.0, w * 0.5, 3.0);
            pencil.meter(bar, at.progress(breaker.since, until), Ink::Bad, false);
        }
    }
}

/// The second line of a state.
fn detail(state: State, breaker: Option<&Breaker>, probes: u64, at: Time, scene: &Scene) -> String {
    match (state, breaker.filter(|breaker| breaker.state == state)) {
        (State::Closed, _) => scene.say("rest.closed", &[]),
        (State::Open, None) => scene.say("rest.open", &[]),
        (State::Open, Some(breaker)) => match breaker.open_until().map(|until| until.since(at)) {
            Some(left) if left > Time::ZERO => scene.say("open-for", &[tenths(left)]),
            _ => scene.say("open-over", &[]),
        },
        (State::HalfOpen, None) => scene.say("rest.half-open", &[]),
        (State::HalfOpen, Some(breaker)) => {
            let args = [count(u64::from(breaker.well)), count(probes)];
            scene.say("probing", &args)
        }
    }
}

/// What the breaker in M2 has seen: the calls of its window, or the failures in a row.
fn recent(system: &System, knobs: &Values, r: Rect, scene: &mut Scene) {
    // Failed, slow or well, for each call.
    let mut seen: Vec<(Glyph, Ink)> = Vec::new();
    let breaker = system.guard(INNER);
    let window = breaker.and_then(Breaker::window);
    let (mut failed, mut slow) = (0, 0);
    for call in window.into_iter().flat_map(|window| window.parts()) {
        failed += call.failed;
        slow += call.slow - call.slow_failed;
        seen.push(match (call.failed, call.slow) {
            (0, 0) => (Glyph::Response, Ink::Ok),
            (0, _) => (Glyph::Failure, Ink::Warn),
            _ => (Glyph::Failure, Ink::Bad),
        });
    }
    let (places, words) = match (breaker, window) {
        (None, _) => (0, scene.say("seen.off", &[])),
        (Some(_), Some(_)) => {
            let (bad, all) = ([count(failed), count(slow)], count(seen.len() as u64));
            let words = match (seen.is_empty(), slow) {
                (true, _) => scene.say("seen.none", &[]),
                (false, 0) => scene.say("seen.share", &[bad[0], all]),
                (false, _) => scene.say("seen.slow", &[bad[0], bad[1], all]),
            };
            (window.map_or(0, places_of), words)
        }
        (Some(breaker), None) => {
            let row = breaker.in_a_row();
            failed = u64::from(row);
            seen = vec![(Glyph::Failure, Ink::Bad); row as usize];
            let words = scene.say("seen.row", &[count(failed)]);
            (knobs.whole("row"), words)
        }
    };
    let title = scene.name(RECENT);
    let count = (places as usize).max(seen.len());
    let mut pencil = scene.thing(RECENT, r, words.clone());
    pencil.figure("failed", failed as f64);
    panel(&mut pencil, r, title);
    let per_row = (((r.w - 20.0) / 15.0) as usize).max(1);
    for i in 0..count {
        let (column, row) = ((i % per_row) as f32, (i / per_row) as f32);
        let at = pt(r.x + 17.0 + 15.0 * column, r.y + 31.0 + 12.0 * row);
        match seen.get(i) {
            Some((glyph, ink)) => pencil.mark(*glyph, at, 5.0, *ink),
            None => {
                let place = Rect::new(at.x - 2.0, at.y - 2.0, 4.0, 4.0);
                pencil.filled(place, 2.0, Ink::LineStrong)
            }
        };
    }
    pencil.text(pt(r.x + 10.0, r.y + r.h - 8.0), 12.0, Ink::Ink, words);
}

/// The places of a window: half-open has one for each probe.
fn places_of(window: &Window) -> u32 {
    match window.span() {
        Span::Calls(places) | Span::Seconds(places) => places,
    }
}

/// How many calls to M3 a single request has caused.
fn most(system: &System, r: Rect, scene: &mut Scene) {
    let calls = system.own::<Seen>().calls_of_one();
    let (title, value) = (scene.name(MOST), calls.to_string());
    let many = calls > 5;
    let mut pencil = scene.thing(MOST, r, value.clone());
    pencil.figure("calls", f64::from(calls));
    panel(&mut pencil, r, title);
    let at = pt(r.x + r.w - 12.0, r.y + 19.5);
    ending(
        &mut pencil,
        at,
        15.0,
        true,
        if many { Ink::Bad } else { Ink::Ink },
        value,
    );
}

/// What users got now, and lately.
fn got(system: &System, at: Time, r: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let all = [Got::Fresh, Got::LastGood, Got::Backup, Got::Error];
    let shares = |span: Time| all.map(|got| seen.share(got, span, at));
    let (now, lately) = (shares(NOW), shares(LATELY));
    let words = ["got.fresh", "got.last-good", "got.backup", "got.error"];
    // What nobody gets and nobody could get is not named.
    let stands_in = seen.stand_in as usize;
    let named = (0..4).filter(|i| [0, stands_in, 3].contains(i) || lately[*i] > 0.0);
    let whole = |i: usize| Arg::Share((now[i] * 100.0).round() / 100.0);
    let name = |i| (i, scene.say(words[i], &[whole(i)]));
    let names: Vec<(usize, String)> = named.map(name).collect();
    // A share of nothing is not drawn, and it is said why.
    let title = match now == [0.0; 4] {
        true => scene.say("got.none", &[]),
        false => scene.name(GOT),
    };
    let bars = [("got.now", now), ("got.lately", lately)];
    let bars = bars.map(|(word, shares)| (scene.say(word, &[]), shares.to_vec()));
    let spoken: Vec<&str> = names.iter().map(|name| name.1.as_str()).collect();
    let mut pencil = scene.thing(GOT, r, spoken.join(", "));
    pencil
        .figure("fresh %", now[0] * 100.0)
        .figure("stand-in %", (now[1] + now[2]) * 100.0)
        .figure("errors %", now[3] * 100.0);
    Shares {
        rect: r,
        title,
        styles: &[
            (Fill::Full, Ink::Ok, Ink::None),
            (Fill::Outline, Ink::Hit, Ink::HitSoft),
            (Fill::Outline, Ink::Accent, Ink::AccentSoft),
            (Fill::Hatched, Ink::BadHatch, Ink::BadSoft),
        ],
        bars: &bars,
        names,
    }
    .draw(&mut pencil);
}
