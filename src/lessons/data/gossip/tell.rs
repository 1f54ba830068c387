//! What is said when a node has done something, and what is counted.

use super::probe;
use super::state::{Cx, LISTS, Talk, Village, node, note};
use algorithms::membership::{Change, RUMOUR, Timer, Word};
use algorithms::protocol::Id;
use algorithms::swim::Health;
use engine::tape::NoteId;
use engine::{Arg, Time, Tone};
use kit::cluster::{Spur, Turn};

/// Says what a turn changes.
pub(super) fn turn(model: &mut Village, turn: &Turn<Talk>, cx: Cx<'_, '_>) {
    let me = turn.at;
    let (dot, sent) = (model.cluster.next_dot(), turn.out.sent.len());
    count(model, turn, cx);
    if let Spur::Rang(Timer::Timeout) = turn.spur
        && let Some(of) = model.cluster.node(me).and_then(|node| node.pings())
    {
        cx.because(silence(model, me, of));
        let told = [
            Arg::Part(node(me)),
            Arg::Part(node(of)),
            Arg::Count(sent as i64),
        ];
        let word = if sent > 0 { "asks" } else { "no-answer" };
        model.asked[usize::from(me)] = cx.say(note(word, node(me), &told).dots(dot, sent));
    }
    let changes = model
        .cluster
        .node(me)
        .map_or(Vec::new(), |node| node.changes.clone());
    for change in changes {
        match change {
            Change::Accuses(of) => accuses(model, me, of, cx),
            Change::Believes(about, was) => {
                let from = match &turn.spur {
                    Spur::Heard(from, _) => *from,
                    _ => me,
                };
                let was = was.map(|belief| belief.health);
                believes(model, me, about, was, from, &turn.spur, cx);
            }
        }
    }
}

/// Why somebody does not answer.
fn silence(model: &Village, me: Id, of: Id) -> NoteId {
    let (mine, its) = (model.woes[usize::from(me)], model.woes[usize::from(of)]);
    let apart = !model.cluster.net.reaches(me, of) || !model.cluster.net.reaches(of, me);
    match () {
        () if model.slow == Some(me) => mine,
        () if its != NoteId::NONE => its,
        () if apart => model.cutting,
        () => model.losing,
    }
}

fn accuses(model: &mut Village, me: Id, of: Id, cx: Cx<'_, '_>) {
    cx.because(model.asked[usize::from(me)]);
    let told = [Arg::Part(node(me)), Arg::Part(node(of))];
    let said = cx.say(note("suspects", node(me), &told).mark(Tone::Warn));
    model.because_of(me, of, said, 3);
    model.accused += 1;
    model.accusers[usize::from(me) - 1] += 1;
    cx.sample(probe::ACCUSED, 1.0);
    if model.cluster.is_up(of) {
        model.falsely += 1;
        cx.sample(probe::FALSELY, 1.0);
    }
}

/// Where the chain of what is said about a member began.
fn root(model: &Village, about: Id) -> NoteId {
    match model.news {
        Some(news) if news.about == about => news.note,
        _ => model.woes[usize::from(about)],
    }
}

/// A list says something else of a member.
fn believes(
    model: &mut Village,
    me: Id,
    about: Id,
    was: Option<Health>,
    from: Id,
    spur: &Spur<Word, Timer>,
    cx: Cx<'_, '_>,
) {
    let is = model.health(me, about);
    let root = root(model, about);
    let (why, links) = model.reason(from, about, root);
    let is_news = model.news.is_some_and(|news| news.about == about);
    let watched = is_news || model.ordeal.is_some_and(|ordeal| ordeal.of == about);
    let other = Arg::Part(node(about));
    let told = [Arg::Part(node(me)), other, Arg::Part(node(from))];
    let word = match (spur, is) {
        (Spur::Rang(Timer::Period) | Spur::Asked | Spur::Booted, _) => return,
        (Spur::Rang(_), Some(_)) => "declares",
        (Spur::Rang(_), None) => "forgets",
        _ if about == me => "objects",
        _ if about == RUMOUR => "hears-news",
        (_, Some(Health::Alive)) if was.is_none() && is_news => "hears-join",
        (_, Some(Health::Alive)) if was.is_none() => "has-back",
        (_, Some(Health::Alive)) => "hears-alive",
        (_, Some(Health::Suspect)) => "hears-suspect",
        _ => "hears-dead",
    };
    let news = word == "hears-join" || about == RUMOUR;
    let quiet = matches!(
        word,
        "hears-alive" | "hears-suspect" | "hears-dead" | "has-back"
    );
    if quiet && !watched {
        return model.because_of(me, about, why, links);
    }
    cx.because(why);
    let mut said = note(word, node(me), &told);
    match word {
        "declares" => said = said.mark(Tone::Bad),
        "objects" => {
            let belief = model.cluster.node(me).and_then(|node| node.belief(me));
            let number = belief.map_or(0, |belief| belief.incarnation);
            let told = [told[0], Arg::Count(number as i64)];
            said = note(word, node(me), &told).mark(Tone::Ok);
        }
        _ => {}
    }
    let said = cx.say(said);
    model.because_of(me, about, said, links + 1);
    if news {
        let called = matches!(spur, Spur::Heard(_, Word::Call { .. } | Word::Tell { .. }));
        heard_news(model, called, cx);
    }
}

/// Somebody has the news that had not: how many is that?
fn heard_news(model: &mut Village, called: bool, cx: Cx<'_, '_>) {
    let Some(mut news) = model.news else { return };
    // Who learned it from a whole list was not called.
    news.fresh += u32::from(called);
    let (know, lists) = model.knowing(news.about);
    let rounds = model.rounds - news.before;
    let told = [Arg::Count(rounds.into())];
    if news.half.is_none() && 2 * know >= lists {
        news.half = Some(rounds);
        cx.say(note("half", LISTS, &told));
    }
    if news.all.is_none() && know == lists {
        news.all = Some(rounds);
        cx.say(note("all", LISTS, &told).mark(Tone::Ok));
        let calls = [
            Arg::Count(news.calls.into()),
            Arg::Count((news.calls - news.fresh.min(news.calls)).into()),
        ];
        cx.say(note("calls", super::state::CALLS, &calls));
    }
    model.news = Some(news);
}

/// Counts messages, and calls that brought the news.
fn count(model: &mut Village, turn: &Turn<Talk>, cx: Cx<'_, '_>) {
    let now = cx.now();
    for _ in &turn.out.sent {
        model.recent.add(0, now);
        cx.sample(probe::MESSAGES, 1.0);
    }
    let me = turn.at;
    let Some(mut news) = model.news else {
        return;
    };
    let has = |word: &Word| word.news().iter().any(|item| item.about == news.about);
    let mut calls = 0;
    let mut to = me;
    for (other, word) in &turn.out.sent {
        if has(word) && matches!(word, Word::Call { .. } | Word::Tell { .. }) {
            calls += 1;
            to = *other;
        }
    }
    if calls == 0 {
        return;
    }
    if news.all.is_none() {
        news.calls += calls;
    }
    cx.because(model.reason(me, news.about, news.note).0);
    let (dot, sent) = (model.cluster.next_dot(), turn.out.sent.len());
    let told = [
        Arg::Part(node(me)),
        Arg::Part(node(to)),
        Arg::Count(calls.into()),
    ];
    let word = if calls > 1 { "round-more" } else { "round" };
    cx.say(note(word, node(me), &told).dots(dot, sent));
    model.news = Some(news);
}

/// What the lists make of whom something befell.
pub(super) fn watch(model: &mut Village, cx: Cx<'_, '_>) {
    let now = cx.now();
    let mut shares = [0; 3];
    if let Some(news) = model.latest_news() {
        let (know, lists) = model.knowing(news.about);
        shares[0] = 100 * know / lists.max(1);
    }
    if let Some(mut ordeal) = model.ordeal {
        let column = model.column(ordeal.of);
        let lists = column.lists();
        shares[1] = 100 * column.suspect / lists.max(1);
        shares[2] = 100 * column.dead / lists.max(1);
        ordeal.called_dead |= column.dead > 0;
        if ordeal.first.is_none() && column.suspect + column.dead > 0 {
            ordeal.first = Some(now);
        }
        let span = Arg::Span(Time::ms(
            (now.since(ordeal.since).as_ms() / 100.0) as u64 * 100,
        ));
        let told = [Arg::Count(lists as i64), Arg::Part(node(ordeal.of)), span];
        if ordeal.dead.is_none() && lists > 0 && column.dead == lists {
            ordeal.dead = Some(now);
            cx.say(note("all-dead", LISTS, &told).mark(Tone::Bad));
        }
        let asleep = !model.cluster.runs(ordeal.of);
        if ordeal.back.is_none() && ordeal.first.is_some() && !asleep && column.alive == lists {
            ordeal.back = Some(now);
            cx.say(note("all-alive", LISTS, &told).mark(Tone::Ok));
        }
        model.ordeal = Some(ordeal);
    }
    for (probe, (share, before)) in (0..).zip(shares.into_iter().zip(model.shares)) {
        if share != before {
            cx.sample(probe, share as f64);
        }
    }
    model.shares = shares;
}
