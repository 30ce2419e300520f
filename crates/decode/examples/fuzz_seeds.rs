//! Writes the example of every format into `FOLDER/NAME/example` and prints the names.
#![allow(clippy::print_stdout)] // a command line talks

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("usage: fuzz_seeds FOLDER"));
    for format in city_decode::FORMATS {
        let corpus = folder.join(format.name());
        std::fs::create_dir_all(&corpus)?;
        std::fs::write(corpus.join("example"), format.example().bytes())?;
        println!("{}", format.name());
    }
    Ok(())
}
