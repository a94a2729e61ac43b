//! What happens, and what is said of it.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use tokio::time::interval;

use super::cluster::Cluster;
use super::console::Console;
use super::holder::{Holder, holders};
use super::keys::{self, Key};
use super::layout::Speaker;
use super::leaders::Leaders;
use super::presets::Presets;
use super::replica::{RESTART_AFTER, Replica};
use super::screen::Screen;
use super::summary::summary;
use super::{DevError, DevOptions, Lock};
use crate::crds::served;

/// Between two looks at logs and processes; people see no difference to at once.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// It takes about a second. Something is wrong if it takes longer than this, even on a busy machine.
const LEADER_WITHIN: Duration = Duration::from_secs(90);

/// How long replicas may take for a clean end before they are killed.
const END_WITHIN: Duration = Duration::from_secs(5);

/// All that a show needs.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) presets: &'a Presets,
    pub(super) lock: &'a Lock,
    pub(super) crds: &'a [CustomResourceDefinition],
    pub(super) options: &'a DevOptions,
    pub(super) screen: &'a mut Screen,
    pub(super) replicas: Vec<Replica>,
}

#[derive(Debug)]
pub(super) struct Show<'a> {
    stage: Stage<'a>,
    leaders: Leaders,
    begun: Instant,
    /// When the first led, and it was said how to look.
    introduced: Option<Instant>,
    leader_was_killed: bool,
}

impl<'a> Show<'a> {
    pub(super) fn new(stage: Stage<'a>) -> Self {
        let (begun, leaders) = (Instant::now(), Leaders::default());
        Self { stage, leaders, begun, introduced: None, leader_was_killed: false }
    }

    /// Until somebody or something ends it; then what there was, and a clean end of the replicas.
    pub(super) async fn run(mut self, console: &mut Console) -> Result<(), DevError> {
        self.play(console).await?;
        self.conclude().await;
        self.end(console).await
    }

    async fn play(&mut self, console: &mut Console) -> Result<(), DevError> {
        let Lock { namespace, name } = self.stage.lock;
        let mut holders = holders(self.stage.cluster.client(), namespace, name);
        (0..self.stage.replicas.len()).try_for_each(|at| self.start(at))?;
        let mut looks = interval(LOOK_AGAIN);
        while !self.is_over() {
            tokio::select! {
                _ = looks.tick() => self.look()?,
                Some(holder) = holders.next() => self.lock_changed(holder)?,
                key = console.next() => match key {
                    Key::Kill => self.end_leader(Replica::kill, "kill -9", "was killed"),
                    Key::Stop => self.end_leader(Replica::terminate, "kill", "was told to stop"),
                    Key::Quit => break,
                    Key::Unknown => self.stage.screen.tell(format!("keys: {}", keys::HELP)),
                },
            }
            self.stage.screen.set_bottom(self.status());
        }
        self.stage.screen.set_bottom(String::new());
        Ok(())
    }

    /// Logs, ends, and what is due.
    fn look(&mut self) -> Result<(), DevError> {
        self.stage.cluster.forget_requests();
        self.show_logs()?;
        for at in 0..self.stage.replicas.len() {
            let replica = &mut self.stage.replicas[at];
            if let Some(ended) = replica.check_end()? {
                let (name, how) = (replica.name.clone(), ended.how());
                // Its last words come first.
                self.show_logs()?;
                self.stage.screen.tell(format!("{name} {how}; it is started again in {} s", ended.again_in.as_secs()));
                self.leaders.ended(&name, &how, Instant::now());
            } else if replica.is_due() {
                self.start(at)?;
            }
        }
        if self.introduced.is_none() && self.leaders.any() {
            self.introduced = Some(Instant::now());
            self.introduce();
        }
        if self.is_time(self.stage.options.kill_leader_after) && !self.leader_was_killed && self.leader().is_some() {
            self.leader_was_killed = true;
            self.end_leader(Replica::kill, "kill -9", "was killed");
        }
        match self.introduced {
            None if self.begun.elapsed() > LEADER_WITHIN => Err(DevError::NoLeader { waited: LEADER_WITHIN }),
            _ => Ok(()),
        }
    }

    fn show_logs(&mut self) -> Result<(), DevError> {
        for (at, replica) in self.stage.replicas.iter_mut().enumerate() {
            let lines = replica.log_lines()?;
            self.stage.screen.lines(Speaker::Replica(at), &replica.name, lines.iter().map(String::as_str));
        }
        Ok(())
    }

    /// Says once, when somebody leads, how to look at it.
    fn introduce(&mut self) {
        let Lock { namespace, name } = self.stage.lock;
        let kubectl = format!("kubectl --kubeconfig {}", for_shell(self.stage.cluster.kubeconfig.as_os_str()));
        let kinds =
            self.stage.crds.iter().filter_map(served).map(|kind| format!("  {kubectl} get {} -A -w", kind.plural));
        let mut lines = vec![String::new(), "look, in another terminal:".to_owned()];
        lines.extend(kinds);
        lines.push(format!("  {kubectl} get lease -n {namespace} {name} -w"));
        lines.push(format!("keys: {}", keys::HELP));
        lines.push(format!("  or `kill -9 <pid>`; what is down is started again after {} s", RESTART_AFTER.as_secs()));
        lines.push(String::new());
        self.stage.screen.tell(lines.join("\n"));
    }

    /// The lock was written; told if that changed who leads.
    fn lock_changed(&mut self, holder: Option<Holder>) -> Result<(), DevError> {
        if let Some(told) = self.leaders.lock_changed(holder, Instant::now()) {
            // What the replicas said of it comes first.
            self.show_logs()?;
            self.stage.screen.tell(told);
        }
        Ok(())
    }

    fn end_leader(&mut self, send: fn(&mut Replica), command: &str, how: &str) {
        let Some(leader) = self.leader() else {
            return self.stage.screen.tell("no running replica holds the lock");
        };
        send(leader);
        let name = leader.name.clone();
        self.leaders.ended(&name, how, Instant::now());
        self.stage.screen.tell(format!("$ {command} {name}"));
    }

    /// The replica that holds the lock, if it runs.
    fn leader(&mut self) -> Option<&mut Replica> {
        let holder = self.leaders.leader()?;
        self.stage.replicas.iter_mut().find(|replica| replica.name == holder && replica.is_up())
    }

    fn start(&mut self, at: usize) -> Result<(), DevError> {
        if let Some(told) = self.stage.replicas[at].start(self.stage.presets)? {
            self.stage.screen.tell(told);
        }
        Ok(())
    }

    /// The line at the bottom.
    fn status(&self) -> String {
        let up = self.stage.replicas.iter().filter(|replica| replica.is_up()).count();
        let all = self.stage.replicas.len();
        format!(" {} · {up} of {all} run · {} ", self.leaders.status(Instant::now()), keys::HELP)
    }

    /// Whether `after` has passed since the first led.
    fn is_time(&self, after: Option<Duration>) -> bool {
        self.introduced.zip(after).is_some_and(|(introduced, after)| introduced.elapsed() >= after)
    }

    fn is_over(&self) -> bool {
        self.is_time(self.stage.options.exit_after) || self.stage.screen.is_closed()
    }

    async fn conclude(&mut self) {
        let objects = summary(&self.stage.cluster.client(), self.stage.crds).await;
        let mut told = objects.unwrap_or_else(|error| vec![error.to_string()]);
        told.push(format!("leaders: {}", self.leaders.in_order()));
        self.stage.screen.tell(told.join("; "));
    }

    /// Stops the replicas as Kubernetes would. Who asks for the end once more kills them, as the end of this value does.
    async fn end(mut self, console: &mut Console) -> Result<(), DevError> {
        self.stage.screen.tell("stopping the replicas");
        self.stage.replicas.iter_mut().for_each(Replica::terminate);
        let begun = Instant::now();
        let mut looks = interval(LOOK_AGAIN);
        while self.stage.replicas.iter().any(Replica::is_up) && begun.elapsed() < END_WITHIN {
            tokio::select! {
                _ = looks.tick() => {}
                key = console.next() => if key == Key::Quit { break },
            }
            for replica in &mut self.stage.replicas {
                replica.check_end()?;
            }
            self.show_logs()?;
        }
        for replica in self.stage.replicas.iter().filter(|replica| replica.is_up()) {
            self.stage.screen.tell(format!("{} has not ended, and is killed", replica.name));
        }
        Ok(())
    }
}

/// Quoted if it must be.
fn for_shell(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let harmless = |c: char| c.is_alphanumeric() || "/._-+,@".contains(c);
    if word.chars().all(harmless) { word.into_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_for_the_shell() {
        assert_eq!(for_shell(OsStr::new("/home/ada/kubeconfig")), "/home/ada/kubeconfig");
        assert_eq!(for_shell(OsStr::new("/home/ada's mac/k")), r"'/home/ada'\''s mac/k'");
    }
}
