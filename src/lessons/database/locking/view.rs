//! The stage: accounts, the circle of workers and for whom each waits, what comes of it, and the last two seconds of everyone.

use super::model::{Bank, Kind, LONG, Piece, RATE, SHOWN, account, worker};
use super::settings::{Settings, Way};
use super::store::Op;
use algorithms::lock_table::Row;
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::{self, fixed, tenths};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time};
use kit::bench::State;
use kit::figures::label::{ending, fitting};
use kit::figures::waits::{around, arrow, ends};
use kit::figures::{DOT, panel};
use kit::layout::{Placed, Slot, Span, lay, part, space};

/// The last seconds of every worker, and how their time was spent.
pub(super) const LANES: PartId = PartId::one("lanes");
pub(super) const WORK: PartId = PartId::one("work");
/// Where accounts and workers stand.
const ACCOUNTS: PartId = PartId::one("accounts");
const TEAM: PartId = PartId::one("team");

/// So many workers at most have large cards; more accounts than that have small cells.
const LARGE_CARDS: usize = 9;
const LARGE_CELLS: u32 = 24;
/// A chip for who holds or waits.
const CHIP: f32 = 14.0;

fn count(n: impl TryInto<i64>) -> Arg {
    Arg::Count(n.try_into().unwrap_or(i64::MAX))
}

pub(super) fn draw(bank: &Bank, knobs: &Settings, at: Time, scene: &mut Scene) {
    let placed = place(bank, scene);
    let team: Vec<usize> = bank.team().collect();
    let area = placed.of(TEAM);
    let size = match team.len() {
        0..=8 => ((0.235 * area.w).min(66.0), 40.0),
        LARGE_CARDS => ((0.19 * area.w).min(62.0), 38.0),
        _ => ((0.12 * area.w).min(34.0), 24.0),
    };
    let cards = around(area, team.len(), size);
    let stands = |hand: usize| {
        let place = team.iter().position(|one| *one == hand);
        place.map_or(area, |place| cards[place])
    };
    arrows(bank, &team, &stands, scene);
    for (hand, card) in team.iter().zip(&cards) {
        member(bank, *hand, *card, at, scene);
    }
    for row in 0..knobs.accounts {
        cell(bank, row, place_of(bank, &placed, scene, row), scene);
    }
    rate(bank, knobs, placed.of(RATE), at, scene);
    work(bank, placed.of(WORK), scene);
    lanes(bank, &team, placed.of(LANES), at, scene);
    for hand in &team {
        let to = |row: Row| place_of(bank, &placed, scene, row).centre();
        let flies: Vec<(Point, Glyph, Ink)> = flights(bank, *hand, stands(*hand).centre(), &to, at);
        let dot = bank.store.jobs[*hand].as_ref().map_or(0, |job| job.number);
        for (p, glyph, ink) in flies {
            scene.particle(p, DOT - 1.0, glyph, ink, dot);
        }
    }
}

fn place(bank: &Bank, scene: &mut Scene) -> Placed {
    let team = part(TEAM, Span::rest(196.0, 1.0), (200.0, 246.0));
    let wide = || Span::rest(120.0, 1.0);
    let stage = if scene.narrow() {
        let accounts = if bank.knobs.accounts > LARGE_CELLS {
            132.0
        } else {
            92.0
        };
        let figures = vec![
            part(RATE, wide(), 84.0),
            space(8.0),
            part(WORK, wide(), 84.0),
        ];
        Slot::Column(vec![
            part(TEAM, wide(), (200.0, 226.0)),
            space(8.0),
            part(LANES, wide(), (110.0, 126.0)),
            space(8.0),
            part(ACCOUNTS, wide(), accounts),
            space(8.0),
            Slot::Row(figures),
        ])
    } else {
        let figures = vec![
            part(RATE, (150.0, 250.0), (92.0, 112.0)),
            space(8.0),
            part(WORK, (150.0, 250.0), (100.0, 126.0)),
        ];
        let accounts = part(ACCOUNTS, (164.0, 240.0), (200.0, 246.0));
        Slot::Column(vec![
            Slot::Row(vec![
                accounts,
                space(12.0),
                team,
                space(12.0),
                Slot::Column(figures),
            ]),
            space(8.0),
            part(LANES, wide(), (88.0, 128.0)),
        ])
    };
    lay(scene, &stage)
}

/// The cell of an account.
fn place_of(bank: &Bank, placed: &Placed, scene: &Scene, row: Row) -> Rect {
    let (area, accounts) = (placed.of(ACCOUNTS), bank.knobs.accounts);
    let columns = match (accounts, scene.narrow()) {
        (..=4, _) => 2,
        (..=16, false) => 4,
        _ => 8,
    };
    let rows = accounts.div_ceil(columns).max(1);
    let gap = if accounts > LARGE_CELLS { 3.0 } else { 5.0 };
    let (w, h) = (
        (area.w + gap) / columns as f32,
        ((area.h + gap) / rows as f32).min(84.0),
    );
    let (x, y) = ((row % columns) as f32, (row / columns) as f32);
    Rect::new(area.x + w * x, area.y + h * y, w - gap, h - gap)
}

/// What a hand is called in a chip.
fn chip_name(hand: usize, scene: &Scene) -> String {
    match hand {
        LONG => scene.say("long.chip", &[]),
        hand => (hand + 1).to_string(),
    }
}

/// Names of parts, one after the other.
fn list(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// How a worker who waits is drawn.
fn ink_of(bank: &Bank, hand: usize) -> Ink {
    match hand {
        hand if bank.in_circle(hand) => Ink::Bad,
        hand if bank.behind_circle(hand) => Ink::Warn,
        _ => Ink::Mark,
    }
}

/// From each who waits to who has the account.
fn arrows(bank: &Bank, team: &[usize], stands: &dyn Fn(usize) -> Rect, scene: &mut Scene) {
    // Circles last, so that they lie on top.
    for bad in [false, true] {
        for hand in team.iter().filter(|hand| bank.in_circle(**hand) == bad) {
            let Some((_, holder)) = bank.waits_for(*hand) else {
                continue;
            };
            let (from, to) = ends(stands(*hand), stands(holder));
            let value = scene.name(worker(holder));
            let (x, y) = (from.x.min(to.x), from.y.min(to.y));
            let (w, h) = ((from.x - to.x).abs(), (from.y - to.y).abs());
            let link = PartId::nth("arrow", *hand as u16 + 1);
            let mut pencil = scene.link(link, Rect::new(x, y, w, h).grown(4.0), value);
            let width = if bad { 3.0 } else { 1.5 };
            // Two who wait for each other have their arrows beside each other.
            let mutual = bank
                .waits_for(holder)
                .is_some_and(|(_, back)| back == *hand);
            let apart = if mutual { 4.0 } else { 0.0 };
            let (dx, dy) = (to.x - from.x, to.y - from.y);
            let length = dx.abs().max(dy.abs()).max(1.0);
            let aside = |p: Point| pt(p.x - dy / length * apart, p.y + dx / length * apart);
            arrow(
                &mut pencil,
                aside(from),
                aside(to),
                ink_of(bank, *hand),
                width,
            );
        }
    }
}

/// What a worker is at, in words: in full, and in a few letters.
fn standing(bank: &Bank, hand: usize, scene: &Scene) -> (String, Vec<String>) {
    let say = |word: &str, args: &[Arg]| scene.say(word, args);
    let one = bank.bench.hand(hand);
    if let Some((row, holder)) = bank.waits_for(hand) {
        let row = count(row + 1);
        let holder = Arg::Part(worker(holder));
        let short = vec![say("wants", &[row]), say("wants.short", &[row])];
        return (say("waits", &[row, holder]), short);
    }
    let word = match (one.state, one.op) {
        (State::Waits, _) => "no-processor",
        (State::Plays, Some(Op::Coffee)) => "coffee",
        (State::Plays, Some(Op::Compute)) => "computes",
        (State::Plays, Some(Op::Read(_))) => "reads",
        (State::Plays, _) => "writes",
        (State::Free, _) if bank.workers[hand].rests => "undone",
        _ if bank.by_hand => "your-turn",
        _ => "rests",
    };
    let said = say(word, &[]);
    let shorter = match word {
        "undone" => say("undone.short", &[]),
        "no-processor" => say("no-processor.short", &[]),
        _ => said.clone(),
    };
    let short = match (one.state, one.op) {
        (State::Plays, Some(Op::Coffee)) => vec![said.clone()],
        (State::Plays, _) => vec![],
        _ => vec![said.clone(), shorter],
    };
    (said, short)
}

/// A worker: its number, what it has or has read, and how far its step is.
fn member(bank: &Bank, hand: usize, card: Rect, at: Time, scene: &mut Scene) {
    let (said, mut short) = standing(bank, hand, scene);
    let job = bank.store.jobs[hand].as_ref();
    let locks = bank
        .store
        .locks
        .held()
        .iter()
        .filter(|lock| lock.tx == hand);
    let has: Vec<Row> = locks.map(|lock| lock.row + 1).collect();
    let held = list(has.iter().map(ToString::to_string));
    let seen: Vec<(String, bool)> =
        job.filter(|_| bank.knobs.way != Way::Ask)
            .map_or(vec![], |job| {
                let seen = job.seen.iter();
                seen.map(|one| {
                    let version = scene.say("version", &[count(one.data.version)]);
                    (version, bank.store.table.is_stale(one))
                })
                .collect()
            });
    let mut spoken = said;
    if !held.is_empty() {
        spoken += "; ";
        spoken += &scene.say("has", &[Arg::Count(has[0].into())]);
        spoken += &held[held.find(',').unwrap_or(held.len())..];
    }
    let stale = seen.iter().filter(|(_, stale)| *stale).count();
    if stale > 0 {
        spoken += "; ";
        spoken += &scene.say("stale", &[count(stale)]);
    }
    if short.is_empty() && !held.is_empty() {
        short = vec![scene.say("has.list", &[]) + " " + &held, held];
    }
    let large = card.h > 30.0;
    let tries = job.map_or(1, |job| job.tries);
    let cramped = hand == LONG && tries > 1 && card.w < 60.0;
    let name = chip_name(hand, scene);
    let try_words = scene.say("try", &[count(tries)]);
    if cramped {
        // How often it has tried is what it was sent for.
        short = vec![try_words.clone(), tries.to_string()];
    }
    let one = bank.bench.hand(hand);
    let coffee = one.op == Some(Op::Coffee);
    let (ground, border) = match (one.state, bank.workers[hand].rests) {
        (State::Waits, _) if bank.in_circle(hand) => (Ink::BadSoft, Ink::Bad),
        (State::Waits, _) => (Ink::WarnSoft, Ink::Warn),
        (State::Plays, _) if coffee => (Ink::HitSoft, Ink::Hit),
        (State::Plays, _) => (Ink::Card, Ink::Ok),
        (State::Free, true) => (Ink::BadSoft, Ink::Bad),
        _ => (Ink::Card, Ink::Line),
    };
    let mut pencil = scene.thing(worker(hand), card, spoken);
    pencil
        .figure("waits", f64::from(u8::from(bank.waits(hand))))
        .figure("tries", f64::from(tries));
    let width = if border == Ink::Bad { 2.5 } else { 1.5 };
    pencil.bordered(card, 9.0, ground, border, width);
    let ink = if border == Ink::Bad {
        Ink::Bad
    } else {
        Ink::Ink
    };
    let c = card.centre();
    if !large {
        let size = if card.w < 26.0 { 11.0 } else { 12.5 };
        pencil.centred(pt(c.x, c.y + 4.5), size, true, ink, name);
        return;
    }
    let room = card.w - 6.0;
    match tries {
        1 => pencil.centred(pt(c.x, card.y + 15.0), 13.5, true, ink, name),
        _ => {
            let both = [format!("{name} · {try_words}"), name];
            let text = fitting(&both, 12.0, true, room);
            pencil.centred(pt(c.x, card.y + 15.0), 12.0, true, ink, text)
        }
    };
    let base = card.y + 28.5;
    if seen.is_empty() || !short.is_empty() {
        let text = fitting(&short, 11.0, false, room);
        let bold = border == Ink::Bad;
        pencil.centred(pt(c.x, base), 11.0, bold, Ink::Ink, text);
    } else {
        versions(&mut pencil, &seen, c.x, base, room);
    }
    if one.state == State::Plays {
        let ink = if coffee { Ink::Hit } else { Ink::Ok };
        let meter = Rect::new(card.x + 8.0, card.y + card.h - 7.0, card.w - 16.0, 3.0);
        pencil.meter(meter, done_share(bank, hand, at), ink, false);
    }
}

/// How far a job is, by the time that its operations take.
fn done_share(bank: &Bank, hand: usize, at: Time) -> f32 {
    let one = bank.bench.hand(hand);
    let Some(job) = bank.store.jobs[hand]
        .as_ref()
        .filter(|_| one.op != Some(Op::Coffee))
    else {
        return one.share(at);
    };
    let all = bank.store.statement.as_s() * (job.changes.len() + 1) as f64 + job.compute.as_s();
    ((job.spent + at.since(one.since)).as_s() / all.max(1e-6)).min(1.0) as f32
}

/// The versions that somebody has read, those struck through that are out of date.
fn versions(pencil: &mut Pencil<'_>, seen: &[(String, bool)], middle: f32, base: f32, room: f32) {
    let wide = |text: &str| text::width(text, 11.0, false) + 5.0;
    let mut shown = seen.len();
    while shown > 1
        && seen[..shown]
            .iter()
            .map(|(text, _)| wide(text))
            .sum::<f32>()
            > room + 5.0
    {
        shown -= 1;
    }
    let all: f32 = seen[..shown].iter().map(|(text, _)| wide(text)).sum();
    let mut x = middle - (all - 5.0) / 2.0;
    for (text, stale) in &seen[..shown] {
        let w = wide(text) - 5.0;
        let ink = if *stale { Ink::Bad } else { Ink::Secondary };
        pencil.text(pt(x, base), 11.0, ink, text.as_str());
        if *stale {
            let d = format!(
                "M{} {}h{}",
                tenths(x - 1.0),
                tenths(base - 4.0),
                tenths(w + 2.0)
            );
            pencil.line(d, Ink::Bad, 1.5);
        }
        x += w + 5.0;
    }
}

/// An account: its number, what is on it, its version; who has it and who waits for it, in order.
fn cell(bank: &Bank, row: Row, rect: Rect, scene: &mut Scene) {
    let data = bank.store.table.rows()[row as usize];
    let holder = bank.store.locks.holder(row);
    let line = bank
        .store
        .locks
        .line()
        .iter()
        .filter(|wish| wish.row == row);
    let line: Vec<usize> = line.map(|wish| wish.tx).collect();
    let version = scene.say("version", &[count(data.version)]);
    let mut spoken = scene.say("holds", &[Arg::Count(data.value), count(data.version)]);
    if let Some(holder) = holder {
        spoken += "; ";
        spoken += &scene.say("held-by", &[Arg::Part(worker(holder))]);
    }
    if !line.is_empty() {
        spoken += "; ";
        spoken += &scene.say("line", &[count(line.len())]);
    }
    let names: Vec<String> = line.iter().map(|hand| chip_name(*hand, scene)).collect();
    let holder_name = holder.map(|hand| chip_name(hand, scene));
    let mut pencil = scene.thing(account(row), rect, spoken);
    pencil
        .figure("value", data.value as f64)
        .figure("version", data.version as f64)
        .figure("held", f64::from(u8::from(holder.is_some())))
        .figure("line", line.len() as f64);
    let circle = holder.is_some_and(|hand| bank.in_circle(hand)) && !line.is_empty();
    let (ground, border, width) = match (holder, line.is_empty()) {
        _ if circle => (Ink::BadSoft, Ink::Bad, 2.0),
        (Some(_), false) => (Ink::WarnSoft, Ink::Warn, 2.0),
        (Some(_), true) => (Ink::AccentSoft, Ink::Accent, 1.5),
        _ => (Ink::Card, Ink::Line, 1.0),
    };
    pencil.bordered(rect, 6.0, ground, border, width);
    let number = (row + 1).to_string();
    let c = rect.centre();
    if rect.w < 34.0 || rect.h < 38.0 {
        let size = if rect.w < 18.0 { 11.0 } else { 12.0 };
        if rect.w >= text::width(&number, size, false) + 2.0 && rect.h >= 13.0 {
            pencil.centred(pt(c.x, c.y + 4.0), size, holder.is_some(), Ink::Ink, number);
        }
        return;
    }
    let (left, right) = (rect.x + 6.0, rect.x + rect.w - 6.0);
    let value = data.value.to_string();
    let number_w = text::width(&number, 11.0, false);
    let room = right - left - number_w - 4.0;
    let beside = text::width(&value, 12.5, true) <= room;
    let own_line = rect.h >= 50.0;
    pencil.text(pt(left, rect.y + 14.5), 11.0, Ink::Secondary, number);
    let below = pt(right, rect.y + if own_line { 29.0 } else { 30.0 });
    // The line of chips may need the room below.
    let free = own_line || holder.is_none();
    if beside {
        ending(
            &mut pencil,
            pt(right, rect.y + 15.0),
            12.5,
            true,
            Ink::Ink,
            value,
        );
    } else if free {
        ending(&mut pencil, below, 12.5, true, Ink::Ink, value);
    }
    if beside && free {
        ending(&mut pencil, below, 11.0, false, Ink::Secondary, version);
    }
    let Some(first) = holder_name else { return };
    let y = if own_line {
        rect.y + rect.h - CHIP - 5.0
    } else {
        rect.y + 20.0
    };
    let fit = (((rect.w - 8.0) / (CHIP + 1.0)) as usize).max(1);
    let chips = std::iter::once(first).chain(names);
    for (n, name) in chips.take(fit).enumerate() {
        let chip = Rect::new(rect.x + 4.0 + (CHIP + 1.0) * n as f32, y, CHIP, CHIP);
        let (ground, edge, ink) = match n {
            0 if circle => (Ink::Bad, Ink::Bad, Ink::OnBad),
            0 => (Ink::Accent, Ink::Accent, Ink::OnAccent),
            _ => (Ink::Card, Ink::Warn, Ink::Ink),
        };
        pencil.bordered(chip, CHIP / 2.0, ground, edge, 1.0);
        pencil.centred(pt(chip.centre().x, chip.y + 11.0), 11.0, n == 0, ink, name);
    }
}

/// Transfers a second, beside what they would be if nobody met anybody.
fn rate(bank: &Bank, knobs: &Settings, rect: Rect, at: Time, scene: &mut Scene) {
    let title = [scene.say("rate", &[]), scene.say("rate.short", &[])];
    let alone = knobs.alone_per_s();
    let per_s = bank.per_s(at);
    let shown = per_s.map_or_else(|| scene.say("counting", &[]), |n| fixed(n, 0));
    let ledger = bank.ledger;
    let (n, words) = match knobs.way {
        Way::NoLock => (ledger.lost, ["lost", "lost.short"]),
        Way::Ask | Way::Later => (ledger.undone, ["tries-undone", "tries-undone.short"]),
    };
    let what = words.map(|word| scene.say(word, &[count(n), count(ledger.done)]));
    let most = scene.say("alone", &[count(alone as i64)]);
    let spoken = format!("{shown}; {most}; {}", what[0]);
    let mut pencil = scene.thing(RATE, rect, spoken);
    pencil
        .figure("lost", ledger.lost.into())
        .figure("undone", ledger.undone.into())
        .figure("done", ledger.done.into());
    if let Some(per_s) = per_s {
        pencil.figure("per_s", per_s);
    }
    panel(
        &mut pencil,
        rect,
        fitting(&title, 12.0, true, rect.w - 20.0),
    );
    let (left, w) = (rect.x + 10.0, rect.w - 20.0);
    let base = rect.y + 27.0 + (rect.h - 59.0) / 2.0;
    pencil.bold(pt(left, base), 22.0, Ink::Ink, shown.clone());
    let beside = w - text::width(&shown, 22.0, true) - 8.0;
    let most = fitting(&[most, String::new()], 11.0, false, beside);
    ending(
        &mut pencil,
        pt(left + w, base),
        11.0,
        false,
        Ink::Secondary,
        most,
    );
    let track = Rect::new(left, rect.y + rect.h - 38.0, w, 9.0);
    let share = per_s.unwrap_or(0.0) / alone.max(1.0);
    pencil.meter(track, share.min(1.0) as f32, Ink::Ok, false);
    let ink = match n {
        0 => Ink::Secondary,
        _ => Ink::Bad,
    };
    let text = fitting(&what, 12.0, n > 0, w);
    let at = pt(left, rect.y + rect.h - 10.0);
    match n {
        0 => pencil.text(at, 12.0, ink, text),
        _ => pencil.bold(at, 12.0, ink, text),
    };
}

/// How the time of all was spent.
fn work(bank: &Bank, rect: Rect, scene: &mut Scene) {
    let ledger = bank.ledger;
    let spans = [ledger.useful, ledger.thrown, ledger.waited].map(Time::as_s);
    let all: f64 = spans.iter().sum();
    let shares = spans.map(|span| span / all.max(1e-9));
    let words = ["work.done", "work.thrown", "work.waited"];
    let rows: Vec<(String, String)> = words
        .iter()
        .zip(shares)
        .map(|(word, share)| {
            (
                scene.say(word, &[]),
                scene.say("share", &[Arg::Share(share)]),
            )
        })
        .collect();
    let title = [scene.say("work", &[]), scene.say("work.short", &[])];
    let spoken = list(rows.iter().map(|(name, share)| format!("{name} {share}")));
    let thrown = ledger.thrown_share();
    let of_work = scene.say("work.of", &[Arg::Share(thrown)]);
    let mut pencil = scene.thing(WORK, rect, format!("{spoken}; {of_work}"));
    pencil
        .figure("thrown", 100.0 * thrown)
        .figure("waited", 100.0 * shares[2]);
    panel(
        &mut pencil,
        rect,
        fitting(&title, 12.0, true, rect.w - 20.0),
    );
    let pitch = (rect.h - 26.0) / 3.0;
    for (n, (name, share)) in rows.into_iter().enumerate() {
        let y = rect.y + 24.0 + pitch * n as f32;
        let (left, right) = (rect.x + 10.0, rect.x + rect.w - 10.0);
        let room = right - left - text::width(&share, 11.5, true) - 6.0;
        let name = fitting(&[name], 11.5, false, room);
        pencil.text(pt(left, y + 10.0), 11.5, Ink::Secondary, name);
        ending(
            &mut pencil,
            pt(right, y + 10.0),
            11.5,
            true,
            Ink::Ink,
            share,
        );
        let track = Rect::new(
            left,
            y + 14.0,
            right - left,
            (pitch - 18.0).clamp(3.0, 10.0),
        );
        pencil.filled(track, 2.0, Ink::Rail);
        let filled = Rect::new(track.x, track.y, track.w * shares[n] as f32, track.h);
        if filled.w >= 1.0 {
            match n {
                0 => pencil.filled(filled, 2.0, Ink::Ok),
                1 => pencil.bordered(filled, 2.0, Ink::BadHatch, Ink::Bad, 1.0),
                _ => pencil.bordered(filled, 2.0, Ink::WarnSoft, Ink::Warn, 1.0),
            };
        }
    }
}

/// A lane for everyone: what the last seconds were spent on.
fn lanes(bank: &Bank, team: &[usize], rect: Rect, at: Time, scene: &mut Scene) {
    let back = if scene.narrow() { Time::s(1) } else { SHOWN };
    let from = Time(at.0.saturating_sub(back.0));
    let waiting = team.iter().filter(|hand| bank.waits(**hand)).count();
    let in_circles = team.iter().filter(|hand| bank.in_circle(**hand)).count();
    let title = scene.say("lanes", &[Arg::Span(back)]);
    let legend = [
        (Ink::Ok, scene.say("lane.works", &[])),
        (Ink::WarnSoft, scene.say("lane.waits", &[])),
        (Ink::BadHatch, scene.say("lane.thrown", &[])),
    ];
    let spoken = scene.say(
        "waiting",
        &[count(waiting), count(team.len()), count(in_circles)],
    );
    let names: Vec<String> = team.iter().map(|hand| chip_name(*hand, scene)).collect();
    let circle = bank
        .circles
        .iter()
        .rev()
        .find(|circle| circle.until.is_none_or(|until| until > from));
    let bracket = circle.map(|circle| {
        let until = circle.until.unwrap_or(at);
        let said = scene.say("circle", &[kit::figures::tenths(until.since(circle.since))]);
        (circle, until, said)
    });
    let mut pencil = scene.thing(LANES, rect, spoken);
    pencil
        .figure("waiting", waiting as f64)
        .figure("circle", in_circles as f64);
    panel(&mut pencil, rect, title.clone());
    let mut end = rect.x + rect.w - 10.0;
    for (ink, said) in legend.into_iter().rev() {
        let w = text::width(&said, 11.0, false);
        if end - w - 16.0 < rect.x + 24.0 + text::width(&title, 12.0, true) {
            break;
        }
        ending(
            &mut pencil,
            pt(end, rect.y + 17.0),
            11.0,
            false,
            Ink::Secondary,
            said,
        );
        let edge = if ink == Ink::Ok {
            Ink::Ok
        } else if ink == Ink::BadHatch {
            Ink::Bad
        } else {
            Ink::Warn
        };
        pencil.bordered(
            Rect::new(end - w - 14.0, rect.y + 8.0, 10.0, 10.0),
            2.0,
            ink,
            edge,
            1.0,
        );
        end -= w + 26.0;
    }
    let area = Rect::new(rect.x + 28.0, rect.y + 24.0, rect.w - 38.0, rect.h - 30.0);
    let pitch = area.h / team.len() as f32;
    let h = (pitch - 2.0).max(2.0);
    let x = |time: Time| {
        area.x + area.w * time.max(from).since(from).as_s() as f32 / back.as_s() as f32
    };
    let mut paths = [(); 4].map(|()| String::new());
    for (lane, hand) in team.iter().enumerate() {
        let y = area.y + pitch * lane as f32 + 1.0;
        if pitch >= 11.0 {
            ending(
                &mut pencil,
                pt(area.x - 5.0, y + h / 2.0 + 4.0),
                11.0,
                false,
                Ink::Secondary,
                names[lane].as_str(),
            );
        }
        for Piece {
            kind,
            from: begun,
            to,
        } in &bank.workers[*hand].pieces
        {
            let (a, b) = (x(*begun), x(to.unwrap_or(at)));
            if to.is_none_or(|to| to > from) {
                // A gap of half a unit parts a transfer from the next.
                let w = tenths((b - a - 0.5).max(0.4));
                let d = format!("M{} {}h{w}v{h}h-{w}Z", tenths(a), tenths(y), h = tenths(h));
                paths[*kind as usize] += &d;
            }
        }
    }
    for (d, kind) in paths
        .into_iter()
        .zip([Kind::Works, Kind::Waits, Kind::Thrown, Kind::Coffee])
    {
        if d.is_empty() {
            continue;
        }
        match kind {
            Kind::Works => pencil.area(d, Ink::Ok),
            Kind::Waits => pencil
                .area(d.clone(), Ink::WarnSoft)
                .line(d, Ink::Warn, 0.75),
            Kind::Thrown => pencil
                .area(d.clone(), Ink::BadHatch)
                .line(d, Ink::Bad, 0.75),
            Kind::Coffee => pencil.area(d, Ink::Hit),
        };
    }
    if let Some((circle, until, said)) = bracket {
        let (a, b) = (x(circle.since), x(until));
        let lane_of = |hand: &usize| team.iter().position(|one| one == hand);
        for lane in circle.members.iter().filter_map(lane_of) {
            let y = area.y + pitch * lane as f32;
            let (w, h) = (tenths((b - a).max(1.0)), tenths(pitch));
            pencil.line(
                format!("M{} {}h{w}v{h}h-{w}Z", tenths(a), tenths(y)),
                Ink::Bad,
                2.0,
            );
        }
        let w = text::width(&said, 11.0, true) + 10.0;
        let lane = circle.members.first().and_then(lane_of);
        if b - a > w + 6.0 && pitch >= 11.0 {
            let y = area.y + pitch * lane.unwrap_or(0) as f32 + pitch / 2.0;
            let plate = Rect::new((a + b - w) / 2.0, y - 7.0, w, 14.0);
            pencil.filled(plate, 7.0, Ink::Bad);
            pencil.centred(pt(plate.centre().x, y + 4.0), 11.0, true, Ink::OnBad, said);
        }
    }
}

/// What is read goes from the account to the worker, what is written from the worker to its accounts.
fn flights(
    bank: &Bank,
    hand: usize,
    here: Point,
    to: &dyn Fn(Row) -> Point,
    at: Time,
) -> Vec<(Point, Glyph, Ink)> {
    let one = bank.bench.hand(hand);
    let (Some(op), Some(job)) = (one.step(), bank.store.jobs[hand].as_ref()) else {
        return Vec::new();
    };
    let share = one.share(at);
    let on = |row: Row, share: f32| {
        let there = to(row);
        pt(
            here.x + (there.x - here.x) * share,
            here.y + (there.y - here.y) * share,
        )
    };
    match op {
        Op::Read(place) => {
            let p = on(job.changes[place].0, 1.0 - share);
            vec![(p, Glyph::Response, Ink::Hit)]
        }
        Op::Write => {
            let rows = job.changes.iter().map(|(row, _)| on(*row, share));
            rows.map(|p| (p, Glyph::Request, Ink::Accent)).collect()
        }
        _ => Vec::new(),
    }
}
