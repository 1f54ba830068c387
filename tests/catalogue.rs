//! Runs the tests of every lesson natively; elsewhere there is nothing to run.

#[cfg(not(target_arch = "wasm32"))]
mod every_lesson;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    every_lesson::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {}
