//! Holds `src/` to the rooms of `ARCHITECTURE.md`: who may use whom, who owns which crate, how long a file may be.
//!
//! What stands under `#[cfg(test)]`, and files named `tests.rs`, may do what they like.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use crate::support::{files, root};

/// The rooms, and the rooms each may use. A room uses only rooms above it, so there is no way round.
const ROOMS: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("finding", &["source"]),
    ("yaml", &["source"]),
    ("kustomize", &["source", "yaml"]),
    ("catalog", &["yaml"]),
    ("flux", &["source", "yaml", "kustomize"]),
    ("cluster", &["source", "finding", "yaml", "kustomize", "catalog", "flux"]),
    ("graph", &["source", "finding", "yaml", "kustomize", "catalog", "flux", "cluster"]),
    ("timing", &["source", "finding", "yaml", "kustomize", "catalog", "flux", "cluster", "graph"]),
    ("situation", &["source", "finding", "yaml", "kustomize", "catalog", "flux", "cluster", "graph", "timing"]),
    (
        "rules",
        &["source", "finding", "yaml", "kustomize", "catalog", "flux", "cluster", "graph", "timing", "situation"],
    ),
    (
        "query",
        &["source", "finding", "yaml", "kustomize", "catalog", "flux", "cluster", "graph", "timing", "situation"],
    ),
    ("config", &["source", "finding", "catalog", "flux", "cluster", "timing", "rules"]),
    (
        "change",
        &["source", "finding", "yaml", "catalog", "flux", "cluster", "graph", "timing", "situation", "rules", "query"],
    ),
    ("report", &["source", "finding", "yaml", "kustomize", "query", "change"]),
    (
        "run",
        &[
            "source",
            "finding",
            "yaml",
            "kustomize",
            "flux",
            "cluster",
            "config",
            "graph",
            "timing",
            "situation",
            "rules",
            "query",
            "change",
            "report",
        ],
    ),
    (
        "cli",
        &["source", "finding", "kustomize", "flux", "config", "timing", "rules", "query", "change", "report", "run"],
    ),
];

/// `src/lib.rs` and `src/main.rs`. They wire the rooms together; what they define is for `cli` alone.
const ROOT: &str = "the crate root";

/// Paths that only some rooms may name.
const OWNED: &[(&[&str], &[&str])] = &[
    (&["granit_parser"], &["yaml"]),
    (&["serde_yaml"], &["yaml"]),
    (&["petgraph"], &["graph"]),
    (&["walkdir"], &["source"]),
    (&["aho_corasick"], &["cluster"]),
    (&["gix"], &["source"]),
    (&["cel"], &["flux"]),
    (&["globset"], &["source"]),
    (&["strsim"], &["source"]),
    (&["toml"], &["config"]),
    (&["clap"], &["cli"]),
    (&["clap_complete"], &["cli"]),
    (&["clap_mangen"], &["cli"]),
    (&["indicatif"], &["cli"]),
    (&["supports_hyperlinks"], &["cli"]),
    (&["miette"], &["report", "cli"]),
    (&["quick_xml"], &["report"]),
    (&["std", "fs"], &["source", "cli"]),
];

/// Macros that write to the terminal, and the rooms that may.
const PRINTING: (&[&str], &[&str]) = (&["print", "println", "eprint", "eprintln", "dbg"], &["report", "cli"]);

/// Files stay below 400 lines, tests not counted; one longer than this belongs split.
const MAX_LINES: usize = 500;

#[test]
fn every_file_keeps_to_its_room() {
    let src = root().join("src");
    let mut problems = Vec::new();
    let mut checked = 0;
    for (path, text) in files(&src).into_iter().filter(|(path, _)| path.ends_with(".rs")) {
        problems.extend(check(&path, &String::from_utf8(text).unwrap()));
        checked += 1;
    }
    assert!(checked > 1, "no sources under {}", src.display());
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn rooms_use_only_rooms_above_them() {
    for (index, (room, uses)) in ROOMS.iter().enumerate() {
        for used in *uses {
            assert!(ROOMS[..index].iter().any(|(above, _)| above == used), "`{room}` uses `{used}`");
        }
    }
}

#[test]
fn the_page_on_architecture_tells_the_same() {
    let page = include_str!("../../ARCHITECTURE.md");
    for (room, uses) in ROOMS {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{room}` |")));
        let row = row.unwrap_or_else(|| panic!("ARCHITECTURE.md has no row for `{room}`"));
        let reported = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
        let expected = if uses.is_empty() { "nothing".to_owned() } else { uses.join(", ") };
        assert_eq!(reported, expected, "row of `{room}` in ARCHITECTURE.md");
    }
}

#[test]
fn each_check_can_fail() {
    let long = "const A: u8 = 0;\n".repeat(MAX_LINES + 1);
    let cases = [
        ("source/a.rs", "use crate::yaml::Node;", "source/a.rs:1: `source` may not use yaml"),
        (
            "yaml/a.rs",
            "use crate::{\n  source::Span,\n  graph::{Graph, Edge},\n};",
            "yaml/a.rs:3: `yaml` may not use graph",
        ),
        ("graph/a.rs", "fn f(x: &crate::rules::Rule) {}", "graph/a.rs:1: `graph` may not use rules"),
        ("graph/mod.rs", "use super::rules::Rule;", "graph/mod.rs:1: `graph` may not use rules"),
        ("graph/a.rs", "mod b { use super::super::super::rules::Rule; }", "graph/a.rs:1: `graph` may not use rules"),
        ("graph/a.rs", "fn f() { g::<crate::report::Format>() }", "graph/a.rs:1: `graph` may not use report"),
        ("rules/a.rs", "fn f() { crate::lint() }", "rules/a.rs:1: `rules` may not use the crate root"),
        ("attic/mod.rs", "", "attic/mod.rs: `attic` is not in the table of rooms"),
        ("flux/a.rs", "use granit_parser::Parser;", "flux/a.rs:1: `granit_parser` is for yaml"),
        ("rules/a.rs", "fn f() { ::serde_yaml::from_str(X) }", "rules/a.rs:1: `serde_yaml` is for yaml"),
        ("rules/a.rs", "use {petgraph::Graph};", "rules/a.rs:1: `petgraph` is for graph"),
        ("kustomize/a.rs", "use walkdir::WalkDir;", "kustomize/a.rs:1: `walkdir` is for source"),
        ("change/a.rs", "fn f(x: gix::ObjectId) {}", "change/a.rs:1: `gix` is for source"),
        ("cluster/a.rs", "use globset::Glob;", "cluster/a.rs:1: `globset` is for source"),
        ("report/a.rs", "#[derive(clap::ValueEnum)] enum A { B }", "report/a.rs:1: `clap` is for cli"),
        ("finding/a.rs", "impl miette::Diagnostic for A {}", "finding/a.rs:1: `miette` is for report, cli"),
        ("cluster/a.rs", "use std::{fs, io};", "cluster/a.rs:1: `std::fs` is for source, cli"),
        ("graph/a.rs", "fn f() { println!(\"x\") }", "graph/a.rs:1: `println!` is for report, cli"),
        ("graph/a.rs", &long, "graph/a.rs: 501 lines, at most 500"),
    ];
    for (path, text, expected) in cases {
        assert_eq!(check(path, text), [expected], "{text:.80}");
    }
}

#[test]
fn what_is_allowed_passes() {
    let tests = format!("#[cfg(test)]\nmod tests {{\n use crate::cli::run;\n{}}}\n", "fn f() {}\n".repeat(MAX_LINES));
    let cases = [
        ("lib.rs", "use crate::{cli::run, yaml::parse};"),
        ("main.rs", "fn main() { fluxdag::cli::run(); }"),
        ("cli/lint.rs", "fn f() { crate::lint(); println!(\"x\"); }"),
        (
            "yaml/mod.rs",
            "//! See [`crate::cli`].\npub(super) mod a; pub use self::a::B; use crate::{source::Span, yaml::Node};",
        ),
        ("flux/a.rs", "use super::cluster::Local; fn f(ignore: bool) -> bool { x.petgraph.ignore(\"clap::Parser\") }"),
        ("graph/a.rs", tests.as_str()),
        ("graph/tests.rs", "use crate::cli::run;"),
        ("graph/solve/tests/oracle.rs", "use walkdir::WalkDir;"),
    ];
    for (path, text) in cases {
        assert_eq!(check(path, text), [""; 0], "{text:.80}");
    }
}

/// Everything wrong with one source file; `path` is relative to `src/`.
fn check(path: &str, text: &str) -> Vec<String> {
    if path.ends_with("/tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    let source = Source::read(path, text);
    let room = source.module.first().map_or(ROOT, String::as_str);
    let row = ROOMS.iter().find(|(name, _)| *name == room);
    let mut problems = Vec::new();
    if row.is_none() && room != ROOT {
        problems.push(format!("{path}: `{room}` is not in the table of rooms"));
    }
    for Name { segments, line } in &source.paths {
        if let (Some((_, allowed)), Some(target)) = (row, target(segments))
            && target != room
            && !allowed.contains(&target)
            && (room, target) != ("cli", ROOT)
        {
            problems.push(format!("{path}:{line}: `{room}` may not use {target}"));
        }
        for (owned, owners) in OWNED {
            let names_it = segments.len() > 1 && owned.iter().zip(segments).all(|(owned, segment)| owned == segment);
            if names_it && !owners.contains(&room) {
                problems.push(format!("{path}:{line}: `{}` is for {}", owned.join("::"), owners.join(", ")));
            }
        }
    }
    // The leaves of one `use` tree share their line.
    problems.dedup();
    let (macros, printers) = PRINTING;
    for (name, line) in &source.macros {
        if macros.contains(&name.as_str()) && !printers.contains(&room) {
            problems.push(format!("{path}:{line}: `{name}!` is for {}", printers.join(", ")));
        }
    }
    if source.lines > MAX_LINES {
        problems.push(format!("{path}: {} lines, at most {MAX_LINES}", source.lines));
    }
    problems
}

/// The room that a path leads into, or [`ROOT`] where it leads to what the crate root defines.
fn target(segments: &[String]) -> Option<&str> {
    let (first, second) = (segments.first()?, segments.get(1)?);
    let is_room = ROOMS.iter().any(|(name, _)| name == second);
    (first == "crate").then_some(if is_room { second } else { ROOT })
}

/// What one file names, its tests left out.
struct Source {
    /// The module of the file, below the crate root.
    module: Vec<String>,
    paths: Vec<Name>,
    macros: Vec<(String, usize)>,
    lines: usize,
}

/// A path in a file, and its line. `self` and `super` are replaced by what they stand for.
struct Name {
    segments: Vec<String>,
    line: usize,
}

impl Source {
    fn read(path: &str, text: &str) -> Self {
        let mut module: Vec<String> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        module.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut source =
            Self { module: module.clone(), paths: Vec::new(), macros: Vec::new(), lines: text.lines().count() };
        source.walk(tokens, &mut module);
        source
    }

    fn walk(&mut self, tokens: TokenStream, module: &mut Vec<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at += match &tokens[at..] {
                [TokenTree::Punct(hash), TokenTree::Group(attribute), rest @ ..]
                    if hash.as_char() == '#' && attribute.to_string().replace(' ', "") == "[cfg(test)]" =>
                {
                    self.skip_item(hash.span(), rest) + 2
                }
                [TokenTree::Ident(keyword), TokenTree::Ident(name), TokenTree::Group(body), ..] if keyword == "mod" => {
                    module.push(name.to_string());
                    self.walk(body.stream(), module);
                    module.pop();
                    3
                }
                [TokenTree::Ident(name), TokenTree::Punct(bang), ..] if bang.as_char() == '!' => {
                    self.macros.push((name.to_string(), line(name.span())));
                    1
                }
                [TokenTree::Ident(_), ..] if !continues_path(&tokens[..at]) => {
                    self.read_path(&tokens[at..], &[], module)
                }
                [TokenTree::Group(group), ..] => {
                    self.walk(group.stream(), module);
                    1
                }
                _ => 1,
            };
        }
    }

    /// Takes the lines of a test item out of the count. Returns how many tokens it has.
    fn skip_item(&mut self, start: Span, tokens: &[TokenTree]) -> usize {
        let ends_item = |token: &TokenTree| match token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            other => is_punct(Some(other), ';'),
        };
        let Some(last) = tokens.iter().position(ends_item) else { return tokens.len() };
        self.lines -= tokens[last].span().end().line + 1 - line(start);
        last + 1
    }

    /// Reads the path that `tokens` start with, or each path of a `use` tree. Returns how many tokens it took.
    fn read_path(&mut self, tokens: &[TokenTree], prefix: &[String], module: &[String]) -> usize {
        let mut segments = prefix.to_vec();
        let mut at = 0;
        loop {
            match tokens.get(at) {
                Some(TokenTree::Ident(name)) => segments.push(name.to_string()),
                Some(TokenTree::Group(tree)) if tree.delimiter() == Delimiter::Brace && at > 0 => {
                    let tokens: Vec<TokenTree> = tree.stream().into_iter().collect();
                    for branch in tokens.split(|token| is_punct(Some(token), ',')) {
                        self.read_path(branch, &segments, module);
                    }
                    return at + 1;
                }
                _ => break,
            }
            at += 1;
            if !(is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')) {
                break;
            }
            at += 2;
        }
        if let Some(first) = tokens.first() {
            self.paths.push(Name { segments: absolute(segments, module), line: line(first.span()) });
        }
        at.max(1)
    }
}

/// Replaces leading `self` and `super` by the module they stand for.
fn absolute(segments: Vec<String>, module: &[String]) -> Vec<String> {
    let supers = segments.iter().take_while(|segment| *segment == "super").count();
    let relative = supers + usize::from(segments[0] == "self");
    if relative == 0 {
        return segments;
    }
    let base = &module[..module.len().saturating_sub(supers)];
    [&["crate".to_owned()], base, &segments[relative..]].concat()
}

/// Whether what follows `before` is not the first segment of its path.
fn continues_path(before: &[TokenTree]) -> bool {
    match before {
        [.., head, TokenTree::Punct(first), TokenTree::Punct(second)]
            if first.as_char() == ':' && second.as_char() == ':' =>
        {
            matches!(head, TokenTree::Ident(_)) || is_punct(Some(head), '>')
        }
        [.., last] => is_punct(Some(last), '.'),
        [] => false,
    }
}

fn is_punct(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

fn line(span: Span) -> usize {
    span.start().line
}
