//! One Markdown file: its links, its anchors and its blocks of code.

use std::cell::RefCell;
use std::collections::BTreeMap;

use pulldown_cmark::{BrokenLink, CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// From the root of the repository, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) links: Vec<Link>,
    /// What a link to a place in it may name.
    pub(super) anchors: Vec<String>,
    pub(super) blocks: Vec<Block>,
}

/// A link, or an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) line: usize,
    /// Where it leads; none for one whose definition is missing.
    pub(super) target: Option<String>,
}

/// A block of code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) line: usize,
    /// What stands behind the fence, such as `rust,no_run`; empty for indented blocks too.
    pub(super) info: String,
    pub(super) text: String,
}

/// A page while it is read.
#[derive(Default)]
struct Reading {
    page: Page,
    /// The text of the heading that is read.
    heading: Option<String>,
    is_in_block: bool,
    /// How often each slug was there.
    slugs: BTreeMap<String, usize>,
}

impl Page {
    pub(super) fn parse(path: &str, text: String) -> Self {
        let undefined = RefCell::new(Vec::new());
        let note = |link: BrokenLink<'_>| -> Option<(CowStr<'_>, CowStr<'_>)> {
            // `[word]` alone is common in prose and in messages; with a second pair of brackets a link was meant.
            if link.link_type != LinkType::Shortcut {
                undefined.borrow_mut().push(link.span.start);
            }
            None
        };
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        let mut reading = Reading::default();
        for (event, range) in Parser::new_with_broken_link_callback(&text, options(), Some(note)).into_offset_iter() {
            reading.take(event, line(range.start));
        }
        let mut page = reading.page;
        page.links.extend(undefined.take().into_iter().map(|at| Link { line: line(at), target: None }));
        page.path = path.to_owned();
        page.text = text;
        page
    }

    /// Its folder, from the root of the repository.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

impl Reading {
    fn take(&mut self, event: Event<'_>, line: usize) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => self.link(line, &dest_url),
            Event::Html(html) | Event::InlineHtml(html) => {
                html_links(&html).for_each(|target| self.link(line, target));
            }
            Event::Start(Tag::Heading { id, .. }) => {
                self.page.anchors.extend(id.map(|id| id.to_string()));
                self.heading = Some(String::new());
            }
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&self.heading.take().unwrap_or_default());
                let before = self.slugs.entry(slug.clone()).or_default();
                self.page.anchors.push(if *before == 0 { slug } else { format!("{slug}-{before}") });
                *before += 1;
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.page.blocks.push(Block { line, info, text: String::new() });
                self.is_in_block = true;
            }
            Event::End(TagEnd::CodeBlock) => self.is_in_block = false,
            Event::Text(text) | Event::Code(text) => self.text(&text),
            _ => {}
        }
    }

    fn link(&mut self, line: usize, target: &str) {
        self.page.links.push(Link { line, target: Some(target.to_owned()) });
    }

    fn text(&mut self, text: &str) {
        if let Some(block) = self.page.blocks.last_mut().filter(|_| self.is_in_block) {
            block.text.push_str(text);
        }
        if let Some(heading) = &mut self.heading {
            heading.push_str(text);
        }
    }
}

/// As mdBook reads Markdown.
fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
}

/// What a heading's anchor is called, by mdBook and by GitHub.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|c| match c {
        c if c.is_alphanumeric() || matches!(c, '_' | '-') => Some(c.to_ascii_lowercase()),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    });
    kept.collect()
}

/// What tags of HTML name as `href` or `src`.
fn html_links(html: &str) -> impl Iterator<Item = &str> {
    [" href=\"", " src=\""]
        .into_iter()
        .flat_map(move |attribute| html.split(attribute).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Page {
        Page::parse("a.md", text.to_owned())
    }

    #[test]
    fn headings_have_the_anchors_that_mdbook_gives_them() {
        let page = page("# What it does, and `why_not`\n\n## Two\n\n## Two\n\n## Named {#here}\n");
        assert_eq!(page.anchors, ["what-it-does-and-why_not", "two", "two-1", "here", "named"]);
    }

    #[test]
    fn links_are_found_in_markdown_and_html_and_not_in_code() {
        let page = page("See [a](b.md#c), ![d](e.svg) and [f][g].\n\n<img src=\"h.png\">\n\n`[i](j)` [k]\n\n[g]: l\n");
        let targets: Vec<_> =
            page.links.iter().map(|link| (link.line, link.target.as_deref().unwrap_or("?"))).collect();
        assert_eq!(targets, [(1, "b.md#c"), (1, "e.svg"), (1, "l"), (3, "h.png")]);
    }

    #[test]
    fn a_link_without_its_definition_is_found() {
        assert_eq!(page("One\n[two][three].").links, [Link { line: 2, target: None }]);
    }

    #[test]
    fn blocks_are_found_with_their_text_whole() {
        let page = page("```yaml\na: 1\n\nb: 2\n```\n\n- x\n  ```rust,no_run\n  f();\n  ```\n");
        let block = |line, info: &str, text: &str| Block { line, info: info.to_owned(), text: text.to_owned() };
        assert_eq!(page.blocks, [block(1, "yaml", "a: 1\n\nb: 2\n"), block(8, "rust,no_run", "f();\n")]);
    }
}
