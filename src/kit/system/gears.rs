//! The gear there is: named by scripts, and by nobody else.

use super::gear::{Breakers, Caches, Cells, Paced, Queues, Slim, Stores, Tiles};
use super::shelf::Shelf;
use super::{System, cache, cells, guard, shelves, slim, tiles};

/// Queues with the semantics of [`algorithms::message_queue`], and workers that pull from them.
pub const QUEUES: Queues = Queues {
    set_up: System::set_up_shelf,
    store: System::store,
    wake: System::wake,
    pull: System::pull,
    beat: System::beat,
    told: System::told,
    look: System::look_at_shelf,
    handled: System::handled,
    delete_early: System::delete_early,
    purge: System::purge,
    redrive: System::redrive,
    messages: |shelf: &Shelf| shelf.queue().len(),
    draw: shelves::draw,
};

/// Jobs, parked calls and feeds.
pub const STORES: Stores = Stores {
    deliver: System::deliver,
    end_job: System::end_job,
    park: System::park,
};

/// Connections that send at planned moments ([`super::Arrivals::Paced`]).
pub const PACED: Paced = Paced {
    start: System::start_paced,
    planned: System::planned,
    free: System::free_connection,
};

/// Circuit breakers of both kinds: by the share of failures in a window, and by failures in a row.
pub const BREAKERS: Breakers = Breakers {
    make: guard::machine,
    draw: |guarded, at, scene| guarded.draw(at, scene),
};

/// Cards of cells.
pub const CELLS: Cells = Cells {
    height: cells::height,
    draw: cells::draw,
};

/// Slim cards.
pub const SLIM: Slim = Slim { draw: slim::draw };

/// Members in a grid.
pub const TILES: Tiles = Tiles {
    draw: tiles::draw,
    ground: tiles::ground,
};

/// Caches with the semantics of [`algorithms::copies`], and stores that keep a version of each thing.
pub const CACHES: Caches = Caches {
    look_up: System::look_up,
    brought: System::brought,
    read: System::read_version,
    write: System::write_version,
    hand_on: System::hand_on,
    tell_home: System::tell_home,
    carry: System::carry,
    bytes: System::bytes_of_copies,
    audit: System::caches_are_right,
    draw: cache::draw,
};
