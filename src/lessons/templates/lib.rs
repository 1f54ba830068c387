//! What `press new` copies, one lesson for each layer. They are tested as every lesson is, and no page knows them.

pub mod template_bench;
pub mod template_cluster;
pub mod template_events;
pub mod template_flow;
pub mod template_system;

kit::lessons![
    template_system::Template,
    template_flow::Template,
    template_cluster::Template,
    template_bench::Template,
    template_events::Template,
];
