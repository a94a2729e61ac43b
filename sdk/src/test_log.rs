//! What a test's own thread logged.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, Once};

/// Whether anybody wants a line is asked once, of the thread that comes by first: if that one had no subscriber, nobody would
/// get the line.
static EVERY_THREAD: Once = Once::new();

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// To be set as the thread's default.
    pub(crate) fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        EVERY_THREAD.call_once(|| {
            let nowhere = tracing_subscriber::fmt().with_writer(io::sink).finish();
            let _any_other_does_too = tracing::subscriber::set_global_default(nowhere);
        });
        let log = self.clone();
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).finish()
    }

    pub(crate) fn lines_with(&self, part: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(part)).map(str::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
