//! The embedded store against the conformance suite, the model, crashes, damage and a full disk.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::SharedStore;
use crate::conformance::{self, Reopen};

fn open(dir: &Path) -> Embedded {
    Embedded::open(dir, Options::default()).expect("opens").0
}

#[test]
fn it_conforms() {
    conformance::run(|| -> Reopen {
        let dir = tempfile::tempdir().expect("a temporary folder");
        Box::new(move |old: Option<SharedStore>| {
            drop(old);
            Arc::new(open(dir.path()))
        })
    });
}
