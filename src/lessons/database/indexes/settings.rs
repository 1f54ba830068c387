//! What the learner sets.

use engine::choices;

/// What stands beside the table so that rows are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    None,
    /// Buckets by hash.
    Hash,
    /// A balanced binary tree, a page a key.
    Avl,
    /// A B+-tree.
    Tree,
}
choices!(Kind { "none" => Kind::None, "hash" => Kind::Hash, "avl" => Kind::Avl, "tree" => Kind::Tree });

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Row,
    Range,
    Open,
    Mixed,
}
choices!(Question { "row" => Question::Row, "range" => Question::Range, "open" => Question::Open, "mixed" => Question::Mixed });

/// The ids of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    Counted,
    Random,
}
choices!(Ids { "counted" => Ids::Counted, "random" => Ids::Random });

/// Who chooses between index and scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Planner {
    Decides,
    Always,
    Never,
}
choices!(Planner { "decides" => Planner::Decides, "always" => Planner::Always, "never" => Planner::Never });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// What stands beside the table.
        index: choice Kind "index" = Kind::None,
        /// What is asked, over and over.
        question: choice Question "question" = Question::Row,
        /// Entries a page of the tree; real pages hold hundreds.
        keys: whole "keys" [4, 32] "" = 16,
        /// What a row is called.
        ids: choice Ids "ids" = Ids::Counted,
        /// Rows whose order is open, %.
        open: whole "open" [1, 60] "%" = 2,
        /// Who chooses between index and scan.
        planner: choice Planner "planner" = Planner::Decides,
        /// Rows of the table when it is built.
        rows: slider "rows" [64.0, 4096.0, 64.0] "" = 512.0,
        /// New rows after each question.
        inserts: whole "inserts" [0, 10] "" = 0,
        /// Pages that stay in RAM.
        ram: whole "ram" [0, 64] "" = 8,
        /// Ids that a range spans.
        width: whole "width" [1, 200] "" = 40,
        /// Indexes on other columns, which each new row is put into as well.
        further: whole "further" [0, 3] "" = 0,
    }
}
