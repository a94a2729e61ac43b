//! What may be said on the command line, and how it is understood.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::PathBuf;

use kubeops::cli::{
    ChartArguments, Command, EXIT_CODES, Format, Invocation, ManifestsArguments, Program, Usage, describe, parse,
};

const GUESTBOOK: Program = Program { name: "guestbook", version: "1.2.3", about: "Keeps guestbooks" };

fn try_parse(line: &str) -> Result<Invocation, Usage> {
    parse(GUESTBOOK, std::iter::once("guestbook").chain(line.split_whitespace()))
}

fn parsed(line: &str) -> Invocation {
    try_parse(line).unwrap_or_else(|usage| panic!("{line}: {usage}"))
}

fn command(line: &str) -> Command {
    parsed(line).command
}

fn set(line: &str) -> Vec<(String, String)> {
    parsed(line).overrides.set
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Exit code, what goes to stdout and what to stderr.
fn refused(line: &str) -> (u8, String, String) {
    let usage = try_parse(line).expect_err(line);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    usage.write(&mut out, &mut err).unwrap();
    (usage.exit_code(), String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[test]
fn what_is_described_is_what_each_commands_help_says() {
    let commands = describe(GUESTBOOK);
    assert_eq!(commands[0].path, "");
    assert!(commands.iter().any(|command| command.path == "generate manifests" && command.options.len() == 6));
    for command in &commands {
        let (code, help, _) = refused(&format!("{} --help", command.path));
        assert_eq!(code, 0);
        assert!(help.contains(&command.about), "{help}");
        // Those of all commands are told once.
        for option in commands[0].options.iter().chain(&command.options) {
            let (form, is_version) = (&option.forms[0], option.forms[0] == "--version");
            assert!(is_version || help.contains(form), "{}: {form} is not in\n{help}", command.path);
        }
    }
    let (_, help, _) = refused("--help");
    for (code, meaning) in EXIT_CODES {
        assert!(help.contains(&format!("{code} {meaning}")), "{help}");
    }
}

#[test]
fn each_command_is_known_and_run_is_the_default() {
    assert_eq!(parsed(""), Invocation { command: Command::Run, overrides: Default::default() });
    assert_eq!(command("run"), Command::Run);
    assert_eq!(command("install"), Command::Install);
    assert_eq!(command("uninstall"), Command::Uninstall { yes: false });
    assert_eq!(command("uninstall --yes"), Command::Uninstall { yes: true });
    assert_eq!(command("settings"), Command::Settings);
    assert_eq!(command("version"), Command::Version);
    assert_eq!(command("generate crds"), Command::GenerateCrds { out: None, format: Format::Yaml });
    let json = Command::GenerateCrds { out: Some(PathBuf::from("crds")), format: Format::Json };
    assert_eq!(command("generate crds --out crds --format json"), json);
}

#[test]
fn manifests_are_asked_for_with_folder_image_and_namespace() {
    assert_eq!(command("generate manifests"), Command::GenerateManifests(ManifestsArguments::default()));
    let asked = ManifestsArguments {
        out: Some(PathBuf::from("deploy")),
        format: Format::Json,
        check: true,
        fence: true,
        image: Some("registry/guestbook:1".to_owned()),
        namespace: Some("shop".to_owned()),
    };
    let line =
        "generate manifests --out deploy --format json --check --fence --image registry/guestbook:1 --namespace shop";
    assert_eq!(command(line), Command::GenerateManifests(asked));
}

#[test]
fn a_chart_has_a_folder_of_its_own_by_default_and_a_dockerfile_is_written_here() {
    let asked = ChartArguments { out: PathBuf::from("chart"), check: false, image: None };
    assert_eq!(command("generate helm"), Command::GenerateHelm(asked));
    let asked = ChartArguments { out: PathBuf::from("x"), check: true, image: Some("shop:1".to_owned()) };
    assert_eq!(command("generate helm --out x --check --image shop:1"), Command::GenerateHelm(asked));
    let here = Command::GenerateDockerfile { out: PathBuf::from("."), check: false };
    assert_eq!(command("generate dockerfile"), here);
}

#[test]
fn paths_of_settings_may_stand_before_or_behind_the_command() {
    for line in
        ["--settings a.json --content-root /etc/app settings", "settings --settings a.json --content-root /etc/app"]
    {
        let overrides = parsed(line).overrides;
        assert_eq!(overrides.file, Some(PathBuf::from("a.json")), "{line}");
        assert_eq!(overrides.content_root, Some(PathBuf::from("/etc/app")), "{line}");
    }
    assert_eq!(parsed("--settings a.json run --settings b.json").overrides.file, Some(PathBuf::from("b.json")));
}

#[test]
fn set_takes_everything_behind_the_first_equals_sign() {
    let expected = pairs(&[("Guestbook:Theme", "a=b"), ("KubeOps:Name", "")]);
    assert_eq!(set("--set Guestbook:Theme=a=b --set KubeOps:Name="), expected);
}

#[test]
fn short_forms_are_settings() {
    let line = "--metrics-bind-address :8443 --health-probe-bind-address=0 --leader-election-id lock \
        --leader-election-namespace ns";
    let expected = pairs(&[
        ("KubeOps:MetricsAddress", ":8443"),
        ("KubeOps:HealthAddress", "0"),
        ("KubeOps:LeaderElectionId", "lock"),
        ("KubeOps:LeaderElectionNamespace", "ns"),
    ]);
    assert_eq!(set(line), expected);
}

#[test]
fn leader_elect_alone_is_true_and_takes_a_value_only_behind_an_equals_sign() {
    let elect = |value: &str| pairs(&[("KubeOps:EnableLeaderElection", value)]);
    assert_eq!(set("--leader-elect"), elect("true"));
    assert_eq!(set("--leader-elect=false"), elect("false"));
    assert_eq!(set("--enable-leader-election"), elect("true"));
    assert_eq!(set("--enable-leader-election=0"), elect("false"));
    assert_eq!(set("--leader-elect version"), elect("true"));
    assert_eq!(command("--leader-elect version"), Command::Version);
}

#[test]
fn the_order_of_all_forms_is_kept_so_that_the_last_one_wins() {
    let expected = pairs(&[
        ("A", "1"),
        ("KubeOps:EnableLeaderElection", "true"),
        ("KubeOps:LeaderElectionId", "x"),
        ("A", "2"),
        ("KubeOps:EnableLeaderElection", "false"),
        ("KubeOps:EnableLeaderElection", "true"),
        ("A", "3"),
        ("KubeOps:LeaderElectionId", "y"),
    ]);
    let line = "--set A=1 --leader-elect --leader-election-id x --set A=2 --leader-elect=false \
        run --enable-leader-election --set A=3 --leader-election-id=y";
    assert_eq!(set(line), expected);
}

#[test]
fn wrong_usage_is_two_and_goes_to_stderr_with_the_reason() {
    let cases = [
        ("--leader-elekt", "--leader-elect"),
        ("instal", "install"),
        ("--set KubeOps:Name", "expected KEY=VALUE"),
        ("--set =x", "expected KEY=VALUE"),
        ("--leader-elect=perhaps", "perhaps"),
        ("generate", "crds"),
        ("generate crds --format toml", "yaml"),
        ("generate manifests --check", "--out"),
        ("run stray", "stray"),
        ("install --yes", "--yes"),
        ("--settings", "--settings"),
    ];
    for (line, hint) in cases {
        let (code, out, err) = refused(line);
        assert_eq!((code, &*out), (2, ""), "{line}");
        assert!(err.contains(hint), "{line}: {err}");
    }
}

#[test]
fn help_and_version_are_zero_and_go_to_stdout() {
    assert_eq!(refused("--version"), (0, "guestbook 1.2.3\n".to_owned(), String::new()));
    for line in ["--help", "run --help", "uninstall -h", "generate crds --help"] {
        let (code, out, err) = refused(line);
        assert_eq!((code, &*err), (0, ""), "{line}");
        assert!(out.contains("Usage: guestbook"), "{line}: {out}");
        assert!(out.contains("--leader-election-id"), "{line}: {out}");
    }
    let (_, help, _) = refused("--help");
    for word in ["Keeps guestbooks", "install", "uninstall", "generate", "settings", "version", "78 bad settings"] {
        assert!(help.contains(word), "{word}: {help}");
    }
}

#[test]
fn dev_is_a_command_where_its_feature_is_on() {
    let (_, help, _) = refused("--help");
    assert_eq!(help.contains("\n  dev "), cfg!(feature = "dev"), "{help}");
}

#[cfg(feature = "dev")]
mod dev {
    use std::time::Duration;

    use kubeops::cli::{Command, DevOptions};

    use super::{command, parsed, refused};

    #[test]
    fn dev_takes_durations_as_settings_do() {
        assert_eq!(command("dev"), Command::Dev(DevOptions::default()));
        let options = DevOptions {
            replicas: 5,
            port: 6443,
            exit_after: Some(Duration::from_secs(120)),
            kill_leader_after: Some(Duration::from_secs(20)),
        };
        let line = "--set A=1 dev --replicas 5 --port 6443 --exit-after 2m --kill-leader-after 00:00:20 --set A=2";
        assert_eq!(command(line), Command::Dev(options));
        assert_eq!(parsed(line).overrides.set, super::pairs(&[("A", "1"), ("A", "2")]));
    }

    #[test]
    fn dev_says_what_it_does_not_understand() {
        for (line, hint) in [
            ("dev --replicas 0", "1..=26"),
            ("dev --replicas 27", "1..=26"),
            ("dev --port 65536", "65536"),
            ("dev --exit-after soon", "expected a duration"),
            ("dev --kill-leader-after -3s", "not negative"),
        ] {
            let (code, out, err) = refused(line);
            assert_eq!((code, &*out), (2, ""), "{line}");
            assert!(err.contains(hint), "{line}: {err}");
        }
    }

    #[test]
    fn its_help_tells_what_it_leaves_out() {
        let (code, help, _) = refused("dev --help");
        assert_eq!(code, 0);
        assert!(help.contains("Nothing runs pods") && help.contains("--exit-after"), "{help}");
    }
}
