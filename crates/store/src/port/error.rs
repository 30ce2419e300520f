//! How a store fails.

/// What kind of failure it was; decides whether trying again helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The disk is full: ingest pauses, reads go on, and it recovers when there is room.
    Full,
    /// The files cannot be written: permissions or a read-only disk.
    ReadOnly,
    /// Somebody else holds the files, or the server does not answer: try again.
    Busy,
    /// What was read is not what was written.
    Corrupt,
    /// The files are of a version that this program does not know.
    Version,
    /// The request makes no sense, such as a range that ends before it starts.
    Invalid,
    /// Whoever asked said that nobody waits for the answer any more.
    Cancelled,
    /// Anything else.
    Other,
}

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// Its kind.
    pub kind: StoreErrorKind,
    /// What failed, where, and how to mend it.
    pub message: String,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// A failure that nothing else caused.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same failure with its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Whether the same call can succeed later without anybody doing anything to the program.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Full | StoreErrorKind::ReadOnly | StoreErrorKind::Busy)
    }

    /// Whether what is on the disk is no use to this program, however often it is tried.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Corrupt | StoreErrorKind::Version)
    }
}
