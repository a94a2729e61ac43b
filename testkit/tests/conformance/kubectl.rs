//! The real kubectl, against one side: what it says, and how it ends.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// One side's kubectl.
#[derive(Clone, Debug)]
pub(crate) struct Kubectl {
    pub(crate) program: PathBuf,
    pub(crate) kubeconfig: PathBuf,
}

/// A kubectl with a cache of its own: what one case has found out about the server is nothing to another.
pub(crate) struct Shell {
    kubectl: Kubectl,
    namespace: String,
    cache: TempDir,
}

/// A command that goes on.
pub(crate) struct Running {
    pub(crate) title: String,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Shell {
    pub(crate) fn new(kubectl: &Kubectl, namespace: &str) -> Self {
        let cache = tempfile::tempdir().expect("there is room for a directory");
        Self { kubectl: kubectl.clone(), namespace: namespace.to_owned(), cache }
    }

    /// Starts `kubectl` with these words, and reads `input` to it. `$ns` is the case's namespace, which is also the one of what names none.
    pub(crate) async fn start(&self, words: &[&str], input: &str) -> Running {
        let mut command = Command::new(&self.kubectl.program);
        command.env("KUBECONFIG", &self.kubectl.kubeconfig).env("KUBECACHEDIR", self.cache.path());
        command.args(["--namespace", &self.namespace]);
        command.args(words.iter().map(|word| word.replace(crate::ask::NAMESPACE, &self.namespace)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("kubectl can be started");
        let mut stdin = child.stdin.take().expect("it is piped");
        let input = input.replace(crate::ask::NAMESPACE, &self.namespace);
        // Not every command reads it.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Running { title: format!("kubectl {}", words.join(" ")), child, lines }
    }
}

impl Running {
    /// The next line, or what stands for its end.
    pub(crate) async fn line(&mut self) -> Value {
        let line = self.lines.next_line().await.ok().flatten();
        line.map_or_else(|| json!({"kubectl": "ended"}), |line| told(&line).into())
    }

    /// How it ends, with what it says until then.
    pub(crate) async fn end(mut self) -> Value {
        let mut errors = String::new();
        let mut stderr = self.child.stderr.take().expect("it is piped");
        let read_errors = stderr.read_to_string(&mut errors);
        let read_lines = async {
            let mut text = String::new();
            while let Ok(Some(line)) = self.lines.next_line().await {
                text += &line;
                text.push('\n');
            }
            text
        };
        let (_, text) = tokio::join!(read_errors, read_lines);
        let code = self.child.wait().await.ok().and_then(|status| status.code());
        let errors: Vec<String> = errors.lines().filter(|line| !is_log(line)).map(told).collect();
        json!({"exit": code, "out": output(&text), "err": errors})
    }
}

/// Objects as such, everything else by lines.
fn output(text: &str) -> Value {
    if text.starts_with(['{', '[']) || text.starts_with("apiVersion:") {
        // JSON is YAML.
        if let Ok(value) = serde_saphyr::from_str(text) {
            return value;
        }
    }
    text.lines().map(told).collect::<Vec<String>>().into()
}

/// A line without what is of one run: columns are as wide as their widest cell, ages are as they are, and each server has its address.
fn told(line: &str) -> String {
    let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
    let cells: Vec<&str> = cells
        .map(|cell| match cell {
            _ if is_age(cell) => "<age>",
            _ if is_time(cell) => "<time>",
            cell => cell,
        })
        .collect();
    let line = cells.join("  ");
    match line.split_once("https://127.0.0.1:") {
        Some((before, after)) => {
            let after = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
            format!("{before}<server>{after}")
        }
        None => line,
    }
}

/// As in `5s` or `2m10s`.
fn is_age(cell: &str) -> bool {
    let mut digits = 0;
    let mut units = 0;
    for letter in cell.chars() {
        match letter {
            '0'..='9' => digits += 1,
            's' | 'm' | 'h' | 'd' if digits > 0 => (digits, units) = (0, units + 1),
            _ => return false,
        }
    }
    digits == 0 && units > 0
}

/// As in `2025-01-01T10:20:30Z`.
fn is_time(cell: &str) -> bool {
    let form = cell.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter });
    form.eq("0000-00-00T00:00:00Z".chars())
}

/// What kubectl's libraries write down, such as `I1121 12:30:58.804007   32425 reflector.go:664] …`: whether they do is a matter of moments.
fn is_log(line: &str) -> bool {
    let mut letters = line.chars();
    letters.next().is_some_and(|level| "IWE".contains(level))
        && letters.by_ref().take(4).all(|letter| letter.is_ascii_digit())
        && letters.next() == Some(' ')
        && line.contains("] ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_by_their_cells_and_without_ages() {
        assert_eq!(told("NAME   DATA   AGE"), "NAME  DATA  AGE");
        assert_eq!(told("x      1      2m10s   <none>"), "x  1  <age>  <none>");
        assert_eq!(told("not an age: 5s"), "not an age: 5s");
        assert_eq!(told("x      2025-01-01T10:20:30Z"), "x  <time>");
        assert_eq!(told("at https://127.0.0.1:6443/api was"), "at <server>/api was");
    }

    #[test]
    fn objects_are_told_as_objects() {
        assert_eq!(output("apiVersion: v1\nkind: List\n"), json!({"apiVersion": "v1", "kind": "List"}));
        assert_eq!(output("{\"a\": 1}\n"), json!({"a": 1}));
        assert_eq!(output("configmap/x\n"), json!(["configmap/x"]));
    }

    #[test]
    fn log_lines_are_told_from_messages() {
        assert!(is_log("I1121 12:30:58.804007   32425 reflector.go:664] \"Warning\""));
        assert!(!is_log("Error from server (NotFound): configmaps \"x\" not found"));
        assert!(!is_log("Warning: x"));
    }
}
