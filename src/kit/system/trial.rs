//! What the tests of a lesson ask: whether twins meet the same requests, whatever the design.
//!
//! A comparison says something about two designs only if both are asked the same. So everything random about a request is
//! drawn when it comes ([`Draw`]), from streams that nothing else reads, and a design must not reach back to them: neither by
//! drawing more often, nor by a knob that turns the crowd by the way. [`every_design`] holds a lesson to that; only tests call
//! it, so no page carries it.

use super::frame::{Draw, Frame, Place};
use super::model::System;
use super::plan::{Arrivals, Kind, Service, Spread, Step};
use super::script::{Deed, Values};
use super::state::Live;
use crate::flow::{Key, Source};
use engine::knobs::{self, Kind as Control};
use engine::show::{Ran, Watch};
use engine::{Act, Knob, Run, Sheet, Show, Time};
use std::collections::{BTreeMap, BTreeSet};

/// So long users are watched.
const SPAN: Time = Time::s(60);
/// What can befall the system does, one after the other, in this part of it.
const TROUBLE: (Time, Time) = (Time::s(8), Time::s(52));
const SEEDS: [u32; 3] = [1, 2, 3];

/// What was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Pairs of runs.
    pub pairs: usize,
    /// Requests that came by themselves, in both runs of a pair.
    pub requests: usize,
    /// Of these, those that had the same number. In a run whose users come again, or wait for answers, later ones have others.
    pub numbers: usize,
    /// Pieces of work that were begun in both.
    pub works: usize,
}

impl Compared {
    fn add(&mut self, more: Compared) {
        self.pairs += more.pairs;
        self.requests += more.requests;
        self.numbers += more.numbers;
        self.works += more.works;
    }
}

/// A request that came by itself: neither since an earlier one failed, nor because the lesson had it come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    crowd: u16,
    /// None if it follows from answers.
    at: Option<Time>,
    draw: Draw,
}

impl Asked {
    fn agrees(&self, other: &Asked) -> bool {
        let times = self.at.zip(other.at);
        (self.crowd, self.draw) == (other.crowd, other.draw)
            && times.is_none_or(|(one, other)| one == other)
    }
}

/// A piece of work: for what draw, at which node and step, drawn by which rule.
type Work = (u64, (u16, u8), (Time, Spread, u64, Time));

/// What users of one run asked.
#[derive(Default)]
struct Record {
    /// How many came in the warm-up. If others came out of turn already there, numbers are others from the start.
    before: u32,
    /// Those of crowds that wait for nothing, in their order, with their numbers as long as nobody came out of turn.
    open: Vec<(Asked, Option<u32>)>,
    /// Those of users who wait for answers: by crowd, user and which of the user's, or its dice where users send by a plan.
    turns: BTreeMap<(u16, u16, u64), Asked>,
    works: BTreeMap<Work, u64>,
}

/// Holds a lesson's opening against its comparison, with each value of that knob for some seeds, and against itself with every
/// other knob turned all the way; meanwhile everything happens that the learner can let befall the system. `crowd` names the
/// knobs that are about the users themselves, each with the reason: these must make a difference.
///
/// # Errors
/// All that differs, and by which knobs.
pub fn every_design(
    sheet: &'static Sheet<System>,
    crowd: &[(&str, &str)],
) -> Result<Compared, String> {
    compare(sheet, crowd, |class| class, false)
}

/// As [`every_design`], of a lesson whose classes tell the design, too: `class` is what a user asks in one of them.
///
/// # Errors
/// All that differs, and by which knobs.
pub fn every_design_by(
    sheet: &'static Sheet<System>,
    crowd: &[(&str, &str)],
    class: fn(u8) -> u8,
) -> Result<Compared, String> {
    compare(sheet, crowd, class, false)
}

/// As [`every_design_by`], of a lesson whose script weighs work by what was drawn alone: then that is compared, too.
///
/// # Errors
/// All that differs, and by which knobs.
pub fn every_design_weighed(
    sheet: &'static Sheet<System>,
    crowd: &[(&str, &str)],
    class: fn(u8) -> u8,
) -> Result<Compared, String> {
    compare(sheet, crowd, class, true)
}

fn compare(
    sheet: &'static Sheet<System>,
    crowd: &[(&str, &str)],
    class: fn(u8) -> u8,
    weighed: bool,
) -> Result<Compared, String> {
    let record = |settings: &[(&str, f64)], seed| {
        let mut record = record(sheet, settings, seed, weighed)?;
        let open = record.open.iter_mut().map(|(asked, _)| asked);
        for asked in open.chain(record.turns.values_mut()) {
            asked.draw.class = class(asked.draw.class);
        }
        Ok::<_, String>(record)
    };
    let first = SEEDS.map(|seed| record(&[], seed));
    let first = first.into_iter().collect::<Result<Vec<_>, _>>()?;
    let (mut compared, mut faults) = (Compared::default(), Vec::new());
    let dials = knobs::list(&(sheet.first)());
    if let Some((id, _)) = crowd
        .iter()
        .find(|(id, _)| dials.iter().all(|(knob, _)| knob.id != *id))
    {
        return Err(format!("there is no knob {id}"));
    }
    for (nth, (knob, now)) in dials.iter().enumerate() {
        let is_twin = knob.id == sheet.twin.0;
        let mut values = values(knob);
        if is_twin {
            values.push(sheet.twin.1);
        }
        values.retain(|value| value != now);
        let excused = crowd.iter().any(|(id, _)| *id == knob.id);
        let mut differs = false;
        for (place, value) in values.into_iter().enumerate() {
            let seeds = match is_twin && !excused {
                true => 0..SEEDS.len(),
                false => (nth + place) % SEEDS.len()..(nth + place) % SEEDS.len() + 1,
            };
            for seed in seeds {
                let other = record(&[(knob.id, value)], SEEDS[seed])?;
                match same(&first[seed], &other) {
                    Ok(more) => compared.add(more),
                    Err(_) if excused => differs = true,
                    Err(what) => {
                        let seed = SEEDS[seed];
                        faults.push(format!("{} = {value}, seed {seed}: {what}", knob.id));
                    }
                }
            }
        }
        if excused && !differs {
            faults.push(format!("{} changes nothing of what users ask", knob.id));
        }
    }
    match faults.is_empty() {
        true => Ok(compared),
        false => Err(faults.join("\n")),
    }
}

/// Holds two settings of a lesson's knobs against each other.
///
/// # Errors
/// What differs.
pub fn pair(
    sheet: &'static Sheet<System>,
    settings: [&[(&str, f64)]; 2],
    seed: u32,
) -> Result<Compared, String> {
    let [one, other] = settings.map(|settings| record(sheet, settings, seed, false));
    same(&one?, &other?)
}

/// The values of a knob that tell most: all of a choice, the ends of a range.
fn values(knob: &Knob) -> Vec<f64> {
    match knob.kind {
        Control::Slider { min, max, .. } => vec![min, max],
        Control::Choice(options) => (0..options.len()).map(|nth| nth as f64).collect(),
        Control::Switch => vec![0.0, 1.0],
    }
}

fn record(
    sheet: &'static Sheet<System>,
    settings: &[(&str, f64)],
    seed: u32,
    weighed: bool,
) -> Result<Record, String> {
    let mut first: Values = (sheet.first)();
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).map_err(|_| format!("{id} cannot be {value}"))?;
    }
    let befalls = |deed: &Deed| !matches!(deed, Deed::Own | Deed::Turn);
    let deeds = first.script.deeds().iter().enumerate();
    let deeds: Vec<usize> = deeds
        .filter(|(_, deed)| befalls(deed))
        .map(|(spec, _)| spec)
        .collect();
    let mut run = Run::with_knobs(sheet, seed, first);
    let mut observer = Observer::new(run.model(), weighed);
    let between = TROUBLE.1.since(TROUBLE.0).0 / deeds.len().max(1) as u64;
    for (nth, spec) in deeds.into_iter().enumerate() {
        observer.watch(&mut run, TROUBLE.0 + Time(between * nth as u64))?;
        let target = run.aim(spec);
        run.act(Act { spec, target });
    }
    observer.watch(&mut run, SPAN)?;
    run.audit()?;
    Ok(observer.record)
}

/// Looks at a run after each event.
struct Observer {
    record: Record,
    requests: u32,
    /// Somebody came out of turn.
    shifted: bool,
    /// What a script weighs is compared, too.
    weighed: bool,
    sources: Vec<Source>,
    begun: BTreeSet<(Key, u8)>,
}

impl Observer {
    fn new(system: &System, weighed: bool) -> Observer {
        Observer {
            record: Record {
                before: system.requests(),
                ..Record::default()
            },
            requests: system.requests(),
            shifted: false,
            weighed,
            sources: sources(system),
            begun: BTreeSet::new(),
        }
    }

    fn watch(&mut self, run: &mut Run<System>, until: Time) -> Result<(), String> {
        while run.run(until, Watch::Any, u64::MAX) == Ran::Stopped {
            self.look(run.model())?;
        }
        Ok(())
    }

    fn look(&mut self, system: &System) -> Result<(), String> {
        let sources = sources(system);
        let many = system.requests() - self.requests;
        let mut seen = 0;
        for (key, frame) in system.frames() {
            if many > 0 && frame.is_request() && frame.number > self.requests {
                seen += 1;
                self.comes(frame, system, &sources);
            }
            let works = frame.place == Place::Held && frame.works_since() == Some(system.now);
            if works && self.begun.insert((key, frame.step)) {
                self.works(frame, system);
            }
        }
        if seen < many {
            return Err(format!("{many} requests came at once and {seen} are there"));
        }
        (self.requests, self.sources) = (system.requests(), sources);
        Ok(())
    }

    fn comes(&mut self, frame: &Frame, system: &System, sources: &[Source]) {
        let crowd = frame.node;
        let Some(Kind::Crowd(of)) = system.live(crowd).map(|live| &live.node.kind) else {
            return;
        };
        let mut asked = Asked {
            crowd,
            at: Some(frame.asked),
            draw: frame.draw,
        };
        // Of all events only the arrival at a source both turns it and brings a request.
        let turned = self.sources.get(usize::from(crowd)) != sources.get(usize::from(crowd));
        let turn = match of.arrivals {
            Arrivals::Closed { .. } => {
                asked.at = None;
                Some(u64::from(frame.draw.key))
            }
            Arrivals::Paced { skips, .. } => {
                // Which of the requests that were sent it is depends on those before.
                asked.draw.key = 0;
                if skips {
                    asked.at = None;
                }
                Some(frame.draw.dice)
            }
            _ => None,
        };
        let comes_again = frame.reloads > 0 || (turn.is_none() && !turned);
        self.shifted |= comes_again || turn.is_some();
        if comes_again {
            return;
        }
        match turn {
            Some(turn) => {
                _ = self
                    .record
                    .turns
                    .insert((crowd, asked.draw.person, turn), asked)
            }
            None => {
                let number = (!self.shifted).then_some(frame.number);
                self.record.open.push((asked, number));
            }
        }
    }

    fn works(&mut self, frame: &Frame, system: &System) {
        let Some(live) = system.live(frame.node) else {
            return;
        };
        // What a script weighs may follow from the state of the system, a job from what its member does by itself.
        let compared = |it: &&Service| (self.weighed || !it.weighs) && !frame.job;
        let Some(service) = live.service().filter(compared) else {
            return;
        };
        let program = live.node.kind.program(frame.draw.class);
        if let Some(Step::Work(mean)) = program.get(usize::from(frame.step)) {
            let (share, drags) = service.drags;
            let rule = (*mean, service.spread, share.to_bits(), drags);
            let work = (frame.draw.dice, (frame.node, frame.step), rule);
            self.record.works.entry(work).or_insert(frame.work.0);
        }
    }
}

/// Where each crowd's arrivals stand, by node.
fn sources(system: &System) -> Vec<Source> {
    let source = |live: &Option<Live>| live.as_ref().map(|live| live.source).unwrap_or_default();
    system.nodes.iter().map(source).collect()
}

/// Holds what users asked in two runs against each other.
fn same(one: &Record, other: &Record) -> Result<Compared, String> {
    let mut compared = Compared {
        pairs: 1,
        ..Compared::default()
    };
    for (nth, (ours, theirs)) in one.open.iter().zip(&other.open).enumerate() {
        if !ours.0.agrees(&theirs.0) {
            return Err(format!("request {nth} is {:?}, and {:?}", ours.0, theirs.0));
        }
        if one.before == other.before
            && let (Some(one), Some(other)) = (ours.1, theirs.1)
        {
            if one != other {
                return Err(format!("request {nth} has the numbers {one} and {other}"));
            }
            compared.numbers += 1;
        }
        compared.requests += 1;
    }
    if one.open.len() != other.open.len() {
        let (one, other) = (one.open.len(), other.open.len());
        return Err(format!("{one} requests came, and {other}"));
    }
    if one.turns.is_empty() != other.turns.is_empty() {
        return Err("only in one of them users wait for answers".to_owned());
    }
    for (turn, ours) in &one.turns {
        match other.turns.get(turn) {
            Some(theirs) if !ours.agrees(theirs) => {
                return Err(format!("of {turn:?}: {ours:?}, and {theirs:?}"));
            }
            Some(_) => compared.requests += 1,
            None => {}
        }
    }
    for (work, ours) in &one.works {
        match other.works.get(work) {
            Some(theirs) if ours != theirs => {
                return Err(format!("{work:?} is {ours} us of work, and {theirs}"));
            }
            Some(_) => compared.works += 1,
            None => {}
        }
    }
    if compared.requests == 0 {
        return Err("nothing to compare".to_owned());
    }
    Ok(compared)
}
