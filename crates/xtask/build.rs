//! Tells the program for which target it is built itself.

fn main() {
    println!("cargo::rustc-env=HOST={}", std::env::var("TARGET").unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
}
