//! The stage: pages, and the gates that their words pass on their way to the index.

use super::model::{GATES, INDEX, PAGES, QUERY, RESULTS, Search};
use super::searcher::{Op, What};
use super::settings::Settings;
use super::{terms, walk};
use algorithms::text_analysis::{Passage, Stem, words};
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::{self, tenths};
use engine::{Arg, Glyph, Ink, Scene, Time};
use kit::figures::label::fitting;
use kit::figures::{DOT, panel};
use kit::layout::{Placed, Slot, Span, lay, part, space};

/// The height of lines, and of lesser letters.
const LINE: f32 = 14.5;
const SMALL: f32 = 11.5;

fn count(n: impl Into<i64>) -> Arg {
    Arg::Count(n.into())
}

pub(super) fn draw(search: &Search, _: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let wide = Span::rest(210.0, 1.0);
    let stage = if narrow {
        Slot::Column(vec![
            Slot::Row(vec![
                part(PAGES, Span::rest(128.0, 1.0), (182.0, 190.0)),
                space(8.0),
                part(GATES, (122.0, 150.0), (182.0, 190.0)),
            ]),
            space(8.0),
            part(INDEX, wide, (152.0, 208.0)),
            space(8.0),
            part(QUERY, wide, (150.0, 168.0)),
            space(8.0),
            part(RESULTS, wide, (90.0, 148.0)),
        ])
    } else {
        Slot::Column(vec![
            Slot::Row(vec![
                part(PAGES, (150.0, 236.0), (200.0, 262.0)),
                space(12.0),
                part(GATES, (128.0, 164.0), (200.0, 262.0)),
                space(12.0),
                part(INDEX, wide, (200.0, 262.0)),
            ]),
            space(12.0),
            Slot::Row(vec![
                part(QUERY, Span::rest(330.0, 3.0), (140.0, 160.0)),
                space(12.0),
                part(RESULTS, (196.0, 250.0), (140.0, 160.0)),
            ]),
        ])
    };
    let placed = lay(scene, &stage);
    pages(search, at, &placed, scene);
    let falls = gates(search, at, &placed, scene);
    let rows = terms::index(search, &placed, scene);
    let boxes = walk::query(search, &placed, scene);
    walk::results(search, &placed, scene);
    word(search, at, &placed, &rows, falls, scene);
    walk::fingers(search, at, &boxes, scene);
}

/// The page that is open, and its word that goes through the gates.
fn open(search: &Search) -> Option<(u32, Option<u32>)> {
    match search.step()?.what {
        What::Word(page, word) => Some((page, Some(word))),
        What::Pages(page) | What::Read(page) => Some((page, None)),
        _ => None,
    }
}

fn pages(search: &Search, at: Time, placed: &Placed, scene: &mut Scene) {
    let r = placed.of(PAGES);
    let corpus = &search.craft.corpus;
    let (reached, _) = search.reached();
    let all = corpus.count;
    let open = open(search);
    let frontier = all.min(2 * search.fetched + 1) - search.fetched;
    let read = match search.bench.hand(0).op {
        Some(Op::Ask(..)) => search.step().map_or(0, |step| step.cost.pages),
        _ => search.last.as_ref().map_or(0, |last| last.cost.pages),
    };
    let state = match (open, read) {
        _ if frontier > 0 => scene.say("frontier", &[count(frontier)]),
        (_, 1..) => scene.say("read", &[count(read), count(all)]),
        (Some(_), _) => scene.say("indexing", &[count(reached), count(all)]),
        _ => scene.say("closed", &[count(all)]),
    };
    let gone = scene.say("deleted", &[]);
    let title = scene.name(PAGES);
    let mut pencil = scene.thing(PAGES, r, state.clone());
    pencil
        .figure("pages", f64::from(all))
        .figure("read", f64::from(read));
    panel(&mut pencil, r, title);
    let foot = fitting(&[state], SMALL, false, r.w - 20.0);
    let ink = if read > 0 { Ink::Warn } else { Ink::Secondary };
    pencil.text(pt(r.x + 10.0, r.y + r.h - 9.0), SMALL, ink, foot);
    let area = Rect::new(r.x + 8.0, r.y + 24.0, r.w - 16.0, r.h - 48.0);
    if all > 8 {
        let share = if read > 0 { read } else { reached } as f32 / all as f32;
        let ink = if read > 0 { Ink::Warn } else { Ink::Hit };
        pencil.meter(
            Rect::new(area.x, r.y + r.h - 30.0, area.w, 5.0),
            share,
            ink,
            false,
        );
    }
    let here = open.map_or_else(
        || {
            search
                .last
                .as_ref()
                .and_then(|last| Some(last.top.first()?.0))
                .unwrap_or(1)
        },
        |(page, _)| page,
    );
    let room = if all > 8 { area.h - 12.0 } else { area.h };
    let shown = all
        .min((room / 20.0) as u32)
        .min(if all > 8 { 6 } else { 8 });
    let first = here.saturating_sub(shown / 2).max(1).min(all + 1 - shown);
    let pitch = room / shown as f32;
    let found = search.last.as_ref().map_or(&[][..], |last| &last.found);
    for page in first..first + shown {
        let y = area.y + pitch * (page - first) as f32;
        let sheet = Rect::new(area.x, y, area.w, pitch - 3.0);
        let (known, opened) = (
            page <= search.fetched,
            open.filter(|(open, _)| *open == page),
        );
        let border = match opened {
            Some(_) => Ink::Accent,
            None if found.binary_search(&page).is_ok() => Ink::Ok,
            None => Ink::Line,
        };
        match known {
            true => pencil.bordered(
                sheet,
                4.0,
                Ink::Card,
                border,
                if border == Ink::Line { 1.0 } else { 2.0 },
            ),
            false => pencil.dashed(sheet, 4.0, Ink::None, Ink::Line, 1.0),
        };
        pencil.bold(
            pt(sheet.x + 6.0, y + 13.0),
            SMALL,
            Ink::Ink,
            page.to_string(),
        );
        let left = sheet.x + 12.0 + text::width(&all.min(9_999).to_string(), SMALL, true);
        let lines = ((sheet.h - 2.0) / LINE).max(1.0) as usize;
        if !known || sheet.h < 14.0 {
            continue;
        }
        if search.craft.deleted == Some(page) {
            pencil.text(pt(left, y + 13.0), SMALL, Ink::Bad, gone.as_str());
            continue;
        }
        let right = sheet.x + sheet.w - 5.0;
        flow(
            &mut pencil,
            &corpus.text(page),
            Rect::new(left, y + 13.0, right - left, lines as f32 * LINE),
            opened.is_some(),
            opened.and_then(|(_, word)| word),
        );
        if opened.is_some() && read > 0 {
            // How far the eye is on this page.
            let share = search.bench.hand(0).share(at);
            pencil.filled(
                Rect::new(sheet.x, y + sheet.h - 2.0, sheet.w * share, 2.0),
                1.0,
                Ink::Warn,
            );
        }
    }
}

/// A page's text, word by word; where it does not fit, it goes with the word that is spoken of.
fn flow(pencil: &mut Pencil<'_>, text: &str, area: Rect, open: bool, word: Option<u32>) {
    let lines = text::wrap(text, SMALL, false, area.w);
    let room = (area.h / LINE) as usize;
    let (mut before, mut at) = (0, 0);
    let ends: Vec<usize> = lines
        .iter()
        .map(|line| {
            before += words(line).count();
            before
        })
        .collect();
    if let Some(word) = word {
        at = ends
            .iter()
            .position(|end| *end >= word as usize)
            .unwrap_or(0);
    }
    let first = (at + 1).saturating_sub(room);
    let ink = if open { Ink::Ink } else { Ink::Secondary };
    for (row, line) in lines.iter().enumerate().skip(first).take(room) {
        let y = area.y + (row - first) as f32 * LINE;
        let cut = row + 1 == first + room && row + 1 < lines.len() && word.is_none();
        // Somebody may have written a word that is wider than a page.
        let line = match cut {
            true => fitting(&[format!("{line} …")], SMALL, false, area.w),
            false => fitting(std::slice::from_ref(line), SMALL, false, area.w),
        };
        if row == at
            && let Some(word) = word
        {
            // Words of this line before the spoken one.
            let start = row.checked_sub(1).map_or(0, |above| ends[above]);
            if let Some(spoken) = words(&line).nth((word as usize).saturating_sub(start + 1)) {
                let from = spoken.as_ptr() as usize - line.as_ptr() as usize;
                let x = area.x + text::width(&line[..from], SMALL, false);
                let w = text::width(spoken, SMALL, false);
                let (from, to, y) = (tenths(x), tenths(x + w), tenths(y + 3.0));
                pencil.line(format!("M{from} {y}H{to}"), Ink::Accent, 2.5);
            }
        }
        pencil.text(pt(area.x, y), SMALL, ink, line);
    }
}

/// What stands in each gate while no word is on its way: the query's words, or the last word indexed that they changed. In the third
/// gate nothing where all were dropped.
fn passed(search: &Search) -> Option<[String; 4]> {
    if search.indexing() {
        return None;
    }
    let Some(asked) = search.asked() else {
        let text = search.craft.corpus.text(search.craft.indexed.max(1));
        // The last one that the gates have changed says most.
        let all = words(&text).map(|word| (word, search.craft.gates.pass(word)));
        let changed = all.filter(|(word, passage)| !passage.dropped && passage.term != *word);
        let (word, Passage { small, term, .. }) = changed.last()?;
        return Some([word.to_owned(), small.clone(), small, term]);
    };
    let mut gates: [String; 4] = Default::default();
    for (word, passage) in &asked.words {
        let kept = if passage.dropped {
            ""
        } else {
            passage.small.as_str()
        };
        for (gate, text) in
            gates
                .iter_mut()
                .zip([*word, passage.small.as_str(), kept, passage.term.as_str()])
        {
            if !gate.is_empty() && !text.is_empty() {
                gate.push(' ');
            }
            gate.push_str(text);
        }
    }
    Some(gates)
}

fn stem_word(stem: Stem) -> &'static str {
    match stem {
        Stem::None => "stem.none",
        Stem::Porter => "stem.porter",
        Stem::Porter2 => "stem.porter2",
        Stem::Lemma => "stem.lemma",
    }
}

/// The four gates; gives where dropped words lie.
fn gates(search: &Search, at: Time, placed: &Placed, scene: &mut Scene) -> Point {
    let r = placed.of(GATES);
    let own = search.craft.gates;
    let raw = search.asked().filter(|asked| asked.raw).is_some();
    let asking = search.craft.asking(false);
    let stop = scene.say(if own.stop { "gate.stop" } else { "gate.kept" }, &[]);
    let names = [
        scene.say("gate.words", &[]),
        scene.say("gate.lower", &[]),
        stop,
        scene.say(stem_word(own.stem), &[]),
    ];
    let mut notice = String::new();
    if raw {
        notice = scene.say("past", &[]);
    } else if search.craft.stale {
        notice = scene.say(
            if asking.stem == Stem::None {
                "stale"
            } else {
                "stale.porter"
            },
            &[],
        );
    }
    let dropped = search.asked().map_or(0, |asked| {
        asked
            .words
            .iter()
            .filter(|(_, passage)| passage.dropped)
            .count()
    });
    let left = scene.say("left-out", &[]);
    let title = scene.name(GATES);
    let mut pencil = scene.thing(GATES, r, format!("{}. {notice}", names.join(", ")));
    pencil
        .figure("dropped", dropped as f64)
        .figure("past", f64::from(u8::from(raw)));
    panel(&mut pencil, r, title);
    let (now, rest) = (search.passing(), passed(search));
    let query = now.as_ref().is_none_or(|(_, _, query)| *query);
    let share = search.bench.hand(0).share(at);
    let foot = if notice.is_empty() { 6.0 } else { 22.0 };
    let pitch = (r.h - 28.0 - foot) / 4.0;
    for (gate, name) in names.iter().enumerate() {
        let y = r.y + 24.0 + pitch * gate as f32;
        let bar = Rect::new(r.x + 8.0, y, r.w - 16.0, pitch - 5.0);
        let passes = now.as_ref().filter(|_| share >= 0.2 * gate as f32);
        let here = passes.is_some() && share < 0.2 * (gate + 1) as f32;
        pencil.bordered(
            bar,
            6.0,
            if here { Ink::AccentSoft } else { Ink::Paper },
            if here { Ink::Accent } else { Ink::Line },
            1.0,
        );
        let name = fitting(std::slice::from_ref(name), 11.0, false, bar.w - 14.0);
        pencil.text(pt(bar.x + 7.0, y + 12.0), 11.0, Ink::Secondary, name);
        let text = match (&now, passes) {
            (None, _) => rest.as_ref().map(|rest| rest[gate].clone()),
            (_, None) => None,
            (_, Some((word, passage, _))) => Some(match gate {
                0 => word.clone(),
                1 => passage.small.clone(),
                2 if passage.dropped => String::new(),
                2 => passage.small.clone(),
                _ => passage.term.clone(),
            }),
        };
        let Some(text) = text.filter(|text| pitch >= 32.0 && (gate == 2 || !text.is_empty()))
        else {
            continue;
        };
        let (text, ink) = match gate {
            _ if raw && query && gate > 0 => (text, Ink::Warn),
            2 if text.is_empty() => (left.clone(), Ink::Warn),
            3 => (text, Ink::Accent),
            _ if now.is_none() => (text, Ink::Secondary),
            _ => (text, Ink::Ink),
        };
        let text = fitting(&[text], 13.5, true, bar.w - 14.0);
        let base = y + (bar.h - 5.0).min(30.0);
        pencil.bold(pt(bar.x + 7.0, base), 13.5, ink, text);
    }
    if !notice.is_empty() {
        let notice = fitting(&[notice], 11.0, true, r.w - 16.0);
        pencil.bold(pt(r.x + 8.0, r.y + r.h - 9.0), 11.0, Ink::Warn, notice);
    }
    pt(r.x + r.w - 18.0, r.y + 24.0 + pitch * 2.5)
}

/// The word on its way: down the gates, and on to the row of its term; or out.
fn word(
    search: &Search,
    at: Time,
    placed: &Placed,
    rows: &[(usize, Point)],
    falls: Point,
    scene: &mut Scene,
) {
    let Some((_, passage, query)) = search.passing() else {
        return;
    };
    let share = search.bench.hand(0).share(at);
    let r = placed.of(GATES);
    let gate = |share: f32| pt(r.x + r.w - 18.0, r.y + 30.0 + (r.h - 60.0) * share);
    if passage.dropped && share > 0.5 {
        let out = pt(falls.x, falls.y + 14.0 * (share - 0.5));
        return scene.particle(out, DOT, Glyph::Failure, Ink::Warn, search.work);
    }
    let target = match query {
        true => Some(placed.of(QUERY).top()),
        false => search
            .craft
            .index
            .find(&passage.term)
            .and_then(|at| rows.iter().find(|(row, _)| *row == at))
            .map(|(_, p)| *p),
    };
    let p = match target {
        Some(target) if share > 0.8 => {
            let (from, on) = (gate(1.0), (share - 0.8) * 5.0);
            pt(
                from.x + (target.x - from.x) * on,
                from.y + (target.y - from.y) * on,
            )
        }
        _ => gate((share / 0.8).min(1.0)),
    };
    scene.particle(p, DOT, Glyph::Message, Ink::Accent, search.work);
}
