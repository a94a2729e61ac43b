//! The page of a Guestbook.

use serde::Deserialize;

use crate::guestbook::GuestbookSpec;

/// The section `Guestbook` of the settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct PageSettings {
    /// How pages look.
    theme: Theme,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Theme {
    #[default]
    Plain,
    Dark,
}

/// The page as HTML.
pub(crate) fn page(spec: &GuestbookSpec, PageSettings { theme }: &PageSettings) -> String {
    let style = match theme {
        Theme::Plain => "color-scheme: light",
        Theme::Dark => "color-scheme: dark",
    };
    let (title, message) = (escape(&spec.title), escape(&spec.message));
    format!(
        r#"<!doctype html>
<html lang="en" style="{style}">
<head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{message}</p></body>
</html>
"#
    )
}

/// For text and for quoted attributes alike.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{PageSettings, escape, page};
    use crate::guestbook::GuestbookSpec;

    #[test]
    fn title_and_message_can_not_bring_markup_with_them() {
        let spec = GuestbookSpec {
            title: "Tom & \"Jerry\"".to_owned(),
            message: "<script>alert('hi')</script>".to_owned(),
            replicas: 1,
        };
        let page = page(&spec, &PageSettings::default());
        assert!(page.contains("<h1>Tom &amp; &quot;Jerry&quot;</h1>"), "{page}");
        assert!(page.contains("<p>&lt;script&gt;alert(&#39;hi&#39;)&lt;/script&gt;</p>"), "{page}");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        assert_eq!(escape("Grüße, 世界"), "Grüße, 世界");
    }
}
