//! Rust source as the few tokens that tell who imports whom: no comments, no documentation, no literals, no tests.

/// One token, and the line it is on, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word(String),
    /// The text of a string literal, as written.
    Text(String),
    /// `::`
    Separator,
    /// Any other sign.
    Sign(char),
}

/// All tokens of a file that are no part of its tests.
pub(crate) fn of(source: &str) -> Vec<Token> {
    without_tests(&Reader { rest: source, line: 1 }.read())
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn read(mut self) -> Vec<Token> {
        let mut tokens = Vec::new();
        while let Some(first) = self.rest.chars().next() {
            let line = self.line;
            if let Some(kind) = self.next(first) {
                tokens.push(Token { kind, line });
            }
        }
        tokens
    }

    fn next(&mut self, first: char) -> Option<Kind> {
        if self.rest.starts_with("//") {
            self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            return None;
        }
        if self.rest.starts_with("/*") {
            self.take(end_of_comment(self.rest));
            return None;
        }
        if let Some(text) = self.raw_string() {
            return Some(Kind::Text(text.to_owned()));
        }
        if first == '"' {
            let literal = self.take(end_of_literal(self.rest, '"'));
            return Some(Kind::Text(literal.trim_matches('"').to_owned()));
        }
        if first == '\'' {
            self.character_or_lifetime();
            return None;
        }
        if first == '_' || first.is_alphabetic() {
            let end = self.rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(self.rest.len());
            return Some(Kind::Word(self.take(end).to_owned()));
        }
        if self.rest.starts_with("::") {
            self.take(2);
            return Some(Kind::Separator);
        }
        self.take(first.len_utf8());
        (!first.is_whitespace()).then_some(Kind::Sign(first))
    }

    /// `r"…"`, `r#"…"#` and the like with `b` or `c` before; no escapes in them.
    fn raw_string(&mut self) -> Option<&'a str> {
        let after = self.rest.strip_prefix(['b', 'c']).unwrap_or(self.rest).strip_prefix('r')?;
        let hashes = after.len() - after.trim_start_matches('#').len();
        let text = after[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let length = text.find(&close).unwrap_or(text.len());
        let before = self.rest.len() - text.len();
        self.take((before + length + close.len()).min(self.rest.len()));
        Some(&text[..length])
    }

    /// `'x'` and `'\n'` end with a quote, `'lifetime` does not.
    fn character_or_lifetime(&mut self) {
        let mut after = self.rest.chars().skip(1);
        let escaped = after.next() == Some('\\');
        if escaped || after.next() == Some('\'') {
            self.take(end_of_literal(self.rest, '\''));
        } else {
            let end = self.rest[1..].find(|c: char| c != '_' && !c.is_alphanumeric());
            self.take(end.map_or(self.rest.len(), |end| end + 1));
        }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }
}

/// Comments nest.
fn end_of_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Where a literal that begins here with `quote` ends; a backslash takes the next character's meaning.
fn end_of_literal(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Leaves out each item under `#[cfg(test)]` or `#[cfg(all(test, …))]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match end_of_attribute(tokens, at) {
            Some(end) if is_for_tests(&tokens[at..end]) => at = end_of_item(tokens, end),
            _ => {
                kept.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    kept
}

fn end_of_attribute(tokens: &[Token], at: usize) -> Option<usize> {
    let opens = tokens.get(at)?.kind == Kind::Sign('#') && tokens.get(at + 1)?.kind == Kind::Sign('[');
    opens.then(|| end_of_group(tokens, at + 1))
}

fn is_for_tests(attribute: &[Token]) -> bool {
    let words = attribute.iter().filter_map(|token| match &token.kind {
        Kind::Word(word) => Some(word.as_str()),
        Kind::Text(_) | Kind::Separator | Kind::Sign(_) => None,
    });
    let words: Vec<&str> = words.take(3).collect();
    matches!(words.as_slice(), ["cfg", "test", ..] | ["cfg", "all", "test"])
}

/// Past the item that begins here: its other attributes, and all to its `;` or the end of its block.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    while let Some(end) = end_of_attribute(tokens, at) {
        at = end;
    }
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Sign(';') => return at + 1,
            Kind::Sign('{') => return end_of_group(tokens, at),
            Kind::Sign('(' | '[') => at = end_of_group(tokens, at),
            _ => at += 1,
        }
    }
    at
}

/// Past the bracket that closes the one here.
fn end_of_group(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') if depth <= 1 => return index + 1,
            Kind::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        let words = of(source).into_iter().filter_map(|token| match token.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        });
        words.collect()
    }

    #[test]
    fn comments_documentation_and_literals_tell_nothing() {
        let source = r##"
            //! use crate::one;
            /// [`crate::two`]
            /* use crate::three; /* nested */ use crate::four; */
            a "use crate::five; \" use crate::six" b r#"use "crate::seven"# c 'x' d '\'' e<'life> f b"use" g
        "##;
        assert_eq!(words(source), ["a", "b", "c", "d", "e", "f", "b", "g"]);
    }

    #[test]
    fn tests_are_left_out_and_what_follows_them_is_not() {
        let source = "
            #[cfg(test)] use crate::x::{a, b};
            #[cfg(test)] #[path = \"more.rs\"] mod more;
            #[cfg(all(test, unix))] fn helper(a: [u8; 3]) { use crate::y; }
            #[cfg(test)] mod tests { mod inner { use crate::z; } }
            #[cfg(not(test))] struct Kept;
        ";
        assert_eq!(words(source), ["cfg", "not", "test", "struct", "Kept"]);
    }

    #[test]
    fn each_token_knows_its_line() {
        let lines: Vec<usize> = of("a\n/* b\n */ c\n\"d\n\" e").iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 3, 4, 5]);
    }
}
