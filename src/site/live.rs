//! Live values: what the page follows while it shows it.
//!
//! They are boxed, so that the framework's code for following a value is built once for each kind of value, not once
//! for each place in the page. That keeps the program small; a box more or less costs no time that anybody sees.

use leptos::prelude::*;

/// A value that is looked at anew whenever a signal changes that it read.
pub(crate) type Live<T> = Box<dyn Fn() -> T + Send>;

/// Makes a live value for a text, an attribute or a part of a view.
pub(crate) fn live<T: 'static>(look: impl Fn() -> T + Send + 'static) -> Live<T> {
    Box::new(look)
}

/// A part of a view that comes and goes or changes its kind.
pub(crate) fn part<V: IntoView + 'static>(look: impl Fn() -> V + Send + 'static) -> Live<AnyView> {
    Box::new(move || look().into_any())
}

/// A part that is there only now and then. What builds it stands apart, so that a start need not carry its code.
pub(crate) fn rarely<T: 'static>(
    look: impl Fn() -> Option<T> + Send + 'static,
    build: impl Fn(T) -> AnyView + Send + 'static,
) -> Live<AnyView> {
    let build: Box<dyn Fn(T) -> AnyView + Send> = Box::new(build);
    Box::new(move || match look() {
        Some(value) => build(value),
        None => ().into_any(),
    })
}

/// A value worked out from signals, which tells those who follow it only when it is another one.
pub(crate) fn memo<T>(look: impl Fn() -> T + Send + Sync + 'static) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    let look: Box<dyn Fn() -> T + Send + Sync> = Box::new(look);
    Memo::new(move |_| look())
}

/// Does something now and whenever a signal changes that it read.
pub(crate) fn follow(act: impl FnMut() + 'static) {
    let mut act: Box<dyn FnMut()> = Box::new(act);
    Effect::new(move |_: Option<()>| act());
}
