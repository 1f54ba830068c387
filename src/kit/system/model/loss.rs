//! Wires that lose what goes over them: it dies on the way, and nobody is told. Who waits for it learns by a time-out.

use super::{System, count, purpose};
use crate::flow::{Key, Leg};
use crate::system::deaths::Deaths;
use crate::system::frame::{Draw, Frame, Place, Reason};
use crate::system::ledger::Count;
use crate::system::plan::WireId;
use crate::system::script::Cx;
use crate::system::shelf::Loan;
use crate::system::state::HUSH;
use engine::{Arg, Note, Time, Tone};

/// Whether a wire that loses this share loses one crossing of a request: drawn from its own dice, so that twins lose the same ones.
fn strays(draw: &Draw, wire: u16, loss: f64, crossing: u32) -> bool {
    let purpose = purpose::LOSS + (u64::from(wire) << 8) + (u64::from(crossing) << 32);
    draw.unit(purpose) <= loss
}

impl System {
    /// Whether a call that sets out over a wire, or its answer, gets lost there.
    pub(in crate::system) fn frame_strays(&self, frame: &Frame, wire: u16, back: bool) -> bool {
        let loss = self.live_wire(wire).map_or(0.0, |live| live.loss);
        // Calls of one step go each their own way.
        let parts = [
            u32::from(frame.of.0),
            u32::from(frame.of.1),
            u32::from(back),
        ];
        let mix = |sum: u32, part| sum.wrapping_mul(31).wrapping_add(part);
        strays(
            &frame.draw,
            wire,
            loss,
            parts.into_iter().fold(frame.path, mix),
        )
    }

    /// Whether what goes between a queue and a worker about a message gets lost.
    pub(in crate::system) fn loan_strays(&self, loan: &Loan, wire: u16, back: bool) -> bool {
        let loss = self.live_wire(wire).map_or(0.0, |live| live.loss);
        let crossing = loan.deliveries.wrapping_mul(2) + u32::from(back);
        strays(&loan.letter.draw, wire, loss, crossing)
    }

    /// Whether a health check gets lost: it belongs to no request, so its moment decides.
    pub(in crate::system) fn check_strays(&self, wire: u16, member: u16, left: Time) -> bool {
        let loss = self.live_wire(wire).map_or(0.0, |live| live.loss);
        let dice = self.salt ^ left.0 ^ (u64::from(member) << 48);
        let draw = Draw {
            dice,
            ..Draw::default()
        };
        strays(&draw, wire, loss, 0)
    }

    /// A call or its answer dies on a wire. Its caller waits on: for its time-out, or for [`HUSH`].
    pub(in crate::system) fn stray(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        let (wire, member) = frame.hop();
        let word = match frame.leg.back {
            false => "strays",
            true => "answer-strays",
        };
        frame.failed = Some(Reason::Strayed);
        frame.place = Place::Astray;
        frame.leg = Leg::new(WireId(wire), now, HUSH, true);
        let (number, cause) = (frame.number, frame.note);
        cx.because(cause);
        let note = self.died_on(wire, member, (word, number), cx);
        if let Some(frame) = self.frames.get_mut(key) {
            frame.note = note;
        }
        cx.schedule(HUSH, super::Event::Back(key));
    }

    /// Messages that a queue has lent die on the way to their worker: their clocks run on.
    pub(in crate::system) fn loans_stray(
        &mut self,
        (wire, member): (u16, u16),
        loans: &mut std::collections::VecDeque<Loan>,
        cx: Cx<'_, '_>,
    ) {
        let mut gone = Vec::new();
        loans.retain(|loan| {
            let strays = self.loan_strays(loan, wire, false);
            if strays {
                gone.push(loan.letter);
            }
            !strays
        });
        for letter in gone {
            cx.because(letter.note);
            self.died_on(wire, member, ("strays", letter.number), cx);
        }
    }

    /// Counts and says that something died on a wire.
    fn died_on(
        &mut self,
        wire: u16,
        member: u16,
        (word, number): (&'static str, u32),
        cx: Cx<'_, '_>,
    ) -> engine::tape::NoteId {
        let now = cx.now();
        let Some(live) = self.live_wire_mut(wire) else {
            return engine::tape::NoteId::NONE;
        };
        let place = usize::from(member);
        if live.lost.len() <= place {
            live.lost.resize(place + 1, Deaths::default());
        }
        live.lost[place].add(Reason::Strayed, now);
        let (from, to, part) = (live.wire.from.0, live.wire.to.0, live.wire.part);
        self.all.add(Count::Strayed);
        if let Some(live) = self.live_mut(from) {
            live.row.add(Count::Strayed);
        }
        let Some(target) = self.live(to) else {
            return engine::tape::NoteId::NONE;
        };
        let link = target.node.numbered(part, place);
        let end = Arg::Part(target.node.part_of(place));
        let note = Note::new(word).with(count(number)).with(end);
        self.say(note.about(link).dot(number), cx)
    }

    /// A wire loses another share from now on, whatever the plan said before.
    pub(in crate::system) fn set_loss(&mut self, wire: WireId, share: f64, cx: Cx<'_, '_>) {
        let Some(live) = self.live_wire_mut(wire.0) else {
            return;
        };
        live.loss = share.clamp(0.0, 1.0);
        let (share, to, part) = (live.loss, live.wire.to.0, live.wire.part);
        let Some(target) = self.live(to) else { return };
        let link = target.node.numbered(part, 0);
        let end = Arg::Part(target.node.part_of(0));
        let note = match share > 0.0 {
            true => Note::new("lossy")
                .with(Arg::Share(share))
                .with(end)
                .mark(Tone::Bad),
            false => Note::new("lossless").with(end).mark(Tone::Ok),
        };
        self.say(note.about(link), cx);
    }
}
