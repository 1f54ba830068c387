//! Nodes that ping each other: what arrives, what is lost, and that whoever breaks something breaks only that.

use super::*;
use algorithms::protocol::{Id, OutOf, Protocol, Wind};
use engine::show::Watch;
use engine::{Act, Context, Glyph, Ink, Model, Run, Scene, Sheet, Show, Time};
use rand_pcg::Pcg32;

/// Each node pings all others every 100 ms and counts what it hears; how many it has sent outlives a crash.
#[derive(Clone)]
struct Ping {
    size: Id,
}

#[derive(Clone, Debug, PartialEq)]
struct Node {
    me: Id,
    sent: u32,
    heard: u32,
}

impl Protocol for Ping {
    type Node = Node;
    type Disk = u32;
    type Word = u32;
    type Timer = u8;
    type Ask = ();

    fn boot(&self, me: Id, disk: Option<u32>, out: &mut OutOf<Self>) -> Node {
        out.wind(0, Wind::After(100_000));
        let sent = disk.unwrap_or(0);
        Node { me, sent, heard: 0 }
    }

    fn hear(&self, node: &mut Node, _: Id, _: u32, _: &mut OutOf<Self>) {
        node.heard += 1;
    }

    fn ring(&self, node: &mut Node, _: u8, out: &mut OutOf<Self>) {
        node.sent += 1;
        for to in (1..=self.size).filter(|to| *to != node.me) {
            out.send(to, node.sent);
        }
        out.wind(0, Wind::After(100_000));
    }

    fn ask(&self, _: &mut Node, (): (), _: &mut OutOf<Self>) -> bool {
        false
    }

    fn disk(&self, node: &Node) -> u32 {
        node.sent
    }

    fn sound(&self, _: &[Option<&Node>]) -> Result<(), String> {
        Ok(())
    }
}

impl Face for Ping {
    type Brief = u32;

    fn brief(&self, node: &Node) -> u32 {
        node.heard
    }

    fn travel(&self, _: &u32, dice: &mut Pcg32) -> Time {
        Time::ms(20) + Time(engine::random::below(dice, 10_000) as u64)
    }

    fn look(_: &u32) -> Option<(Glyph, Ink)> {
        Some((Glyph::Heartbeat, Ink::Accent))
    }
}

engine::knobs! {
    struct Settings {
        loss: slider "loss" [0.0, 1.0, 0.1] "" = 0.0,
        twice: slider "twice" [0.0, 1.0, 0.1] "" = 0.0,
    }
}

#[derive(Clone)]
struct Group {
    cluster: Cluster<Ping>,
    /// When who has heard.
    heard: Vec<(Time, Id)>,
}

impl Group {
    fn take(&mut self, turn: Option<Turn<Ping>>, cx: &mut Context<'_, Event>) {
        let Some(turn) = turn else { return };
        if matches!(turn.spur, Spur::Heard(..)) {
            self.heard.push((cx.now(), turn.at));
        }
        self.cluster.carry(turn, cx);
    }
}

const CRASH: usize = 0;
const BOOT: usize = 1;
const PAUSE: usize = 2;
const RESUME: usize = 3;
const PART: usize = 4;
const HEAL: usize = 5;
const LOSE: usize = 6;
const DELAY: usize = 7;

impl Model for Group {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: &mut Context<'_, Event>) -> Group {
        let mut group = Group {
            cluster: Cluster::new(Ping { size: 3 }, 3),
            heard: Vec::new(),
        };
        (group.cluster.net.loss, group.cluster.net.twice) = (knobs.loss, knobs.twice);
        for id in 1..=3 {
            let turn = group.cluster.boot(id);
            group.take(turn, cx);
        }
        group
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: &mut Context<'_, Event>) {
        let turn = self.cluster.on_event(event, cx);
        self.take(turn, cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, _: &mut Context<'_, Event>) {
        (self.cluster.net.loss, self.cluster.net.twice) = (knobs.loss, knobs.twice);
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: &mut Context<'_, Event>) {
        let id = act.target as Id;
        match act.spec {
            CRASH => assert!(self.cluster.crash(id, cx.now())),
            BOOT => {
                let turn = self.cluster.boot(id);
                self.take(turn, cx);
            }
            PAUSE => assert!(self.cluster.pause(id, cx.now())),
            RESUME => {
                assert!(self.cluster.resume(id));
                while let Some(turn) = self.cluster.next_held(id, cx) {
                    self.take(Some(turn), cx);
                }
            }
            PART => self.cluster.part(&[id], cx.now()),
            HEAL => self.cluster.net.heal(),
            LOSE => assert!(self.cluster.by_hand(act.target as u32, None, cx).is_some()),
            _ => {
                let hold = Some(Time::ms(500));
                assert!(self.cluster.by_hand(act.target as u32, hold, cx).is_some());
            }
        }
    }

    fn audit(&self) -> Result<(), String> {
        self.cluster.audit()
    }
}

fn nothing(_: &Group, _: &Settings, _: Time, _: &mut Scene) {}

static SHEET: Sheet<Group> = Sheet::usual(
    engine::Card {
        slug: "ping",
        chapter: "data",
        tables: &[],
    },
    Settings::default,
    nothing,
);

fn run(until_ms: u64, acts: &[(u64, usize, usize)], knobs: &[(&'static str, f64)]) -> Run<Group> {
    let mut run = Run::new(&SHEET, 7);
    for (knob, value) in knobs {
        run.set_knob(knob, *value).unwrap();
    }
    for (at, spec, target) in acts {
        run.run(Time::ms(*at), Watch::Nothing, u64::MAX);
        let (spec, target) = (*spec, *target);
        run.act(Act { spec, target });
    }
    run.run(Time::ms(until_ms), Watch::Nothing, u64::MAX);
    run.model().audit().unwrap();
    run
}

fn heard(run: &Run<Group>, id: Id) -> u32 {
    run.model().cluster.node(id).map_or(0, |node| node.heard)
}

#[test]
fn everybody_hears_everybody_after_their_travel() {
    let run = run(950, &[], &[]);
    // Nine pings of each of two others; the last ones arrive 20 to 30 ms after 900.
    assert_eq!([1, 2, 3].map(|id| heard(&run, id)), [18; 3]);
    let late = |(at, _): &(Time, Id)| (at.0 % 100_000) < 20_000 || (at.0 % 100_000) > 30_000;
    assert_eq!(run.model().heard.iter().filter(|one| late(one)).count(), 0);
}

#[test]
fn a_crash_stops_clocks_and_keeps_the_disk() {
    let run = run(1_050, &[(450, CRASH, 2), (750, BOOT, 2)], &[]);
    let node = run.model().cluster.node(2).unwrap();
    // Four before; two after, each 100 ms after it has started anew: at 850 and 950 and 1,050.
    assert_eq!((node.sent, node.heard), (7, 6));
    assert_eq!(heard(&run, 1), 10 + 4 + 2);
}

#[test]
fn a_pause_loses_nothing() {
    let held = run(1_050, &[(450, PAUSE, 2), (850, RESUME, 2)], &[]);
    // What it heard meanwhile it hears at 850, and the ping that was due at 500 it sends then.
    assert_eq!(heard(&held, 2), 20);
    assert_eq!(held.model().cluster.node(2).unwrap().sent, 4 + 1 + 2);
    let waiting = run(800, &[(450, PAUSE, 2)], &[]);
    assert_eq!(heard(&waiting, 2), 8);
}

#[test]
fn a_cut_loses_what_is_not_half_way_and_nothing_within_a_side() {
    // At 505 ms nothing sent at 500 is half way.
    let cut = run(1_050, &[(505, PART, 3)], &[]);
    assert_eq!([1, 2, 3].map(|id| heard(&cut, id)), [4 + 10, 4 + 10, 8]);
    // At 518 everything is past its half.
    let late = run(1_050, &[(518, PART, 3)], &[]);
    assert_eq!([1, 2, 3].map(|id| heard(&late, id)), [5 + 10, 5 + 10, 10]);
    let healed = run(1_050, &[(505, PART, 3), (705, HEAL, 0)], &[]);
    assert_eq!(heard(&healed, 3), 8 + 6);
}

#[test]
fn a_message_can_be_lost_or_held_up_by_hand() {
    let before = run(110, &[], &[]);
    let flights: Vec<u32> = before
        .model()
        .cluster
        .flights()
        .map(|(key, _)| key.serial())
        .collect();
    assert_eq!(flights.len(), 6);
    let lost = run(190, &[(110, LOSE, flights[0] as usize)], &[]);
    let count = |run: &Run<Group>| run.model().heard.len();
    assert_eq!(count(&lost), 5);
    let past: Vec<&Past> = lost.model().cluster.past().collect();
    assert_eq!(past.iter().filter(|past| past.lost.is_some()).count(), 1);
    assert_eq!(
        count(&run(190, &[(110, DELAY, flights[0] as usize)], &[])),
        5
    );
    let late = run(690, &[(110, DELAY, flights[0] as usize)], &[]);
    assert_eq!(count(&late), 36);
}

#[test]
fn twins_meet_the_same_network() {
    let all = run(2_050, &[], &[("loss", 0.5)]);
    let more = run(2_050, &[], &[("loss", 0.6)]);
    let (all, more) = (&all.model().heard, &more.model().heard);
    // What gets through a worse network gets through a better one, at the same moment.
    assert!(more.iter().all(|one| all.contains(one)));
    let share = |heard: &Vec<(Time, Id)>| heard.len() as f64 / 120.0;
    assert!((share(all) - 0.5).abs() < 0.15, "{}", share(all));
    assert!((share(more) - 0.4).abs() < 0.15, "{}", share(more));
    let twice = run(2_050, &[], &[("twice", 1.0)]);
    assert_eq!(twice.model().heard.len(), 240);
}

#[test]
fn cards_on_a_ring_do_not_touch_and_ways_begin_at_their_edges() {
    use engine::scene::Rect;
    let area = Rect::new(20.0, 10.0, 570.0, 330.0);
    for count in 1..=7 {
        let cards = ring(area, count, (108.0, 80.0));
        for (i, card) in cards.iter().enumerate() {
            assert!(area.grown(0.5).holds(card), "{count}: {card:?}");
            assert!(cards[i + 1..].iter().all(|other| !other.overlaps(card)));
        }
    }
    let mesh = Mesh::of(vec![
        Rect::new(0.0, 0.0, 100.0, 50.0),
        Rect::new(300.0, 0.0, 100.0, 50.0),
    ]);
    let (a, b) = mesh.way(1, 2);
    assert_eq!((a.x, a.y, b.x, b.y), (100.0, 25.0, 300.0, 25.0));
    let (there, back) = (mesh.at(1, 2, 0.5), mesh.at(2, 1, 0.5));
    assert!(there.x == 200.0 && back.x == 200.0 && there.y - back.y == 8.0);
}

#[test]
fn a_hundred_nodes_have_room_and_a_slow_one_slows_both_ways() {
    let mut net = Net::new(100);
    net.part(&(1..=50).collect::<Vec<Id>>());
    assert!(net.reaches(50, 1) && !net.reaches(50, 51) && net.reaches(100, 51));
    net.heal();
    assert!(net.reaches(50, 100) && !net.is_parted());
    let late = Time::ms(5);
    net.slow_down(9, late);
    assert_eq!(net.extra(9, 1), late);
    assert_eq!(net.extra(1, 9), late);
    assert_eq!(net.extra(1, 2), Time::ZERO);
}
