//! Press: turns lessons and their words into the static pages, pictures and JSON of the site.

pub mod authors;
pub mod board;
pub mod catalogue;
pub mod check;
pub mod code;
pub mod course;
pub mod cuts;
pub mod glue;
pub mod handout;
pub mod new;
pub mod offline;
pub mod outline;
pub mod pace;
pub mod packages;
pub mod pages;
pub mod pictures;
pub mod publish;
pub mod serve;
pub mod share;
pub mod site;
pub mod sources;
pub mod split;
pub mod stills;
pub mod template;
pub mod weigh;
pub mod words;
