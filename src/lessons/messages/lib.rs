//! Messages: work that is handed over and done later.

pub mod event_streams;
pub mod fan_out;
pub mod message_queue;
pub mod pub_sub;

kit::lessons![
    fan_out::FanOut,
    message_queue::Lending,
    pub_sub::PubSub,
    event_streams::EventStreams,
];
