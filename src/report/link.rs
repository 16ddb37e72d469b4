//! Where links lead. A target holds no character that a terminal could take for something else.

use crate::source::{FileId, Tree};

/// Where the sources are published, once they are.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The page of a rule.
pub(super) fn page(rule: &str) -> Option<String> {
    page_in(REPOSITORY, rule)
}

fn page_in(repository: &str, rule: &str) -> Option<String> {
    let version = env!("CARGO_PKG_VERSION");
    (!repository.is_empty()).then(|| escaped(&format!("{repository}/blob/v{version}/rules/{rule}.md")))
}

/// A file on this machine. `None` for one that is in no folder.
pub(super) fn file(tree: &Tree, file: FileId) -> Option<String> {
    let root = tree.root().to_str().filter(|root| !root.is_empty())?;
    let root = root.strip_prefix(r"\\?\").unwrap_or(root).replace('\\', "/");
    let slash = if root.starts_with('/') { "" } else { "/" };
    Some(escaped(&format!("file://{slash}{}/{}", root.trim_end_matches('/'), tree.path(file))))
}

/// `url` with everything escaped but what paths and addresses are usually made of.
fn escaped(url: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:-._~".contains(&byte);
    let escape = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    url.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_a_page_where_the_sources_are_published() {
        assert_eq!(page_in("", "dependency-cycle"), None);
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!("https://example.com/x/blob/v{version}/rules/dependency-cycle.md");
        assert_eq!(page_in("https://example.com/x", "dependency-cycle"), Some(expected));
    }

    #[test]
    fn a_link_holds_nothing_that_a_terminal_obeys() {
        assert_eq!(escaped("file:///a b/\u{1b}\\ü;%"), "file:///a%20b/%1B%5C%C3%BC%3B%25");
    }
}
