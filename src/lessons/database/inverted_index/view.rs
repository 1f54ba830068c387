//! The stage: pages, the gates that their words pass, the index, a query on its way through the lists, and what it found.

use super::corpus;
use super::model::{GATES, INDEX, PAGES, QUERY, RESULTS, Search};
use super::searcher::{Asked, Cost, Op, What};
use super::settings::{Find, Meaning, Rank, Settings};
use algorithms::text_analysis::{Passage, Stem, words};
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::{self, tenths};
use engine::{Arg, Glyph, Ink, Scene, Time};
use kit::figures::label::{ending, fitting};
use kit::figures::{DOT, panel};
use kit::layout::{Placed, Slot, Span, lay, part, space};

/// Heights of lines.
const LINE: f32 = 14.5;
const ROW: f32 = 18.0;
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
                part(PAGES, Span::rest(128.0, 1.0), (172.0, 190.0)),
                space(8.0),
                part(GATES, (122.0, 150.0), (172.0, 190.0)),
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
    let rows = index(search, &placed, scene);
    let boxes = query(search, &placed, scene);
    results(search, &placed, scene);
    word(search, at, &placed, &rows, falls, scene);
    fingers(search, at, &boxes, scene);
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
        let line = if cut {
            fitting(&[format!("{line} …")], SMALL, false, area.w)
        } else {
            line.clone()
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

/// The word in the gates, if there is one, as it came and as it goes; whether it is a query's.
fn passing(search: &Search) -> Option<(String, Passage, bool)> {
    match search.step()?.what {
        What::Word(page, word) => {
            let text = search.craft.corpus.text(page);
            let word = words(&text).nth(word as usize - 1)?;
            Some((word.to_owned(), search.craft.gates.pass(word), false))
        }
        What::Asked(word) => {
            let (word, passage) = search.craft.asked.as_ref()?.words.get(word)?.clone();
            Some((word.to_owned(), passage, true))
        }
        _ => None,
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
    let (now, rest) = (passing(search), passed(search));
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

/// The sorted terms with their lists; gives where each shown row stands.
fn index(search: &Search, placed: &Placed, scene: &mut Scene) -> Vec<(usize, Point)> {
    let r = placed.of(INDEX);
    let index = &*search.craft.index;
    let (reached, word) = search.reached();
    let there = |page: u32, position: u32| page < reached || page == reached && position <= word;
    // A list is there as far as the hand has come.
    let begun = |at: usize| {
        let list = index.list(at);
        let first = list.pages().first().copied().unwrap_or(0);
        list.pages().is_empty() || there(first, list.positions(0)[0])
    };
    let known: Vec<usize> = (0..index.terms().len()).filter(|at| begun(*at)).collect();
    let whole = reached >= search.craft.indexed && word == u32::MAX;
    let postings = match whole {
        true => index.tokens(),
        false => (0..index.terms().len())
            .map(|at| {
                let list = index.list(at);
                let pages = list
                    .pages()
                    .iter()
                    .enumerate()
                    .take_while(|(_, page)| **page <= reached);
                pages
                    .map(|(place, page)| {
                        list.positions(place)
                            .iter()
                            .filter(|position| there(*page, **position))
                            .count()
                    })
                    .sum::<usize>()
            })
            .sum(),
    };
    let asked = search.asked();
    let range = asked.and_then(|asked| asked.range.clone());
    // What the row in the middle is about.
    let about = match (passing(search), search.step()) {
        (Some((_, passage, false)), _) => index.find(&passage.term),
        (_, Some(step)) => match step.what {
            What::Term(at) => Some(at),
            _ => asked.and_then(|asked| asked.lists.first().copied()),
        },
        _ => asked.and_then(|asked| {
            let own = |(word, _): &(&str, Passage)| index.find(&search.craft.gates.pass(word).term);
            let first = asked.lists.first().copied();
            first.or_else(|| asked.words.iter().find_map(own))
        }),
    };
    // What a reader may have looked for: what the pages' own gates make of a word that went past them, and what goes on where a
    // term ends.
    let near = |term: &str| {
        let last = search.last.as_deref().filter(|last| last.range.is_none());
        let mut asked = last.iter().flat_map(|last| &last.words);
        asked.any(|(word, passage)| {
            let own = search.craft.gates.pass(word).term;
            let goes_on = passage.term.len() > 3 && term.starts_with(&passage.term);
            own == term && own != passage.term || goes_on && term != passage.term
        })
    };
    let bits = search.craft.settings.find == Find::Bits && search.craft.indexed <= 12;
    let heads = [
        scene.say("term", &[]),
        scene.say("df", &[]),
        scene.say(if bits { "bits" } else { "postings" }, &[]),
    ];
    let sizes = scene.say(
        "sizes",
        &[count(known.len() as i64), count(postings as i64)],
    );
    let title = scene.name(INDEX);
    let mut pencil = scene.thing(INDEX, r, sizes.clone());
    pencil
        .figure("terms", known.len() as f64)
        .figure("postings", postings as f64)
        .figure(
            "begin",
            range.as_ref().map_or(0, |range| range.len()) as f64,
        );
    let beside = text::width(&title, 12.0, true) + 18.0;
    panel(&mut pencil, r, title);
    ending(
        &mut pencil,
        pt(r.x + r.w - 10.0, r.y + 17.0),
        SMALL,
        false,
        Ink::Secondary,
        fitting(&[sizes], SMALL, false, r.w - beside - 10.0),
    );
    let (left, top) = (r.x + 12.0, r.y + 34.0);
    let (df_x, box_x) = (left + 92.0, left + 104.0);
    pencil.text(pt(left, top), 11.0, Ink::Secondary, heads[0].as_str());
    let df_head = text::width(&heads[1], 11.0, false);
    pencil.text(
        pt(df_x - df_head.min(40.0), top),
        11.0,
        Ink::Secondary,
        heads[1].as_str(),
    );
    pencil.text(
        pt(box_x + 6.0, top),
        11.0,
        Ink::Secondary,
        fitting(&[heads[2].clone()], 11.0, false, r.x + r.w - box_x - 20.0),
    );
    let room = ((r.h - 46.0) / ROW) as usize;
    let here = about
        .and_then(|at| known.iter().position(|known| *known == at))
        .unwrap_or(0);
    let first = here
        .saturating_sub(room / 2)
        .min(known.len().saturating_sub(room));
    let fresh = match search.step().map(|step| step.what) {
        Some(What::Word(page, word)) => Some((page, word)),
        _ => None,
    };
    let right = r.x + r.w - 16.0;
    let mut rows = Vec::new();
    for (row, at) in known.iter().enumerate().skip(first).take(room) {
        let y = top + 6.0 + ROW * (row - first) as f32;
        let base = y + 13.0;
        let list = index.list(*at);
        let looked = about == Some(*at) && search.step().is_some();
        let used = asked.is_some_and(|asked| asked.lists.contains(at)) && !search.indexing();
        let missed = near(&index.terms()[*at]);
        let ink = match (used || looked, missed) {
            (true, _) => Ink::Accent,
            (_, true) => Ink::Warn,
            _ => Ink::Ink,
        };
        if missed {
            pencil.mark(Glyph::Failure, pt(left - 6.0, base - 4.0), 3.0, Ink::Warn);
        }
        if looked {
            pencil.filled(
                Rect::new(left - 5.0, y + 1.0, 98.0, ROW - 2.0),
                4.0,
                Ink::AccentSoft,
            );
        }
        if range.as_ref().is_some_and(|range| range.contains(at)) {
            pencil.filled(Rect::new(left - 8.0, y, 3.0, ROW), 0.0, Ink::Ok);
        }
        let term = fitting(&[index.terms()[*at].clone()], 12.0, true, 68.0);
        pencil.bold(pt(left, base), 12.0, ink, term);
        let pages = list.pages();
        let df = if whole {
            pages.len()
        } else {
            pages
                .iter()
                .zip(0..)
                .filter(|(page, place)| there(**page, list.positions(*place)[0]))
                .count()
        };
        ending(
            &mut pencil,
            pt(df_x, base),
            SMALL,
            false,
            Ink::Secondary,
            df.to_string(),
        );
        if bits {
            // The other store: a row of bits.
            for page in 1..=search.craft.indexed {
                let bit = pages.contains(&page) && page <= reached;
                let x = box_x + 18.0 * (page - 1) as f32;
                let cell = Rect::new(x, y + 2.0, 15.0, ROW - 4.0);
                pencil.filled(cell, 2.0, if bit { Ink::Hit } else { Ink::Rail });
                let (ink, digit) = if bit {
                    (Ink::OnAccent, "1")
                } else {
                    (Ink::Secondary, "0")
                };
                pencil.text(pt(x + 4.5, base - 0.5), 11.0, ink, digit);
            }
            rows.push((*at, pt(box_x, base - 4.0)));
            continue;
        }
        let (mut x, mut drawn) = (box_x, 0);
        let mut end = pt(x, base - 4.0);
        for (place, page) in pages.iter().enumerate().take(df) {
            let mut label = page.to_string();
            let mut is_fresh = false;
            for (n, position) in list
                .positions(place)
                .iter()
                .filter(|position| there(*page, **position))
                .enumerate()
            {
                is_fresh |= fresh == Some((*page, *position));
                if n < 3 {
                    label.push(if n == 0 { '·' } else { ',' });
                    label.push_str(&position.to_string());
                } else if n == 3 {
                    label.push('…');
                }
            }
            let w = text::width(&label, 11.0, false) + 9.0;
            let last = place + 1 == df;
            if x + w > right - if last { 0.0 } else { 40.0 } {
                break;
            }
            let ground = if is_fresh { Ink::OkSoft } else { Ink::HitSoft };
            pencil.bordered(
                Rect::new(x, y + 1.0, w, ROW - 3.0),
                3.0,
                ground,
                if is_fresh { Ink::Ok } else { Ink::Line },
                1.0,
            );
            pencil.text(pt(x + 4.5, base - 0.5), 11.0, Ink::Ink, label);
            end = pt(x + w * 0.5, base - 4.0);
            x += w + 4.0;
            drawn += 1;
        }
        if drawn < df {
            pencil.text(
                pt(x + 1.0, base),
                11.0,
                Ink::Secondary,
                format!("+{}", df - drawn),
            );
        }
        rows.push((*at, end));
    }
    if known.len() > room {
        let track = Rect::new(r.x + r.w - 9.0, top + 6.0, 4.0, room as f32 * ROW);
        pencil.filled(track, 2.0, Ink::Rail);
        let share = |n: usize| n as f32 / known.len() as f32 * track.h;
        let thumb = Rect::new(
            track.x,
            (track.y + share(first)).min(track.y + track.h - 6.0),
            4.0,
            share(room).max(6.0),
        );
        pencil.filled(thumb, 2.0, Ink::Mark);
    }
    rows
}

/// A box of a list in the query's figure: row, place in its list, where.
type Stand = (usize, usize, Point);

/// Half the height of a box, at most.
const HALF: f32 = 9.0;

/// A row of the query's figure.
struct Row<'a> {
    name: String,
    pages: &'a [u32],
    /// The place of its list in the index; none for what is left so far.
    list: Option<usize>,
    /// Places before this are hits.
    hits: usize,
    finger: Option<usize>,
}

/// The rows that are walked: the lists, then what is left so far.
fn walked<'a>(search: &'a Search, asked: &'a Asked, both: String) -> Vec<Row<'a>> {
    let index = &*search.craft.index;
    let mut rows: Vec<Row<'a>> = asked
        .lists
        .iter()
        .map(|list| Row {
            name: index.terms()[*list].clone(),
            pages: index.list(*list).pages(),
            list: Some(*list),
            hits: 0,
            finger: None,
        })
        .collect();
    let busy = matches!(search.bench.hand(0).op, Some(Op::Ask(..)));
    let mut last = Row {
        name: both,
        pages: &[],
        list: None,
        hits: 0,
        finger: None,
    };
    match search.step().map(|step| step.what) {
        Some(What::Lists(pass, i, j, hits)) => {
            let now = asked
                .passes
                .get(pass)
                .map_or(&[][..], |pass| &pass[..hits.min(pass.len())]);
            match pass
                .checked_sub(1)
                .and_then(|before| asked.passes.get(before))
            {
                None => {
                    rows[0].finger = Some(i);
                    last.pages = now;
                    last.hits = now.len();
                }
                Some(before) => {
                    last.pages = before;
                    last.finger = Some(i);
                    last.hits = before.iter().take_while(|page| now.contains(page)).count();
                }
            }
            if let Some(row) = rows.get_mut(pass + 1) {
                row.finger = Some(j);
            }
        }
        Some(What::Bits(pass, _)) => last.pages = asked.passes.get(pass).map_or(&[], |pass| pass),
        Some(What::Position(page, word, _)) => {
            last.pages = asked.passes.last().map_or(&[], |pass| pass);
            let list = asked.terms.get(word).and_then(|(_, term)| index.find(term));
            for row in &mut rows {
                if row.list == list {
                    row.finger = row.pages.binary_search(&page).ok();
                }
            }
        }
        _ if !busy => {
            last.pages = &asked.found;
            last.hits = asked.found.len();
        }
        _ => {}
    }
    if asked.lists.len() > 1 || !busy {
        rows.push(last);
    }
    rows
}

fn query(search: &Search, placed: &Placed, scene: &mut Scene) -> Vec<Stand> {
    let r = placed.of(QUERY);
    let asked = search.asked();
    let busy = matches!(search.bench.hand(0).op, Some(Op::Ask(..)));
    let cost = match (search.step(), asked) {
        (Some(step), _) if busy => step.cost,
        (_, Some(asked)) if !busy => asked.cost,
        _ => Cost::default(),
    };
    let waits = scene.say("waits", &[]);
    let any =
        asked.is_some_and(|asked| asked.range.is_some() || asked.settings.meaning == Meaning::Any);
    let both = match (busy, any) {
        (false, _) => scene.say("found-row", &[]),
        (_, true) => scene.say("so-far.any", &[]),
        _ => scene.say("so-far", &[]),
    };
    let args = [count(cost.compared), count(cost.letters), count(cost.pages)];
    let counters = scene.say("counters", &args);
    let short = scene.say("counters.short", &args);
    let meaning = match asked.map(|asked| asked.settings.meaning) {
        Some(Meaning::Any) => scene.say("any", &[]),
        Some(Meaning::Phrase) => scene.say("phrase", &[]),
        _ => scene.say("all", &[]),
    };
    let title = scene.name(QUERY);
    let spoken = match asked {
        None => waits.clone(),
        Some(asked) => format!("{} {meaning}. {counters}", asked.text),
    };
    let no_words = scene.say("no-words", &[]);
    let scans = scene.say("scans", &[]);
    let of_all = scene.say("read", &[count(cost.pages), count(search.craft.indexed)]);
    let mut pencil = scene.thing(QUERY, r, spoken);
    pencil
        .figure("compared", f64::from(cost.compared))
        .figure("letters", f64::from(cost.letters))
        .figure("read", f64::from(cost.pages));
    panel(&mut pencil, r, title.as_str());
    let mut stands = Vec::new();
    let Some(asked) = asked else {
        let next = corpus::text(search.craft.settings.query);
        pencil.bold(pt(r.x + 12.0, r.y + 64.0), 13.0, Ink::Secondary, next);
        pencil.text(
            pt(r.x + 12.0, r.y + 44.0),
            12.5,
            Ink::Secondary,
            fitting(&[waits], 12.5, false, r.w - 24.0),
        );
        return stands;
    };
    let beside = r.x + 16.0 + text::width(&title, 12.0, true);
    let counted = fitting(&[counters, short], 12.0, true, r.w * 0.62);
    let counted_w = text::width(&counted, 12.0, true);
    ending(
        &mut pencil,
        pt(r.x + r.w - 10.0, r.y + 17.0),
        12.0,
        true,
        if cost.letters > 0 {
            Ink::Warn
        } else {
            Ink::Accent
        },
        counted,
    );
    let room = r.x + r.w - 20.0 - counted_w - beside;
    if room > 60.0 {
        pencil.text(
            pt(beside, r.y + 17.0),
            SMALL,
            Ink::Secondary,
            fitting(&[meaning], SMALL, false, room),
        );
    }
    // The query's words, and what came out of the gates.
    let gone = match search.step().map(|step| step.what) {
        Some(What::Asked(word)) if busy => word + 1,
        _ => asked.words.len(),
    };
    let mut x = r.x + 12.0;
    let y = r.y + 37.0;
    for (at, (word, passage)) in asked.words.iter().enumerate() {
        let star = if asked.range.is_some() { "*" } else { "" };
        let (label, ink) = match at < gone {
            false => ((*word).to_owned(), Ink::Secondary),
            _ if asked.range.is_some() => (format!("{word}{star}"), Ink::Accent),
            _ if passage.dropped => (format!("({word})"), Ink::Secondary),
            _ if passage.term == *word => ((*word).to_owned(), Ink::Accent),
            _ => (format!("{word} → {}", passage.term), Ink::Accent),
        };
        let w = text::width(&label, 13.0, true);
        if x + w > r.x + r.w - 10.0 {
            break;
        }
        pencil.bold(pt(x, y), 13.0, ink, label);
        x += w + 14.0;
    }
    if asked.settings.find == Find::Scan {
        // Reading is all there is to see of it.
        let room = r.w - 24.0;
        let all = search.craft.indexed.max(1);
        let meter = Rect::new(r.x + 12.0, r.y + 98.0, room, 8.0);
        pencil
            .text(
                pt(r.x + 12.0, r.y + 60.0),
                12.5,
                Ink::Secondary,
                fitting(&[scans], 12.5, false, room),
            )
            .bold(
                pt(r.x + 12.0, r.y + 88.0),
                22.0,
                Ink::Warn,
                fitting(&[of_all], 22.0, true, room),
            )
            .meter(meter, cost.pages as f32 / all as f32, Ink::Warn, false);
        return stands;
    }
    if asked.terms.is_empty() {
        pencil.text(
            pt(r.x + 12.0, r.y + 60.0),
            12.5,
            Ink::Warn,
            fitting(&[no_words], 12.5, false, r.w - 24.0),
        );
        return stands;
    }
    let rows = walked(search, asked, both);
    let phrase = asked.settings.meaning == Meaning::Phrase && asked.range.is_none();
    let most = ((r.h - 50.0) / 17.0) as usize;
    let shown = rows.len().min(most);
    let pitch = ((r.h - 50.0) / shown.max(1) as f32).min(26.0);
    let (left, right) = (r.x + 12.0, r.x + r.w - 12.0);
    let box_x = left + 84.0;
    let (named, positions) = (search.craft.index.clone(), phrase);
    // What is left so far is the last row, whatever is left out above it.
    let order = (0..shown.saturating_sub(1)).chain(rows.len().checked_sub(1).filter(|_| shown > 0));
    for (line, at) in order.enumerate() {
        let row = &rows[at];
        let y = r.y + 46.0 + pitch * line as f32;
        let h = (pitch - 4.0).min(18.0);
        let base = y + h - 4.0;
        let lists = row.list.is_some();
        let name = fitting(std::slice::from_ref(&row.name), 12.0, lists, 64.0);
        match lists {
            true => pencil.bold(pt(left, base), 12.0, Ink::Ink, name),
            false => pencil.text(pt(left, base), 12.0, Ink::Secondary, name),
        };
        ending(
            &mut pencil,
            pt(box_x - 6.0, base),
            11.0,
            false,
            Ink::Secondary,
            row.pages.len().to_string(),
        );
        let first = row.finger.unwrap_or(0).saturating_sub(4);
        let mut x = box_x;
        for (place, page) in row.pages.iter().enumerate().skip(first) {
            let mut label = page.to_string();
            if let (true, Some(list)) = (positions, row.list) {
                for (n, position) in named.list(list).positions(place).iter().take(3).enumerate() {
                    label.push(if n == 0 { '·' } else { ',' });
                    label.push_str(&position.to_string());
                }
            }
            let w = (text::width(&label, 11.0, false) + 10.0).max(22.0);
            let last = place + 1 == row.pages.len();
            if x + w > right - if last { 0.0 } else { 44.0 } {
                pencil.text(
                    pt(x + 1.0, base),
                    11.0,
                    Ink::Secondary,
                    format!("+{}", row.pages.len() - place),
                );
                break;
            }
            let on = row.finger == Some(place);
            let hit = place < row.hits;
            let (ground, border) = match (on, hit) {
                (true, _) => (Ink::AccentSoft, Ink::Accent),
                (_, true) => (Ink::OkSoft, Ink::Ok),
                _ => (Ink::Paper, Ink::Line),
            };
            pencil.bordered(
                Rect::new(x, y, w, h),
                3.0,
                ground,
                border,
                if on { 1.5 } else { 1.0 },
            );
            pencil.text(pt(x + 5.0, base), 11.0, Ink::Ink, label);
            stands.push((at, place, pt(x + w * 0.5, y + h * 0.5)));
            x += w + 4.0;
        }
    }
    if phrase {
        joined(search, asked, &rows, &stands, &mut pencil);
    }
    stands
}

/// Lines through the positions of a page: whole where the words follow one another, dashed where they do not.
fn joined(
    search: &Search,
    asked: &Asked,
    rows: &[Row<'_>],
    stands: &[Stand],
    pencil: &mut Pencil<'_>,
) {
    let present = match search.step().map(|step| step.what) {
        Some(What::Position(page, ..)) => page,
        _ if search.last.is_some() => u32::MAX,
        _ => return,
    };
    for (page, path) in asked.paths.iter().filter(|(page, _)| *page <= present) {
        // From under one box to above the next, so that the numbers stay readable.
        let (mut d, mut above) = (String::new(), None::<Point>);
        for (at, row) in rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.list.is_some())
        {
            let Ok(place) = row.pages.binary_search(page) else {
                continue;
            };
            let stand = stands
                .iter()
                .find(|(row, stand, _)| *row == at && *stand == place);
            let here = stand.map(|(.., p)| *p);
            if let (Some(from), Some(to)) = (above, here) {
                for (letter, p, y) in [('M', from, from.y + HALF), ('L', to, to.y - HALF)] {
                    d.push(letter);
                    d.push_str(&tenths(p.x));
                    d.push(' ');
                    d.push_str(&tenths(y));
                }
            }
            above = here;
        }
        match path {
            Some(_) => pencil.line(d, Ink::Ok, 3.0),
            None => pencil.dashed_line(d, Ink::Bad, 2.0),
        };
    }
}

fn results(search: &Search, placed: &Placed, scene: &mut Scene) {
    let r = placed.of(RESULTS);
    let title = scene.name(RESULTS);
    let last = search.last.as_deref();
    let found = last.map_or(0, |last| last.found.len());
    let head = match last {
        None => scene.say("none-yet", &[]),
        Some(_) => scene.say("found", &[count(found as i64)]),
    };
    let why = match last {
        Some(last) if last.found.is_empty() => {
            let word = if last.settings.find == Find::Scan {
                "why.scan"
            } else if last.terms.is_empty() {
                "why.empty"
            } else if last.raw {
                "why.raw"
            } else if search.craft.stale {
                "why.stale"
            } else if last.paths.is_empty() {
                "why.unknown"
            } else {
                "why.phrase"
            };
            scene.say(word, &[])
        }
        _ => String::new(),
    };
    let top: Vec<(String, f64)> = last.map_or(Vec::new(), |last| {
        last.top
            .iter()
            .map(|(page, score)| (scene.say("page", &[count(*page)]), *score))
            .collect()
    });
    let spoken: Vec<&str> = top.iter().map(|(name, _)| name.as_str()).collect();
    let ordered = last.filter(|last| !last.top.is_empty());
    let by = ordered.map(|last| match (last.settings.rank, last.settings.find) {
        (_, Find::Scan) => scene.say("by.page", &[]),
        (Rank::Matched, _) => scene.say("by.matched", &[]),
        (Rank::Bm25, _) => scene.say("by.bm25", &[]),
        (Rank::Linked, _) => scene.say("by.linked", &[]),
    });
    let mut pencil = scene.thing(RESULTS, r, format!("{head}. {} {why}", spoken.join(", ")));
    let first = last.and_then(|last| last.top.first());
    pencil
        .figure("found", found as f64)
        .figure("first", first.map_or(0.0, |(page, _)| f64::from(*page)));
    let beside = text::width(&title, 12.0, true) + 24.0;
    panel(&mut pencil, r, title);
    let ink = if last.is_some() && found == 0 {
        Ink::Warn
    } else {
        Ink::Ok
    };
    ending(
        &mut pencil,
        pt(r.x + r.w - 10.0, r.y + 17.0),
        12.0,
        true,
        if last.is_some() { ink } else { Ink::Secondary },
        fitting(&[head], 12.0, true, r.w - beside),
    );
    if !why.is_empty() {
        for (line, text) in text::wrap(&why, 12.0, false, r.w - 24.0)
            .into_iter()
            .take(4)
            .enumerate()
        {
            pencil.text(
                pt(r.x + 12.0, r.y + 42.0 + 16.0 * line as f32),
                12.0,
                Ink::Ink,
                text,
            );
        }
        return;
    }
    let most = top.first().map_or(1.0, |(_, score)| score.max(1e-9));
    let room = ((r.h - 46.0) / 20.0) as usize;
    if let Some(by) = by {
        let by = fitting(&[by], 11.0, false, r.w - 24.0);
        pencil.text(pt(r.x + 12.0, r.y + r.h - 9.0), 11.0, Ink::Secondary, by);
    }
    for (row, (name, score)) in top.iter().take(room).enumerate() {
        let base = r.y + 40.0 + 20.0 * row as f32;
        pencil.bold(
            pt(r.x + 12.0, base),
            12.5,
            Ink::Ink,
            fitting(std::slice::from_ref(name), 12.5, true, 76.0),
        );
        let full = r.w - 100.0 - 46.0;
        let w = (full * (*score / most) as f32).max(2.0);
        pencil.filled(Rect::new(r.x + 92.0, base - 9.0, w, 9.0), 2.0, Ink::Ok);
        ending(
            &mut pencil,
            pt(r.x + r.w - 10.0, base),
            SMALL,
            false,
            Ink::Secondary,
            text::trim_number((score * 100.0 + 0.5) as u32 as f64 / 100.0),
        );
    }
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
    let Some((_, passage, query)) = passing(search) else {
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

/// Fingers stand on what is compared.
fn fingers(search: &Search, at: Time, boxes: &[Stand], scene: &mut Scene) {
    let Some(asked) = search.asked().filter(|_| search.step().is_some()) else {
        return;
    };
    if search.indexing() {
        return;
    }
    let hand = search.bench.hand(0);
    let begun = hand.begun();
    let before = begun.len().checked_sub(2).map(|at| begun[at].what);
    let share = (hand.share(at) * 1.6).min(1.0);
    let rows = walked(search, asked, String::new());
    for (row, place) in rows
        .iter()
        .enumerate()
        .filter_map(|(at, row)| Some((at, row.finger?)))
    {
        let Some((.., here)) = boxes
            .iter()
            .find(|(at, stand, _)| *at == row && *stand == place)
        else {
            continue;
        };
        // It comes from the place before, where it has just moved on.
        let moved = match (before, search.step().map(|step| step.what)) {
            (Some(What::Lists(pass, i, j, _)), Some(What::Lists(same, ..))) if pass == same => {
                let left = if pass == 0 { 0 } else { rows.len() - 1 };
                if row == left { i } else { j }
            }
            _ => place,
        };
        let from = boxes
            .iter()
            .find(|(at, stand, _)| *at == row && *stand == moved)
            .map_or(*here, |(.., p)| *p);
        let p = pt(
            from.x + (here.x - from.x) * share,
            from.y + (here.y - from.y) * share + 11.0,
        );
        scene.particle(p, 4.5, Glyph::Request, Ink::Accent, search.work);
    }
}
