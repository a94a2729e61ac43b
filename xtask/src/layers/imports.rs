//! What one file names: its modules, and the paths it writes in `use` and elsewhere.

use super::tokens::{Kind, Token};

/// All that one module declares and names; modules written within it are modules of their own.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Module {
    pub(crate) children: Vec<Child>,
    pub(crate) imports: Vec<Import>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) name: String,
    pub(crate) body: Body,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// In a file of its own, at this path if not at the usual one.
    File { path: Option<String> },
    /// Between braces.
    Here(Module),
}

/// A path as written, `crate::a::B`, and what it is called here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// The name it gets, if it is from a `use`; `*` for all names.
    pub(crate) name: Option<String>,
    /// Whether others get it from here: `pub use`, `pub(crate) use`.
    pub(crate) is_public: bool,
}

/// Reads a file's tokens.
pub(crate) fn of(tokens: &[Token]) -> Module {
    Parser { tokens, at: 0 }.module()
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    /// To the end of the file, or past the brace that closes this module.
    fn module(&mut self) -> Module {
        let mut module = Module::default();
        let mut depth = 0_usize;
        let mut path = None;
        let mut is_public = false;
        while let Some(token) = self.tokens.get(self.at) {
            match &token.kind {
                Kind::Sign('{') => depth += 1,
                Kind::Sign('}') if depth == 0 => {
                    self.at += 1;
                    return module;
                }
                Kind::Sign('}') => depth -= 1,
                Kind::Word(word) => match word.as_str() {
                    "path" if self.sign(1, '=') => path = self.text(2),
                    "pub" => is_public = true,
                    "mod" if self.word(1).is_some() => {
                        module.children.extend(self.child(path.take()));
                        is_public = false;
                        continue;
                    }
                    // `use<'a>` is a bound.
                    "use" if !self.sign(1, '<') => {
                        self.at += 1;
                        self.tree(&[], is_public, &mut module.imports);
                        is_public = false;
                        continue;
                    }
                    _ if self.is(1, &Kind::Separator) => {
                        let line = token.line;
                        let path = self.path();
                        module.imports.push(Import { path, line, name: None, is_public: false });
                        continue;
                    }
                    _ => {}
                },
                // What follows `::` here is behind a type, not a module: `<T as Trait>::Item`.
                Kind::Separator if self.word(1).is_some() => self.at += 1,
                Kind::Sign(';') => (path, is_public) = (None, false),
                _ => {}
            }
            self.at += 1;
        }
        module
    }

    /// At `mod name`.
    fn child(&mut self, path: Option<String>) -> Option<Child> {
        let name = self.word(1)?.to_owned();
        let has_body = self.sign(2, '{');
        self.at += 3;
        let body = if has_body { Body::Here(self.module()) } else { Body::File { path } };
        Some(Child { name, body })
    }

    /// At a name that `::` follows; past the last name of the path.
    fn path(&mut self) -> Vec<String> {
        let mut path = Vec::new();
        while let Some(word) = self.word(0) {
            path.push(word.to_owned());
            self.at += 1;
            if !self.is(0, &Kind::Separator) || self.word(1).is_none() {
                break;
            }
            self.at += 1;
        }
        path
    }

    /// At a use tree, `a::b`, `a::{b, c as d}`, `a::*`; past it.
    fn tree(&mut self, before: &[String], is_public: bool, imports: &mut Vec<Import>) {
        if self.is(0, &Kind::Separator) {
            self.at += 1;
        }
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        let mut path = before.to_vec();
        path.extend(self.path());
        if self.is(0, &Kind::Separator) {
            self.at += 1;
        }
        if self.sign(0, '{') {
            self.at += 1;
            while self.at < self.tokens.len() && !self.sign(0, '}') {
                self.tree(&path, is_public, imports);
                if self.sign(0, ',') {
                    self.at += 1;
                }
            }
            self.at += 1;
            return;
        }
        if self.sign(0, '*') {
            self.at += 1;
            imports.push(Import { path, line, name: Some("*".to_owned()), is_public });
            return;
        }
        // `a::{self}` is `a`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let mut name = path.last().cloned();
        if self.word(0) == Some("as") {
            name = self.word(1).map(str::to_owned);
            self.at += 2;
        }
        if path.len() == before.len() {
            // Nothing that is a use tree: on, so that this ends.
            self.at += 1;
        }
        imports.push(Import { path, line, name, is_public });
    }

    fn word(&self, ahead: usize) -> Option<&str> {
        match &self.tokens.get(self.at + ahead)?.kind {
            Kind::Word(word) => Some(word),
            Kind::Text(_) | Kind::Separator | Kind::Sign(_) => None,
        }
    }

    fn text(&self, ahead: usize) -> Option<String> {
        match &self.tokens.get(self.at + ahead)?.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Word(_) | Kind::Separator | Kind::Sign(_) => None,
        }
    }

    fn sign(&self, ahead: usize, sign: char) -> bool {
        self.is(ahead, &Kind::Sign(sign))
    }

    fn is(&self, ahead: usize, kind: &Kind) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|token| token.kind == *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens;
    use super::*;

    /// Each import as `path = name`, with `pub` before if it is public.
    fn imports(source: &str) -> Vec<String> {
        let show = |import: Import| {
            let public = if import.is_public { "pub " } else { "" };
            let name = import.name.map(|name| format!(" = {name}")).unwrap_or_default();
            format!("{public}{}{name}", import.path.join("::"))
        };
        of(&tokens::of(source)).imports.into_iter().map(show).collect()
    }

    #[test]
    fn a_use_tree_is_all_its_branches() {
        let found = imports("use crate::{a::{self, B as C}, d::*, e};\npub(crate) use super::term::Term;");
        assert_eq!(
            found,
            ["crate::a = a", "crate::a::B = C", "crate::d = *", "crate::e = e", "pub super::term::Term = Term"]
        );
    }

    #[test]
    fn paths_outside_of_use_count_too() {
        let found = imports(
            "fn f(c: kube::Client) -> crate::host::Host<T> { <T as super::X>::y(); Vec::<u8>::new(); g::<crate::h::I>() }",
        );
        assert_eq!(found, ["kube::Client", "crate::host::Host", "super::X", "Vec", "g", "crate::h::I"]);
    }

    #[test]
    fn a_bound_named_use_is_no_import() {
        assert_eq!(imports("fn f<'a>() -> impl Iterator + use<'a> { crate::a::b() }"), ["crate::a::b"]);
    }

    #[test]
    fn modules_are_found_with_their_files_and_their_bodies() {
        let module = of(&tokens::of("mod a;\n#[path = \"x/y.rs\"]\npub mod b;\nmod c { use super::d; }\nuse e::f;"));
        let [a, b, c] = module.children.as_slice() else { panic!("three modules: {module:?}") };
        assert_eq!((a.name.as_str(), &a.body), ("a", &Body::File { path: None }));
        assert_eq!((b.name.as_str(), &b.body), ("b", &Body::File { path: Some("x/y.rs".to_owned()) }));
        let Body::Here(inner) = &c.body else { panic!("{c:?}") };
        assert_eq!(inner.imports[0].path, ["super", "d"]);
        assert_eq!(module.imports[0].path, ["e", "f"]);
    }
}
