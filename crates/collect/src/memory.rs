//! What was subscribed last time, so that a filter that is no longer wanted is given up: a
//! persistent session would go on delivering it.

use std::fs;
use std::io;
use std::path::PathBuf;

/// Remembers the subscriptions of one broker over restarts.
pub trait Memory: Send + Sync {
    /// The subscriptions that were made last; none if nothing is known.
    fn load(&self) -> io::Result<Vec<String>>;
    /// Remembers the subscriptions that are made now.
    fn save(&self, subscriptions: &[String]) -> io::Result<()>;
}

/// Remembers in a file, one subscription to a line.
#[derive(Clone, Debug)]
pub struct FileMemory(pub PathBuf);

impl Memory for FileMemory {
    fn load(&self) -> io::Result<Vec<String>> {
        match fs::read_to_string(&self.0) {
            Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn save(&self, subscriptions: &[String]) -> io::Result<()> {
        let fresh = self.0.with_extension("new");
        fs::write(&fresh, subscriptions.join("\n"))?;
        fs::rename(&fresh, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = FileMemory(folder.path().join("broker"));
        assert!(memory.load().expect("none yet").is_empty());
        let subscriptions = ["city/#".to_owned(), "设备/+".to_owned()];
        memory.save(&subscriptions).expect("written");
        assert_eq!(memory.load().expect("there"), subscriptions);
    }
}
