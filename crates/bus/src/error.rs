//! What can go wrong on the bus, by what the caller can do about it. Each message is whole: it has its
//! cause and a hint in it.

use std::path::PathBuf;
use std::time::Duration;

/// What lay beneath an error.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An operation that failed.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// A setting cannot work.
    #[error("bus.nats.{key}: {why}")]
    Setting {
        /// Its key.
        key: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// A file that a setting names cannot be read.
    #[error("bus.nats.{key}: {path} cannot be used: {cause}", path = path.display())]
    File {
        /// The setting's key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// No server answered, or none that could do what the bus needs.
    #[error(
        "the bus at {servers} was not ready within {patience:?}: {doing}: {cause}; hint: see that \
         the servers run with JetStream, that there are at least as many of them as bus.nats.replicas, \
         and that this node may reach them and log in"
    )]
    Unreachable {
        /// The servers of the settings.
        servers: String,
        /// What was tried last.
        doing: String,
        /// How long it was tried.
        patience: Duration,
        /// Why the last attempt failed.
        cause: Cause,
    },
    /// The bus is in use with another number of partitions.
    #[error(
        "bus.nats.partitions is {configured}, but the stream {stream} is kept with {kept}; hint: set it \
         to {kept}, or change the number as docs/cluster.md describes under \"Changing the \
         number of partitions\""
    )]
    Partitions {
        /// The stream that says so.
        stream: String,
        /// What the settings say.
        configured: u16,
        /// What the stream says; 0 if it says nothing, because something else made it.
        kept: u16,
    },
    /// An operation did not come about in time. Trying again may help. Whether what it was to write
    /// is written is not known.
    #[error(
        "{doing} was not done within {within:?}: {cause}; hint: it can be tried again; if it stays \
         so, see the state of the servers (`nats server report jetstream`)"
    )]
    TimedOut {
        /// What was to be done.
        doing: String,
        /// How long it was tried.
        within: Duration,
        /// Why the last attempt failed.
        cause: Cause,
    },
    /// A stream takes no more: it, or the servers' disk, is full. What was to be written is not.
    #[error(
        "the stream {stream} takes no more: {cause}; hint: wait until its readers or its retention \
         free space, or raise bus.nats.max_bytes and the servers' own limits"
    )]
    Full {
        /// The stream.
        stream: String,
        /// What the server said.
        cause: Cause,
    },
    /// A payload is larger than the servers take.
    #[error(
        "a message of {bytes} bytes is too large: the servers take {most}; hint: split it, or raise \
         max_payload in the servers' configuration"
    )]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The largest that is taken, in bytes.
        most: usize,
    },
    /// A name cannot be one on the bus.
    #[error(
        "{name:?} cannot be the name of a {what}: it must be of 1 to 128 ASCII letters, digits, `_` and `-`"
    )]
    Name {
        /// What it was to name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// There is no such partition.
    #[error("there is no partition {partition}: there are {partitions}, counted from 0")]
    Partition {
        /// The partition asked for.
        partition: u16,
        /// How many there are.
        partitions: u16,
    },
    /// The topics that were to be followed together are not of one stream, or there are none.
    #[error("only topics of one stream can be followed together: readings and letters, or alerts")]
    Topics,
    /// What was to be followed is gone in part: the retention or an image let it go.
    #[error(
        "messages before {first} are gone; hint: begin with an image, or follow after {} and count \
         what is missing", first - 1
    )]
    Gone {
        /// The first number that is still there.
        first: u64,
    },
    /// The bus has lost what the caller has seen: its servers were restored from an old copy, or set
    /// up anew.
    #[error(
        "message {after} was seen, but the bus ends with {last}: its servers have lost messages; \
         hint: restore the servers, or have this node forget how far it was"
    )]
    Lost {
        /// The number that the caller has seen.
        after: u64,
        /// The last number that is there.
        last: u64,
    },
    /// Entries of a log were to be dropped that no image covers.
    #[error(
        "entries of the log {log} before {before} cannot be dropped: the last image is of {image}"
    )]
    NoImage {
        /// The log.
        log: String,
        /// The first number that was to be kept.
        before: u64,
        /// The number of the last image; 0 if there is none.
        image: u64,
    },
    /// An image is not what was written.
    #[error("the image {number} of the log {log} is damaged; hint: restore the servers' disks")]
    Damaged {
        /// The log.
        log: String,
        /// The image's number.
        number: u64,
    },
    /// The bus could not start its threads.
    #[error("the threads of the bus cannot be started: {0}")]
    Threads(std::io::Error),
}

/// An entry that was not appended, or of which this is not known.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another entry is where this one was to be: read it, and decide anew.
    #[error("another entry was appended first")]
    Conflict,
    /// Whether it was appended is not known. It may be appended yet: follow the log, and append
    /// again after its then last number.
    #[error("whether the entry was appended is not known: {0}")]
    Unavailable(BusError),
    /// It cannot be appended, and was not.
    #[error("the entry cannot be appended: {0}")]
    Refused(BusError),
}
