//! A headless Chromium with one page open.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubeops_testkit::{Process, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::PATIENCE;
use crate::webdriver::WebDriver;

/// Ended with all that it started when this is dropped.
pub(crate) struct Browser {
    driver: WebDriver,
    _chromedriver: Process,
    _home: TempDir,
}

/// What the page is looked at with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    pub(crate) width: u32,
    pub(crate) dark: bool,
}

pub(crate) const DESKTOP: Screen = Screen { width: 1080, dark: false };
pub(crate) const PHONE_IN_THE_DARK: Screen = Screen { width: 360, dark: true };

impl Browser {
    pub(crate) async fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let chromedriver = program("KUBEOPS_CHROMEDRIVER", "chromedriver");
        let mut command = Command::new(&chromedriver);
        command.arg("--port=0").env("HOME", home.path());
        let chromedriver = Process::spawn(&command, home.path().join("chromedriver.log")).expect("start chromedriver");
        let port = eventually("chromedriver tells its port", PATIENCE, async || port_of(&chromedriver.log())).await;
        let driver =
            WebDriver::connect(port.unwrap_or_else(|error| panic!("{error}")), &capabilities(home.path())).await;
        Self { driver, _chromedriver: chromedriver, _home: home }
    }

    pub(crate) async fn open(&self, url: &str) {
        self.driver.post("url", &json!({ "url": url })).await;
    }

    pub(crate) async fn look_with(&self, screen: Screen) {
        self.resize(screen, 800).await;
        let scheme = if screen.dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.driver.devtools("Emulation.setEmulatedMedia", &features).await;
    }

    async fn resize(&self, screen: Screen, height: u64) {
        let metrics =
            json!({ "width": screen.width, "height": height, "deviceScaleFactor": 1, "mobile": screen.width < 500 });
        self.driver.devtools("Emulation.setDeviceMetricsOverride", &metrics).await;
    }

    /// What a script's body returns in the page.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.driver.post("execute/sync", &json!({ "script": script, "args": [] })).await
    }

    /// The text that is shown, as it is laid out.
    pub(crate) async fn text(&self) -> String {
        self.run("return document.body.innerText").await.as_str().expect("text").to_owned()
    }

    pub(crate) async fn title(&self) -> String {
        self.run("return document.title").await.as_str().expect("a title").to_owned()
    }

    /// Waits until the page, as it is, shows all of these, without being loaded anew.
    pub(crate) async fn shows(&self, words: &[&str]) {
        let seen = eventually(format!("the page shows {words:?}"), PATIENCE, async || {
            let text = self.text().await;
            if words.iter().all(|word| text.contains(word)) { Ok(()) } else { Err(text) }
        });
        seen.await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Waits until the page shows none of this.
    pub(crate) async fn shows_no_more(&self, word: &str) {
        let gone = eventually(format!("{word} is gone from the page"), PATIENCE, async || {
            let text = self.text().await;
            if text.contains(word) { Err(text) } else { Ok(()) }
        });
        gone.await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Fails if the page did something that the browser complained of since this was asked last.
    pub(crate) async fn assert_no_complaint(&self) {
        let log = self.driver.post("se/log", &json!({ "type": "browser" })).await;
        assert_eq!(log, json!([]));
    }

    /// The whole page as a picture `<name>.png`, if somebody wants pictures.
    pub(crate) async fn picture(&self, name: &str, screen: Screen) {
        let Some(folder) = std::env::var_os("KUBEOPS_SCREENSHOTS").map(PathBuf::from) else { return };
        std::fs::create_dir_all(&folder).expect("a folder for screenshots");
        self.look_with(screen).await;
        let height = self.run("return document.documentElement.scrollHeight").await.as_u64().expect("a height");
        self.resize(screen, height).await;
        let picture = self.driver.devtools("Page.captureScreenshot", &json!({ "format": "png" })).await;
        let picture = STANDARD.decode(picture["data"].as_str().expect("a picture")).expect("base64");
        std::fs::write(folder.join(format!("{name}.png")), picture).expect("write a screenshot");
        self.look_with(screen).await;
    }
}

fn program(variable: &str, name: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| PathBuf::from(name), PathBuf::from)
}

fn port_of(log: &str) -> Result<u16, String> {
    let told = log.split_once("started successfully on port ").map(|(_, rest)| rest);
    let port = told.and_then(|rest| rest.split('.').next()?.parse().ok());
    port.ok_or_else(|| log.to_owned())
}

fn capabilities(home: &Path) -> Value {
    let profile = format!("--user-data-dir={}", home.join("profile").display());
    // The sandbox needs rights that containers do not have; what is looked at is this test's own.
    let arguments =
        ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", &profile];
    let mut options = json!({ "args": arguments });
    if let Some(chromium) = std::env::var_os("KUBEOPS_CHROMIUM") {
        options["binary"] = chromium.to_string_lossy().into();
    }
    json!({ "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } })
}
