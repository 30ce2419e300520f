//! Rebuilds the crate when the web app that it embeds changes.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=web");
}
