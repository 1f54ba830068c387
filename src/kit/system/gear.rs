//! Gear: what only some systems need. A script whose plan uses it names it ([`super::Script::gear`]); the programs of the
//! others do not carry it.

use super::guard::Make;
use super::money::Money;
use super::shelf::{Loan, Shelf, Worker};
use super::{Cx, Frame, Live, LiveWire, System, WireId};
use crate::flow::Key;
use engine::scene::{Curve, Rect};
use engine::{Ink, Scene, Time};
use std::collections::VecDeque;

/// What a script names of it.
#[derive(Clone, Copy, Default)]
pub struct Gear {
    /// For plans with queues: [`super::QUEUES`].
    pub queues: Option<&'static Queues>,
    /// For plans with breakers: [`super::BREAKERS`].
    pub breakers: Option<&'static Breakers>,
    /// For scripts whose members do jobs, park calls or post: [`super::STORES`].
    pub stores: Option<&'static Stores>,
    /// For plans with crowds that send by a plan of their own: [`super::PACED`].
    pub paced: Option<&'static Paced>,
    /// For plans with services that show each place: [`super::CELLS`].
    pub cells: Option<&'static Cells>,
    /// For plans with services whose members' cards are slim: [`super::SLIM`].
    pub slim: Option<&'static Slim>,
    /// For plans with services whose members stand in a grid: [`super::TILES`].
    pub tiles: Option<&'static Tiles>,
    /// For plans with caches, and stores that keep versions: [`super::CACHES`].
    pub caches: Option<&'static Caches>,
    /// For plans with wires that lose, or deeds that make them: [`super::LOSSES`].
    pub losses: Option<&'static Losses>,
    /// For plans with prices: [`super::PRICES`].
    pub prices: Option<&'static Prices>,
    /// For plans with topics: [`super::TOPICS`].
    pub topics: Option<&'static Topics>,
    /// For plans with functions: [`super::FUNCTIONS`].
    pub functions: Option<&'static Functions>,
}

impl Gear {
    /// Nothing.
    pub const NONE: Gear = Gear {
        queues: None,
        breakers: None,
        stores: None,
        paced: None,
        cells: None,
        slim: None,
        tiles: None,
        caches: None,
        losses: None,
        prices: None,
        topics: None,
        functions: None,
    };
}

/// Queues and workers that pull.
pub struct Queues {
    pub(super) set_up: fn(&mut System, u16, Cx<'_, '_>),
    pub(super) store: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) wake: fn(&mut System, u16, u16, Cx<'_, '_>),
    pub(super) pull: fn(&mut System, Worker, u32, Cx<'_, '_>),
    pub(super) beat: fn(&mut System, Worker, u32, Cx<'_, '_>),
    pub(super) told: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) look: fn(&mut System, u16, u32, Cx<'_, '_>),
    pub(super) handled: fn(&mut System, Worker, bool, Cx<'_, '_>),
    pub(super) delete_early: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) purge: fn(&mut System, u16, Cx<'_, '_>),
    pub(super) redrive: fn(&mut System, u16, Cx<'_, '_>),
    pub(super) messages: fn(&Shelf) -> usize,
    pub(super) draw: fn(&Live, Rect, Time, &mut Scene),
}

/// What stores do beside answering: jobs for no request, calls that wait for the script's word, feeds between members.
pub struct Stores {
    pub(super) deliver: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) end_job: fn(&mut System, Key, bool, Cx<'_, '_>),
    pub(super) park: fn(&mut System, Key, Cx<'_, '_>),
}

/// Crowds whose connections send at planned moments.
pub struct Paced {
    pub(super) start: fn(&mut System, u16, Cx<'_, '_>),
    pub(super) planned: fn(&mut System, u16, u16, u32, Cx<'_, '_>),
    pub(super) free: fn(&mut System, &Frame, Cx<'_, '_>),
}

/// Circuit breakers.
pub struct Breakers {
    pub(super) make: Make,
    pub(super) draw: fn(&super::switch::Guarded<'_>, Time, &mut Scene),
}

/// Cards on which each worker and each place in the queue is a cell.
pub struct Cells {
    pub(super) height: fn(&Live, f32) -> f32,
    pub(super) draw: DrawCells,
}

/// Draws one card: whose it is, what it says, where it stands and whether the stage is narrow, and the colour of each call.
type DrawCells = fn(
    super::cells::Whose<'_>,
    &System,
    super::cells::Said,
    (Rect, bool),
    &mut Scene,
    &dyn Fn(&Frame) -> Ink,
);

/// Wires that lose what goes over them.
pub struct Losses {
    pub(super) strays: fn(&System, &Frame, u16, bool) -> bool,
    pub(super) receipt_strays: fn(&System, &Loan, u16, bool) -> bool,
    pub(super) check_strays: fn(&System, u16, u16, Time) -> bool,
    pub(super) stray: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) loans_stray: fn(&mut System, (u16, u16), &mut VecDeque<Loan>, Cx<'_, '_>),
    pub(super) set: fn(&mut System, WireId, f64, Cx<'_, '_>),
    pub(super) spoken: fn(&LiveWire, usize, String, Time, &Scene) -> String,
    pub(super) draw: fn(&LiveWire, (usize, &Curve, Rect), bool, Time, &mut Scene),
}

/// Accounts of what parts cost.
pub struct Prices {
    pub(super) settle: fn(&mut System, u16, Time),
    pub(super) open: fn(&mut System, Time),
    pub(super) costs: fn(&System) -> Vec<Money>,
}

/// Topics that push copies to who subscribes.
pub struct Topics {
    pub(super) set_up: fn(&mut System, u16, Cx<'_, '_>),
    pub(super) publish: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) pushed: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) late: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) look: fn(&mut System, u16, Option<u32>, Cx<'_, '_>),
    pub(super) purge: fn(&mut System, u16, Cx<'_, '_>),
    pub(super) audit: fn(&System) -> Result<(), String>,
    pub(super) height: fn(&Live) -> f32,
    pub(super) draw: fn(&Live, &System, Rect, Time, &mut Scene),
}

/// Functions: instances that are built for requests.
pub struct Functions {
    pub(super) set_up: fn(&mut System, u16, Cx<'_, '_>),
    pub(super) take_in: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) renamed: fn(&mut System, u16, [Key; 2]),
    pub(super) look: fn(&mut System, u16, Option<u32>, Cx<'_, '_>),
    pub(super) deploy: fn(&mut System, u16, Cx<'_, '_>),
    pub(super) metered: fn(&Live, Time) -> [u64; 3],
    pub(super) audit: fn(&System) -> Result<(), String>,
    pub(super) height: fn(&Live, f32) -> f32,
    pub(super) draw: fn(&Live, &System, Rect, Time, &mut Scene),
}

/// Slim cards.
pub struct Slim {
    pub(super) draw: DrawSlim,
}

/// Members in a grid.
pub struct Tiles {
    pub(super) draw: DrawTile,
    pub(super) ground: fn(usize, Rect, &mut Scene),
}

/// Draws one tile: whose it is, what it says, where it stands, and when that is.
type DrawTile = fn(super::cells::Whose<'_>, &System, super::cells::Said, (Rect, Time), &mut Scene);

/// Draws one card: whose it is, what it says, and where it stands.
type DrawSlim = fn(super::cells::Whose<'_>, &System, super::cells::Said, Rect, &mut Scene);

/// Caches, and stores that keep versions.
pub struct Caches {
    pub(super) look_up: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) brought: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) read: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) write: fn(&mut System, Key, Cx<'_, '_>),
    pub(super) hand_on: fn(&mut System, Key),
    pub(super) tell_home: fn(&mut System, Key),
    pub(super) carry: fn(&mut System),
    pub(super) bytes: fn(&System) -> usize,
    pub(super) audit: fn(&System) -> Result<(), String>,
    pub(super) draw: fn(&Live, usize, (Rect, Time), &mut Scene),
}
