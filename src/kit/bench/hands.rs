//! Hands: who works at a bench, what each is at, and when its step is over.

use engine::{Context, Time};
use std::collections::VecDeque;

/// What came of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done; its steps are to be played.
    Done,
    /// It cannot go on before another's is over.
    Waits,
    /// It was turned down.
    Refused,
}

/// What is done at a bench, and on what.
pub trait Craft {
    /// What a hand is asked to do: a question, a statement.
    type Op: Clone;
    /// What the algorithm tells of its work: a page read, a bit probed, a word compared.
    type Step: Copy;

    /// Runs an operation of a hand on the structure, at once, and tells its steps in order.
    fn run(&mut self, hand: usize, op: &Self::Op, trace: &mut dyn FnMut(Self::Step)) -> Verdict;

    /// A step begins: how long it takes.
    fn begin(&mut self, hand: usize, step: Self::Step) -> Time;
}

/// What a hand does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    #[default]
    Free,
    /// It plays a step.
    Plays,
    /// Its operation waits for another hand.
    Waits,
}

/// One who works.
#[derive(Clone, Debug)]
pub struct Hand<O, S> {
    /// What it does.
    pub state: State,
    /// The operation that it is at.
    pub op: Option<O>,
    /// All steps of it, in order.
    pub steps: Vec<S>,
    /// How many of them are over.
    pub over: usize,
    /// When its step, its wait or its rest began.
    pub since: Time,
    /// When its step is over.
    pub until: Time,
    serial: u32,
}

impl<O, S: Copy> Hand<O, S> {
    fn new(now: Time) -> Hand<O, S> {
        Hand {
            state: State::Free,
            op: None,
            steps: Vec::new(),
            over: 0,
            since: now,
            until: now,
            serial: 0,
        }
    }

    /// The step that it plays.
    pub fn step(&self) -> Option<S> {
        let plays = self.state == State::Plays;
        plays.then(|| self.steps.get(self.over).copied()).flatten()
    }

    /// The steps that it has begun, the present one among them.
    pub fn begun(&self) -> &[S] {
        let present = usize::from(self.state == State::Plays);
        &self.steps[..(self.over + present).min(self.steps.len())]
    }

    /// How far its step is, 0 to 1.
    pub fn share(&self, at: Time) -> f32 {
        let whole = self.until.since(self.since).0;
        match whole {
            0 => 1.0,
            whole => (at.since(self.since).0.min(whole) as f32) / whole as f32,
        }
    }
}

/// A step of a hand is over, if that hand's turn is still this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    hand: u16,
    serial: u32,
}

/// What a hand has played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Played<S> {
    /// Who.
    pub hand: usize,
    /// What; none where the operation had no steps.
    pub step: Option<S>,
}

/// The hands, and what waits for one that is free.
#[derive(Clone, Debug)]
pub struct Bench<C: Craft> {
    hands: Vec<Hand<C::Op, C::Step>>,
    /// What is asked next.
    pub queue: VecDeque<C::Op>,
}

impl<C: Craft> Bench<C> {
    /// A bench with so many hands, all free.
    pub fn new(hands: usize, now: Time) -> Bench<C> {
        Bench {
            hands: (0..hands).map(|_| Hand::new(now)).collect(),
            queue: VecDeque::new(),
        }
    }

    /// All hands.
    pub fn hands(&self) -> &[Hand<C::Op, C::Step>] {
        &self.hands
    }

    /// A hand; the first if there is none of this number.
    pub fn hand(&self, hand: usize) -> &Hand<C::Op, C::Step> {
        self.hands.get(hand).unwrap_or(&self.hands[0])
    }

    /// The first hand that is free.
    pub fn free(&self) -> Option<usize> {
        self.hands.iter().position(|hand| hand.state == State::Free)
    }

    /// A hand begins an operation; whatever it was at is given up.
    pub fn start<E: From<Turn>>(
        &mut self,
        hand: usize,
        op: C::Op,
        craft: &mut C,
        cx: &mut Context<'_, E>,
    ) -> Verdict {
        let mut steps = Vec::new();
        let verdict = craft.run(hand, &op, &mut |step| steps.push(step));
        let Some(who) = self.hands.get_mut(hand) else {
            return Verdict::Refused;
        };
        who.serial = who.serial.wrapping_add(1);
        (who.op, who.steps, who.over, who.since) = (Some(op), steps, 0, cx.now());
        who.until = who.since;
        match verdict {
            Verdict::Done => self.play(hand, craft, cx),
            Verdict::Waits => who.state = State::Waits,
            Verdict::Refused => (who.state, who.op) = (State::Free, None),
        }
        verdict
    }

    /// A hand that waits is asked once more; none if it does not wait.
    pub fn ask_again<E: From<Turn>>(
        &mut self,
        hand: usize,
        craft: &mut C,
        cx: &mut Context<'_, E>,
    ) -> Option<Verdict> {
        let who = self.hands.get_mut(hand)?;
        let (waits, since) = (who.state == State::Waits, who.since);
        let op = who.op.take_if(|_| waits)?;
        let verdict = self.start(hand, op, craft, cx);
        if verdict == Verdict::Waits {
            // It still waits for the first time.
            self.hands[hand].since = since;
        }
        Some(verdict)
    }

    /// A hand lets go of what it is at, and of the steps that it has played.
    pub fn give_up(&mut self, hand: usize, now: Time) -> Option<C::Op> {
        let who = self.hands.get_mut(hand)?;
        who.serial = who.serial.wrapping_add(1);
        (who.state, who.since, who.until) = (State::Free, now, now);
        // What it had read may be gone by the next picture.
        (who.steps, who.over) = (Vec::new(), 0);
        who.op.take()
    }

    /// What is due: which step is over. None if the hand has let go of it.
    pub fn on_event(&mut self, turn: Turn) -> Option<Played<C::Step>> {
        let hand = usize::from(turn.hand);
        let who = self.hands.get_mut(hand)?;
        if who.serial != turn.serial || who.state != State::Plays {
            return None;
        }
        let step = who.step();
        who.over += usize::from(step.is_some());
        Some(Played { hand, step })
    }

    /// The next step of a hand begins; its operation if that was the last.
    pub fn go_on<E: From<Turn>>(
        &mut self,
        hand: usize,
        craft: &mut C,
        cx: &mut Context<'_, E>,
    ) -> Option<C::Op> {
        let who = self.hands.get_mut(hand)?;
        if who.state != State::Plays {
            return None;
        }
        if who.over >= who.steps.len() {
            (who.state, who.since, who.until) = (State::Free, cx.now(), cx.now());
            return who.op.take();
        }
        self.play(hand, craft, cx);
        None
    }

    fn play<E: From<Turn>>(&mut self, hand: usize, craft: &mut C, cx: &mut Context<'_, E>) {
        let who = &mut self.hands[hand];
        who.state = State::Plays;
        let step = who.steps.get(who.over).copied();
        let span = step.map_or(Time::ZERO, |step| craft.begin(hand, step));
        let turn = Turn {
            hand: hand as u16,
            serial: who.serial,
        };
        (who.since, who.until) = (cx.now(), cx.now() + span);
        cx.schedule(span, turn.into());
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        let step = size_of::<C::Step>();
        let hands = self.hands.iter();
        let steps: usize = hands.map(|hand| hand.steps.capacity() * step).sum();
        steps + self.queue.len() * size_of::<C::Op>()
    }
}
