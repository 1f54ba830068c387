//! What the learner sets.

use engine::choices;

/// Which rule says where copies go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The owner on the ring and the next machines.
    Clockwise,
    /// The same, a zone only once while there are others.
    Zones,
    /// Kafka's.
    Striped,
    /// One here, two in another zone.
    Hdfs,
    Chance,
    Copysets,
}
choices!(Rule {
    "clockwise" => Rule::Clockwise,
    "zones" => Rule::Zones,
    "striped" => Rule::Striped,
    "hdfs" => Rule::Hdfs,
    "chance" => Rule::Chance,
    "copysets" => Rule::Copysets,
});

impl Rule {
    /// Whether machines stand on a ring.
    pub(super) fn rings(self) -> bool {
        matches!(self, Rule::Clockwise | Rule::Zones)
    }

    /// Whether copies of one partition share a zone only where there are too few zones.
    pub(super) fn spreads(self) -> bool {
        matches!(self, Rule::Zones | Rule::Striped | Rule::Copysets)
    }
}

/// How many machines each zone has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Zones(pub(super) &'static [u8]);
choices!(Zones {
    "4-4-4" => Zones(&[4, 4, 4]),
    "3-3-3-3" => Zones(&[3, 3, 3, 3]),
    "6-3-3" => Zones(&[6, 3, 3]),
    "6-6" => Zones(&[6, 6]),
    "10-1-1" => Zones(&[10, 1, 1]),
    "2-2-2" => Zones(&[2, 2, 2]),
    "12" => Zones(&[12]),
});

/// What lies between zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Between {
    Racks,
    Centres,
    Regions,
}
choices!(Between {
    "racks" => Between::Racks,
    "centres" => Between::Centres,
    "regions" => Between::Regions,
});

impl Between {
    /// There and back, ms.
    pub(super) fn ms(self) -> f64 {
        match self {
            Between::Racks => 0.5,
            Between::Centres => 2.0,
            Between::Regions => 80.0,
        }
    }
}

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// Where copies go.
        rule: choice Rule "placement" = Rule::Clockwise,
        /// How many machines each zone has.
        zones: choice Zones "zones" = Zones(&[4, 4, 4]),
        /// How many copies each partition has, the leader among them.
        copies: whole "copies" [1, 4] "" = 3,
        /// How many partitions there are.
        partitions: slider "partitions" [16.0, 4096.0, 16.0] "" = 1024.0,
        /// Points of each machine on the ring.
        points: whole "points" [1, 32] "" = 1,
        /// With how many others a machine shares groups.
        width: whole "width" [2, 6] "" = 4,
        /// What lies between zones.
        between: choice Between "between" = Between::Racks,
        /// How many partitions a machine sends, and receives, at once.
        streams: whole "streams" [1, 4] "" = 1,
        /// Whether points lie on the ring by chance even if each machine has one.
        scattered: switch "scattered" = false,
        /// Whether neighbours on the ring stand in different zones.
        alternate: switch "alternate" = false,
    }
}

impl Settings {
    /// How many copies make a majority.
    pub(super) fn majority(&self) -> usize {
        self.copies as usize / 2 + 1
    }
}
