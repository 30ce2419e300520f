//! Rebuilds the crate when the web app that it embeds changes.

fn main() {
    #[expect(clippy::print_stdout, reason = "this is how a build script talks to cargo")]
    {
        println!("cargo::rerun-if-changed=build.rs");
        println!("cargo::rerun-if-changed=web");
    }
}
