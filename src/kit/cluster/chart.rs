//! The sequence chart: who told whom, when.

use super::crew::{Cluster, Face};
use super::view::LOST;
use crate::figures;
use crate::figures::label::ending;
use engine::scene::{Point, Rect, pt};
use engine::{Glyph, Ink, PartId, Scene, Time, text};
use std::fmt::Write;

/// What a sequence chart shows.
#[derive(Clone)]
pub struct Chart<'a> {
    /// The part that it is.
    pub part: PartId,
    /// Where it stands.
    pub rect: Rect,
    /// What it is called.
    pub title: String,
    /// Its state in words.
    pub value: String,
    /// The names of nodes 1 and on, each of which has a lane.
    pub lanes: &'a [String],
    /// So long ago its left edge is; its right edge is now.
    pub span: Time,
    /// The label of a line of the grid: how long ago, in steps of `tick`.
    pub tick: Time,
    /// How a moment of the grid is written.
    pub ago: &'a dyn Fn(Time) -> String,
}

/// Draws the messages of the last stretch of time, a lane for each node, time to the right. What is still under way ends in the
/// air; what was lost ends in a failure. Each message is a dot that can be asked about.
pub fn chart<P: Face>(cluster: &Cluster<P>, chart: &Chart<'_>, at: Time, scene: &mut Scene) {
    let r = chart.rect;
    let names = chart.lanes.iter();
    let name_w = names.fold(0.0_f32, |w, name| w.max(text::width(name, 11.5, true)));
    let plot = Rect::new(
        r.x + name_w + 18.0,
        r.y + 30.0,
        r.w - name_w - 30.0,
        r.h - 52.0,
    );
    let lanes = chart.lanes.len().max(1);
    let y = |lane: f32| plot.y + plot.h * (lane - 0.5) / lanes as f32;
    let x = |when: Time| plot.x + plot.w * when.progress(at - chart.span, at);
    let oldest = at - chart.span;

    let mut dots: Vec<(Point, Glyph, Ink, u32)> = Vec::new();
    let mut paths: Vec<(Ink, String)> = Vec::new();
    let mut add = |from: u8,
                   to: u8,
                   times: (Time, Time),
                   end: (f32, bool),
                   look: Option<(Glyph, Ink)>,
                   dot| {
        let (leaves, arrives) = times;
        let (share, lost) = end;
        let there = usize::from(from.max(to)) <= lanes;
        let Some(look) = look.filter(|_| there && arrives >= oldest) else {
            return;
        };
        let when = |share: f32| {
            Time(leaves.0 + (arrives.since(leaves).0 as f64 * f64::from(share)) as u64)
        };
        let lane = |share: f32| f32::from(from) + (f32::from(to) - f32::from(from)) * share;
        // What began before the left edge enters there.
        let first = oldest.progress(leaves, arrives).min(share);
        let first = if leaves < oldest { first } else { 0.0 };
        let (a, b) = (
            pt(x(when(first)), y(lane(first))),
            pt(x(when(share)), y(lane(share))),
        );
        let (glyph, ink) = if lost { LOST } else { look };
        let found = paths.iter().position(|(of, _)| *of == ink);
        let path = found.unwrap_or_else(|| {
            paths.push((ink, String::new()));
            paths.len() - 1
        });
        let [ax, ay, bx, by] = [a.x, a.y, b.x, b.y].map(text::tenths);
        // Writing to a string cannot fail.
        let _ = write!(paths[path].1, "M{ax} {ay}L{bx} {by}");
        dots.push((b, glyph, ink, dot));
    };
    for past in cluster.past() {
        let end = (past.lost.unwrap_or(1.0), past.lost.is_some());
        add(
            past.from,
            past.to,
            (past.leaves, past.arrives),
            end,
            past.look,
            past.dot,
        );
    }
    for (key, flight) in cluster.flights() {
        let end = (flight.share(at), flight.is_lost(at));
        let look = P::look(&flight.word);
        add(
            flight.from,
            flight.to,
            (flight.leaves, flight.arrives),
            end,
            look,
            P::dot((flight.from, flight.to), &flight.word, key.serial()),
        );
    }

    let mut pencil = scene.thing(chart.part, r, chart.value.clone());
    figures::panel(&mut pencil, r, chart.title.as_str());
    for step in 0..=(chart.span.0 / chart.tick.0.max(1)) {
        let ago = Time(step * chart.tick.0);
        let x = x(at - ago);
        let [left, top, bottom] = [x, plot.y, plot.y + plot.h].map(text::tenths);
        pencil.line(format!("M{left} {top}L{left} {bottom}"), Ink::Line, 1.0);
        let label = (chart.ago)(ago);
        let place = pt(x + text::width(&label, 11.0, false) / 2.0, r.y + r.h - 8.0);
        let place = pt(place.x.min(plot.x + plot.w + 8.0), place.y);
        ending(&mut pencil, place, 11.0, false, Ink::Secondary, label);
    }
    for (lane, name) in (1..).zip(chart.lanes) {
        let y = y(lane as f32);
        let [left, right, up] = [plot.x, plot.x + plot.w, y].map(text::tenths);
        pencil.line(format!("M{left} {up}L{right} {up}"), Ink::LineStrong, 1.0);
        pencil.bold(pt(r.x + 10.0, y + 4.0), 11.5, Ink::Ink, name.as_str());
    }
    for (ink, d) in paths {
        pencil.line(d, ink, 1.4);
    }
    for (p, glyph, ink, dot) in dots {
        scene.particle(p, 3.5, glyph, ink, dot);
    }
}
