//! Whether blocks of code are what they say.

use serde_json::Value;

use super::findings::Findings;
use super::names::setting_keys;
use super::page::{Block, Page};
use super::pages::{Pages, is_in_book};

/// Where the book's Rust blocks become examples that compile, and how a chapter is named there.
pub(super) const EXAMPLES: &str = "docs/book/lib.rs";

/// Each block of the book names its language, and data can be read.
pub(super) fn check(pages: &Pages, findings: &mut Findings) {
    let keys = setting_keys(pages);
    for page in &pages.0 {
        for block in &page.blocks {
            if let Err(what) = block.check(is_in_book(&page.path), &keys) {
                findings.add(&page.path, block.line, what);
            }
        }
    }
}

/// Each chapter with Rust is among the `examples`, which is the text of [`EXAMPLES`].
pub(super) fn check_examples(pages: &Pages, examples: &str, findings: &mut Findings) {
    for page in pages.chapters().filter(|page| page.blocks.iter().any(Block::is_rust)) {
        if !examples.contains(&format!("\"{}\"", from_examples(page))) {
            findings.add(&page.path, 1, format!("has Rust that nobody compiles: add it to {EXAMPLES}"));
        }
    }
}

fn from_examples(page: &Page) -> String {
    format!("../{}", page.path.trim_start_matches("docs/"))
}

impl Block {
    fn language(&self) -> &str {
        self.info.split([',', ' ']).next().unwrap_or_default()
    }

    fn is_rust(&self) -> bool {
        self.language() == "rust"
    }

    fn check_rust(&self) -> Result<(), String> {
        if self.info.contains("ignore") {
            return Err("Rust that nobody compiles: `ignore`".to_owned());
        }
        // Without it rustc takes tests out of an example, and what is wrong in them with them.
        let has_tests = self.text.contains("#[test]") || self.text.contains("#[tokio::test");
        if has_tests && !self.info.contains("test_harness") {
            return Err("a test that nobody runs; write ```rust,test_harness".to_owned());
        }
        Ok(())
    }

    fn check(&self, is_in_book: bool, keys: &[&str]) -> Result<(), String> {
        match self.language() {
            // rustdoc takes it for Rust.
            "" if is_in_book => Err("a block without a language; write ```text for plain text".to_owned()),
            "rust" => self.check_rust(),
            "json" => settings(&serde_json::from_str(&self.text).map_err(reads("JSON"))?, keys),
            "jsonc" | "json5" => settings(&json5::from_str(&self.text).map_err(reads("JSON with comments"))?, keys),
            "toml" => toml::from_str::<toml::Table>(&self.text).map(drop).map_err(reads("TOML")),
            "yaml" => {
                let documents: Vec<Value> = serde_saphyr::from_multiple(&self.text).map_err(reads("YAML"))?;
                documents.iter().try_for_each(|document| settings(document, keys))
            }
            _ => Ok(()),
        }
    }
}

fn reads<E: std::fmt::Display>(language: &str) -> impl FnOnce(E) -> String {
    move |error| format!("this is no {language}: {error}")
}

/// Sections `KubeOps`, wherever they are, have only keys that there are.
fn settings(value: &Value, keys: &[&str]) -> Result<(), String> {
    match value {
        Value::Object(fields) => fields.iter().try_for_each(|(name, field)| {
            let section = field.as_object().filter(|_| name == "KubeOps");
            let unknown = section.into_iter().flatten().find(|(key, _)| !keys.contains(&key.as_str()));
            unknown.map_or_else(|| settings(field, keys), |(key, _)| Err(format!("there is no setting KubeOps:{key}")))
        }),
        Value::Array(values) => values.iter().try_for_each(|value| settings(value, keys)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = "# Settings\n## Name\n";

    fn pages(text: &str) -> Pages {
        let page = |path: &str, text: &str| Page::parse(path, text.to_owned());
        Pages(vec![page("docs/src/a.md", text), page("docs/src/reference/settings.md", SETTINGS)])
    }

    fn told(text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        check(&pages(text), &mut findings);
        findings.told().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn data_that_can_be_read_is_fine() {
        let text = "```json\n{ \"KubeOps\": { \"Name\": \"a\" } }\n```\n```jsonc\n{ \"a\": 1, // one\n}\n```\n\
            ```yaml\na: 1\n---\nb: [2]\n```\n```toml\na = 1\n```\n```sh\ncargo run\n```\n```rust,no_run\nf();\n```\n";
        assert_eq!(told(text), Vec::<String>::new());
    }

    #[test]
    fn data_that_cannot_be_read_and_blocks_that_nobody_compiles_are_told() {
        for (text, what) in [
            ("```json\n{ \"a\": 1, }\n```", "this is no JSON: "),
            ("```jsonc\n{ a: }\n```", "this is no JSON with comments: "),
            ("```yaml\na: [1\n```", "this is no YAML: "),
            ("```toml\na = \n```", "this is no TOML: "),
            ("```json\n{ \"KubeOps\": { \"Nmae\": \"a\" } }\n```", "there is no setting KubeOps:Nmae"),
            ("```yaml\nappsettings: { KubeOps: { Nmae: a } }\n```", "there is no setting KubeOps:Nmae"),
            ("```rust,ignore\nf();\n```", "Rust that nobody compiles"),
            ("```rust\n#[tokio::test]\nasync fn f() {}\n```", "a test that nobody runs"),
            ("```\nf();\n```", "a block without a language"),
            ("    f();\n", "a block without a language"),
        ] {
            let told = told(text);
            assert!(told.len() == 1 && told[0].starts_with(&format!("docs/src/a.md:1: {what}")), "{text}: {told:?}");
        }
    }

    #[test]
    fn a_chapter_with_rust_that_is_no_example_is_told() {
        let told = |examples: &str| {
            let mut findings = Findings::default();
            check_examples(&pages("```rust\nf();\n```"), examples, &mut findings);
            findings.told().len()
        };
        assert_eq!(told("A = \"../src/a.md\","), 0);
        assert_eq!(told("A = \"../src/b.md\","), 1);
    }
}
