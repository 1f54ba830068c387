//! The stage: a lane for each program, rows as stacks of versions between them, and every order at every level below.

use super::model::{CROWD, FLIGHT, MATRIX, Meeting, Mode, THIRD, lane, row, sum};
use super::settings::{Pair, Settings};
use algorithms::isolation::programs::{Did, Phase, Session, Step, Verdict};
use algorithms::isolation::{Id, Level, Reason, Row, Set, Statement, Version, Where};
use engine::scene::{Curve, Pencil, Rect, pt};
use engine::text::tenths;
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{ending, fitting, pill};
use kit::figures::{DOT, panel};
use kit::layout::{Placed, Slot, Span, lay, part, space};

/// Whose turns come in which order, and what came of it.
pub(super) const ORDER: PartId = PartId::one("order");
/// Where the rows stand.
const STACKS: PartId = PartId::one("stacks");
/// The inks of the programs.
const INKS: [Ink; 3] = [Ink::MemberA, Ink::MemberB, Ink::MemberC];
/// A version's card, the next one below it, and how much is free beside it for who sees it, in wide columns and in tight ones.
const CARD_H: f32 = 31.0;
const PITCH: f32 = 35.0;
const ASIDE: [f32; 2] = [25.0, 19.0];
/// Columns narrower than this have the second of these.
const TIGHT: f32 = 100.0;
/// Stages narrower than this have the programs above the rows.
const BESIDE: f32 = 720.0;
const HEAD: f32 = 26.0;
/// From one step of a lane to the next.
const STEP: f32 = 29.0;

const LEVELS: [&str; 4] = [
    "level.read-uncommitted",
    "level.read-committed",
    "level.repeatable-read",
    "level.serializable",
];

pub(super) fn draw(meeting: &Meeting, knobs: &Settings, at: Time, scene: &mut Scene) {
    let placed = place(meeting, scene);
    eyes(meeting, &placed, scene);
    let sessions = meeting.play.sessions.len();
    for who in 0..sessions {
        program(meeting, who, placed.of(lane(who)), scene);
    }
    order(meeting, placed.of(ORDER), scene);
    for n in 0..meeting.play.db.rows().len() {
        stack(meeting, n, column(meeting, &placed, n), scene);
    }
    matrix(meeting, knobs, placed.of(MATRIX), scene);
    crowd(meeting, knobs, placed.of(CROWD), scene);
    flights(meeting, &placed, at, scene);
}

fn place(meeting: &Meeting, scene: &mut Scene) -> Placed {
    let third = meeting.play.sessions.len() > THIRD;
    let stacks = part(STACKS, Span::rest(120.0, 1.0), (104.0, 144.0));
    let mut stage;
    if above(scene) {
        let one = |who| part(lane(who), Span::rest(100.0, 1.0), 128.0);
        stage = vec![
            Slot::Row(vec![one(0), space(8.0), one(1)]),
            space(6.0),
            part(ORDER, Span::rest(120.0, 1.0), 50.0),
            space(6.0),
            stacks,
            space(6.0),
        ];
    } else {
        let one = |who| part(lane(who), (164.0, 226.0), (160.0, 200.0));
        let middle = vec![
            part(ORDER, Span::rest(150.0, 1.0), 50.0),
            space(6.0),
            stacks,
        ];
        stage = vec![
            Slot::Row(vec![
                one(0),
                space(10.0),
                Slot::Column(middle),
                space(10.0),
                one(1),
            ]),
            space(8.0),
        ];
    }
    if third {
        stage.push(part(lane(THIRD), Span::rest(120.0, 1.0), 128.0));
        stage.push(space(8.0));
    }
    let matrix = if scene.narrow() { 174.0 } else { 122.0 };
    stage.push(part(MATRIX, Span::rest(200.0, 1.0), matrix));
    stage.push(space(6.0));
    let crowd = if scene.narrow() { 42.0 } else { 26.0 };
    stage.push(part(CROWD, Span::rest(200.0, 1.0), crowd));
    lay(scene, &Slot::Column(stage))
}

/// The column of a row; one that stands alone is not wider than it needs.
fn column(meeting: &Meeting, placed: &Placed, n: usize) -> Rect {
    let area = placed.of(STACKS);
    let rows = meeting.play.db.rows().len().max(1) as f32;
    let gap = 8.0;
    let w = ((area.w - gap * (rows - 1.0)) / rows).min(190.0);
    let left = area.x + (area.w - w * rows - gap * (rows - 1.0)) / 2.0;
    Rect::new(left + (w + gap) * n as f32, area.y, w, area.h)
}

/// The card of a version in its column, the newest on top; none for one that is too old to be shown.
fn card(column: Rect, versions: usize, version: usize) -> Option<Rect> {
    let below = versions - 1 - version;
    let y = column.y + HEAD + PITCH * below as f32;
    let fits = y + CARD_H <= column.y + column.h - 4.0;
    let aside = aside(column);
    let w = column.w - 2.0 * aside;
    fits.then_some(Rect::new(column.x + aside, y, w, CARD_H))
}

fn aside(column: Rect) -> f32 {
    ASIDE[usize::from(column.w < TIGHT)]
}

/// Whether the programs stand above the rows.
fn above(scene: &Scene) -> bool {
    scene.width < BESIDE
}

/// What a row holds, in words.
fn value(meeting: &Meeting, version: &Version, scene: &Scene) -> String {
    match version.data {
        None => scene.say("deleted", &[]),
        Some(data) if meeting.knobs.scenario == Pair::Doctors => {
            scene.say(if data.value == 1 { "on-call" } else { "off" }, &[])
        }
        Some(data) => data.value.to_string(),
    }
}

fn owner(meeting: &Meeting, version: &Version) -> Option<usize> {
    version.by.map(|tx| meeting.play.owner(tx))
}

/// Which version of a row a program would see now; none if it is over.
fn seen(meeting: &Meeting, who: usize, row: &Row) -> Option<usize> {
    let session = &meeting.play.sessions[who];
    (!session.is_over()).then(|| meeting.play.db.sees(session.tx, row))?
}

/// Lines from the two programs to the versions that they see.
fn eyes(meeting: &Meeting, placed: &Placed, scene: &mut Scene) {
    if above(scene) {
        return;
    }
    let rows = meeting.play.db.rows();
    let ends = [0, rows.len().saturating_sub(1)];
    for who in 0..2 {
        let Some(row) = rows.get(ends[who]) else {
            continue;
        };
        let column = column(meeting, placed, ends[who]);
        let Some(version) = seen(meeting, who, row) else {
            continue;
        };
        let Some(card) = card(column, row.versions.len(), version) else {
            continue;
        };
        let from = placed.of(lane(who));
        let (a, b) = match who {
            0 => (
                pt(from.x + from.w, from.y + 22.0),
                pt(column.x, card.centre().y),
            ),
            _ => (
                pt(from.x, from.y + 22.0),
                pt(column.x + column.w, card.centre().y),
            ),
        };
        let curve = Curve::across(a, b);
        let value = value(meeting, &row.versions[version], scene);
        let part = PartId::nth("eye", who as u16 + 1);
        let mut pencil = scene.link(part, curve.frame(), value);
        pencil.dashed_line(curve.d(), INKS[who], 1.5);
    }
}

/// The letter of a row.
fn letter(id: Id) -> Arg {
    Arg::Word(match id {
        1 => "nth.1",
        2 => "nth.2",
        _ => "nth.3",
    })
}

/// The words of a step, the longest first.
fn words(meeting: &Meeting, step: Step, scene: &Scene) -> Vec<String> {
    let name = letter;
    let amount = |n: i64| Arg::Count(n.abs());
    let mut texts = Vec::new();
    let mut say = |word: &str, args: &[Arg]| texts.push(scene.say(word, args));
    match step {
        Step::Run(Statement::Read(Where::Id(id))) => say("step.reads", &[name(id)]),
        Step::Run(Statement::ReadForUpdate(Where::Id(id))) => {
            say("step.locks", &[name(id)]);
            say("step.locks.short", &[name(id)]);
        }
        Step::Run(Statement::ReadForUpdate(_)) => {
            say("step.locks-all", &[]);
            say("step.counts.short", &[]);
        }
        Step::Run(Statement::Read(_)) => {
            let [long, short] = match meeting.knobs.scenario {
                Pair::Doctors => ["step.counts-doctors", "step.counts.short"],
                Pair::NewRow => ["step.counts", "step.counts.short"],
                _ => ["step.reads-all", "step.reads-all.short"],
            };
            say(long, &[]);
            say(short, &[]);
        }
        Step::Run(Statement::Update(Where::Id(id), Set::Add(more))) => {
            let word = if more < 0 { "step.less" } else { "step.more" };
            say(word, &[name(id), amount(more)]);
            say("step.changes.short", &[name(id)]);
        }
        Step::Run(Statement::Insert(id, _)) => {
            say("step.adds", &[name(id)]);
            say("step.adds.short", &[]);
        }
        Step::Put { id, add, checked } => {
            let word = if checked {
                "step.checked"
            } else {
                "step.writes"
            };
            say(word, &[name(id), amount(add)]);
            say("step.writes.short", &[name(id)]);
        }
        Step::Leave { .. } => {
            say("step.leaves", &[]);
            say("step.leaves.short", &[]);
        }
        Step::Abort => say("step.aborts", &[]),
        _ => say("step.commits", &[]),
    }
    texts
}

/// What came of a step, in a few letters.
fn result(meeting: &Meeting, did: &Did, scene: &Scene) -> String {
    let doctors = meeting.knobs.scenario == Pair::Doctors;
    match did {
        Did::Read(rows) | Did::Wrote(rows) if !doctors && rows.len() == 1 => {
            rows[0].1.value.to_string()
        }
        Did::Read(rows) => rows.len().to_string(),
        Did::Wrote(rows) if doctors => {
            scene.say(if rows.is_empty() { "stays" } else { "off" }, &[])
        }
        _ => String::new(),
    }
}

/// How a program stands: words, ink, border.
fn standing(meeting: &Meeting, who: usize, scene: &Scene) -> (Vec<String>, Ink, Ink) {
    let session = &meeting.play.sessions[who];
    let say = |word: &str, args: &[Arg]| scene.say(word, args);
    match &session.phase {
        Phase::Committed => (vec![say("is.committed", &[])], Ink::Ok, Ink::Ok),
        Phase::RolledBack => (
            vec![say("is.rolled-back", &[])],
            Ink::Secondary,
            Ink::LineStrong,
        ),
        Phase::Waits => {
            let whom = meeting.play.db.waits_for(session.tx);
            let whom = whom.first().map_or(0, |tx| meeting.play.owner(*tx));
            let long = say("is.waits", &[Arg::Part(lane(whom))]);
            (vec![long, say("is.waits.short", &[])], Ink::Warn, Ink::Warn)
        }
        Phase::Refused(reason) => {
            let mysql = meeting.knobs.database as usize == 1;
            let code = match reason {
                Some(Reason::Deadlock) if mysql => "is.error-1213",
                Some(Reason::Deadlock) => "is.error-40p01",
                Some(_) => "is.error-40001",
                None => "is.gave-up",
            };
            (
                vec![say(code, &[]), say("is.refused", &[])],
                Ink::Bad,
                Ink::Bad,
            )
        }
        Phase::Ready if session.refused > 0 => {
            let long = say("is.again", &[]);
            (vec![long, String::new()], Ink::Warn, Ink::Accent)
        }
        Phase::Ready => {
            let next = is_next(meeting, who);
            let snapshot = meeting.play.db.has_snapshot(session.tx);
            let word = match (session.at, snapshot) {
                (0, _) => "is.ready",
                (_, true) => "is.snapshot",
                _ => "is.open",
            };
            let border = if next { Ink::Accent } else { Ink::LineStrong };
            (vec![say(word, &[]), String::new()], Ink::Secondary, border)
        }
    }
}

fn is_next(meeting: &Meeting, who: usize) -> bool {
    meeting.mode == Mode::Order && meeting.turns().get(meeting.slot) == Some(&who)
}

/// A program: its steps from top to bottom.
fn program(meeting: &Meeting, who: usize, rect: Rect, scene: &mut Scene) {
    let session = &meeting.play.sessions[who];
    let name = scene.name(lane(who));
    let (status, ink, border) = standing(meeting, who, scene);
    let next = is_next(meeting, who);
    let steps: Vec<(Vec<String>, String)> = session
        .program
        .iter()
        .enumerate()
        .map(|(n, step)| {
            let did = session.did.get(n).map(|did| result(meeting, did, scene));
            (words(meeting, *step, scene), did.unwrap_or_default())
        })
        .collect();
    let mut spoken = status[0].clone();
    for (texts, result) in &steps[..session.did.len().min(steps.len())] {
        spoken += "; ";
        spoken += &texts[0];
        if !result.is_empty() {
            spoken += ": ";
            spoken += result;
        }
    }
    let mut pencil = scene.thing(lane(who), rect, spoken);
    figures(&mut pencil, session);
    let width = if border == Ink::LineStrong { 1.5 } else { 2.0 };
    pencil.bordered(rect, 12.0, Ink::Card, border, width);
    pencil.bold(
        pt(rect.x + 12.0, rect.y + 24.0),
        15.0,
        INKS[who.min(2)],
        name,
    );
    let right = rect.x + rect.w - 12.0;
    let status = fitting(&status, 12.0, true, rect.w - 54.0);
    ending(
        &mut pencil,
        pt(right, rect.y + 23.0),
        12.0,
        true,
        ink,
        status,
    );
    let top = rect.y + 40.0;
    let pitch = STEP
        .max((rect.h - 46.0) / session.program.len() as f32)
        .min(48.0);
    for (n, (texts, result)) in steps.into_iter().enumerate() {
        let y = top + pitch * n as f32 + 10.0;
        let here = n == session.at && !session.is_over();
        let failed = matches!(session.did.get(n), Some(Did::Refused(_)));
        let done = n < session.did.len();
        let (glyph, ink) = match (failed, done, here) {
            (true, ..) => (Glyph::Failure, Ink::Bad),
            (_, true, _) => (Glyph::Request, Ink::Ok),
            (.., true) if session.phase == Phase::Waits => (Glyph::Response, Ink::Warn),
            (.., true) if next => (Glyph::Response, Ink::Accent),
            (.., true) => (Glyph::Response, Ink::Mark),
            _ => (Glyph::Response, Ink::LineStrong),
        };
        pencil.mark(glyph, pt(rect.x + 19.0, y), 5.0, ink);
        let room = rect.w - 46.0 - if result.is_empty() { 0.0 } else { 30.0 };
        let text = fitting(&texts, 12.5, here, room);
        let at = pt(rect.x + 32.0, y + 4.5);
        match (here, done) {
            (true, _) => pencil.bold(at, 12.5, Ink::Ink, text),
            (_, true) => pencil.text(at, 12.5, Ink::Ink, text),
            _ => pencil.text(at, 12.5, Ink::Secondary, text),
        };
        ending(
            &mut pencil,
            pt(right, y + 4.5),
            13.0,
            true,
            Ink::Ink,
            result,
        );
    }
}

fn figures(pencil: &mut Pencil<'_>, session: &Session) {
    let flag = |is: bool| f64::from(u8::from(is));
    pencil
        .figure("committed", flag(session.phase == Phase::Committed))
        .figure("refused", flag(matches!(session.phase, Phase::Refused(_))))
        .figure("waits", flag(session.phase == Phase::Waits));
    let values: Vec<i64> = session
        .reads
        .iter()
        .flat_map(|(_, rows)| rows)
        .map(|one| one.1)
        .collect();
    if let Some(read) = values.first() {
        pencil
            .figure("read", *read as f64)
            .figure("sum", values.iter().sum::<i64>() as f64);
    }
}

/// What came out, and what one after the other gives, where a number tells.
fn contrast(meeting: &Meeting) -> Option<(&'static str, i64, i64)> {
    let found = sum(&meeting.play);
    let read = || {
        let reads = meeting.play.sessions[0].reads.iter();
        let values = reads.flat_map(|(_, rows)| rows).map(|(_, value)| value);
        values.sum::<i64>()
    };
    match meeting.knobs.scenario {
        Pair::Withdrawals if found != meeting.serial => {
            Some(("verdict.money", found, meeting.serial))
        }
        Pair::Doctors => Some(("verdict.doctors", found, meeting.serial)),
        Pair::Report => Some(("verdict.report", read(), meeting.serial)),
        _ => None,
    }
}

/// Whose turns come in which order.
fn order(meeting: &Meeting, rect: Rect, scene: &mut Scene) {
    let turns = meeting.turns();
    let count = |n: usize| Arg::Count(n as i64);
    let word = match meeting.mode {
        Mode::Hand => "by-hand.order",
        _ => "order",
    };
    let title = match meeting.known() {
        Some(order) => scene.say(word, &[count(order + 1), count(meeting.orders.len())]),
        None => scene.say("by-hand", &[]),
    };
    let verdict = meeting.verdict.map(|verdict| match verdict {
        Verdict::Right => (
            ["verdict.right", "verdict.right.short"],
            Ink::OkSoft,
            Ink::Ok,
        ),
        Verdict::Refused => (
            ["verdict.refused", "verdict.refused.short"],
            Ink::WarnSoft,
            Ink::Warn,
        ),
        Verdict::Wrong => (
            ["verdict.wrong", "verdict.wrong.short"],
            Ink::BadSoft,
            Ink::Bad,
        ),
    });
    let mut said: Option<Vec<String>> =
        verdict.map(|(words, ..)| words.iter().map(|word| scene.say(word, &[])).collect());
    if let (Some(said), Some(Verdict::Wrong)) = (&mut said, meeting.verdict)
        && let Some((word, found, serial)) = contrast(meeting)
    {
        let numbers = [Arg::Count(found), Arg::Count(serial)];
        said.insert(0, scene.say(word, &numbers));
    }
    let spoken = match &said {
        Some(said) => format!("{title}: {}", said[0]),
        None => title.clone(),
    };
    let names = [0, 1].map(|who| scene.name(lane(who)));
    let mut pencil = scene.thing(ORDER, rect, spoken);
    let wrong = meeting.verdict == Some(Verdict::Wrong);
    pencil.figure("wrong", f64::from(u8::from(wrong)));
    // What was taken by hand can be long: the latest count.
    let turns = &turns[turns.len().saturating_sub(8)..];
    let pitch = (rect.w / turns.len().max(1) as f32).min(27.0);
    let w = pitch * turns.len() as f32;
    let beside = rect.w - w >= text::width(&title, 12.0, false) + 8.0;
    let left = if beside {
        rect.x + rect.w - w
    } else {
        rect.x + (rect.w - w) / 2.0
    };
    if beside {
        pencil.text(pt(rect.x, rect.y + 15.0), 12.0, Ink::Secondary, title);
    }
    for (n, who) in turns.iter().enumerate() {
        let chip = Rect::new(left + pitch * n as f32, rect.y, pitch - 3.0, 21.0);
        let ended = meeting.verdict.is_some() || meeting.mode == Mode::Hand;
        let over = n < meeting.slot || ended;
        let next = n == meeting.slot && !over;
        let (ground, border) = match (over, next) {
            (true, _) => (Ink::Rail, Ink::LineStrong),
            (_, true) => (Ink::Card, Ink::Accent),
            _ => (Ink::Card, Ink::Line),
        };
        pencil.bordered(chip, 6.0, ground, border, if next { 2.0 } else { 1.0 });
        let ink = if over { Ink::Secondary } else { INKS[*who] };
        let name = names[*who].as_str();
        pencil.centred(pt(chip.centre().x, chip.y + 15.0), 11.5, true, ink, name);
    }
    if let (Some(said), Some((_, ground, ink))) = (said, verdict) {
        let text = fitting(&said, 12.0, true, rect.w - 18.0);
        pill(
            &mut pencil,
            pt(rect.centre().x, rect.y + 37.0),
            text,
            ground,
            ink,
        );
    }
}

/// A row: its versions, newest on top, and who sees which.
fn stack(meeting: &Meeting, n: usize, column: Rect, scene: &mut Scene) {
    let one = &meeting.play.db.rows()[n];
    let id = row(one.id);
    let title = match meeting.knobs.scenario {
        Pair::Doctors => "doctor",
        _ => "account",
    };
    let name = scene.say(title, &[letter(one.id)]);
    let db = &meeting.play.db;
    let mut texts = Vec::new();
    for version in one.versions.iter().rev() {
        let by = owner(meeting, version);
        let who = by.map(|who| scene.name(lane(who)));
        let value = value(meeting, version, scene);
        texts.push((value, who, db.is_committed(version)));
    }
    let open = [
        scene.say("not-committed", &[]),
        scene.say("not-committed.short", &[]),
        String::new(),
    ];
    let locked = db.holders(one.id);
    let locked: Vec<String> = locked
        .iter()
        .map(|tx| scene.name(lane(meeting.play.owner(*tx))))
        .collect();
    let lock = match locked[..] {
        [] => String::new(),
        _ => scene.say("locked", &[]) + " " + &locked.join(" "),
    };
    let mut spoken: Vec<String> = Vec::new();
    for (value, who, committed) in &texts {
        let mut text = value.clone();
        if let Some(who) = who {
            text += " ";
            text += who;
        }
        if !committed {
            text += " ";
            text += &open[0];
        }
        spoken.push(text);
    }
    spoken.push(lock.clone());
    spoken.retain(|text| !text.is_empty());
    let names: Vec<String> = (0..meeting.play.sessions.len())
        .map(|who| scene.name(lane(who)))
        .collect();
    let mut pencil = scene.thing(id, column, spoken.join(", "));
    let committed = meeting.value(one.id).unwrap_or(0);
    pencil
        .figure("value", committed as f64)
        .figure("versions", one.versions.len() as f64);
    pencil.bordered(column, 10.0, Ink::Card, Ink::Line, 1.0);
    pencil.bold(
        pt(column.x + 10.0, column.y + 18.0),
        12.5,
        Ink::Ink,
        name.as_str(),
    );
    if !lock.is_empty() {
        let room = column.w - 22.0 - text::width(&name, 12.5, true) - 18.0;
        let text = fitting(&[lock, locked.join(" ")], 11.5, true, room);
        let w = text::width(&text, 11.5, true);
        let right = column.x + column.w - 9.0;
        pencil.mark(
            Glyph::Response,
            pt(right - w - 9.0, column.y + 14.0),
            4.5,
            Ink::Warn,
        );
        ending(
            &mut pencil,
            pt(right, column.y + 18.0),
            11.5,
            true,
            Ink::Warn,
            text,
        );
    }
    let versions = one.versions.len();
    for (below, (value, who, committed)) in texts.iter().enumerate() {
        let version = versions - 1 - below;
        let Some(rect) = card(column, versions, version) else {
            break;
        };
        if *committed {
            pencil.bordered(rect, 6.0, Ink::Paper, Ink::LineStrong, 1.0);
        } else {
            pencil.dashed(rect, 6.0, Ink::WarnSoft, Ink::Warn, 1.5);
        }
        let y = rect.y + 20.5;
        let ink = if below == 0 { Ink::Ink } else { Ink::Secondary };
        let inset = if column.w < TIGHT { 5.0 } else { 8.0 };
        pencil.bold(pt(rect.x + inset, y), 15.0, ink, value.as_str());
        let room = rect.w - 20.0 - text::width(value, 15.0, true);
        let who = who.clone().unwrap_or_default();
        let mut says = vec![who.clone(), String::new()];
        if !committed {
            says = vec![
                format!("{who} · {}", open[0]),
                format!("{who} · {}", open[1]),
                who,
                String::new(),
            ];
        }
        let text = fitting(&says, 11.5, false, room);
        ending(
            &mut pencil,
            pt(rect.x + rect.w - 7.0, y),
            11.5,
            false,
            Ink::Secondary,
            text,
        );
    }
    for (who, name) in names.iter().enumerate() {
        let Some(rect) =
            seen(meeting, who, one).and_then(|version| card(column, versions, version))
        else {
            continue;
        };
        sight(&mut pencil, meeting, who, name, rect, aside(column));
    }
}

/// Who sees a version, beside its card; a snapshot that stays where it was taken has a bracket.
fn sight(
    pencil: &mut Pencil<'_>,
    meeting: &Meeting,
    who: usize,
    name: &str,
    card: Rect,
    aside: f32,
) {
    let right = who == 1;
    let x = if right {
        card.x + card.w + 0.5 * aside + 1.0
    } else {
        card.x - 0.5 * aside - 1.0
    };
    let y = card.centre().y + if who == THIRD { 13.0 } else { 4.0 };
    pencil.centred(pt(x, y), 11.0, true, INKS[who.min(2)], name);
    let tx = meeting.play.sessions[who].tx;
    if meeting.play.db.has_snapshot(tx) && who < THIRD {
        let (edge, back) = match right {
            true => (card.x + card.w + 5.0, -3.0),
            false => (card.x - 5.0, 3.0),
        };
        let d = format!(
            "M{} {}h{}v{}h{}",
            tenths(edge + back),
            tenths(card.y - 1.0),
            tenths(-back),
            tenths(card.h + 2.0),
            tenths(back)
        );
        pencil.line(d, INKS[who], 2.0);
    }
}

/// Every order at every level.
fn matrix(meeting: &Meeting, knobs: &Settings, rect: Rect, scene: &mut Scene) {
    let narrow = scene.narrow();
    let orders = meeting.orders.len();
    let count = |n: usize| Arg::Count(n as i64);
    let title = scene.say("matrix", &[count(orders)]);
    let rows: Vec<(String, Vec<String>)> = Level::ALL
        .iter()
        .map(|level| {
            let name = scene.say(LEVELS[*level as usize], &[]);
            let [right, wrong, refused] = [Verdict::Right, Verdict::Wrong, Verdict::Refused]
                .map(|verdict| count(meeting.count(*level, verdict)));
            let counts = match (meeting.shown, refused) {
                (0, _) => vec![String::new()],
                (_, Arg::Count(0)) => vec![
                    scene.say("counts", &[right, wrong]),
                    scene.say("counts.wrong", &[right, wrong]),
                ],
                (_, _) => vec![
                    scene.say("counts.all", &[right, wrong, refused]),
                    scene.say("counts.short", &[right, wrong, refused]),
                ],
            };
            (name, counts)
        })
        .collect();
    let here = knobs.level as usize;
    let none = scene.say("not-played", &[]);
    let at_level = match meeting.shown {
        0 => &none,
        _ => &rows[here].1[0],
    };
    let spoken = format!("{title} {}: {at_level}", rows[here].0);
    let mut pencil = scene.thing(MATRIX, rect, spoken);
    if meeting.shown > 0 {
        pencil
            .figure("right", meeting.here(Verdict::Right) as f64)
            .figure("wrong", meeting.here(Verdict::Wrong) as f64)
            .figure("refused", meeting.here(Verdict::Refused) as f64);
    }
    panel(&mut pencil, rect, title);
    let (label, tail) = match narrow {
        true => (10.0, 10.0),
        false if rect.w < 700.0 => (130.0, 122.0),
        false => (136.0, 196.0),
    };
    let pitch = ((rect.w - label - tail) / 20.0).min(28.0);
    let row_h = if narrow { 36.0 } else { 23.0 };
    let r = (pitch / 2.0 - 1.8).clamp(4.0, 6.0);
    let mut dots = Vec::new();
    for (n, (name, counts)) in rows.iter().enumerate() {
        let top = rect.y + 24.0 + row_h * n as f32;
        let base = top + if narrow { 13.0 } else { 16.0 };
        let band = Rect::new(rect.x + 4.0, top, rect.w - 8.0, row_h - 1.0);
        if n == here {
            pencil.filled(band, 6.0, Ink::AccentSoft);
            pencil.bold(pt(rect.x + 10.0, base), 12.0, Ink::Ink, name.as_str());
        } else {
            pencil.text(pt(rect.x + 10.0, base), 12.0, Ink::Secondary, name.as_str());
        }
        let room = if narrow { rect.w - 140.0 } else { tail - 18.0 };
        let counted = fitting(counts, 12.0, n == here, room);
        let ink = if n == here { Ink::Ink } else { Ink::Secondary };
        ending(
            &mut pencil,
            pt(rect.x + rect.w - 10.0, base),
            12.0,
            n == here,
            ink,
            counted,
        );
        let y = if narrow { top + 25.0 } else { top + 11.5 };
        for order in 0..orders {
            let p = pt(rect.x + label + pitch * (order as f32 + 0.5), y);
            let marked = n == here && meeting.known() == Some(order);
            if marked {
                let ring = Rect::new(p.x - r - 3.0, p.y - r - 3.0, 2.0 * r + 6.0, 2.0 * r + 6.0);
                pencil.bordered(ring, 4.0, Ink::None, Ink::Accent, 2.0);
            }
            if order < meeting.shown || marked && meeting.verdict.is_some() {
                dots.push((p, n, order));
            } else {
                pencil.mark(Glyph::Request, p, 2.0, Ink::LineStrong);
            }
        }
    }
    // As things of their own, so that each can be picked and played.
    for (p, level, order) in dots {
        let (glyph, ink) = match meeting.verdicts[level].get(order) {
            Some(Verdict::Right) => (Glyph::Request, Ink::Ok),
            Some(Verdict::Refused) => (Glyph::Response, Ink::Warn),
            _ => (Glyph::Failure, Ink::Bad),
        };
        scene.particle(p, r, glyph, ink, order as u32 + 1);
    }
}

/// How a crowd fares.
fn crowd(meeting: &Meeting, knobs: &Settings, rect: Rect, scene: &mut Scene) {
    let crowd = meeting.crowd;
    let count = |n: u32| Arg::Count(n.into());
    let who = scene.say("crowd", &[count(knobs.crowd), count(knobs.accounts)]);
    let did = scene.say(
        "crowd.did",
        &[count(crowd.done), count(crowd.lost), count(crowd.refused)],
    );
    let narrow = scene.narrow();
    let share = 100.0 * f64::from(crowd.lost) / f64::from(crowd.done.max(1));
    let did = format!("{did} ({} %)", text::fixed(share, 1));
    let mut pencil = scene.thing(CROWD, rect, format!("{who}: {did}"));
    pencil
        .figure("lost", crowd.lost.into())
        .figure("done", crowd.done.into());
    pencil.bordered(rect, 8.0, Ink::Card, Ink::Line, 1.0);
    let room = if narrow {
        rect.w - 20.0
    } else {
        (rect.w - 30.0) / 2.0
    };
    let y = rect.y + 17.5;
    let who = fitting(&[who], 12.0, false, room);
    pencil.text(pt(rect.x + 10.0, y), 12.0, Ink::Secondary, who);
    let did = fitting(&[did], 12.0, false, room);
    let ink = Ink::Secondary;
    match narrow {
        true => pencil.text(pt(rect.x + 10.0, y + 16.0), 12.0, ink, did),
        false => {
            ending(
                &mut pencil,
                pt(rect.x + rect.w - 10.0, y),
                12.0,
                false,
                ink,
                did,
            );
            &mut pencil
        }
    };
}

/// What is read goes from the row to the program, what is written from the program to the row.
fn flights(meeting: &Meeting, placed: &Placed, at: Time, scene: &mut Scene) {
    let share = at.since(meeting.flown_at).as_s() / FLIGHT.as_s();
    if share >= 1.0 {
        return;
    }
    let share = share as f32;
    let rows = meeting.play.db.rows();
    for flight in &meeting.flights {
        let Some(n) = rows.iter().position(|row| row.id == flight.row) else {
            continue;
        };
        let column = column(meeting, placed, n);
        let lane = placed.of(lane(flight.who));
        let end = pt(column.centre().x, column.y + HEAD + CARD_H / 2.0);
        let start = match flight.who {
            _ if above(scene) => pt(lane.centre().x, lane.y + lane.h),
            0 => lane.right(),
            1 => lane.left(),
            _ => lane.top(),
        };
        let curve = match above(scene) || flight.who == THIRD {
            true => Curve::down(start, end),
            false => Curve::across(start, end),
        };
        let (p, glyph, ink) = match flight.writes {
            true => (curve.at(share), Glyph::Request, Ink::Accent),
            false => (curve.at(1.0 - share), Glyph::Response, Ink::Hit),
        };
        scene.particle(p, DOT, glyph, ink, 0);
    }
}
