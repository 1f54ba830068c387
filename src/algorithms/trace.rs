//! What a structure does to its pages while it works, told to whoever listens: how a bench plays an operation step by step.

/// One step. Pages have the numbers that their structure gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A page is read.
    Reads(u32),
    /// A page is changed.
    Writes(u32),
    /// A full page splits: what did not stay is on the second, which is new.
    Splits(u32, u32),
    /// The first page takes over all of the second, which is gone.
    Merges(u32, u32),
    /// Two pages next to each other share anew.
    Shares(u32, u32),
    /// A node of a binary tree is turned down, and the second comes up in its place.
    Turns(u32, u32),
    /// A page is no longer used.
    Frees(u32),
}

/// Who listens.
pub type Trace<'a> = &'a mut dyn FnMut(Step);

/// Nobody listens.
pub fn untold(_: Step) {}
