//! The tasks of this process. In a test several replicas share one runtime, and each is a process of its own, which can be
//! frozen as by SIGSTOP.

#[cfg(feature = "testing")]
pub(crate) use frozen::Process;
#[cfg(feature = "testing")]
pub(crate) use frozen::own;

/// What is spawned goes through this, so that it belongs to the process that spawns it.
#[cfg(not(feature = "testing"))]
pub(crate) fn own<F: Future>(work: F) -> F {
    work
}

#[cfg(feature = "testing")]
mod frozen {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::task::{Context, Poll, Waker};

    tokio::task_local! {
        static PROCESS: Process;
    }

    /// A process of a test, which can be frozen. Cheap to clone; clones are the same process.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Process(Arc<Mutex<State>>);

    #[derive(Debug, Default)]
    struct State {
        frozen: bool,
        /// Of tasks that would have run meanwhile.
        waiting: Vec<Waker>,
    }

    /// What is spawned goes through this, so that it belongs to the process that spawns it.
    pub(crate) fn own<F: Future>(work: F) -> impl Future<Output = F::Output> {
        let process = PROCESS.try_with(Clone::clone).unwrap_or_default();
        async move { process.run(work).await }
    }

    impl Process {
        /// From now on none of its tasks runs, while time and what it has sent go on.
        pub(crate) fn freeze(&self) {
            self.state().frozen = true;
        }

        /// Its tasks go on where they were.
        pub(crate) fn thaw(&self) {
            let waiting = {
                let mut state = self.state();
                state.frozen = false;
                std::mem::take(&mut state.waiting)
            };
            waiting.into_iter().for_each(Waker::wake);
        }

        /// Runs a task of this process.
        ///
        /// # Cancel safety
        /// As `work`.
        pub(crate) async fn run<F: Future>(&self, work: F) -> F::Output {
            let gated = async {
                let mut work = pin!(work);
                poll_fn(|cx| if self.waits(cx) { Poll::Pending } else { work.as_mut().poll(cx) }).await
            };
            PROCESS.scope(self.clone(), gated).await
        }

        fn waits(&self, cx: &Context<'_>) -> bool {
            let mut state = self.state();
            if state.frozen {
                state.waiting.push(cx.waker().clone());
            }
            state.frozen
        }

        fn state(&self) -> MutexGuard<'_, State> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    #[cfg(test)]
    mod tests {
        use std::sync::atomic::{AtomicU32, Ordering};
        use std::time::Duration;

        use tokio::task::JoinSet;
        use tokio::time::sleep;

        use super::*;

        #[tokio::test(start_paused = true)]
        async fn a_frozen_process_runs_none_of_its_tasks_and_then_goes_on() {
            let (process, count) = (Process::default(), Arc::new(AtomicU32::new(0)));
            let counts = count.clone();
            let child = async move {
                loop {
                    sleep(Duration::from_secs(1)).await;
                    counts.fetch_add(1, Ordering::SeqCst);
                }
            };
            let parent = async move {
                let mut children = JoinSet::new();
                children.spawn(own(child));
                children.join_next().await
            };
            let here = process.clone();
            let _running = tokio::spawn(async move { here.run(parent).await });
            sleep(Duration::from_millis(2500)).await;
            assert_eq!(count.load(Ordering::SeqCst), 2);
            process.freeze();
            sleep(Duration::from_secs(60)).await;
            assert_eq!(count.load(Ordering::SeqCst), 2);
            process.thaw();
            sleep(Duration::from_millis(500)).await;
            assert_eq!(count.load(Ordering::SeqCst), 3, "the timer that had run out meanwhile");
        }
    }
}
