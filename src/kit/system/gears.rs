//! The gear there is: named by scripts, and by nobody else.

use super::gear::{
    Breakers, Caches, Cells, Functions, Losses, Paced, Prices, Queues, Slim, Stores, Tiles, Topics,
};
use super::shelf::Shelf;
use super::{System, cache, cells, functions, guard, losses, shelves, slim, tiles, topics};

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

/// Wires that lose what goes over them: each crossing of a request by its own dice, so that twins lose the same ones. What is lost dies
/// half-way, and nobody is told; its caller learns by a time-out. Of a queue's wires receipts get lost and messages on their way to
/// workers, but no worker's asking, which belongs to no request.
pub const LOSSES: Losses = Losses {
    strays: System::frame_strays,
    receipt_strays: System::loan_strays,
    check_strays: System::check_strays,
    stray: System::stray,
    loans_stray: System::loans_stray,
    set: System::set_loss,
    spoken: losses::spoken,
    draw: losses::draw,
};

/// What parts cost, by the plan's prices ([`super::Price`]): [`System::cost`], [`super::Since::cost`].
pub const PRICES: Prices = Prices {
    settle: System::settle_account,
    open: System::open_accounts,
    costs: System::costs,
};

/// Topics with the semantics of [`algorithms::topic`].
pub const TOPICS: Topics = Topics {
    set_up: System::set_up_topic,
    publish: System::publish,
    pushed: System::pushed,
    late: System::push_is_late,
    look: System::look_at_topic,
    purge: System::purge_topic,
    audit: System::topics_are_right,
    height: topics::height,
    draw: topics::draw,
};

/// Functions with the semantics of [`algorithms::functions`].
pub const FUNCTIONS: Functions = Functions {
    set_up: System::set_up_function,
    take_in: System::take_in_function,
    renamed: System::renamed,
    look: System::look_at_function,
    deploy: System::deploy,
    metered: |live, at| live.fleet().map_or([0; 3], |fleet| fleet.metered(at)),
    audit: System::functions_are_right,
    height: functions::height,
    draw: functions::draw,
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
