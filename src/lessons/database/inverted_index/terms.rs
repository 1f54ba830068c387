//! The index on the stage: a window on its sorted terms, each with its list or its row of bits.

use super::model::{INDEX, Search};
use super::searcher::What;
use super::settings::Find;
use algorithms::text_analysis::Passage;
use engine::scene::{Point, Rect, pt};
use engine::{Arg, Ink, Scene, text};
use kit::figures::label::{ending, fitting};
use kit::figures::panel;
use kit::layout::Placed;

/// Stands before a term that a reader may have meant.
const NEAR: &str = "≈";
/// Heights of rows, and of lesser letters.
const ROW: f32 = 18.0;
const SMALL: f32 = 11.5;

fn count(n: impl Into<i64>) -> Arg {
    Arg::Count(n.into())
}

/// The sorted terms with their lists; gives where each shown row stands.
pub(super) fn index(search: &Search, placed: &Placed, scene: &mut Scene) -> Vec<(usize, Point)> {
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
    let about = match (search.passing(), search.step()) {
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
        scene.say("near", &[]),
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
    let nears = known.iter().any(|at| near(&index.terms()[*at]));
    let legend = if nears { 14.0 } else { 0.0 };
    let room = ((r.h - 46.0 - legend) / ROW) as usize;
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
            pencil.bold(pt(left - 9.0, base), 11.0, Ink::Warn, NEAR);
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
    if nears {
        let said = [format!("{NEAR} {}", heads[3])];
        let said = fitting(&said, 11.0, false, r.w - 24.0);
        pencil.text(pt(left - 9.0, r.y + r.h - 7.0), 11.0, Ink::Warn, said);
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
