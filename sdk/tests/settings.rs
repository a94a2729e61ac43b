//! Layers of settings, as a program sees them. Nothing here touches the real environment.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, in its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use kubeops::settings::{LoadOptions, Problems, Settings};
use serde::Deserialize;

/// A folder of this test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("settings-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.0.join(name), content).unwrap();
        self
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn options(&self) -> LoadOptions {
        LoadOptions { working_directory: Some(self.0.clone()), ..LoadOptions::default() }
    }

    fn load(&self, variables: &[(&str, &str)], set: &[(&str, &str)]) -> Result<Settings, Problems> {
        Settings::load(LoadOptions { variables: pairs(variables), set: pairs(set), ..self.options() })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _already_gone = fs::remove_dir_all(&self.0);
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn lines(problems: &Problems) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct Pages {
    theme: String,
    max_items: u32,
    hosts: Vec<String>,
}

fn pages(settings: &Settings) -> Pages {
    settings.section("Guestbook").unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn later_layers_win_without_regard_to_case() {
    let folder = Folder::new()
        .with("appsettings.json", r#"{ "Guestbook": { "Theme": "file", "MaxItems": 1 } }"#)
        .with("appsettings.Production.json", r#"{ "guestbook": { "THEME": "production" } }"#);
    let theme = |variables: &[_], set: &[_]| pages(&folder.load(variables, set).unwrap()).theme;
    assert_eq!(theme(&[], &[]), "production");
    assert_eq!(theme(&[("GUESTBOOK__theme", "variable")], &[]), "variable");
    assert_eq!(theme(&[("Guestbook__Theme", "variable")], &[("guestBook:tHeme", "set")]), "set");
    assert_eq!(theme(&[], &[("Guestbook:Theme", "first"), ("Guestbook:Theme", "second")]), "second");
    assert_eq!(pages(&folder.load(&[], &[]).unwrap()).max_items, 1);
}

#[test]
fn the_environment_chooses_the_second_file() {
    let folder = Folder::new()
        .with("appsettings.Production.json", r#"{ "Guestbook": { "Theme": "production" } }"#)
        .with("appsettings.Development.json", r#"{ "Guestbook": { "Theme": "development" } }"#)
        .with("appsettings.Staging.json", r#"{ "Guestbook": { "Theme": "staging" } }"#);
    let theme = |variables: &[_]| pages(&folder.load(variables, &[]).unwrap()).theme;
    assert_eq!(theme(&[]), "production");
    assert_eq!(theme(&[("DOTNET_ENVIRONMENT", "Development")]), "development");
    assert_eq!(theme(&[("DOTNET_ENVIRONMENT", "Development"), ("KUBEOPS_ENVIRONMENT", "Staging")]), "staging");
    assert_eq!(theme(&[("DOTNET_ENVIRONMENT", "Development"), ("KUBEOPS_ENVIRONMENT", "")]), "development");
    let problems = folder.load(&[("KUBEOPS_ENVIRONMENT", "../etc")], &[]).unwrap_err();
    assert!(problems.to_string().contains("KUBEOPS_ENVIRONMENT"), "{problems}");
}

#[test]
fn lists_are_merged_by_index_and_emptied_by_null_or_an_empty_text() {
    let folder = Folder::new()
        .with("appsettings.json", r#"{ "Guestbook": { "Hosts": ["a", "b"] } }"#)
        .with("appsettings.Development.json", r#"{ "Guestbook": { "Hosts": null } }"#)
        .with("appsettings.Staging.json", r#"{ "Guestbook": { "Hosts": [] } }"#);
    let hosts = |variables: &[_], set: &[_]| pages(&folder.load(variables, set).unwrap()).hosts;
    assert_eq!(hosts(&[("Guestbook__Hosts__1", "x"), ("Guestbook__Hosts__10", "z")], &[]), ["a", "x", "z"]);
    assert_eq!(hosts(&[], &[("Guestbook:Hosts:0", "x"), ("Guestbook:Hosts:2", "y")]), ["x", "b", "y"]);
    assert_eq!(hosts(&[("DOTNET_ENVIRONMENT", "Staging")], &[]), ["a", "b"]);
    assert!(hosts(&[("DOTNET_ENVIRONMENT", "Development")], &[]).is_empty());
    assert!(hosts(&[("Guestbook__Hosts", "")], &[]).is_empty());
    assert_eq!(hosts(&[("Guestbook__Hosts", ""), ("Guestbook__Hosts__0", "x")], &[]), ["x"]);
}

#[test]
fn null_takes_a_value_back() {
    let folder = Folder::new()
        .with("appsettings.json", r#"{ "Guestbook": { "Theme": "file", "MaxItems": 7 } }"#)
        .with("appsettings.Production.json", r#"{ "Guestbook": { "Theme": null } }"#);
    assert_eq!(pages(&folder.load(&[], &[]).unwrap()), Pages { max_items: 7, ..Pages::default() });
}

#[test]
fn only_variables_of_the_section_are_read() {
    let folder = Folder::new();
    let variables = [("Guestbook", "tcp://10.0.0.1"), ("GUESTBOOK_PORT", "80"), ("Other__Theme", "x")];
    let settings = folder.load(&variables, &[]).unwrap();
    assert_eq!(pages(&settings), Pages::default());
    assert!(settings.entries("Guestbook").is_empty());
}

#[test]
fn comments_trailing_commas_and_a_bom_are_read() {
    let json = "\u{feff}// first\n{ \"Guestbook\": { /* the\nuser's */ \"Theme\": \"plain\", }, }";
    let folder = Folder::new().with("appsettings.json", json);
    assert_eq!(pages(&folder.load(&[], &[]).unwrap()).theme, "plain");
}

#[test]
fn keys_with_a_colon_are_levels_but_not_those_of_modules() {
    let json = r#"{ "Guestbook:Theme": "dark", "Guestbook": { "MaxItems": 3 }, "Logging": { "a::b": 1 } }"#;
    let folder = Folder::new().with("appsettings.json", json);
    let settings = folder.load(&[], &[]).unwrap();
    assert_eq!((pages(&settings).theme.as_str(), pages(&settings).max_items), ("dark", 3));
    assert_eq!(settings.entries("Logging")[0].key, "Logging:a::b");
}

#[test]
fn unreadable_json_is_told_once_with_file_line_and_column() {
    for (json, place, message) in [
        ("{\n  \"A\": 1\n  \"B\": 2\n}", "3:3", "expected comma"),
        ("{\n  \"A\": {", "2:9", "EOF parsing"),
        ("", "1:1", "EOF parsing value"),
        ("{ \"A\": 01 }", "1:8", "leading zero"),
        ("{} x", "1:4", "trailing characters"),
    ] {
        let folder = Folder::new().with("appsettings.json", json);
        let told = lines(&folder.load(&[], &[]).unwrap_err());
        let start = format!("{}:{place}: cannot be read as JSON: ", folder.path("appsettings.json"));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&start) && told[0].contains(message), "{json:?} gives {told:?}");
        assert_eq!(told[0].matches("line").count(), 0, "{told:?}");
    }
}

#[test]
fn a_file_that_holds_no_object_or_no_text_is_told() {
    for (content, message) in [
        (b"[1]".as_slice(), "expected a JSON object"),
        (b"null", "expected a JSON object"),
        (b"{\"A\": \"\xff\"}", "expected UTF-8"),
        (b"\xff\xfe{\0}\0", "expected UTF-8"),
    ] {
        let folder = Folder::new().with("appsettings.json", content);
        let told = folder.load(&[], &[]);
        let told = told.unwrap_err().to_string();
        assert!(told.contains(message), "expected {message} in {told}");
    }
}

#[test]
fn numbers_that_do_not_fit_are_told_with_their_key_or_their_place() {
    for number in ["4294967296", "99999999999999999999999999999999999999999999", "1e400", "-1", "1.5", "NaN"] {
        let folder =
            Folder::new().with("appsettings.json", format!(r#"{{ "Guestbook": {{ "MaxItems": {number} }} }}"#));
        let told = folder.load(&[], &[]).unwrap().section::<Pages>("Guestbook").unwrap_err().to_string();
        assert!(told.contains("Guestbook:MaxItems") && told.contains("whole number from 0"), "{number} gives {told}");
    }
    // More than the parser has room for.
    let folder = Folder::new().with("appsettings.json", r#"{ "A": 9223372036854775808 }"#);
    let told = folder.load(&[], &[]).unwrap_err().to_string();
    assert!(told.contains("appsettings.json:1:8: ") && told.contains("9223372036854775808"), "{told}");
}

#[test]
fn keys_that_differ_in_case_only_are_refused_within_a_file() {
    let folder =
        Folder::new().with("appsettings.json", r#"{ "A": { "Key": 1, "KEY": 2 }, "B": [{ "x": 1, "X": 1 }] }"#);
    let told = lines(&folder.load(&[], &[]).unwrap_err());
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("A:Key (") && told[0].contains("also as KEY"), "{told:?}");
    assert!(told[1].starts_with("B:0:x ("), "{told:?}");
}

#[test]
fn variables_that_differ_in_case_only_are_refused_unless_they_agree() {
    let folder = Folder::new();
    let settings = folder.load(&[("Guestbook__Theme", "a"), ("GUESTBOOK__THEME", "b")], &[]).unwrap();
    let told = settings.section::<Pages>("Guestbook").unwrap_err().to_string();
    assert!(told.contains("GUESTBOOK__THEME") && told.contains("Guestbook__Theme"), "{told}");
    let settings = folder.load(&[("Guestbook__Theme", "a"), ("GUESTBOOK__THEME", "a")], &[]).unwrap();
    assert_eq!(pages(&settings).theme, "a");
}

#[test]
fn keys_that_are_none_are_told() {
    let folder = Folder::new();
    let told = lines(&folder.load(&[], &[("", "1"), ("A::B", "2"), ("KubeOps__Name", "3"), ("A:B", "4")]).unwrap_err());
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].contains("expected KubeOps:Name"), "{told:?}");
    let settings = folder.load(&[("Guestbook__", "x")], &[]).unwrap();
    assert!(settings.section::<Pages>("Guestbook").is_err());
}

#[test]
fn the_content_root_is_the_first_folder_that_holds_a_file() {
    let (empty, second, third) = (Folder::new(), Folder::new(), Folder::new());
    let second = second.with("appsettings.json", r#"{ "Guestbook": { "Theme": "second" } }"#);
    let third = third.with("appsettings.json", r#"{ "Guestbook": { "Theme": "third" } }"#);
    let load = |options| pages(&Settings::load(options).unwrap()).theme;
    let all = LoadOptions {
        executable_directory: Some(second.0.clone()),
        crate_directory: Some(third.0.clone()),
        ..empty.options()
    };
    assert_eq!(load(all.clone()), "second");
    assert_eq!(load(LoadOptions { working_directory: Some(third.0.clone()), ..all.clone() }), "third");
    assert_eq!(load(LoadOptions { executable_directory: None, ..all.clone() }), "third");
    assert_eq!(load(LoadOptions { content_root: Some(third.0.clone()), ..all.clone() }), "third");
    assert_eq!(load(LoadOptions { content_root: Some(empty.0.clone()), ..all.clone() }), "");
    let gone = LoadOptions { content_root: Some(empty.0.join("gone")), ..all };
    assert!(Settings::load(gone).unwrap_err().to_string().contains("is not a folder"));
}

#[test]
fn files_are_optional_unless_named() {
    let folder = Folder::new()
        .with("appsettings.json", r#"{ "Guestbook": { "Theme": "ordinary" } }"#)
        .with("other.json", r#"{ "Guestbook": { "Theme": "other" } }"#)
        .with("other.Development.json", r#"{ "Guestbook": { "MaxItems": 9 } }"#);
    let named = |name: &str| LoadOptions {
        file: Some(folder.0.join(name)),
        variables: pairs(&[("KUBEOPS_ENVIRONMENT", "Development")]),
        ..folder.options()
    };
    let settings = Settings::load(named("other.json")).unwrap();
    assert_eq!((pages(&settings).theme.as_str(), pages(&settings).max_items), ("other", 9));
    assert_eq!(settings.files().len(), 2);
    let told = lines(&Settings::load(named("gone.json")).unwrap_err());
    assert_eq!(told, [format!("--settings {}: there is no such file", folder.path("gone.json"))]);
    assert!(Settings::load(Folder::new().options()).unwrap().files().is_empty());
}

#[test]
fn a_folder_in_a_files_place_is_told() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join("appsettings.json")).unwrap();
    let told = folder.load(&[], &[]).unwrap_err().to_string();
    assert!(told.contains("appsettings.json: cannot be read"), "{told}");
}

#[test]
fn problems_of_all_files_and_keys_come_together() {
    let folder = Folder::new().with("appsettings.json", "{").with("appsettings.Production.json", "[");
    assert_eq!(folder.load(&[], &[("", "x")]).unwrap_err().len(), 3);
}

#[test]
fn every_value_tells_its_layer() {
    let folder = Folder::new().with("appsettings.json", r#"{ "Guestbook": { "Theme": "a", "ApiKey": "hunter2" } }"#);
    let settings = folder.load(&[("Guestbook__Hosts__0", "h")], &[("Guestbook:MaxItems", "1")]).unwrap();
    let told: Vec<String> = settings
        .entries("Guestbook")
        .iter()
        .map(|entry| format!("{}={} from {}", entry.key, entry.value, entry.origin))
        .collect();
    let file = folder.path("appsettings.json");
    assert_eq!(
        told,
        [
            format!("Guestbook:ApiKey=*** from {file}"),
            "Guestbook:Hosts:0=h from variable Guestbook__Hosts__0".to_owned(),
            "Guestbook:MaxItems=1 from command line".to_owned(),
            format!("Guestbook:Theme=a from {file}"),
        ]
    );
    assert_eq!(settings.sections(), ["Guestbook"]);
}

#[test]
fn printing_settings_gives_no_secrets_away() {
    let folder = Folder::new().with("appsettings.json", r#"{ "A": "hunter2" }"#);
    let options = LoadOptions { variables: pairs(&[("A__B", "hunter2")]), ..folder.options() };
    let text = format!("{options:?} {:?}", Settings::load(options.clone()).unwrap());
    assert!(!text.contains("hunter2"), "{text}");
}
