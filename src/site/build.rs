//! Asks the linker for its notes in release builds: press cuts the program along them, one piece a lesson.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let told = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if told("PROFILE", "release") && told("CARGO_CFG_TARGET_ARCH", "wasm32") {
        println!("cargo::rustc-link-arg-bins=--emit-relocs");
    }
}
