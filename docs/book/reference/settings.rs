//! Every key of the section `KubeOps`.

use kubeops::operator::kube_ops::{KEYS, Key};

use super::markdown::{plain, sentence};

const INTRODUCTION: &str = "\
# Settings

Every key of the section `KubeOps`. `settings`, a command of every operator, prints what they are now and where that comes from.

A value is looked for in these places, and the last one that has it wins: the defaults below, `appsettings.json`,
`appsettings.<Environment>.json`, the environment (`KubeOps__Name`), the command line (`--set KubeOps:Name=…`). The environment's name is
`KUBEOPS_ENVIRONMENT`, else `DOTNET_ENVIRONMENT`, else `Production`. Case does not matter in keys. What is wrong is told at the start, all of
it at once, and the exit code is 78; a key that is not known is a warning.

- A **duration** is `00:00:15` or `1.02:03:04.5` as in .NET, `1m30s` or `500ms` as in Go, or a number of seconds.
- An **address** is an IP address and a port, `[::]:8081` or `127.0.0.1:8081`, or `:8081` for all addresses of the machine.
- A **list** is one of JSON, or, in the environment, a variable for each element: `KubeOps__Namespaces__0`.
";

pub(crate) fn page() -> String {
    let keys: Vec<String> = KEYS.iter().map(section).collect();
    format!("{INTRODUCTION}\n{}", keys.join("\n"))
}

fn section(key: &Key) -> String {
    let default = match key.default_value() {
        "" => "nothing".to_owned(),
        words if words.contains('`') || words.contains(' ') => words.to_owned(),
        value => format!("`{value}`"),
    };
    let Key { name, kind, doc, .. } = key;
    format!("## {name}\n\n{}\n\n- Type: {kind}\n- Default: {default}\n", plain(&sentence(doc)))
}
