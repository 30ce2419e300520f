//! What the tests need beside Rust, and how to get it.

use anyhow::bail;

use crate::run::{program, root, succeeds};

/// A program that tests use, and the Debian package that brings it.
struct Tool {
    package: &'static str,
    /// A file that is there once it is installed.
    proof: &'static str,
    why: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool { package: "mosquitto", proof: "/usr/sbin/mosquitto", why: "journeys with a real broker" },
    Tool {
        package: "libfaketime",
        proof: "/usr/share/doc/libfaketime",
        why: "journeys with a clock that jumps",
    },
    Tool {
        package: "victoria-metrics",
        proof: "/usr/bin/victoria-metrics",
        why: "writes to a server that is compatible with InfluxDB, and its vmalert",
    },
    Tool {
        package: "strace",
        proof: "/usr/bin/strace",
        why: "what a disk may hold when the power goes",
    },
    Tool {
        package: "prometheus-alertmanager",
        proof: "/usr/bin/prometheus-alertmanager",
        why: "alerts told to the real Alertmanager",
    },
    Tool {
        package: "prometheus",
        proof: "/usr/bin/promtool",
        why: "the same rules and readings through Prometheus",
    },
    Tool {
        package: "nginx-light",
        proof: "/usr/sbin/nginx",
        why: "the proxy's files of deploy/ in front of the program",
    },
    Tool {
        package: "libnginx-mod-stream",
        proof: "/usr/lib/nginx/modules/ngx_stream_module.so",
        why: "MQTT over TLS through the proxy",
    },
    Tool {
        package: "haproxy",
        proof: "/usr/sbin/haproxy",
        why: "the balancer of several processes in deploy/",
    },
    Tool {
        package: "mosquitto-clients",
        proof: "/usr/bin/mosquitto_pub",
        why: "a device's means of publishing through the proxy",
    },
    Tool {
        package: "python3-aiosmtpd",
        proof: "/usr/lib/python3/dist-packages/aiosmtpd",
        why: "mail about alerts to a real server",
    },
    Tool {
        package: "python3-venv",
        proof: "/usr/share/doc/python3-venv",
        why: "schemathesis, which asks the API all that its document allows",
    },
    Tool { package: "chromium", proof: "/usr/bin/chromium", why: "journeys in a real browser" },
    Tool {
        package: "fonts-noto-cjk",
        proof: "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        why: "Chinese in screenshots",
    },
];

/// Installs what is missing where that is allowed, and says what to do where it is not.
pub(crate) fn ensure() -> anyhow::Result<()> {
    let missing: Vec<&Tool> =
        TOOLS.iter().filter(|tool| !std::path::Path::new(tool.proof).exists()).collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    if !succeeds("node", &["--version"]) {
        bail!(
            "node is missing (needed to check and test the dashboard); install Node.js 20 or newer"
        );
    }
    npm()
}

fn install(missing: &[&Tool]) -> anyhow::Result<()> {
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    for tool in missing {
        eprintln!("missing: {} ({})", tool.package, tool.why);
    }
    let list = packages.join(" ");
    let by_hand = format!("install by hand: apt-get install {list}");
    if !succeeds("apt-get", &["--version"]) {
        bail!("this is no Debian system, so it cannot be installed automatically; {by_hand}");
    }
    let as_root = succeeds("test", &["-w", "/var/lib/dpkg"]);
    if !as_root && !succeeds("sudo", &["-n", "true"]) {
        bail!("installing needs root; {by_hand}");
    }
    let apt = |arguments: &[&str]| {
        let mut line = if as_root { vec![] } else { vec!["sudo", "-n"] };
        line.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        line.extend(arguments);
        program(".", line[0], &line[1..])
    };
    apt(&["update", "-qq"])?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(&packages);
    apt(&arguments)
}

/// The dashboards' packages, exactly as locked.
pub(crate) fn npm() -> anyhow::Result<()> {
    ["dashboards/web", "dashboards/grafana"].into_iter().try_for_each(npm_in)
}

fn npm_in(folder: &str) -> anyhow::Result<()> {
    let path = root().join(folder);
    let stamp =
        |name: &str| std::fs::metadata(path.join(name)).and_then(|data| data.modified()).ok();
    let installed = stamp("node_modules/.package-lock.json");
    if installed.is_some() && installed >= stamp("package-lock.json") {
        return Ok(());
    }
    program(folder, "npm", &["ci", "--no-audit", "--no-fund"])
}
