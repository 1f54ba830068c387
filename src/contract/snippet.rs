//! What an author pastes: a plain address, an iframe, the same for JSX, or the element.

/// Sizes that an iframe opens with, in CSS pixels, unless the author chooses others.
pub const SIZE: (u32, u32) = (800, 560);
/// The iframe grows no wider than this by itself, in CSS pixels.
pub const WIDTH_MAX: u32 = 960;

/// A lesson as an author embeds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embed<'a> {
    /// The top of the site, ending in a slash.
    pub root: &'a str,
    /// The lesson.
    pub slug: &'a str,
    /// The query without its question mark; may be empty.
    pub query: &'a str,
    /// What the frame is called for those who cannot see it.
    pub title: &'a str,
    /// Width and height, in CSS pixels.
    pub size: (u32, u32),
}

impl Embed<'_> {
    /// The address of the embedded page.
    pub fn address(&self) -> String {
        page(self.root, "embed", self.slug, self.query)
    }

    /// The iframe.
    pub fn iframe(&self) -> String {
        let (width, height) = self.size;
        format!(
            "<iframe src=\"{}\" title=\"{}\"\n width=\"{width}\" height=\"{height}\" \
             style=\"border:0;width:100%;max-width:{}px\" loading=\"lazy\"\n \
             allow=\"fullscreen; clipboard-write\"></iframe>",
            escape(&self.address()),
            escape(self.title),
            width.max(WIDTH_MAX),
        )
    }

    /// The iframe as JSX wants it, where a style is an object: for React and MDX, so for Docusaurus.
    pub fn jsx(&self) -> String {
        let (width, height) = self.size;
        format!(
            "<iframe src=\"{}\" title=\"{}\"\n width={{{width}}} height={{{height}}} \
             style={{{{ border: 0, width: \"100%\", maxWidth: {} }}}} loading=\"lazy\"\n \
             allow=\"fullscreen; clipboard-write\" />",
            escape(&self.address()),
            escape(self.title),
            width.max(WIDTH_MAX),
        )
    }

    /// The element and its script.
    pub fn element(&self) -> String {
        let attributes = self
            .query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                // What stands in a query in plain form stands in an attribute in plain form too.
                format!(" {name}=\"{}\"", escape(&crate::address::plain(value)))
            });
        format!(
            "<script type=\"module\" src=\"{}embed.js\"></script>\n<loadlab-lesson lesson=\"{}\"{}></loadlab-lesson>",
            escape(self.root),
            escape(self.slug),
            attributes.collect::<String>(),
        )
    }
}

/// The address of a page of a lesson.
pub fn page(root: &str, folder: &str, slug: &str, query: &str) -> String {
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{root}{folder}/{slug}/{mark}{query}")
}

/// Text as an attribute of HTML holds it.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMBED: Embed<'_> = Embed {
        root: "https://host.example/base/",
        slug: "load-balancing",
        query: "theme=dark&p.policy=round-robin&lock=all",
        title: "Load \"balancing\"",
        size: SIZE,
    };

    #[test]
    fn snippets_are_what_authors_expect() {
        assert_eq!(
            EMBED.iframe(),
            "<iframe src=\"https://host.example/base/embed/load-balancing/?theme=dark&amp;p.policy=round-robin&amp;lock=all\" \
             title=\"Load &quot;balancing&quot;\"\n width=\"800\" height=\"560\" style=\"border:0;width:100%;max-width:960px\" \
             loading=\"lazy\"\n allow=\"fullscreen; clipboard-write\"></iframe>"
        );
        assert_eq!(
            EMBED.jsx(),
            "<iframe src=\"https://host.example/base/embed/load-balancing/?theme=dark&amp;p.policy=round-robin&amp;lock=all\" \
             title=\"Load &quot;balancing&quot;\"\n width={800} height={560} style={{ border: 0, width: \"100%\", maxWidth: 960 }} \
             loading=\"lazy\"\n allow=\"fullscreen; clipboard-write\" />"
        );
        assert_eq!(
            EMBED.element(),
            "<script type=\"module\" src=\"https://host.example/base/embed.js\"></script>\n\
             <loadlab-lesson lesson=\"load-balancing\" theme=\"dark\" p.policy=\"round-robin\" lock=\"all\"></loadlab-lesson>"
        );
        let plain = Embed { query: "", ..EMBED };
        assert_eq!(
            plain.address(),
            "https://host.example/base/embed/load-balancing/"
        );
    }
}
