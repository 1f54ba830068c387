//! What a node of a kind that comes as gear keeps: copied, dropped and asked whether it rests by way of a pointer that only that
//! gear makes, so that systems without the kind do not carry how.

use std::any::Any;
use std::fmt::Debug;

/// What such a node keeps.
pub(super) trait Keeps: Any + Debug {
    /// A copy of it, for keyframes.
    fn copy(&self) -> Box<dyn Keeps>;
    /// Nothing is under way, so that the node may go.
    fn rests(&self) -> bool;
}

/// It in its place.
#[derive(Debug)]
pub struct Kept(Box<dyn Keeps>);

impl Kept {
    pub(super) fn new<T: Keeps>(it: T) -> Kept {
        Kept(Box::new(it))
    }

    pub(super) fn rests(&self) -> bool {
        self.0.rests()
    }

    /// It, if it is of this type.
    pub(super) fn of<T: 'static>(&self) -> Option<&T> {
        let it: &dyn Any = &*self.0;
        it.downcast_ref()
    }

    pub(super) fn of_mut<T: 'static>(&mut self) -> Option<&mut T> {
        let it: &mut dyn Any = &mut *self.0;
        it.downcast_mut()
    }
}

impl Clone for Kept {
    fn clone(&self) -> Kept {
        Kept(self.0.copy())
    }
}
