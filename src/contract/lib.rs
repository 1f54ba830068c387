//! The contract with course sites, stated once: what an address may ask for, what messages say, what an author
//! pastes. The page reads by it, the author's reference is written from it, tests walk over it. It knows no browser.

pub mod address;
pub mod language;
pub mod message;
pub mod page;
pub mod parameter;
pub mod snippet;

pub use address::{Address, parse};
pub use message::{Command, Fields, MESSAGES, NAMESPACE, VERSION};
pub use parameter::{PARAMETERS, Parameter, RECORD, Takes};
