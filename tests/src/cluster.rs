//! A city of several processes on a bus, each behind networks of its own, and what can go wrong with
//! them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::instance::{Instance, binary_with_bus, eventually};
use crate::nats::NatsCluster;
use crate::network::Network;
use crate::ports::free_address;

/// What a city needs beside the bus: its devices publish to `mqtt/{device}/up`.
const SOURCE: &str = "
[[source]]
id = \"mqtt\"
topic = \"mqtt/{device}/up\"
format = \"json\"
unknown_devices = \"register\"
[source.options]
time = \"ts\"
[source.options.values]
number = \"number\"
level = \"water_level\"
";

/// How many partitions the readings have at first.
const PARTITIONS: u64 = 4;

/// How long what was disturbed may take until it does its work again.
pub const RECOVERS: Duration = Duration::from_mins(1);

/// A process of the city.
pub struct Node {
    role: &'static str,
    config: PathBuf,
    data: PathBuf,
    instance: Option<Instance>,
    /// Its ways to the servers of the bus, in their order.
    pub ways: Vec<Network>,
    /// Where its HTTP side is, whatever process it is.
    pub http: SocketAddr,
    /// Where its MQTT endpoint is, if it has one.
    pub mqtt: Option<SocketAddr>,
}

/// A city on a bus.
pub struct Cluster {
    /// The bus.
    pub nats: NatsCluster,
    /// The ways between its servers, by the numbers of both.
    pub links: BTreeMap<(usize, usize), Network>,
    /// The processes by name.
    pub nodes: BTreeMap<String, Node>,
    partitions: u64,
    _folder: tempfile::TempDir,
}

/// How many of what.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Servers of the bus: 1 or 3.
    pub servers: usize,
    /// Collectors.
    pub collectors: usize,
    /// Alert workers.
    pub workers: usize,
    /// Brains.
    pub brains: usize,
}

/// What is added to the configuration of a city, for each of its processes.
#[derive(Clone, Debug, Default)]
pub struct Additions {
    /// Lines for its table `city`.
    pub city: String,
    /// Tables.
    pub tables: String,
    /// Files by name, from the configuration's folder on.
    pub files: Vec<(&'static str, String)>,
}

impl Additions {
    /// Writes them into a folder, and adds them to the text of a configuration that begins with the
    /// table `city`.
    pub fn add_to(&self, text: &str, folder: &Path) -> anyhow::Result<String> {
        for (name, content) in &self.files {
            std::fs::write(folder.join(name), content)?;
        }
        let city = format!("[city]\n{}", self.city);
        Ok(text.replacen("[city]\n", &city, 1) + "\n" + &self.tables)
    }
}

impl Cluster {
    /// Starts all of it; `more` is added to the configuration of the brains.
    pub fn start(
        size: Size,
        rules: &str,
        additions: &Additions,
        more: &str,
    ) -> anyhow::Result<Option<Self>> {
        let mut links = BTreeMap::new();
        let mut make_way = |from, to, routes| {
            let link = Network::to(routes).expect("a free port");
            let address = link.address;
            links.insert((from, to), link);
            address
        };
        let Some(nats) = NatsCluster::start_apart("a city on a bus", size.servers, &mut make_way)
        else {
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("rules"))?;
        std::fs::write(folder.path().join("rules/rules.yaml"), rules)?;
        let mut nodes = BTreeMap::new();
        let roles = [("brain", size.brains), ("collect", size.collectors), ("alert", size.workers)];
        for (role, count) in roles {
            for number in 1..=count {
                let name = format!("{role}-{number}");
                let node = Node::prepare(role, &name, folder.path(), &nats, (additions, more))?;
                nodes.insert(name, node);
            }
        }
        let mut cluster = Self { nats, links, nodes, partitions: PARTITIONS, _folder: folder };
        cluster.start_all()?;
        Ok(Some(cluster))
    }

    fn start_all(&mut self) -> anyhow::Result<()> {
        let mut names: Vec<String> = self.nodes.keys().cloned().collect();
        // The first brain makes the city for which the others wait.
        names.sort_by_key(|name| !name.starts_with("brain"));
        names.iter().try_for_each(|name| self.restart(name))
    }

    /// Changes the number of partitions, as `docs/cluster.md` says: everything stops, the bus begins
    /// anew under another prefix, brains keep their folders, collectors and workers get empty ones.
    pub fn change_partitions(&mut self, partitions: u64, prefix: &str) -> anyhow::Result<()> {
        // Nothing new comes any more when the workers stop, and nothing is told when the brains do.
        let names = ["collect", "alert", "brain"].map(|role| self.of(role)).concat();
        let old = format!("partitions = {}\n", self.partitions);
        for name in &names {
            if let Some(instance) = self.node(name)?.instance.take() {
                let (took, clean) = instance.interrupt()?;
                ensure!(clean, "{name} did not stop as it should, after {took:?}");
            }
            let node = self.node(name)?;
            let before = std::fs::read_to_string(&node.config)?;
            let after = before
                .replace(&old, &format!("partitions = {partitions}\nprefix = \"{prefix}\"\n"));
            ensure!(before != after, "{name} says nothing of partitions");
            std::fs::write(&node.config, after)?;
            if node.role != "brain" {
                std::fs::remove_dir_all(&node.data)?;
            }
        }
        self.partitions = partitions;
        self.start_all()
    }

    /// Names of the processes of a role.
    pub fn of(&self, role: &str) -> Vec<String> {
        self.nodes.keys().filter(|name| name.starts_with(role)).cloned().collect()
    }

    /// SIGKILL.
    pub fn kill(&mut self, name: &str) -> anyhow::Result<()> {
        match self.node(name)?.instance.take() {
            Some(instance) => instance.kill(),
            None => Ok(()),
        }
    }

    /// Starts a process again, whether it still runs or not.
    pub fn restart(&mut self, name: &str) -> anyhow::Result<()> {
        self.kill(name)?;
        self.node(name)?.start().with_context(|| name.to_owned())
    }

    /// Starts again what ended by itself, as a supervisor does; tells whose.
    pub fn supervise(&mut self) -> anyhow::Result<Vec<String>> {
        let mut ended = Vec::new();
        for (name, node) in &mut self.nodes {
            if node.instance.as_mut().is_some_and(Instance::has_ended) {
                node.instance = None;
                node.start().with_context(|| name.clone())?;
                ended.push(name.clone());
            }
        }
        Ok(ended)
    }

    /// Waits until every partition is evaluated by somebody, and by one alone, not counting a worker.
    pub async fn all_evaluated(&mut self, except: Option<&str>) -> anyhow::Result<()> {
        // The rules that span all devices are one more.
        let wanted = self.partitions + 1;
        eventually("all partitions to be evaluated", RECOVERS, async || {
            self.supervise()?;
            let mut running = Vec::new();
            for name in self.of("alert").iter().filter(|name| Some(&***name) != except) {
                running.push(self.figure(name, "citybrain_partitions").await);
            }
            // Who has just come back has nothing yet.
            let shared = except.is_some() || running.iter().all(|one| !matches!(one, Ok(0)));
            let sum = running.iter().filter_map(|one| one.as_ref().ok()).sum::<u64>();
            ensure!(sum == wanted && shared, "{running:?} of {wanted}");
            Ok(Some(()))
        })
        .await
    }

    /// A figure of a process, without labels.
    pub async fn figure(&self, name: &str, figure: &str) -> anyhow::Result<u64> {
        let http = self.nodes.get(name).with_context(|| format!("there is no {name}"))?.http;
        let client =
            city_alert::plain_client(Duration::from_secs(2)).map_err(anyhow::Error::msg)?;
        let text = client.get(format!("http://{http}/metrics")).send().await?.text().await?;
        let line = text.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(' '));
        Ok(line.context("the figure")?.trim().parse::<f64>()? as u64)
    }

    /// What `citybrain doctor` says where a process runs.
    pub fn doctor(&self, name: &str) -> anyhow::Result<String> {
        let node = self.nodes.get(name).with_context(|| format!("there is no {name}"))?;
        let told = Command::new(binary_with_bus()?)
            .args(["doctor", "--lang", "en", "--config"])
            .arg(&node.config)
            .arg("--data-dir")
            .arg(&node.data)
            .output()?;
        Ok(String::from_utf8(told.stdout)?)
    }

    /// A process.
    pub fn node(&mut self, name: &str) -> anyhow::Result<&mut Node> {
        self.nodes.get_mut(name).with_context(|| format!("there is no {name}"))
    }
}

impl Node {
    fn prepare(
        role: &'static str,
        name: &str,
        folder: &Path,
        nats: &NatsCluster,
        (additions, more): (&Additions, &str),
    ) -> anyhow::Result<Self> {
        let http = free_address()?;
        let mqtt = if role == "collect" { Some(free_address()?) } else { None };
        let mut ways = Vec::new();
        for url in nats.urls() {
            ways.push(Network::to(url.trim_start_matches("nats://").parse()?)?);
        }
        let servers: Vec<String> =
            ways.iter().map(|way| format!("\"nats://{}\"", way.address)).collect();
        let mut text =
            "[city]\nname = \"Cluster\"\ntime_zone = \"UTC\"\nrules = \"rules\"\n".to_owned();
        write!(text, "[http]\nlisten = \"{http}\"\n")?;
        match mqtt {
            Some(mqtt) => write!(text, "[mqtt]\nlisten = \"{mqtt}\"\n")?,
            None => text += "[mqtt]\nenabled = false\n",
        }
        write!(
            text,
            "[bus]\nnode = \"{name}\"\nlease = \"5s\"\n[bus.nats]\nservers = [{}]\nreplicas = {}\n\
             partitions = {PARTITIONS}\nretention = \"1d\"\n",
            servers.join(", "),
            nats.count(),
        )?;
        text += SOURCE;
        if role == "brain" {
            text += more;
        }
        text = additions.add_to(&text, folder)?;
        let config = folder.join(format!("{name}.toml"));
        std::fs::write(&config, text)?;
        let data = folder.join(name);
        Ok(Self { role, config, data, instance: None, ways, http, mqtt })
    }

    fn start(&mut self) -> anyhow::Result<()> {
        let instance = Instance::launch(
            Command::new(binary_with_bus()?)
                .args(["serve", "--role", self.role, "--config"])
                .arg(&self.config)
                .arg("--data-dir")
                .arg(&self.data),
        )?;
        self.instance = Some(instance);
        Ok(())
    }

    /// The process, if it runs.
    pub fn instance(&self) -> Option<&Instance> {
        self.instance.as_ref()
    }

    /// Where its data are.
    pub fn data(&self) -> &Path {
        &self.data
    }
}
