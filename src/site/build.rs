//! Tells the linker what the next tool needs: in release builds its notes, along which press cuts the program, one
//! piece a lesson; while developing haste, and no names, which wasm-bindgen would
//! carry along at each edit.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let told = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if told("CARGO_CFG_TARGET_ARCH", "wasm32") {
        let release = told("PROFILE", "release");
        let options: &[&str] = if release {
            &["--emit-relocs"]
        } else {
            &["--strip-all", "-O0"]
        };
        for option in options {
            println!("cargo::rustc-link-arg-bins={option}");
        }
    }
}
