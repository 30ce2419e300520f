//! A small disk of one's own that can be filled up: a file system in memory, in a name space of its
//! own, so that no rights are needed and nobody else notices.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};

/// What takes up the room.
const FILLING: &str = "filling";

/// A small disk; gone when dropped.
pub struct SmallDisk {
    /// Keeps the name space open until its input ends.
    holder: Child,
    /// Where it is mounted, for programs that live on it.
    pub inside: PathBuf,
}

impl SmallDisk {
    /// Mounts one of so many MiB on a folder. An error says that this machine does not let us.
    pub fn mount(folder: &Path, mebibytes: u32) -> anyhow::Result<Self> {
        let script =
            format!("mount -t tmpfs -o size={mebibytes}m tmpfs \"$0\" && echo ready && exec cat");
        let mut holder = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", &script])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("unshare (package util-linux) cannot be started")?;
        let mut said = String::new();
        let stdout = holder.stdout.take().context("piped")?;
        BufReader::new(stdout).read_line(&mut said)?;
        if said.trim() != "ready" {
            let status = holder.wait()?;
            anyhow::bail!("a file system of one's own cannot be mounted here ({status})");
        }
        Ok(Self { holder, inside: folder.to_owned() })
    }

    /// A command that becomes this program, living on the disk.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--user", "--mount", "--preserve-credentials", "--target"])
            .arg(self.holder.id().to_string())
            .arg(program);
        command
    }

    /// The disk as it is seen from here.
    fn outside(&self) -> PathBuf {
        let inside = self.inside.strip_prefix("/").unwrap_or(&self.inside);
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(inside)
    }

    /// Takes up all the room that is left; returns how much that was, in bytes.
    pub fn fill(&self) -> anyhow::Result<u64> {
        let path = self.outside().join(FILLING);
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&path)?;
        let mut size = 64 * 1024;
        while size > 0 {
            match file.write(&vec![0x5a; size]) {
                Ok(written) if written > 0 => {}
                Err(error) if error.kind() != std::io::ErrorKind::StorageFull => {
                    return Err(error.into());
                }
                _ => size /= 2,
            }
        }
        Ok(file.metadata()?.len())
    }

    /// Gives the room back.
    pub fn free(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.outside().join(FILLING))?)
    }

    /// Copies a folder of the disk, with all that is in it, to where it stays.
    pub fn copy(&self, folder: &str, to: &Path) -> anyhow::Result<()> {
        let from = self.outside().join(folder);
        let status = Command::new("cp").arg("-r").arg(&from).arg(to).status()?;
        ensure!(status.success(), "{} cannot be copied ({status})", from.display());
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _status = self.holder.wait();
    }
}
