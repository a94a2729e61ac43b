//! Where each replica shows its status page.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use super::session::{Session, eventually};

#[test]
fn each_replica_shows_its_status_page_and_names_the_leader() {
    let mut dev = Session::start(&["--replicas", "2"]);
    let leader = dev.leader();
    let told = dev.seen().iter().filter_map(|line| line.split_once("is started: pid ")?.1.split_once("  http://"));
    let pages: Vec<String> = told.filter_map(|(_, rest)| Some(rest.split_once("/  ")?.0.to_owned())).collect();
    assert_eq!(pages.len(), 2, "{:?}", dev.seen());
    for page in pages {
        let named = eventually(|| {
            let seen = get(&page, "/status").and_then(|body| serde_json::from_str::<Value>(&body).ok())?;
            seen["leadership"]["leader"].as_str().is_some_and(|by| by.starts_with(&leader)).then_some(())
        });
        assert!(named.is_some(), "http://{page}/status does not name {leader}");
        assert!(get(&page, "/").is_some_and(|body| body.contains(&format!("<h1>{leader} leads</h1>"))));
    }
}

/// The body of an answer that is OK. HTTP/1.0, so that it ends with the connection.
fn get(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.contains(" 200 OK").then(|| body.to_owned())
}
