//! As much of an HTTP client as probes and metrics need.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A probe that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Status and body of a GET. HTTP/1.0, so that the body ends with the connection.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Result<(u16, String), String> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = match tokio::time::timeout(TIMEOUT, exchange).await {
        Ok(answer) => answer.map_err(|error| format!("GET http://{address}{path}: {error}"))?,
        Err(_) => return Err(format!("GET http://{address}{path}: no answer in {TIMEOUT:?}")),
    };
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("not HTTP: {answer:?}"))?;
    let status =
        head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| format!("no status: {head:?}"))?;
    Ok((status, body.to_owned()))
}
