//! A terminal of the test's own: what is typed and what is shown.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use tempfile::TempDir;

use super::session::{command, eventually};

pub(crate) const COLUMNS: u16 = 40;

/// A running `guestbook dev` at a narrow terminal, killed when this is dropped.
pub(crate) struct AtTerminal {
    process: Child,
    keyboard: File,
    terminal: OwnedFd,
    shown: Arc<Mutex<String>>,
    _home: TempDir,
}

impl AtTerminal {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        // It must not become the terminal that controls the test, nor dev's: Ctrl-C comes as a signal here.
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("a terminal to be opened");
        let name = ptsname(&ours, Vec::new()).expect("its name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = open(name.as_c_str(), flags, Mode::empty()).expect("the terminal's other end");
        let size = Winsize { ws_row: 24, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).expect("its size");

        let home = tempfile::tempdir().expect("a folder");
        let end = || Stdio::from(terminal.try_clone().expect("one more"));
        let mut command = command(arguments, home.path());
        let command = command.env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end());
        let process = command.spawn().expect("start dev");

        let keyboard = File::from(ours);
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut screen, picture) = (keyboard.try_clone().expect("one more"), shown.clone());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut bytes) {
                picture.lock().expect("the picture").push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
        });
        Self { process, keyboard, terminal, shown, _home: home }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("press a key");
    }

    pub(crate) fn shown(&self) -> String {
        self.shown.lock().expect("the picture").clone()
    }

    /// Waits until this has been shown so often.
    #[track_caller]
    pub(crate) fn wait_shown(&self, times: usize, what: &str) {
        let seen = eventually(|| (self.shown().matches(what).count() >= times).then_some(()));
        assert!(seen.is_some(), "not shown {times} times: {what}");
    }

    /// Whether keys come without Enter, and are not echoed.
    pub(crate) fn gives_single_keys(&self) -> bool {
        let modes = tcgetattr(&self.terminal).expect("the terminal's mode").local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Whether it is as every terminal is at first.
    pub(crate) fn is_as_before(&self) -> bool {
        let modes = tcgetattr(&self.terminal).expect("the terminal's mode").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("it runs");
    }

    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        let ended = eventually(|| self.process.try_wait().expect("look at dev"));
        ended.unwrap_or_else(|| panic!("dev has not ended"))
    }
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        let _ended = self.process.kill();
        let _ended = self.process.wait();
        if thread::panicking() {
            println!("{}", self.shown());
        }
    }
}
