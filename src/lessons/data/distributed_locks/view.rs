//! The stage: nodes on a ring, and their heartbeats.

use super::model::{Group, Settings, node};
use engine::scene::Rect;
use engine::{Arg, Ink, PartId, Scene, Time};
use kit::cluster::{Mesh, messages, ring};
use kit::figures::NodeCard;
use kit::figures::label::fitting;
use kit::layout::{Span, lay, part};

/// Where the nodes stand.
const GROUP: PartId = PartId::one("group");

pub(super) fn draw(group: &Group, _: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let h = if narrow { 380.0 } else { 320.0 };
    let placed = lay(scene, &part(GROUP, Span::rest(260.0, 1.0), h));
    let area = placed.of(GROUP);
    let w = (0.33 * area.w).min(150.0);
    let mesh = Mesh::of(ring(area, usize::from(group.nodes), (w, 72.0)));
    for id in group.ids() {
        card(group, id, mesh.card(id), scene);
    }
    messages(&group.cluster, &mesh, at, scene);
}

fn card(group: &Group, id: u8, rect: Rect, scene: &mut Scene) {
    let (up, missed) = (group.cluster.is_up(id), group.missed_by(id));
    let told = [Arg::Count(missed as i64)];
    let (word, ink, border) = match (up, missed) {
        (true, 0) => ("lives", Ink::Secondary, Ink::LineStrong),
        (true, _) => ("missed", Ink::Bad, Ink::Bad),
        (false, 0) => ("unknown", Ink::Bad, Ink::Bad),
        (false, _) => ("missed", Ink::Warn, Ink::Warn),
    };
    let short = if word == "unknown" {
        "unknown.short"
    } else {
        word
    };
    let words = [word, short].map(|word| scene.say(word, &told));
    let status = fitting(&words, 12.5, true, rect.w - 22.0);
    let life = scene.say(if up { "up" } else { "down" }, &[]);
    let name = scene.name(node(id));
    let mut pencil = scene.thing(node(id), rect, format!("{life}, {}", words[0]));
    pencil
        .figure("up", f64::from(u8::from(up)))
        .figure("missed", missed as f64);
    NodeCard {
        ink,
        border,
        meter: (!up).then_some((0.0, Ink::Bad, true)),
        ..NodeCard::plain(rect, name, status)
    }
    .draw(&mut pencil);
}
