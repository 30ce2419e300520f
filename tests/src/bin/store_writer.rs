//! Writes to a store for [`city_tests::power`], so that its calls can be recorded, and says on its
//! standard output after each commit how many are acknowledged.
#![allow(clippy::print_stdout)] // what is acknowledged

use std::path::Path;

use anyhow::Context as _;
use city_store::{Embedded, Options, Store as _};
use city_tests::power::workload;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("the folder is missing")?;
    let commits = arguments.next().context("the number of commits is missing")?.parse()?;
    let (store, _) = Embedded::open(Path::new(&folder), Options::default())?;
    for number in 0..commits {
        store.commit(&workload::commit(number))?;
        println!("{}", number + 1);
        store.maintain(workload::time_of(number))?;
    }
    Ok(())
}
