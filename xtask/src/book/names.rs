//! Whether what pages name is there: chores of this program and keys of settings.

use super::findings::Findings;
use super::pages::Pages;
use crate::USAGE;

/// The reference of settings, with a heading for each key.
const SETTINGS: &str = "docs/src/reference/settings.md";

pub(super) fn check(pages: &Pages, findings: &mut Findings) {
    let keys = setting_keys(pages);
    for page in &pages.0 {
        for (number, line) in page.text.lines().enumerate() {
            for chore in words_behind(line, "cargo xtask ") {
                if !is_chore(chore) {
                    findings.add(&page.path, number + 1, format!("there is no `cargo xtask {chore}`"));
                }
            }
            let named = ["KubeOps:", "KubeOps__"].into_iter().flat_map(|before| words_behind(line, before));
            for key in named.filter(|key| key.starts_with(|c: char| c.is_ascii_uppercase())) {
                if !keys.contains(&key) {
                    findings.add(&page.path, number + 1, format!("there is no setting KubeOps:{key}"));
                }
            }
        }
    }
}

/// The keys of the section `KubeOps`.
pub(super) fn setting_keys(pages: &Pages) -> Vec<&str> {
    let text = pages.get(SETTINGS).map_or("", |page| &page.text);
    text.lines().filter_map(|line| line.strip_prefix("## ")).collect()
}

fn is_chore(word: &str) -> bool {
    USAGE.lines().filter_map(|line| line.strip_prefix("  ")).any(|line| line.split(' ').next() == Some(word))
}

/// Each word that stands right behind `before`; `…` and the like are none.
fn words_behind<'a>(line: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    let rests = line.split(before).skip(1);
    rests.filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        Some(&rest[..end]).filter(|word| !word.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::super::page::Page;
    use super::*;

    #[test]
    fn chores_and_settings_that_are_not_there_are_told() {
        let page = |path: &str, text: &str| Page::parse(path, text.to_owned());
        let text = "Run `cargo xtask book` and `cargo xtask nothing`; `cargo xtask …`.\n\
            `KubeOps:Name`, `--set KubeOps:Nmae=x`, KubeOps__Nam__0=x, KubeOps__Name=y, `KubeOps:<key>`";
        let pages = Pages(vec![page("README.md", text), page(SETTINGS, "# Settings\n\n## Name\n")]);
        let mut findings = Findings::default();
        check(&pages, &mut findings);
        let expected = [
            "README.md:1: there is no `cargo xtask nothing`",
            "README.md:2: there is no setting KubeOps:Nmae",
            "README.md:2: there is no setting KubeOps:Nam",
        ];
        assert_eq!(findings.told(), expected);
    }
}
