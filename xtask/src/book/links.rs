//! Whether links lead anywhere. Those to other sites are not followed, but for those to this repository.

use std::path::Path;

use super::findings::Findings;
use super::page::{Link, Page};
use super::pages::{Pages, is_in_book};
use super::{SOURCES, SUMMARY};

/// Where files of this repository are shown; behind it stands their path.
const REPOSITORY: [&str; 2] =
    ["https://github.com/kubeops-rs/kubeops/blob/main/", "https://github.com/kubeops-rs/kubeops/tree/main/"];

pub(super) fn check(pages: &Pages, root: &Path, findings: &mut Findings) {
    for page in &pages.0 {
        for link in &page.links {
            if let Some(what) = wrong(page, link, pages, root) {
                findings.add(&page.path, link.line, what);
            }
        }
    }
    check_summary(pages, findings);
}

/// Each page of the book is one of its chapters.
fn check_summary(pages: &Pages, findings: &mut Findings) {
    let summary = pages.get(SUMMARY);
    let targets = summary.iter().flat_map(|summary| &summary.links).filter_map(|link| link.target.as_deref());
    let listed: Vec<&str> = targets.collect();
    for chapter in pages.chapters() {
        let name = chapter.path.strip_prefix(SOURCES).unwrap_or_default().trim_start_matches('/');
        if !listed.contains(&name) {
            findings.add(&chapter.path, 1, format!("is no chapter: {SUMMARY} does not name {name}"));
        }
    }
}

fn wrong(page: &Page, link: &Link, pages: &Pages, root: &Path) -> Option<String> {
    let Some(target) = &link.target else { return Some("a link without a definition".to_owned()) };
    let on_site = REPOSITORY.iter().find_map(|start| target.strip_prefix(start));
    if on_site.is_none() && (target.contains("://") || target.starts_with("mailto:")) {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = match on_site {
        Some(path) => path.split('#').next().unwrap_or_default().trim_end_matches('/').to_owned(),
        None if path.is_empty() => page.path.clone(),
        None => resolve(page.folder(), path),
    };
    if !root.join(&file).exists() {
        return Some(format!("{target} leads nowhere: there is no {file}"));
    }
    if is_in_book(&page.path) && on_site.is_none() && !is_in_book(&file) {
        let way = REPOSITORY[0];
        return Some(format!("{target} leads out of the book, where it is not published: link to {way}{file}"));
    }
    let known = pages.get(&file).is_none_or(|found| found.anchors.iter().any(|known| known == anchor));
    (!anchor.is_empty() && !known).then(|| format!("{target} leads nowhere: {file} has no heading #{anchor}"))
}

/// `path`, as seen from `folder`, from the root of the repository.
fn resolve(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut findings = Findings::default();
        check(&Pages::read(root.path()).unwrap(), root.path(), &mut findings);
        findings.told().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn links_to_files_and_headings_that_are_there_are_fine() {
        let files = [
            ("README.md", "# X\n[book](docs/src/a.md#one) [site](https://example.com/nowhere)"),
            ("docs/src/SUMMARY.md", "[A](a.md)\n[B](b/b.md)"),
            ("docs/src/a.md", "# One\n[b](b/b.md#two-words) [here](#one) ![i](b/i.svg)"),
            (
                "docs/src/b/b.md",
                "# Two words\n[a](../a.md) [r](https://github.com/kubeops-rs/kubeops/blob/main/README.md#x)",
            ),
            ("docs/src/b/i.svg", ""),
        ];
        assert_eq!(told(&files), Vec::<String>::new());
    }

    #[test]
    fn links_that_lead_nowhere_are_told() {
        let files = [
            (
                "README.md",
                "[one](docs/no.md)\n[two][three]\n[four](https://github.com/kubeops-rs/kubeops/tree/main/no)",
            ),
            ("docs/src/SUMMARY.md", "[A](a.md)"),
            ("docs/src/a.md", "# One\n[five](#two)\n[six](../../README.md)"),
        ];
        let expected = [
            "README.md:1: docs/no.md leads nowhere: there is no docs/no.md",
            "README.md:3: https://github.com/kubeops-rs/kubeops/tree/main/no leads nowhere: there is no no",
            "README.md:2: a link without a definition",
            "docs/src/a.md:2: #two leads nowhere: docs/src/a.md has no heading #two",
            "docs/src/a.md:3: ../../README.md leads out of the book, where it is not published: link to \
             https://github.com/kubeops-rs/kubeops/blob/main/README.md",
        ];
        assert_eq!(told(&files), expected);
    }

    #[test]
    fn a_page_that_is_no_chapter_is_told() {
        let files = [("docs/src/SUMMARY.md", ""), ("docs/src/b/c.md", "# C")];
        assert_eq!(told(&files), ["docs/src/b/c.md:1: is no chapter: docs/src/SUMMARY.md does not name b/c.md"]);
    }
}
