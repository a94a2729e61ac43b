//! What is written to a folder, and compared with what is there.

use super::*;

fn folder(name: &str) -> (Folder, PathBuf) {
    let path = std::env::temp_dir().join(format!("kubeops-manifests-{}-{name}", std::process::id()));
    let _absent = fs::remove_dir_all(&path);
    (Folder::new(&path), path)
}

fn files(names: &[&str]) -> Files {
    let file = |name: &&str| File {
        path: format!("base/{name}"),
        text: format!("# Written by `shop generate manifests`\nname: {name}\n"),
    };
    let overlay = File { path: "overlays/example/kustomization.yaml".to_owned(), text: "# An example\n".to_owned() };
    Files { what: "manifests", base: names.iter().map(file).collect(), overlay: vec![overlay] }
}

fn told(differences: &[Difference]) -> Vec<String> {
    let name = |difference: &Difference| difference.path().file_name().unwrap().to_string_lossy().into_owned();
    let what = |difference: &Difference| difference.to_string().split(':').next().unwrap().to_owned();
    differences.iter().map(|difference| format!("{} {}", what(difference), name(difference))).collect()
}

#[test]
fn a_folder_is_written_compared_and_cleared_of_what_is_left_over() {
    let (folder, path) = folder("written");
    assert_eq!(told(&folder.compare(&files(&["a", "b"])).unwrap()), ["missing a", "missing b"]);
    assert_eq!(
        told(&folder.write(&files(&["a", "b"])).unwrap()),
        ["missing a", "missing b", "missing kustomization.yaml"]
    );
    assert_eq!(folder.compare(&files(&["a", "b"])).unwrap(), []);

    fs::write(path.join("base/b"), "# Written by `shop generate manifests`\nname: vandal\n").unwrap();
    fs::write(path.join("base/mine"), "name: mine\n").unwrap();
    fs::write(path.join("base/binary"), [0xff, 0xfe]).unwrap();
    fs::write(path.join("base/chart"), "# Written by `shop generate helm`\n").unwrap();
    let differences = ["left over a", "differs b", "missing c"];
    assert_eq!(told(&folder.compare(&files(&["b", "c"])).unwrap()), differences);
    assert_eq!(told(&folder.write(&files(&["b", "c"])).unwrap()), differences);
    assert_eq!(folder.compare(&files(&["b", "c"])).unwrap(), []);
    assert_eq!(fs::read_to_string(path.join("base/mine")).unwrap(), "name: mine\n");
    assert!(path.join("base/binary").exists() && path.join("base/chart").exists() && !path.join("base/a").exists());
    fs::remove_dir_all(path).unwrap();
}

#[test]
fn a_file_of_somebody_else_is_not_overwritten_and_nothing_is_written_then() {
    let (folder, path) = folder("foreign");
    fs::create_dir_all(path.join("base")).unwrap();
    fs::write(path.join("base/b"), "name: mine\n").unwrap();
    let error = folder.write(&files(&["a", "b"])).unwrap_err();
    assert!(matches!(&error, GenerateError::Foreign { path: foreign } if *foreign == path.join("base/b")), "{error}");
    assert!(!path.join("base/a").exists());
    fs::remove_dir_all(path).unwrap();
}

#[test]
fn an_overlay_is_written_once_and_then_the_users() {
    let (folder, path) = folder("overlay");
    folder.write(&files(&["a"])).unwrap();
    let overlay = path.join("overlays/example/kustomization.yaml");
    fs::write(&overlay, "mine\n").unwrap();
    assert_eq!(folder.compare(&files(&["a"])).unwrap(), []);
    folder.write(&files(&["a"])).unwrap();
    assert_eq!(fs::read_to_string(&overlay).unwrap(), "mine\n");
    fs::remove_dir_all(path.join("overlays/example")).unwrap();
    folder.write(&files(&["a"])).unwrap();
    assert!(!overlay.exists(), "not again, where there is a folder for overlays");
    fs::remove_dir_all(path).unwrap();
}
