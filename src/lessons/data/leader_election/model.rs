//! The system: nodes that elect who is in charge, and three servers that whoever is in charge keeps running.

use super::group::{Ask, Group, Order, Role};
use super::probe;
use super::settings::{Method, Settings};
use super::state::{
    Alone, COUNTS, Cx, Event, LADDER, Misses, NODES_MAX, Orchestra, SERVERS, Server, State, Twice,
    deed, ends, link, node, note, server,
};
use super::tell;
use algorithms::protocol::{Id, Wind};
use engine::tape::NoteId;
use engine::{Act, Arg, Model, PartId, Time, Tone};
use kit::cluster::{Cluster, Turn, aimed_at};
use kit::flow::{Episode, aim};
use std::collections::VecDeque;

/// Who is in charge sees a dead server after so long.
const SEES: Time = Time::ms(100);
/// A node that is cut off alone is so for this long.
const ALONE: Time = Time::s(3);
/// So long after a cut the leaders are counted, for the question.
const COUNTED: Time = Time::ms(500);
/// Who came back is watched for so long.
const QUIET: Time = Time::ms(1_000);
/// A message that is held up stands still for so long.
const HELD_UP: Time = Time::ms(100);
/// In a run that nobody touches the leader dies by itself after so long, so that the first look is at an election.
const DIES: Time = Time::ms(120);

impl Orchestra {
    /// All clocks and messages begin anew, with nobody in charge.
    fn begin(&mut self, cx: Cx<'_, '_>) {
        self.cluster.clear(cx.now());
        self.cluster.net.heal();
        (self.executed, self.cut, self.alone, self.misses) = (0, false, None, None);
        self.rungs.clear();
        self.vacant.get_or_insert(cx.now());
        (self.charge, self.in_vain) = (None, 0);
        for id in self.ids() {
            let turn = self.cluster.boot(id);
            self.take(turn, cx);
        }
        self.reach(cx);
        self.open_links(cx);
        self.watch(cx);
    }

    fn open_links(&mut self, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        for b in 2..=self.size() {
            for a in 1..b {
                cx.because(cause);
                self.say(
                    "link-open",
                    link(a, b),
                    &[Arg::Part(node(a)), Arg::Part(node(b))],
                    cx,
                );
            }
        }
        cx.because(cause);
    }

    pub(super) fn say(
        &self,
        word: &'static str,
        part: PartId,
        args: &[Arg],
        cx: Cx<'_, '_>,
    ) -> NoteId {
        cx.say(note(word, part, args))
    }

    /// A node has done something: it is told, then carried out.
    fn take(&mut self, turn: Option<Turn<Group>>, cx: Cx<'_, '_>) {
        let Some(turn) = turn else { return };
        let at = turn.at;
        let led = turn.was.is_some_and(|was| was.role == Role::Leads);
        tell::turn(self, &turn, cx);
        self.count(&turn);
        let cause = cx.cause();
        self.cluster.carry(turn, cx);
        let leads = self
            .brief(at)
            .is_some_and(|brief| brief.role == Role::Leads);
        if led && !leads && self.charge == Some(at) {
            (self.fallen, self.last_fall) = (self.fallen + 1, cx.now());
            self.fallen_since += 1;
            if let Some(alone) = &mut self.alone {
                alone.fell |= alone.back.is_some_and(|back| cx.now().since(back) < QUIET);
            }
        }
        if leads && !led {
            // Who is newly in charge looks after what it finds not running.
            for i in 0..SERVERS {
                let dead = self.servers[i];
                if dead.state != State::Runs {
                    cx.schedule(SEES, Event::Look(at, i as u8, dead.deaths));
                }
            }
        }
        self.execute(at, cx);
        cx.because(cause);
        self.watch(cx);
    }

    /// Carries out what counts now: under Raft what is committed for the first time.
    fn execute(&mut self, at: Id, cx: Cx<'_, '_>) {
        let Some(brief) = self.brief(at).filter(|brief| brief.commit > self.executed) else {
            return;
        };
        let log = self.cluster.node(at).map_or(&[][..], |node| node.log());
        let fresh = log
            .iter()
            .take(brief.commit as usize)
            .skip(self.executed as usize);
        let orders: Vec<Order> = fresh.filter_map(|entry| entry.command).collect();
        self.executed = brief.commit;
        for order in orders {
            let told = [Arg::Part(server(usize::from(order.server)))];
            self.say("committed", node(at), &told, cx);
            self.start(order, at, cx);
        }
    }

    /// A server is started in the place of one that died.
    fn start(&mut self, order: Order, by: Id, cx: Cx<'_, '_>) {
        let i = usize::from(order.server);
        let boots = Time::from_ms(self.knobs.boots);
        let server_part = server(i);
        let Some(dead) = self
            .servers
            .get_mut(i)
            .filter(|one| one.deaths == order.death)
        else {
            return;
        };
        dead.started = dead.started.saturating_add(1);
        let told = [Arg::Part(server_part), Arg::Part(node(by))];
        let twice = dead.started > 1;
        if twice {
            self.twice = Some(Twice {
                server: order.server,
                runs: false,
            });
            self.replaced_twice += 1;
            cx.say(note("twice", server_part, &told).mark(Tone::Bad));
        } else {
            (dead.state, dead.since, dead.by) = (State::Starts(cx.now() + boots), cx.now(), by);
            dead.note = cx.say(note("starts", server_part, &told));
        }
        cx.schedule(boots, Event::Up(order.server, order.death, twice));
    }

    /// A node looks after a dead server, if it still believes that it leads.
    fn look(&mut self, id: Id, i: u8, death: u16, cx: Cx<'_, '_>) {
        let Some(dead) = self.servers.get(usize::from(i)).copied() else {
            return;
        };
        let leads = self
            .brief(id)
            .is_some_and(|brief| brief.role == Role::Leads);
        let order = Order { server: i, death };
        let log = self.cluster.node(id).map_or(&[][..], |node| node.log());
        let known = log.iter().any(|entry| entry.command == Some(order));
        // Others' replacements it sees only once they run.
        let open = dead.deaths == death && dead.state != State::Runs && dead.by != id;
        if !leads || known || !open || !self.cluster.runs(id) {
            return;
        }
        let told = [Arg::Part(node(id)), Arg::Part(server(usize::from(i)))];
        cx.because(dead.note);
        self.say("orders", node(id), &told, cx);
        let Some((taken, turn)) = self.cluster.ask(id, Ask::Order(order)) else {
            return;
        };
        self.take(Some(turn), cx);
        if taken && self.method() != Method::Raft {
            self.start(order, id, cx);
        }
    }

    /// Clocks that run begin anew by the settings that hold now.
    fn wind_anew(&mut self, cx: Cx<'_, '_>) {
        let (least, spread) = (self.knobs.least as u64, self.knobs.spread as u64);
        let wind = match self.method() {
            Method::Raft => Wind::Within { least, spread },
            _ => Wind::After(least),
        };
        let timer = self.cluster.protocol.patience();
        for id in self.ids() {
            let clock = self.cluster.clock(id, timer);
            if clock.is_some_and(|clock| clock.ends < Time::NEVER) {
                self.cluster.wind(id, timer, wind, cx);
            }
        }
    }

    /// On a ring nodes are told whom they reach, as a refused connection tells it.
    fn reach(&mut self, cx: Cx<'_, '_>) {
        if self.method() != Method::Ring {
            return;
        }
        for id in self.ids() {
            for other in self.ids().filter(|other| *other != id) {
                let reaches = self.cluster.is_up(other) && self.hear_each_other(id, other);
                if let Some((_, turn)) = self.cluster.ask(id, Ask::Reaches(other, reaches)) {
                    self.cluster.carry(turn, cx);
                }
            }
        }
    }

    /// Who is in charge now, and what follows from a change.
    fn watch(&mut self, cx: Cx<'_, '_>) {
        let charge = self.who_is_in_charge();
        match (charge, self.vacant) {
            (None, None) => self.vacant = Some(cx.now()),
            (Some(_), Some(since)) => {
                let gap = cx.now().since(since);
                self.gap = gap;
                if self
                    .killed
                    .is_some_and(|killed| killed == since && since >= self.set)
                {
                    if self.quick.len() == 5 {
                        self.quick.pop_front();
                    }
                    self.quick.push_back(gap);
                }
                cx.sample(probe::GAP, gap.as_ms());
                self.vacant = None;
            }
            _ => {}
        }
        self.charge = charge;
        let asks = |id: &Id| {
            let brief = self.brief(*id);
            brief.is_some_and(|brief| matches!(brief.role, Role::Asks | Role::Candidate))
        };
        let runs = |one: &&Server| one.state == State::Runs;
        let extra = usize::from(self.twice.is_some_and(|twice| twice.runs));
        let counts = [
            self.leaders().len(),
            self.ids().filter(asks).count(),
            self.servers.iter().filter(runs).count() + extra,
        ];
        for (probe, (count, before)) in [probe::LEADERS, probe::ASKING, probe::RUNNING]
            .into_iter()
            .zip(counts.into_iter().zip(self.counts))
        {
            if count != before {
                cx.sample(probe, count as f64);
            }
        }
        self.counts = counts;
        if let Some(leader) = charge.filter(|_| std::mem::take(&mut self.doomed)) {
            return self.kill(leader, cx);
        }
        self.go_on_missing(cx);
    }

    /// Once the orders are carried out that a node was to miss, it is back, the leader dies, and its clock ends.
    fn go_on_missing(&mut self, cx: Cx<'_, '_>) {
        let all_run = self.servers.iter().all(|one| one.state == State::Runs);
        let Some(misses) = self.misses.filter(|one| one.back.is_none() && all_run) else {
            return;
        };
        let Some(leader) = self.charge else { return };
        let Some(id) = misses.node else {
            return self.let_miss(cx);
        };
        self.misses = Some(Misses {
            back: Some(cx.now()),
            ..misses
        });
        cx.say(note("back", node(id), &[Arg::Part(node(id))]).mark(Tone::Plain));
        self.heal(cx);
        self.kill(leader, cx);
        let patience = self.cluster.protocol.patience();
        let turn = self.cluster.force(id, patience);
        self.take(turn, cx);
    }

    /// All is well: the highest follower is cut off, and all servers die.
    fn let_miss(&mut self, cx: Cx<'_, '_>) {
        let Some(id) = self.highest_follower() else {
            return;
        };
        self.misses = Some(Misses {
            node: Some(id),
            back: None,
            yes: 0,
            no: 0,
        });
        for i in 0..SERVERS {
            self.kill_server(i, cx);
        }
        self.part(&[id], "misses", cx);
    }

    fn kill(&mut self, id: Id, cx: Cx<'_, '_>) {
        if !self.cluster.crash(id, cx.now()) {
            return;
        }
        let word = if self.charge == Some(id) {
            "leader-dies"
        } else {
            "dies"
        };
        cx.say(note(word, node(id), &[Arg::Part(node(id))]).mark(Tone::Bad));
        if self.charge == Some(id) {
            (self.killed, self.since_kill, self.successor) = (Some(cx.now()), 0, None);
        }
        self.reach(cx);
        self.watch(cx);
    }

    fn restart(&mut self, id: Id, cx: Cx<'_, '_>) {
        cx.say(note("restarted", node(id), &[Arg::Part(node(id))]).mark(Tone::Ok));
        let turn = self.cluster.boot(id);
        self.take(turn, cx);
        self.reach(cx);
        self.watch(cx);
    }

    fn kill_server(&mut self, i: usize, cx: Cx<'_, '_>) {
        let Some(one) = self.servers.get_mut(i) else {
            return;
        };
        one.deaths = one.deaths.wrapping_add(1);
        (one.state, one.since, one.started, one.by) = (State::Dead, cx.now(), 0, 0);
        one.note = cx.say(note("server-dies", server(i), &[Arg::Part(server(i))]).mark(Tone::Bad));
        let death = one.deaths;
        if self
            .twice
            .is_some_and(|twice| usize::from(twice.server) == i)
        {
            self.twice = None;
        }
        for (id, _) in self.leaders() {
            cx.schedule(SEES, Event::Look(id, i as u8, death));
        }
    }

    /// Cuts these nodes off from the others.
    fn part(&mut self, side: &[Id], word: &'static str, cx: Cx<'_, '_>) {
        self.cluster.part(side, cx.now());
        self.cut = true;
        (self.counted, self.in_vain) = (None, 0);
        let number = self.cuts.begin(Time::NEVER);
        let mut told = vec![Arg::Part(node(side[0]))];
        told.extend(side.get(1).map(|id| Arg::Part(node(*id))));
        let cause = cx.say(note(word, node(side[0]), &told).mark(Tone::Bad));
        for a in self.ids().filter(|a| side.contains(a)) {
            for b in self.ids().filter(|b| !side.contains(b)) {
                cx.because(cause);
                self.say(
                    "link-cut",
                    link(a, b),
                    &[Arg::Part(node(a)), Arg::Part(node(b))],
                    cx,
                );
            }
        }
        cx.because(cause);
        cx.schedule(COUNTED, Event::Count(number));
        self.reach(cx);
        self.watch(cx);
    }

    /// All links are whole again.
    fn heal(&mut self, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        for b in 2..=self.size() {
            for a in 1..b {
                if !self.hear_each_other(a, b) {
                    cx.because(cause);
                    self.say_link("link-open", a, b, cx);
                }
            }
        }
        cx.because(cause);
        self.cluster.net.heal();
        self.cut = false;
        self.reach(cx);
        self.watch(cx);
    }

    fn say_link(&self, word: &'static str, a: Id, b: Id, cx: Cx<'_, '_>) {
        cx.say(note(
            word,
            link(a, b),
            &[Arg::Part(node(a)), Arg::Part(node(b))],
        ));
    }
}

impl Model for Orchestra {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Orchestra {
        let server = Server {
            state: State::Runs,
            deaths: 0,
            since: Time::ZERO,
            started: 0,
            by: 0,
            note: NoteId::NONE,
        };
        let mut model = Orchestra {
            cluster: Cluster::new(Group::of(knobs), NODES_MAX),
            servers: [server; SERVERS],
            twice: None,
            replaced_twice: 0,
            executed: 0,
            rungs: VecDeque::new(),
            elections: 0,
            charge: None,
            vacant: None,
            gap: Time::ZERO,
            quick: VecDeque::new(),
            fallen: 0,
            last_fall: Time::ZERO,
            in_vain: 0,
            cut: false,
            cuts: Episode::default(),
            counted: None,
            alone: None,
            lonely: Episode::default(),
            misses: None,
            killed: None,
            doomed: false,
            touched: false,
            since_kill: 0,
            successor: None,
            set: Time::ZERO,
            fallen_since: 0,
            knobs: knobs.clone(),
            now: Time::ZERO,
            counts: [0; 3],
        };
        model.cluster.net.loss = knobs.loss / 100.0;
        for i in 0..SERVERS {
            cx.because(NoteId::NONE);
            model.servers[i].note = model.say(
                "server-runs",
                self::server(i),
                &[Arg::Part(self::server(i))],
                cx,
            );
        }
        for part in [LADDER, COUNTS] {
            cx.because(NoteId::NONE);
            model.say("no-leader-yet", part, &[], cx);
        }
        cx.because(NoteId::NONE);
        model.begin(cx);
        model
    }

    fn on_start(&mut self, _: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.set = cx.now();
        (self.fallen, self.fallen_since, self.in_vain) = (0, 0, 0);
        for (probe, count) in [probe::LEADERS, probe::ASKING, probe::RUNNING]
            .into_iter()
            .zip(self.counts)
        {
            cx.sample(probe, count as f64);
        }
        cx.schedule(DIES, Event::Dies);
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Net(event) => {
                let turn = self.cluster.on_event(event, cx);
                self.take(turn, cx);
            }
            Event::Dies => {
                if let Some(leader) = self.charge.filter(|_| !self.touched) {
                    self.kill(leader, cx);
                }
            }
            Event::Look(id, i, death) => self.look(id, i, death, cx),
            Event::Up(i, death, twice) => {
                let part = server(usize::from(i));
                if twice {
                    if let Some(extra) = self.twice.as_mut().filter(|extra| extra.server == i) {
                        extra.runs = true;
                        self.say("runs-twice", part, &[Arg::Part(part)], cx);
                    }
                } else if let Some(one) = self
                    .servers
                    .get_mut(usize::from(i))
                    .filter(|one| one.deaths == death)
                {
                    (one.state, one.since) = (State::Runs, cx.now());
                    one.note = cx.say(note("runs-again", part, &[Arg::Part(part)]).mark(Tone::Ok));
                }
                self.watch(cx);
            }
            Event::Back(number) => {
                if self.lonely.end(number)
                    && let Some(alone) = &mut self.alone
                {
                    alone.back = Some(cx.now());
                    let id = alone.node;
                    cx.say(note("back", node(id), &[Arg::Part(node(id))]).mark(Tone::Plain));
                    self.heal(cx);
                }
            }
            Event::Count(number) => {
                if self.cuts.count() == number && self.cut {
                    self.counted = Some(self.leaders().len());
                }
            }
        }
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        (self.now, self.touched) = (cx.now(), true);
        let before = std::mem::replace(&mut self.knobs, knobs.clone());
        self.cluster.protocol = Group::of(knobs);
        self.cluster.net.loss = knobs.loss / 100.0;
        if before.chart != knobs.chart {
            return; // That only shows more.
        }
        (self.set, self.fallen_since, self.in_vain) = (cx.now(), 0, 0);
        self.quick.clear();
        if before.nodes != knobs.nodes || before.method != knobs.method {
            self.say("anew", LADDER, &[Arg::Count(knobs.nodes.into())], cx);
            self.begin(cx);
        } else if (before.least, before.spread) != (knobs.least, knobs.spread) {
            self.wind_anew(cx);
        }
        self.watch(cx);
    }

    fn can(&self, act: Act) -> bool {
        let id = aimed_at(act.target);
        let known = act.target < usize::from(self.size());
        match act.spec {
            deed::KILL_LEADER => !self.doomed,
            deed::KILL => known && self.cluster.is_up(id),
            deed::RESTART => known && !self.cluster.is_up(id),
            deed::CUT => self.size() > 1 && !self.cut,
            deed::HEAL => self.cluster.net.is_parted(),
            deed::ALONE => !self.cut && self.size() > 1 && self.highest_follower().is_some(),
            deed::EXPIRE => {
                known
                    && self.cluster.runs(id)
                    && self
                        .brief(id)
                        .is_some_and(|brief| brief.role != Role::Leads)
            }
            deed::KILL_SERVER => self
                .servers
                .get(act.target)
                .is_some_and(|one| one.state != State::Dead),
            deed::MISS => {
                let waits = self.misses.is_some_and(|misses| misses.back.is_none());
                !waits && !self.cut && self.size() > 2
            }
            deed::REVIVE => self.ids().any(|id| !self.cluster.is_up(id)),
            deed::PAUSE => known && self.cluster.runs(id),
            deed::RESUME => known && self.cluster.is_up(id) && !self.cluster.runs(id),
            deed::CUT_LINK => {
                let (a, b) = ends(act.target);
                b <= self.size() && self.cluster.net.reaches(a, b)
            }
            deed::LOSE | deed::HOLD => self.cluster.has_dot(act.target as u32),
            _ => false,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        let can = |target| self.can(Act { spec, target });
        match spec {
            deed::LOSE | deed::HOLD => self.cluster.newest_dot().unwrap_or_default() as usize,
            deed::KILL_SERVER => aim(1, SERVERS, can),
            deed::CUT_LINK => {
                let leader = self.charge.unwrap_or(1);
                let other = self.ids().find(|id| *id != leader).unwrap_or(2);
                aim(usize::from(link(leader, other).number) - 1, 21, can)
            }
            _ => {
                let follower = self.highest_follower().map_or(0, |id| usize::from(id) - 1);
                aim(follower, usize::from(self.size()), can)
            }
        }
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        (self.now, self.touched) = (cx.now(), true);
        let id = aimed_at(act.target);
        let me = [Arg::Part(node(id))];
        match act.spec {
            deed::KILL_LEADER => {
                self.doomed = true;
                self.watch(cx);
            }
            deed::KILL => self.kill(id, cx),
            deed::RESTART => {
                self.restart(id, cx);
            }
            deed::CUT => {
                let side = self.side();
                let word = if side.len() > 1 { "cut" } else { "cut-one" };
                self.part(&side, word, cx);
            }
            deed::HEAL => {
                self.lonely.end(self.lonely.count());
                self.misses = self
                    .misses
                    .filter(|misses| misses.back.is_some() || misses.node.is_none());
                cx.say(note("healed", LADDER, &[]).mark(Tone::Ok));
                self.heal(cx);
            }
            deed::ALONE => {
                let Some(id) = self.highest_follower() else {
                    return;
                };
                let term = self.brief(id).map_or(0, |brief| brief.term);
                self.alone = Some(Alone {
                    node: id,
                    term,
                    back: None,
                    fell: false,
                });
                self.part(&[id], "alone", cx);
                let number = self.lonely.begin(cx.now() + ALONE);
                cx.schedule(ALONE, Event::Back(number));
            }
            deed::EXPIRE => {
                cx.say(note("forced", node(id), &me).mark(Tone::Learner));
                let patience = self.cluster.protocol.patience();
                let turn = self.cluster.force(id, patience);
                self.take(turn, cx);
            }
            deed::KILL_SERVER => {
                self.kill_server(act.target, cx);
                self.watch(cx);
            }
            deed::MISS => {
                self.misses = Some(Misses {
                    node: None,
                    back: None,
                    yes: 0,
                    no: 0,
                });
                self.watch(cx);
            }
            deed::REVIVE => {
                for id in self.ids() {
                    if !self.cluster.is_up(id) {
                        self.restart(id, cx);
                    }
                }
            }
            deed::PAUSE => {
                self.cluster.pause(id, cx.now());
                cx.say(note("paused", node(id), &me).mark(Tone::Warn));
                self.watch(cx);
            }
            deed::RESUME => {
                self.cluster.resume(id);
                let cause = cx.say(note("resumed", node(id), &me).mark(Tone::Ok));
                while let Some(turn) = self.cluster.next_held(id, cx) {
                    self.take(Some(turn), cx);
                }
                cx.because(cause);
                self.watch(cx);
            }
            deed::CUT_LINK => {
                let (a, b) = ends(act.target);
                self.cluster.cut_link(a, b, true, cx.now());
                let told = [Arg::Part(node(a)), Arg::Part(node(b))];
                cx.say(note("link-cut", link(a, b), &told).mark(Tone::Bad));
                self.reach(cx);
                self.watch(cx);
            }
            deed::LOSE | deed::HOLD => {
                let (dot, hold) = (act.target as u32, act.spec == deed::HOLD);
                let hold = hold.then_some(HELD_UP);
                if let Some((_, from, to)) = self.cluster.by_hand(dot, hold, cx) {
                    let word = if hold.is_some() {
                        "held-up"
                    } else {
                        "lost-by-hand"
                    };
                    let told = [
                        Arg::Part(node(from)),
                        Arg::Part(node(to)),
                        Arg::Span(HELD_UP),
                    ];
                    cx.say(note(word, node(to), &told).dot(dot).mark(Tone::Learner));
                }
            }
            _ => {}
        }
    }

    fn bytes(&self) -> usize {
        let logs = self
            .cluster
            .nodes()
            .map(|(_, node)| size_of_val(node.log()));
        self.cluster.bytes() + logs.sum::<usize>()
    }

    fn audit(&self) -> Result<(), String> {
        self.cluster.audit()?;
        // Under Raft no two nodes lead one term.
        let leaders = self.leaders();
        let same = leaders.windows(2).find(|two| two[0].1 == two[1].1);
        match same.filter(|_| self.method() == Method::Raft) {
            Some(two) => Err(format!(
                "{} and {} both lead term {}",
                two[0].0, two[1].0, two[0].1
            )),
            None => Ok(()),
        }
    }
}
