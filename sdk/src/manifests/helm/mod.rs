//! A Helm chart: templates that are the same for every operator, with what this one needs put in.

use serde_json::{Map, Value, json};

use super::files::{File, header};
use super::rights::{EVENTS_OF_CLUSTER, Rights, Rules};
use super::text::{Sorted, yaml};
use super::{GenerateError, LockKind, Options, crds, deployment, fence, object, rbac};
use crate::controller::Registration;
use crate::leadership::POLICY;

/// Each file of the chart by its path, with `@tokens@`.
const CHART: [(&str, &str); 14] = [
    ("Chart.yaml", include_str!("chart/Chart.yaml")),
    (".helmignore", include_str!("chart/.helmignore")),
    ("values.yaml", include_str!("chart/values.yaml")),
    ("values.schema.json", include_str!("chart/values.schema.json")),
    ("templates/_helpers.tpl", include_str!("chart/templates/_helpers.tpl")),
    ("templates/NOTES.txt", include_str!("chart/templates/NOTES.txt")),
    ("templates/appsettings.yaml", include_str!("chart/templates/appsettings.yaml")),
    ("templates/deployment.yaml", include_str!("chart/templates/deployment.yaml")),
    ("templates/fence.yaml", include_str!("chart/templates/fence.yaml")),
    ("templates/leader-election.yaml", include_str!("chart/templates/leader-election.yaml")),
    ("templates/metrics.yaml", include_str!("chart/templates/metrics.yaml")),
    ("templates/networkpolicy.yaml", include_str!("chart/templates/networkpolicy.yaml")),
    ("templates/poddisruptionbudget.yaml", include_str!("chart/templates/poddisruptionbudget.yaml")),
    ("templates/rbac.yaml", include_str!("chart/templates/rbac.yaml")),
];
const SERVICE_ACCOUNT: (&str, &str) =
    ("templates/serviceaccount.yaml", include_str!("chart/templates/serviceaccount.yaml"));

/// Stands for the namespaces that are watched, of which the chart makes as many as its values name.
const WATCHED: &str = "watched";
/// Stands for the name of the lock.
const LOCK: &str = "lock-of-the-release";
/// What the chart says by values of its own.
const SAID_ELSEWHERE: [&str; 6] = [
    "EnableLeaderElection",
    "LeaderElectionFence",
    "LeaderElectionId",
    "LeaderElectionLock",
    "LeaderElectionNamespace",
    "LeaderLockApiVersion",
];
/// Stands for the API group of a LeaderLock, which the values choose.
const GROUP: &str = "{{ include \"operator.leaderLockGroup\" . }}";

/// The chart of an operator with these controllers.
pub(crate) fn chart<S>(controllers: &[Registration<S>], options: &Options) -> Result<Vec<File>, GenerateError> {
    let header = header(options, "Changes belong into values of your own");
    let tokens = tokens(controllers, options, &header)?;
    let mut files = Vec::new();
    for (path, template) in CHART.into_iter().chain([SERVICE_ACCOUNT]) {
        let filled =
            tokens.iter().fold(template.to_owned(), |text, (token, value)| text.replace(&format!("@{token}@"), value));
        files.push(File { path: path.to_owned(), text: signed(path, &filled, &header) });
    }
    for (name, crd) in crds(controllers)? {
        let path = format!("templates/crd-{name}.yaml");
        let text = signed(&path, &crd_template(".Values.crds.install", &name, crd)?, &header);
        files.push(File { path, text });
    }
    files.push(lock_crd(options, &header)?);
    Ok(files)
}

fn tokens<S>(
    controllers: &[Registration<S>],
    options: &Options,
    header: &str,
) -> Result<Vec<(&'static str, String)>, GenerateError> {
    // Whether the leader's pod is labelled is said by the chart's values.
    let options = &Options { labels_pod: false, ..options.clone() };
    let all = Rights::of(controllers, &Options { watched: Vec::new(), ..options.clone() });
    let apart = Rights::of(controllers, &Options { watched: vec![WATCHED.to_owned()], ..options.clone() });
    let nothing = Rules::default();
    let of = |namespace: &str| apart.namespaces.get(namespace).unwrap_or(&nothing);
    let (repository, tag) = repository_and_tag(options);
    let lock_namespace = options.lock.as_ref().map(|lock| &lock.namespace).filter(|name| **name != options.namespace);
    let lock = match options.lock.as_ref().map(|lock| &lock.kind) {
        Some(LockKind::ConfigMap) => "ConfigMap",
        Some(LockKind::LeaderLock(_)) => "LeaderLock",
        Some(LockKind::Lease) | None => "Lease",
    };
    let api = format!("{}/v1", options.leader_lock.spec.group);
    let address = |port: Option<u16>| port.map_or_else(|| "0".to_owned(), |port| format!("[::]:{port}"));
    Ok(vec![
        ("header", json_text(header)),
        ("name", options.name()),
        ("operator", options.operator.clone()),
        ("about", json!(options.about).to_string()),
        ("version", json!(options.version).to_string()),
        ("repository", json!(repository).to_string()),
        ("tag", json!(tag).to_string()),
        ("replicas", if options.lock.is_some() { deployment::REPLICAS } else { 1 }.to_string()),
        ("grace", deployment::grace(options).to_string()),
        ("election", options.lock.is_some().to_string()),
        ("fence", options.fence.to_string()),
        ("fence_policy", POLICY.to_owned()),
        ("fence_holder", fence::HOLDER.to_owned()),
        ("fence_rules", block(&Value::Array(fence::rules(controllers, options)), 4)?),
        ("fence_exempt", block(&fence::exempt(LOCK), 4)?.replace(LOCK, "{{ include \"operator.lock\" . | quote }}")),
        ("lock_namespace", json!(lock_namespace.map_or("", String::as_str)).to_string()),
        ("lock_verbs", json!(super::rights::LOCK).to_string()),
        ("lock_for_life_verbs", json!(super::rights::LOCK_FOR_LIFE).to_string()),
        ("lock", lock.to_owned()),
        ("leader_lock_api", api),
        ("appsettings", appsettings(&options.appsettings)?),
        ("resources", block(&json!({ "resources": deployment::resources() }), 0)?),
        ("health", address(options.health_port)),
        ("metrics", address(options.metrics_port)),
        ("precedence", rbac::PRECEDENCE.to_string()),
        ("folder", deployment::folder(options)),
        ("env", block(&deployment::variables(), 8)?),
        ("probes", block(&deployment::probes(), 8)?),
        ("pod_security", block(&deployment::pod_security(), 8)?),
        ("container_security", block(&deployment::container_security(), 10)?),
        ("rules", block(&all.cluster.to_json(), 0)?),
        ("namespace_rules", block(&of(WATCHED).to_json(), 0)?),
        ("cluster_rules", block(&apart.cluster.to_json(), 0)?),
        ("event_rules", block(&of(EVENTS_OF_CLUSTER).to_json(), 0)?),
        ("events_of_cluster", apart.namespaces.contains_key(EVENTS_OF_CLUSTER).to_string()),
    ])
}

/// With who wrote it on the first line, as the file's own kind of comment.
fn signed(path: &str, text: &str, header: &str) -> String {
    match path {
        // Says it by itself.
        "values.schema.json" => text.to_owned(),
        _ if path.starts_with("templates/") => format!("{{{{- /* {header} */ -}}}}\n{text}"),
        _ => format!("# {header}\n{text}"),
    }
}

/// The settings as the operator was built with them, for people to change.
fn appsettings(settings: &Value) -> Result<String, GenerateError> {
    let mut settings = settings.as_object().cloned().unwrap_or_default();
    for section in settings.values_mut().filter_map(Value::as_object_mut) {
        section.retain(|key, _| !SAID_ELSEWHERE.contains(&key.as_str()));
    }
    settings.retain(|_, section| section.as_object().is_none_or(|section| !section.is_empty()));
    if settings.is_empty() {
        return Ok(" {}".to_owned());
    }
    Ok(format!("\n{}", block(&Value::Object(settings), 2)?))
}

/// The CRD of the lock, for releases whose values choose one that needs it.
fn lock_crd(options: &Options, header: &str) -> Result<File, GenerateError> {
    let (name, crd) = object(&options.leader_lock)?;
    let group = crd["spec"]["group"].as_str().unwrap_or_default().to_owned();
    let needed = "and .Values.crds.install .Values.crds.leaderLock (include \"operator.leaderLockGroup\" .)";
    let text = crd_template(needed, &name, crd)?.replace(&group, GROUP);
    let path = "templates/crd-leaderlocks.yaml".to_owned();
    Ok(File { text: signed(&path, &text, header), path })
}

fn crd_template(needed: &str, name: &str, mut crd: Value) -> Result<String, GenerateError> {
    // Taken out, because it is made by the template.
    let metadata = crd.as_object_mut().and_then(|crd| crd.remove("metadata")).unwrap_or_default();
    let annotations = metadata.get("annotations").and_then(Value::as_object).cloned().unwrap_or_default();
    let written = |entries: Map<String, Value>| match entries.is_empty() {
        true => Ok(String::new()),
        false => block(&Value::Object(entries), 4).map(|text| literal(&text) + "\n"),
    };
    let (body, annotations) = (literal(&block(&crd, 0)?), written(annotations)?);
    Ok(format!(
        "{{{{- if {needed} }}}}\n{body}\nmetadata:\n  name: {name}\n  labels: {{{{- include \"operator.labels\" . | nindent 4 }}}}\n  \
         annotations:\n    helm.sh/resource-policy: {{{{ ternary \"keep\" \"delete\" .Values.crds.keep }}}}\n{annotations}{{{{- end }}}}\n"
    ))
}

/// Text in which nothing is a template.
fn literal(text: &str) -> String {
    text.replace("{{", "{{ \"{{\" }}")
}

/// YAML, each line behind so many spaces, without a line feed at its end.
fn block(value: &Value, indent: usize) -> Result<String, GenerateError> {
    let text = yaml(&Sorted(value)).map_err(GenerateError::serialize("a part of the chart"))?;
    let space = " ".repeat(indent);
    let indented = |line: &str| if line.is_empty() { String::new() } else { format!("{space}{line}") };
    Ok(text.lines().map(indented).collect::<Vec<_>>().join("\n"))
}

/// As it stands within the quotes of a JSON text.
fn json_text(text: &str) -> String {
    json!(text).to_string().trim_matches('"').to_owned()
}

/// An image that was given keeps its tag; else it is that of the chart's version.
fn repository_and_tag(options: &Options) -> (&str, &str) {
    let repository = super::overlay::repository(&options.image);
    let tag = options.image[repository.len()..].trim_start_matches([':', '@']);
    if tag == options.version { (repository, "") } else { (repository, tag) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_in_a_description_are_no_template() {
        assert_eq!(literal("a {{ b }} c"), "a {{ \"{{\" }} b }} c");
    }
}
