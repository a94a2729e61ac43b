//! A thread with a small runtime of its own, so that what runs there waits for nobody's turn.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A runtime that is driven by a thread of its own once something [runs](OwnThread::run) on it.
///
/// Code that blocks every thread of the program's own runtime does not hold it up.
#[derive(Debug)]
#[must_use = "nothing runs on it until it is given something to run"]
pub struct OwnThread {
    name: &'static str,
    /// Taken when it ends: a runtime must not be dropped where futures are polled, and waits for code that blocks.
    runtime: Option<Runtime>,
}

impl OwnThread {
    /// A runtime for a thread that will be called `name`.
    ///
    /// # Errors
    /// If the system has no more file descriptors.
    pub fn new(name: &'static str) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().thread_name(name).build()?;
        Ok(Self { name, runtime: Some(runtime) })
    }

    /// What is made while the guard lives and spawns tasks, such as a `kube::Client`, spawns them here.
    #[must_use = "what is made without the guard spawns its tasks elsewhere"]
    pub fn enter(&self) -> Option<EnterGuard<'_>> {
        self.runtime.as_ref().map(Runtime::enter)
    }

    /// Starts the thread, and resolves with what `work` has to say in the end. A panic of `work` goes on here. Tasks that it
    /// spawned are dropped at its end, and code of theirs that blocks, such as a look-up of a name, is not waited for.
    ///
    /// # Errors
    /// If the system has no more threads.
    ///
    /// # Cancel safety
    /// When dropped, `work` is dropped at its next await, on its thread.
    pub async fn run<T: Send + 'static>(self, work: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
        let (tell, ended) = oneshot::channel();
        let dropped = CancellationToken::new();
        let _tells_when_dropped: DropGuard = dropped.clone().drop_guard();
        let name = self.name.to_owned();
        let on_thread = move || {
            let work = dropped.run_until_cancelled(work);
            let outcome = catch_unwind(AssertUnwindSafe(|| self.runtime.as_ref()?.block_on(work)));
            // Its own tasks end before it says that it has ended.
            drop(self);
            // Nobody waits for it any more if the future was dropped.
            let _heard = tell.send(outcome);
        };
        thread::Builder::new().name(name).spawn(on_thread)?;
        match ended.await {
            Ok(Ok(Some(outcome))) => Ok(outcome),
            Ok(Err(panic)) => resume_unwind(panic),
            Ok(Ok(None)) | Err(_) => Err(io::Error::other("its thread has ended")),
        }
    }
}

impl Drop for OwnThread {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_goes_on_while_this_runtime_is_blocked() {
        let own = OwnThread::new("own").unwrap();
        let (tell, told) = mpsc::channel();
        let work = tokio::spawn(own.run(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let on = thread::current().name().map(str::to_owned);
            tell.send(on).unwrap();
            7
        }));
        tokio::task::yield_now().await;
        // This blocks the only thread there is.
        assert_eq!(told.recv_timeout(Duration::from_secs(60)).unwrap().as_deref(), Some("own"));
        assert_eq!(work.await.unwrap().unwrap(), 7);
    }

    #[tokio::test]
    async fn a_panic_is_the_callers_too() {
        let own = OwnThread::new("own").unwrap();
        let panic = tokio::spawn(own.run(async { panic!("oops") })).await.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref(), Some(&"oops"));
    }

    #[tokio::test]
    async fn what_is_dropped_ends_on_its_thread_too() {
        struct Ends(Option<oneshot::Sender<()>>);
        impl Drop for Ends {
            fn drop(&mut self) {
                self.0.take().map(|tell| tell.send(()));
            }
        }
        let (tell, ended) = oneshot::channel();
        let (started, has_started) = oneshot::channel();
        let ends = Ends(Some(tell));
        let work = async move {
            let _ends = ends;
            started.send(()).unwrap();
            std::future::pending::<()>().await;
        };
        let run = tokio::spawn(OwnThread::new("own").unwrap().run(work));
        has_started.await.unwrap();
        run.abort();
        ended.await.unwrap();
    }

    #[tokio::test]
    async fn code_that_blocks_does_not_hold_up_the_end() {
        let (_unblock, blocked) = mpsc::channel::<()>();
        let run = OwnThread::new("own").unwrap().run(async move {
            // As a look-up of a name does when no server answers.
            let (tell, started) = oneshot::channel();
            tokio::task::spawn_blocking(move || (tell.send(()), blocked.recv()));
            started.await.unwrap();
            7
        });
        assert_eq!(tokio::time::timeout(Duration::from_secs(20), run).await.unwrap().unwrap(), 7);
    }

    #[tokio::test]
    async fn one_that_never_ran_can_be_dropped_anywhere() {
        drop(OwnThread::new("own").unwrap());
    }
}
