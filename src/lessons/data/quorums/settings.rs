//! What the learner sets.

use algorithms::replicated::{self, Replicated};
use algorithms::staleness::Wars;
use engine::{Time, choices};

/// Replicas on the ring.
pub(super) const NODES: u8 = 5;
/// A home that missed a time-out is passed over for so long; a hint is offered so often.
const PASS: Time = Time::ms(200);
const OFFER: Time = Time::ms(10);

/// What messages take: fits to what was measured, from Bailis et al.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delays {
    /// Voldemort at LinkedIn on SSDs.
    Ssd,
    /// The same on disks.
    Disk,
    /// Riak at Yammer.
    Ymmr,
}
choices!(Delays { "ssd" => Delays::Ssd, "disk" => Delays::Disk, "ymmr" => Delays::Ymmr });

/// What a read does about copies that are behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repair {
    Off,
    Behind,
    Before,
}
choices!(Repair { "off" => Repair::Off, "behind" => Repair::Behind, "before" => Repair::Before });

/// Whom a write is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copies {
    /// All N.
    All,
    /// W of them, drawn by chance; the others never get it. The closed form of the theory.
    OnlyW,
}
choices!(Copies { "all" => Copies::All, "only-w" => Copies::OnlyW });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// Copies of each key.
        n: whole "n" [1, 5] "" = 3,
        /// A write waits for so many; no more than N count.
        w: whole "w" [1, 5] "" = 1,
        /// A read waits for so many; no more than N count.
        r: whole "r" [1, 5] "" = 1,
        /// What messages take.
        delays: choice Delays "delays" = Delays::Disk,
        /// A read follows each answered write after so long, ms.
        after: whole "after" [0, 100] "ms" = 0,
        /// What reads repair.
        repair: choice Repair "repair" = Repair::Off,
        /// Whether the writer keeps what was not acknowledged.
        hints: switch "hints" = true,
        /// Whether others count in the place of a home that does not answer.
        stand_ins: switch "stand-ins" = false,
        /// Whom a write is sent to.
        copies: choice Copies "copies" = Copies::All,
        /// Writes a second.
        writes: whole "writes" [0, 100] "/s" = 100,
        /// Reads of any key, a second.
        reads: slider "reads" [0.0, 500.0, 10.0] "/s" = 0.0,
        /// A request fails after so long, ms.
        timeout: slider "timeout" [5.0, 1000.0, 5.0] "ms" = 100.0,
        /// A hint is kept so long, s.
        kept: slider "kept" [0.0, 10.0, 0.5] "s" = 1.0,
        /// Whether R and W are exchanged, so that both can be compared under the same traffic.
        swap: switch "swap" = false,
        /// Whether messages are drawn as a sequence chart.
        chart: switch "chart" = false,
    }
}

impl Settings {
    /// R and W as they count.
    pub(super) fn quorum(&self) -> (usize, usize) {
        let (r, w) = (self.r.min(self.n) as usize, self.w.min(self.n) as usize);
        if self.swap { (w, r) } else { (r, w) }
    }

    /// Whether each read meets each answered write.
    pub(super) fn overlaps(&self) -> bool {
        let (r, w) = self.quorum();
        r + w > self.n as usize
    }

    /// The rules of the protocol, in µs.
    pub(super) fn rules(&self) -> Replicated {
        let (r, w) = self.quorum();
        Replicated {
            replicas: NODES,
            n: self.n as u8,
            w: w as u8,
            r: r as u8,
            repair: match self.repair {
                Repair::Off => replicated::Repair::Off,
                Repair::Behind => replicated::Repair::Behind,
                Repair::Before => replicated::Repair::First,
            },
            hints: self.hints,
            stand_ins: self.stand_ins,
            timeout: Time::from_ms(self.timeout).0,
            offer: OFFER.0,
            keep: Time::from_s(self.kept).0,
            pass: PASS.0,
        }
    }

    /// The delays of messages.
    pub(super) fn wars(&self) -> Wars {
        match self.delays {
            Delays::Ssd => Wars::LNKD_SSD,
            Delays::Disk => Wars::LNKD_DISK,
            Delays::Ymmr => Wars::YMMR,
        }
    }
}
