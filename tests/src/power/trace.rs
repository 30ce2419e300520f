//! What `strace -xx` says of calls that change files, line by line.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

/// Calls that change files or what they are called, and those that say which file is meant. Ways to
/// write that are not expected are among them, so that they are noticed.
pub(super) const TRACED: &str = "openat,open,creat,close,write,writev,pwrite64,pwritev,pwritev2,\
    ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,link,\
    linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,copy_file_range,sendfile,splice,dup,dup2,dup3";

/// A call that succeeded; `fd` is the number under which a file is open.
#[allow(missing_docs)] // the fields are the calls' arguments
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A file, or a folder, was opened under a number.
    Open { fd: i32, path: PathBuf, create: bool, truncate: bool },
    /// The number is free again.
    Close { fd: i32 },
    /// Bytes were written; without a place where the last ones ended.
    Write { fd: i32, at: Option<u64>, bytes: Vec<u8> },
    /// A file was cut, or made longer.
    Truncate { fd: i32, length: u64 },
    /// A file was made durable.
    Sync { fd: i32 },
    /// A file got another name.
    Rename { from: PathBuf, to: PathBuf },
    /// A name went.
    Unlink { path: PathBuf },
    /// A folder was made.
    Mkdir { path: PathBuf },
}

/// The calls of a trace.
pub fn calls(text: &str) -> anyhow::Result<Vec<Call>> {
    let mut calls = Vec::new();
    for line in text.lines() {
        calls.extend(call(line).with_context(|| {
            let shown: String = line.chars().take(200).collect();
            format!("cannot tell what this call does: {shown}")
        })?);
    }
    Ok(calls)
}

fn call(line: &str) -> anyhow::Result<Option<Call>> {
    // Signals, and how it ended.
    if line.starts_with(['-', '+']) {
        return Ok(None);
    }
    let (name, rest) = line.split_once('(').context("no name")?;
    let (inside, result) = rest
        .rsplit_once(") = ")
        .or_else(|| {
            // Padded, so that results stand below each other.
            let (inside, result) = rest.rsplit_once(" = ")?;
            Some((inside.trim_end().strip_suffix(')')?, result))
        })
        .context("no result")?;
    let result: i64 = result.split([' ', '<']).next().unwrap_or_default().parse()?;
    if result < 0 {
        return Ok(None);
    }
    let given: Vec<&str> = inside.split(", ").collect();
    let arg = |at: usize| given.get(at).copied().context("an argument is missing");
    let fd = || -> anyhow::Result<i32> { Ok(arg(0)?.parse()?) };
    Ok(Some(match name {
        "openat" => {
            let flags = arg(2)?;
            let has = |flag: &str| flags.split('|').any(|of| of == flag);
            let (create, truncate) = (has("O_CREAT"), has("O_TRUNC"));
            Call::Open { fd: result as i32, path: path(arg(1)?)?, create, truncate }
        }
        "close" => Call::Close { fd: fd()? },
        "write" | "pwrite64" => {
            let mut bytes = quoted(arg(1)?)?;
            bytes.truncate(result as usize);
            let at = if name == "write" { None } else { Some(arg(3)?.parse()?) };
            Call::Write { fd: fd()?, at, bytes }
        }
        "ftruncate" => Call::Truncate { fd: fd()?, length: arg(1)?.parse()? },
        "fsync" | "fdatasync" => Call::Sync { fd: fd()? },
        "rename" => Call::Rename { from: path(arg(0)?)?, to: path(arg(1)?)? },
        "renameat" | "renameat2" => Call::Rename { from: path(arg(1)?)?, to: path(arg(3)?)? },
        "unlink" | "rmdir" => Call::Unlink { path: path(arg(0)?)? },
        "unlinkat" => Call::Unlink { path: path(arg(1)?)? },
        "mkdir" => Call::Mkdir { path: path(arg(0)?)? },
        "mkdirat" => Call::Mkdir { path: path(arg(1)?)? },
        _ => bail!("`{name}` is not played back yet"),
    }))
}

fn path(text: &str) -> anyhow::Result<PathBuf> {
    let path = PathBuf::from(String::from_utf8(quoted(text)?)?);
    anyhow::ensure!(path.is_absolute(), "{} is relative", path.display());
    Ok(path)
}

/// The bytes of `"\x2f\x74"`.
fn quoted(text: &str) -> anyhow::Result<Vec<u8>> {
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let inside = inside.context("no text, or it is cut short")?;
    let digits = inside.split("\\x").skip(1).map(|digits| u8::from_str_radix(digits, 16));
    Ok(digits.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_and_others_are_noticed() {
        let text = "openat(AT_FDCWD, \"\\x2f\\x61\", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 3\n\
                    openat(AT_FDCWD, \"\\x2f\\x62\", O_RDONLY) = -1 ENOENT (No such file)\n\
                    pwrite64(3, \"\\x00\\xff\\x41\", 3, 4096) = 2\n\
                    fdatasync(3)                      = 0\n\
                    +++ exited with 0 +++\n";
        let open = Call::Open { fd: 3, path: "/a".into(), create: true, truncate: false };
        let write = Call::Write { fd: 3, at: Some(4096), bytes: vec![0, 255] };
        assert_eq!(calls(text).expect("known"), [open, write, Call::Sync { fd: 3 }]);
        let error = calls("fallocate(3, 0, 0, 10) = 0").expect_err("not known");
        assert!(format!("{error:#}").contains("fallocate"), "{error:#}");
    }
}
