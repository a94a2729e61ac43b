//! What happens, and what is said of it.

use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use tokio::time::{interval, timeout};

use crate::Failure;
use crate::cluster::Cluster;
use crate::holder::{Holder, LOCK, NAMESPACE, holders};
use crate::keys::{self, Key, Keys};
use crate::options::Options;
use crate::replica::{LEASE, RESTART_AFTER, Replica};
use crate::screen::{Colour, Screen};
use crate::signals::Signals;

const REPLICAS: [(&str, Colour); 3] =
    [("replica-a", Colour::Cyan), ("replica-b", Colour::Magenta), ("replica-c", Colour::Yellow)];

/// Between two looks at logs and processes; people see no difference to at once.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// It takes about a second. Something is wrong if it takes longer than this, even on a busy machine.
const LEADER_WITHIN: Duration = Duration::from_secs(90);

/// For one request; the server may be stopped by somebody who tries things out.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How long replicas may take for a clean end before they are killed.
const END_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Show<'a> {
    cluster: &'a Cluster,
    screen: &'a mut Screen,
    replicas: Vec<Replica>,
    holder: Option<Holder>,
    /// Names of those that led, in that order.
    leaders: Vec<String>,
    /// The end of the last leader, until another one leads.
    fall: Option<Fall>,
    begun: Instant,
    /// When the first led, and it was said how to look.
    introduced: Option<Instant>,
    kill_leader_after: Option<Duration>,
    exit_after: Option<Duration>,
}

/// A leader was ended, or found ended.
#[derive(Debug)]
struct Fall {
    replica: &'static str,
    how: String,
    at: Instant,
}

impl<'a> Show<'a> {
    pub(crate) fn new(cluster: &'a Cluster, screen: &'a mut Screen, options: &Options) -> Result<Self, Failure> {
        let replicas = REPLICAS.map(|(name, colour)| Replica::new(name, colour, cluster));
        let Options { kill_leader_after, exit_after } = *options;
        Ok(Self {
            cluster,
            screen,
            replicas: replicas.into_iter().collect::<Result<_, _>>()?,
            holder: None,
            leaders: Vec::new(),
            fall: None,
            begun: Instant::now(),
            introduced: None,
            kill_leader_after,
            exit_after,
        })
    }

    /// Until somebody or something ends it.
    pub(crate) async fn run(mut self, keys: &mut Keys, signals: &mut Signals) -> Result<(), Failure> {
        let mut holders = holders(self.cluster.plane.client()?);
        self.start_all()?;
        let mut looks = interval(LOOK_AGAIN);
        loop {
            tokio::select! {
                _ = looks.tick() => self.look()?,
                holder = next(&mut holders) => self.lock_changed(holder?)?,
                Some(key) = keys.next() => match key {
                    Key::Kill => self.kill_leader()?,
                    Key::Stop => self.stop_leader()?,
                    Key::Restart => self.start_all()?,
                    Key::Quit => break,
                    Key::Unknown => self.screen.tell(keys::HELP)?,
                },
                () = signals.next() => break,
            }
            if self.is_over() {
                break;
            }
        }
        let (ready, all) = timeout(ANSWER_WITHIN, self.cluster.ready_guestbooks()).await??;
        let leaders = self.leaders.join(", then ");
        self.screen.tell(format!("{ready} of {all} guestbooks are Ready; leaders: {leaders}"))?;
        self.end(signals).await
    }

    /// Logs, ends, and what is due.
    fn look(&mut self) -> Result<(), Failure> {
        self.show_logs()?;
        for index in 0..self.replicas.len() {
            let replica = &mut self.replicas[index];
            if let Some(ended) = replica.check_end()? {
                let (name, how) = (replica.name, ended.how());
                self.screen.tell(format!("{name} {how}; it is started again in {} s", RESTART_AFTER.as_secs()))?;
                self.fell(name, how);
            } else if replica.is_due() {
                self.start(index)?;
            }
        }
        self.introduce()?;
        if let (Some(introduced), Some(after)) = (self.introduced, self.kill_leader_after)
            && introduced.elapsed() >= after
            && self.leader().is_some()
        {
            self.kill_leader_after = None;
            self.kill_leader()?;
        }
        match self.introduced {
            None if self.begun.elapsed() > LEADER_WITHIN => Err("no replica leads, or one does not start".into()),
            _ => Ok(()),
        }
    }

    fn show_logs(&mut self) -> Result<(), Failure> {
        for replica in &mut self.replicas {
            for line in replica.log_lines()? {
                self.screen.line(replica.name, replica.colour, &line)?;
            }
        }
        Ok(())
    }

    /// Says once, when all is there, how to look at it; later only where each new process is.
    fn introduce(&mut self) -> Result<(), Failure> {
        if self.introduced.is_some() {
            let introductions = self.replicas.iter_mut().filter_map(Replica::introduction);
            introductions.into_iter().try_for_each(|line| self.screen.tell(line))?;
        } else if self.holder.is_some() && self.replicas.iter().all(Replica::is_known) {
            self.introduced = Some(Instant::now());
            let mut lines = vec![String::new(), "look, in another terminal:".to_owned()];
            let kubectl = self.cluster.kubectl()?;
            lines.push(format!("  {kubectl} get gb -A -w -o wide"));
            lines.push(format!("  {kubectl} get lease -n {NAMESPACE} {LOCK} -w"));
            lines.push("the replicas, their probes and their metrics:".to_owned());
            lines.extend(self.replicas.iter_mut().filter_map(Replica::introduction).map(|line| format!("  {line}")));
            lines.push(format!("keys: {}", keys::HELP));
            lines.push(format!("  or `kill -9 <pid>`; another leads when the lease ({LEASE}) has run out"));
            lines.push(format!("  what is down is started again after {} s", RESTART_AFTER.as_secs()));
            lines.push(String::new());
            lines.into_iter().try_for_each(|line| self.screen.tell(line))?;
        }
        Ok(())
    }

    /// The lock was written; told if that changed who leads.
    fn lock_changed(&mut self, holder: Option<Holder>) -> Result<(), Failure> {
        if self.holder == holder {
            return Ok(());
        }
        // What the replicas said of it comes first.
        self.show_logs()?;
        let before = std::mem::replace(&mut self.holder, holder.clone());
        let Some(holder) = holder else {
            let before = before.as_ref().map_or("nobody", Holder::replica);
            self.screen.tell(format!("nobody leads: {before} gave the lock back"))?;
            return Ok(());
        };
        let (leader, since) = (holder.replica(), holder.since());
        self.leaders.push(leader.to_owned());
        let fall = self.fall.take();
        let after = fall.map(|Fall { replica, how, at }| format!(" {} after {replica} {how}", in_words(at.elapsed())));
        self.screen.tell(format!("{leader} leads{}, since {since}", after.unwrap_or_default()))?;
        Ok(())
    }

    fn kill_leader(&mut self) -> Result<(), Failure> {
        self.end_leader(Replica::kill, "kill -9", "was killed")
    }

    fn stop_leader(&mut self) -> Result<(), Failure> {
        self.end_leader(Replica::terminate, "kill", "was told to stop")
    }

    fn end_leader(&mut self, send: fn(&mut Replica), command: &str, how: &str) -> Result<(), Failure> {
        match self.leader() {
            Some(leader) => {
                send(leader);
                let name = leader.name;
                self.fell(name, how.to_owned());
                self.screen.tell(format!("$ {command} {name}"))?;
            }
            None => self.screen.tell("no running replica holds the lock")?,
        }
        Ok(())
    }

    /// The replica that holds the lock, if it runs.
    fn leader(&mut self) -> Option<&mut Replica> {
        // Then what runs under the holder's name is a later process.
        if self.fall.is_some() {
            return None;
        }
        let holder = self.holder.as_ref()?.replica();
        self.replicas.iter_mut().find(|replica| replica.name == holder && replica.is_up())
    }

    /// Counts from the first sign of it: the signal that was sent, else the end that was seen.
    fn fell(&mut self, replica: &'static str, how: String) {
        let leads = self.holder.as_ref().is_some_and(|holder| holder.replica() == replica);
        if leads && self.fall.is_none() {
            self.fall = Some(Fall { replica, how, at: Instant::now() });
        }
    }

    fn start_all(&mut self) -> Result<(), Failure> {
        (0..self.replicas.len()).try_for_each(|index| self.start(index))
    }

    fn start(&mut self, index: usize) -> Result<(), Failure> {
        let replica = &mut self.replicas[index];
        if let Some(id) = replica.start(self.cluster)? {
            self.screen.tell(format!("{} is started: pid {id}", replica.name))?;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        let shown = self.introduced.map(|introduced| introduced.elapsed());
        shown.zip(self.exit_after).is_some_and(|(shown, after)| shown >= after)
    }

    /// Stops the replicas as Kubernetes would. A second signal kills them, as the end of this value does.
    async fn end(mut self, signals: &mut Signals) -> Result<(), Failure> {
        self.screen.tell("stopping the replicas, then the control plane")?;
        self.replicas.iter_mut().for_each(Replica::terminate);
        let begun = Instant::now();
        let mut looks = interval(LOOK_AGAIN);
        while self.replicas.iter().any(Replica::is_up) && begun.elapsed() < END_WITHIN {
            tokio::select! {
                _ = looks.tick() => {}
                () = signals.next() => break,
            }
            for replica in &mut self.replicas {
                replica.check_end()?;
            }
            self.show_logs()?;
        }
        Ok(())
    }
}

/// The holder at the next version of the lock. Errors are left to the watch, which tries again by itself: if they last, no
/// leader is ever seen, and that is told.
async fn next<E>(
    holders: &mut (impl Stream<Item = Result<Option<Holder>, E>> + Unpin),
) -> Result<Option<Holder>, Failure> {
    loop {
        match holders.next().await {
            Some(Ok(holder)) => return Ok(holder),
            Some(Err(_)) => {}
            None => return Err("the watch of the lock ended".into()),
        }
    }
}

fn in_words(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
