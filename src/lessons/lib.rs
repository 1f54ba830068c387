//! The lessons: one folder each, and the catalogue that lists them.
//!
//! A new lesson adds its folder and two lines here: its `mod` and its type in the list that makes [`CATALOGUE`].

pub mod api_gateway;
pub mod autoscaling;
pub mod caching;
pub mod cap_theorem;
pub mod circuit_breaker;
pub mod client_server;
pub mod consistent_hashing;
pub mod dns;
pub mod fan_out;
pub mod kit;
pub mod latency_under_load;
pub mod load_balancing;
pub mod message_queue;
pub mod monolith_microservices;
pub mod pub_sub;
pub mod rate_limiting;
pub mod read_replicas;
pub mod retry_storm;
pub mod rolling_update;
pub mod scaling;
pub mod sync_async;
pub mod template_flow;
pub mod template_system;

use engine::lesson::sheet;
use engine::{Card, Code, Lesson, Level, Run, Show};

/// A lesson that can be opened.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name and place.
    pub card: &'static Card,
    /// Opens it at time zero with this seed.
    pub open: fn(seed: u32) -> Box<dyn Show>,
}

/// Lists the lessons twice: what every page knows of them, and what only press asks for.
macro_rules! lessons {
    ($($lesson:ty),+ $(,)?) => {
        /// Every lesson that is built, in the order of the catalogue.
        pub const CATALOGUE: &[Entry] = &[$(entry::<$lesson>()),+];

        /// What press tells of each, in the same order.
        const ABOUT: &[About] = &[$(about_of::<$lesson>()),+];
    };
}

lessons![
    load_balancing::Balancing,
    caching::Remembering,
    consistent_hashing::Hashing,
    circuit_breaker::Breaking,
    cap_theorem::Cap,
    fan_out::FanOut,
    rolling_update::Rolling,
    retry_storm::Storm,
    rate_limiting::Limiting,
    message_queue::Lending,
    read_replicas::ReadReplicas,
    api_gateway::Gateway,
    scaling::Scaling,
    pub_sub::PubSub,
    autoscaling::Autoscaling,
    client_server::ClientServer,
    latency_under_load::LatencyUnderLoad,
    sync_async::SyncAsync,
    monolith_microservices::MonolithMicroservices,
    dns::Dns,
];

/// What press tells of a lesson, and no page's program carries.
#[derive(Clone, Copy)]
pub struct About {
    /// What it asks of a learner.
    pub level: Level,
    /// The code that it shows.
    pub code: &'static [Code],
}

const fn about_of<L: Lesson>() -> About {
    About {
        level: L::LEVEL,
        code: L::CODE,
    }
}

/// What press tells of the lesson of this slug, be it built or a template.
pub fn about(slug: &str) -> Option<About> {
    let at = CATALOGUE.iter().position(|entry| entry.card.slug == slug);
    let template = TEMPLATES
        .iter()
        .position(|(_, entry)| entry.card.slug == slug);
    let template = || template.map(|at| ABOUT_TEMPLATES[at]);
    at.map(|at| ABOUT[at]).or_else(template)
}

/// What `press new` copies, by the layer that it stands on. They are tested as every lesson is, and no page knows them.
pub const TEMPLATES: &[(&str, Entry)] = &[
    ("system", entry::<template_system::Template>()),
    ("flow", entry::<template_flow::Template>()),
];

const ABOUT_TEMPLATES: &[About] = &[
    about_of::<template_system::Template>(),
    about_of::<template_flow::Template>(),
];

/// The lesson of this slug.
pub fn find(slug: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.card.slug == slug)
}

const fn entry<L: Lesson>() -> Entry {
    Entry {
        // A copy: whoever lists the catalogue must not lead to all that a sheet leads to.
        card: const { &card::<L>() },
        open: open::<L>,
    }
}

const fn card<L: Lesson>() -> Card {
    L::SHEET.card
}

/// Opens a lesson. The release build cuts the program here: what only this function leads to is that lesson's own
/// file, so press knows it by its name, and nothing may call it but through its [`Entry`].
fn open<L: Lesson>(seed: u32) -> Box<dyn Show> {
    Box::new(Run::new(sheet::<L>(), seed))
}
