//! A pod in which nothing moves any more: its kubelet restarts it, and a standby leads meanwhile.

use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::sync::mpsc as blocking;
use std::thread;
use std::time::Duration;

use kubeops_testkit::Cluster;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::kubelet::{Container, Pod};
use crate::manifest::Manifest;
use crate::pages::{cluster, operator, put, until, written};

/// Of a kubelet's ten seconds the tenth part, as of all its pauses here.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
const SETTINGS: [(&str, &str); 3] = [
    ("KubeOps:LeaderElectionLeaseDuration", "3s"),
    ("KubeOps:LeaderElectionRenewDeadline", "2s"),
    ("KubeOps:LeaderElectionRetryPeriod", "0.5s"),
];

/// An operator on a runtime of its own, which has one thread, as a process of its own would be: what blocks that blocks all.
struct Alone {
    address: SocketAddr,
    hang: Mutex<Option<oneshot::Sender<()>>>,
    /// What it waits for when it hangs. Dropped, the thread ends.
    _life: blocking::Sender<()>,
}

impl Alone {
    fn start(cluster: &Cluster, name: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (hang, hung) = oneshot::channel();
        let (life, end) = blocking::channel();
        let (cluster, name) = (cluster.clone(), name.to_owned());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let at = address.to_string();
                let settings = [&SETTINGS[..], &[("KubeOps:HealthAddress", at.as_str())]].concat();
                let _running = operator().start_replica_on(&cluster, &name, &settings).await;
                // Dropped without a word: the pod is gone, and so is this.
                if hung.await.is_ok() {
                    let _killed = end.recv();
                }
            });
        });
        Self { address, hang: Mutex::new(Some(hang)), _life: life }
    }

    /// From now on its one thread is busy, as with code that blocks.
    fn hang(&self) {
        self.hang.lock().unwrap().take().unwrap().send(()).unwrap();
    }

    async fn ask(&self, path: &str) -> std::io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Ok((status, answer))
    }
}

impl Container for Alone {
    async fn get(&self, path: &str) -> (u16, String) {
        self.ask(path).await.unwrap_or_else(|error| (0, error.to_string()))
    }

    /// Whoever hangs does not hear it; nobody else is told here.
    fn terminate(&self) {}

    fn has_ended(&self) -> bool {
        false
    }
}

fn pod(cluster: &Cluster, name: &str) -> Pod<Alone> {
    let (cluster, pod) = (cluster.clone(), name.to_owned());
    let start = move || std::future::ready(Alone::start(&cluster, &pod));
    Pod::of(name, Manifest::generated().with_pauses_of_a_tenth(), RESTART_PAUSE, start)
}

async fn wait_leads(pod: &Pod<Alone>) {
    until("it leads", async || pod.container().get("/readyz/leading").await.0 == 200).await;
}

/// In real time: a runtime that is blocked holds up a clock that stands still, too.
#[tokio::test]
async fn a_hung_runtime_is_restarted_while_the_standby_leads_and_goes_on() {
    let cluster = cluster().await;
    let hung = pod(&cluster, "a");
    until("it is ready", async || hung.is_ready()).await;
    wait_leads(&hung).await;
    let standby = pod(&cluster, "b");
    until("it is ready", async || standby.is_ready()).await;

    hung.container().hang();
    wait_leads(&standby).await;
    put(&cluster, "one", "{}").await;
    written(&cluster, "one").await;
    until("it is restarted", async || !hung.restarts().is_empty()).await;
    assert_eq!(hung.complaint(), "no answer in time");
    assert!(!hung.restarts()[0].clean, "it did not hear that it was to stop");
    until("it is ready again", async || hung.is_ready()).await;
    wait_leads(&standby).await;
    assert_eq!((hung.restarts().len(), standby.restarts().len()), (1, 0));
}
