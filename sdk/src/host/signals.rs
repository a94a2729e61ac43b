//! The signals that ask a process to stop.

use std::fmt;
use std::io;

use futures::Stream;

/// A request to stop, from outside of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: what a kubelet sends.
    Terminate,
    /// SIGINT: Ctrl-C.
    Interrupt,
}

/// The signals that this process gets from now on. From this call on they do not end the process by themselves; several of
/// one kind that come at once are one.
///
/// # Errors
/// If the handlers cannot be installed.
///
/// # Panics
/// Outside of a tokio runtime with I/O.
pub fn signals() -> io::Result<impl Stream<Item = Signal> + Send + Unpin> {
    use tokio::signal::unix::{SignalKind, signal};

    let handlers = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(Box::pin(futures::stream::unfold(handlers, |(mut terminate, mut interrupt)| async move {
        let signal = tokio::select! {
            Some(()) = terminate.recv() => Signal::Terminate,
            Some(()) = interrupt.recv() => Signal::Interrupt,
            else => return None,
        };
        Some((signal, (terminate, interrupt)))
    })))
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
