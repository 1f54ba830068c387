//! A query on the stage: its words, the lists that fingers walk, and what was found.

use super::model::{QUERY, RESULTS, Search};
use super::searcher::{Asked, Cost, Op, What};
use super::settings::{Find, Meaning, Rank};
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::{self, tenths};
use engine::{Arg, Glyph, Ink, Scene, Time};
use kit::figures::label::{ending, fitting};
use kit::figures::panel;
use kit::layout::Placed;

const SMALL: f32 = 11.5;

fn count(n: impl Into<i64>) -> Arg {
    Arg::Count(n.into())
}

/// A box of a list in the query's figure: row, place in its list, where.
pub(super) type Stand = (usize, usize, Point);

/// Half the height of a box, at most.
const HALF: f32 = 9.0;

/// A row of the query's figure.
struct Row<'a> {
    name: String,
    pages: &'a [u32],
    /// The place of its list in the index; none for what is left so far.
    list: Option<usize>,
    /// Those of its pages that are hits so far.
    hits: &'a [u32],
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
            hits: &[],
            finger: None,
        })
        .collect();
    let busy = matches!(search.bench.hand(0).op, Some(Op::Ask(..)));
    let mut last = Row {
        name: both,
        pages: &[],
        list: None,
        hits: &[],
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
                    last.hits = now;
                }
                Some(before) => {
                    last.pages = before;
                    last.finger = Some(i);
                    last.hits = now;
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
            last.hits = &asked.found;
        }
        _ => {}
    }
    if asked.lists.len() > 1 || !busy {
        rows.push(last);
    }
    rows
}

pub(super) fn query(search: &Search, placed: &Placed, scene: &mut Scene) -> Vec<Stand> {
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
        let next = search.query(&search.craft.settings).to_owned();
        let next = fitting(&[next], 13.0, true, r.w - 24.0);
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
        let room = r.x + r.w - 10.0 - x;
        let label = match at {
            0 => fitting(&[label], 13.0, true, room),
            _ => label,
        };
        let w = text::width(&label, 13.0, true);
        if w > room {
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
            let hit = row.hits.binary_search(page).is_ok();
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

pub(super) fn results(search: &Search, placed: &Placed, scene: &mut Scene) {
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

/// Fingers stand on what is compared.
pub(super) fn fingers(search: &Search, at: Time, boxes: &[Stand], scene: &mut Scene) {
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
