//! The smallest page that Leptos makes, for `make bench` to start beside the site's own.

use leptos::mount::mount_to_body;
use leptos::prelude::*;

fn main() {
    mount_to_body(|| {
        let count = RwSignal::new(0);
        view! {
            <h1>"Every start is measured beside this one."</h1>
            <button on:click=move |_| count.update(|count| *count += 1)>{count}</button>
        }
    });
}
