//! Whether the addresses that we listen on are free, or ours.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use super::super::finding::{Finding, words};
use super::super::{Check, Context};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "listeners", look: |context| Box::pin(async move { look(context) }) };

fn look(context: &Context) -> Vec<Finding> {
    let settings = &context.settings;
    let mut wanted = vec![("http.listen".to_owned(), settings.http.listen)];
    let redirect = settings.http.tls.as_ref().and_then(|tls| tls.redirect_from);
    wanted.extend(redirect.map(|address| ("http.tls.redirect_from".to_owned(), address)));
    if settings.mqtt.enabled {
        wanted.push(("mqtt.listen".to_owned(), settings.mqtt.listen));
        let further = settings.mqtt.listeners.iter().enumerate();
        wanted.extend(
            further.map(|(index, one)| (format!("mqtt.listener[{index}].listen"), one.listen)),
        );
    }
    if settings.hj212.enabled {
        wanted.push(("hj212.listen".to_owned(), settings.hj212.listen));
    }
    let is_running = context.running.is_some();
    wanted.iter().map(|(key, address)| judge(key, *address, is_running)).collect()
}

fn judge(key: &str, address: SocketAddr, is_running: bool) -> Finding {
    let Err(error) = TcpListener::bind(address) else {
        return Finding::ok(words!("{} = {} is free", "{} = {} 空闲", key, address));
    };
    let why = words!("the program does not start without it", "无此端口程序无法启动");
    let port = address.port();
    match error.kind() {
        ErrorKind::AddrInUse if is_running => Finding::ok(words!(
            "{} = {} is in use by the running program",
            "{} = {} 由运行中的程序使用",
            key,
            address
        )),
        ErrorKind::AddrInUse => Finding::fail(
            words!(
                "{} = {} is in use by another program",
                "{} = {} 已被其他程序占用",
                key,
                address
            ),
            why,
            words!(
                "find it with `ss -ltnp sport = :{}`, and stop it or choose another port",
                "请用 ss -ltnp sport = :{} 查找并停止它，或改用其他端口",
                port
            ),
        ),
        ErrorKind::PermissionDenied => Finding::fail(
            words!(
                "{} = {}: this user may not listen there",
                "{} = {}：当前用户无权监听该端口",
                key,
                address
            ),
            why,
            words!(
                "choose a port from 1024 on, or give the service CAP_NET_BIND_SERVICE (see \
                 deploy/systemd)",
                "请使用 1024 以上的端口，或为服务授予 CAP_NET_BIND_SERVICE（见 deploy/systemd）"
            ),
        ),
        ErrorKind::AddrNotAvailable => Finding::fail(
            words!("{} = {} is no address of this machine", "{} = {} 不是本机地址", key, address),
            why,
            words!(
                "see `ip address` for those that there are, or write 0.0.0.0",
                "请用 ip address 查看本机地址，或写 0.0.0.0"
            ),
        ),
        _ => Finding::fail(
            words!("{} = {}: {}", "{} = {}：{}", key, address, error),
            why,
            words!("choose another address", "请改用其他地址"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Level;
    use super::*;

    #[test]
    fn who_has_the_port_decides() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("an address");
        assert_eq!(judge("http.listen", address, true).level, Level::Ok);
        assert_eq!(judge("http.listen", address, false).level, Level::Fail);
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        assert_eq!(judge("http.listen", free, false).level, Level::Ok);
        // TEST-NET-1 of RFC 5737 is nobody's.
        let strange = SocketAddr::from(([192, 0, 2, 1], 0));
        assert!(judge("http.listen", strange, false).what.en.contains("no address"));
    }
}
