//! Whether the data folder can be used, and by nobody else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::super::Check;
use super::super::finding::{Finding, words};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "data_folder", look: |context| Box::pin(async move { look(context.data_dir()) }) };

/// File systems on which locks or syncs are not what they are on a disk (statfs(2)).
const FAR: &[(u64, &str)] =
    &[(0x6969, "NFS"), (0x517b, "SMB"), (0xfe53_4d42, "SMB2"), (0xff53_4d42, "CIFS")];
/// The one in memory.
const TMPFS: u64 = 0x0102_1994;

fn look(folder: &Path) -> Vec<Finding> {
    let shown = folder.display();
    if !folder.exists() {
        let above = folder.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("/"));
        return vec![if can_write(above) {
            Finding::ok(words!(
                "{} is not there; the first start makes it",
                "{} 尚不存在，首次启动时创建",
                shown
            ))
        } else {
            cannot_write(above)
        }];
    }
    if !can_write(folder) {
        return vec![cannot_write(folder)];
    }
    let mut found = Vec::new();
    if let Ok(disk) = rustix::fs::statfs(folder) {
        #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
        // its type differs by platform
        let kind = disk.f_type as u64 & 0xffff_ffff;
        if let Some((_, name)) = FAR.iter().find(|(magic, _)| *magic == kind) {
            found.push(Finding::fail(
                words!("{} is on a network disk ({})", "{} 位于网络磁盘（{}）", shown, name),
                words!(
                    "locks and syncs are not reliable there: what was acknowledged can be lost",
                    "网络磁盘的锁与落盘不可靠：已确认的数据可能丢失"
                ),
                words!("move it to a disk of this machine", "请移到本机磁盘"),
            ));
        } else if kind == TMPFS {
            found.push(Finding::warn(
                words!("{} is in memory", "{} 位于内存文件系统", shown),
                words!(
                    "all of it is gone after a restart of the machine",
                    "机器重启后数据全部丢失"
                ),
                words!("move it to a disk, unless this is a trial", "除非只是试用，请移到磁盘上"),
            ));
        }
    }
    for name in ["state.db", "running.json"] {
        let mode = std::fs::metadata(folder.join(name)).map(|file| file.permissions().mode());
        let open = std::fs::metadata(folder).is_ok_and(|it| it.permissions().mode() & 0o005 != 0);
        if open && mode.is_ok_and(|mode| mode & 0o004 != 0) {
            found.push(Finding::warn(
                words!(
                    "everybody on this machine can read {}/{}",
                    "本机任何用户都能读取 {}/{}",
                    shown,
                    name
                ),
                words!(
                    "it holds who may log in, and what they did",
                    "其中包含登录凭据摘要与操作记录"
                ),
                words!("chmod 700 {}", "执行 chmod 700 {}", shown),
            ));
        }
    }
    if found.is_empty() {
        found.push(Finding::ok(words!("{} can be written to", "{} 可写", shown)));
    }
    found
}

fn can_write(folder: &Path) -> bool {
    tempfile::tempfile_in(folder).is_ok()
}

fn cannot_write(folder: &Path) -> Finding {
    let shown = folder.display();
    Finding::fail(
        words!("{} cannot be written to", "{} 不可写", shown),
        words!("the program does not start then", "程序将无法启动"),
        words!(
            "let the user that runs citybrain write there, and run the doctor as that user",
            "请让运行 citybrain 的用户拥有写权限，并以该用户运行本命令"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::Level;
    use super::*;

    #[test]
    fn a_folder_is_looked_at_as_it_is() {
        let top = tempfile::tempdir().expect("a folder");
        let folder = top.path().join("data");
        assert_eq!(look(&folder)[0].level, Level::Ok);
        std::fs::create_dir(&folder).expect("made");
        std::fs::write(folder.join("state.db"), "").expect("written");
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
        };
        set(&folder, 0o755);
        set(&folder.join("state.db"), 0o644);
        let open = |found: Vec<Finding>| found.iter().any(|one| one.what.en.contains("everybody"));
        assert!(open(look(&folder)));
        set(&folder, 0o700);
        assert!(!open(look(&folder)));
    }
}
