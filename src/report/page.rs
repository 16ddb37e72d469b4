//! Rule pages for the terminal: the little Markdown they are written in, laid out for reading.

use super::{Terminal, wrap};

const INDENT: &str = "    ";

/// `markdown` as text: headings stand out, paragraphs and lists are wrapped, fences are indented under their title.
#[must_use]
pub fn rule_page(markdown: &str, terminal: &Terminal) -> String {
    let mut page =
        Page { terminal, out: String::new(), paragraph: String::new(), indents: (String::new(), String::new()) };
    let mut fenced = false;
    for line in markdown.lines() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            page.flush();
            fenced = !fenced;
            if let (true, Some((_, title))) = (fenced, info.split_once("title=")) {
                page.line(&format!("{INDENT}{}", page.dim(&format!("# {title}"))));
            }
        } else if fenced {
            page.line(format!("{INDENT}{line}").trim_end());
        } else {
            page.prose(line);
        }
    }
    page.flush();
    page.out
}

struct Page<'t> {
    terminal: &'t Terminal,
    out: String,
    paragraph: String,
    /// Before the first line of the paragraph, and before the others.
    indents: (String, String),
}

impl Page<'_> {
    fn prose(&mut self, line: &str) {
        let text = line.trim();
        if text.is_empty() {
            self.flush();
            self.line("");
        } else if let Some(heading) = text.strip_prefix('#') {
            self.flush();
            let heading = heading.trim_start_matches('#').trim();
            self.line(&self.terminal.bold(heading));
        } else if text.starts_with('|') {
            self.flush();
            self.line(text);
        } else if let Some(item) = list_item(text) {
            self.flush();
            let indent = &line[..line.len() - line.trim_start().len()];
            let bullet = &text[..text.len() - item.len()];
            self.indents = (format!("{indent}{bullet}"), format!("{indent}{}", " ".repeat(bullet.len())));
            self.paragraph = item.to_owned();
        } else {
            if !self.paragraph.is_empty() {
                self.paragraph.push(' ');
            }
            self.paragraph.push_str(text);
        }
    }

    fn flush(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        let (first, rest) = std::mem::take(&mut self.indents);
        if !paragraph.is_empty() {
            let text = wrap(&self.inline(&paragraph), self.terminal.width, &first, &rest);
            self.line(&text);
        }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn dim(&self, text: &str) -> String {
        self.terminal.theme().styles.linum.style(text).to_string()
    }

    /// Code in colour, emphasis in bold; without colours only the emphasis marks go.
    fn inline(&self, text: &str) -> String {
        let code = self.terminal.theme().styles.help;
        let mut out = String::new();
        for (at, part) in text.split('`').enumerate() {
            match (at % 2, self.terminal.color) {
                (0, _) => {
                    for (at, part) in part.split("**").enumerate() {
                        out.push_str(&if at % 2 == 0 { part.to_owned() } else { self.terminal.bold(part) });
                    }
                }
                (_, true) => out.push_str(&code.style(part).to_string()),
                (_, false) => out.extend(["`", part, "`"]),
            }
        }
        out
    }
}

/// The text of a list item, behind its bullet or number.
fn list_item(text: &str) -> Option<&str> {
    let bulleted = text.strip_prefix("- ").or_else(|| text.strip_prefix("* "));
    bulleted.or_else(|| {
        let behind = text.trim_start_matches(|c: char| c.is_ascii_digit());
        (behind.len() < text.len()).then(|| behind.strip_prefix(". ")).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# dependency-cycle\n\nA loop of `dependsOn` **entries**\nover two lines.\n\n- one item that is \
                        long enough to wrap\n  and goes on\n1. two\n\n## Bad\n\n```yaml title=apps.yaml\nspec:\n  \
                        dependsOn: []\n```\n";

    #[test]
    fn pages_read_well_without_colours() {
        let text = rule_page(PAGE, &Terminal { color: false, unicode: false, width: 40, links: false });
        let expected = "dependency-cycle\n\nA loop of `dependsOn` entries over two\nlines.\n\n- one item that is long \
                        enough to wrap\n  and goes on\n1. two\n\nBad\n\n    # apps.yaml\n    spec:\n      dependsOn: \
                        []\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn colours_add_no_text() {
        let text = rule_page(PAGE, &Terminal { color: true, unicode: false, width: 400, links: false });
        assert!(text.contains("\u{1b}[1mdependency-cycle\u{1b}[0m"), "{text:?}");
        assert!(text.contains("A loop of \u{1b}[36mdependsOn\u{1b}[0m \u{1b}[1mentries"), "{text:?}");
    }
}
