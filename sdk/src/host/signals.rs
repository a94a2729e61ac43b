//! The signals that ask a process to stop.

use std::fmt;
use std::io;
use std::time::Duration;

use futures::Stream;
use futures::channel::mpsc;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal as Handler, SignalKind, signal};

/// A request to stop, from outside of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: what a kubelet sends.
    Terminate,
    /// SIGINT: Ctrl-C.
    Interrupt,
}

/// How long a process gets to end by itself after a second signal: a host needs milliseconds to give up.
const LAST_RESORT: Duration = Duration::from_secs(1);

/// The signals that this process gets from now on, which from this call on do not end it by themselves. Several of one kind
/// that come at once are one.
///
/// `last_resort` is called a second after the second signal, if the process is still there: it is to end the process, with
/// [`Signal::exit_code`]. A blocked thread keeps a host from noticing, or a runtime from being dropped. It is called
/// on a thread of its own, which listens until the process ends.
///
/// # Errors
/// If the handlers cannot be installed.
pub fn signals(
    last_resort: impl FnOnce(Signal) + Send + 'static,
) -> io::Result<impl Stream<Item = Signal> + Send + Unpin> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let handlers = {
        let _within = runtime.enter();
        signal(SignalKind::terminate()).and_then(|terminate| Ok((terminate, signal(SignalKind::interrupt())?)))
    };
    let (sender, receiver) = mpsc::unbounded();
    match handlers {
        Ok((terminate, interrupt)) => {
            let listening = listen(terminate, interrupt, sender);
            let listener = std::thread::Builder::new().name("signals".to_owned());
            // Not joined: it has to outlive the host and its runtime, because the handlers do.
            let _detached = listener.spawn(move || {
                if let Some(second) = runtime.block_on(listening) {
                    std::thread::sleep(LAST_RESORT);
                    last_resort(second);
                }
            })?;
            Ok(receiver)
        }
        Err(error) => {
            // Dropping it would panic in an async context.
            runtime.shutdown_background();
            Err(error)
        }
    }
}

/// Passes the signals on up to the second, which it returns.
async fn listen(
    mut terminate: Handler,
    mut interrupt: Handler,
    sender: mpsc::UnboundedSender<Signal>,
) -> Option<Signal> {
    let mut next = async || {
        let signal = tokio::select! {
            Some(()) = terminate.recv() => Signal::Terminate,
            Some(()) = interrupt.recv() => Signal::Interrupt,
            else => return None,
        };
        // The host may have ended already, its process not.
        let _host_listens = sender.unbounded_send(signal);
        Some(signal)
    };
    next().await?;
    next().await
}

impl Signal {
    /// 128 and the signal's number, as shells tell it.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Terminate => 143,
            Self::Interrupt => 130,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        })
    }
}
