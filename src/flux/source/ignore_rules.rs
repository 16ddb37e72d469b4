use rustc_hash::FxHashMap;

use super::glob::Glob;
use crate::source::{FileId, Tree, parent};

const IGNORE_FILE: &str = ".sourceignore";

/// Left out whatever the patterns say (unless they take it in again).
const VERSION_CONTROL: [&str; 4] = [".git/", ".gitignore", ".gitmodules", ".gitattributes"];

/// File name endings left out where nobody gives patterns.
const EXTENSIONS: [&str; 8] = [".jpg", ".jpeg", ".gif", ".png", ".wmv", ".flv", ".tar.gz", ".zip"];

/// Names left out at any depth where nobody gives patterns: CI and tool configuration.
const NAMES: [&str; 10] = [
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    ".goreleaser.yml",
    ".sops.yaml",
    ".flux.yaml",
];

/// Folders left out at any depth where nobody gives patterns.
const FOLDERS: [&str; 2] = [".github", ".circleci"];

/// Which files of a source get into its artifact (source-controller v1.9 with `fluxcd/pkg/sourceignore` and
/// `artifact/storage.SourceIgnoreFilter`).
///
/// Version control files stay out. Patterns come from `.sourceignore` files, each for its folder, then from
/// `spec.ignore`; without any, a list of pictures, archives and CI files stays out too. Patterns have the meaning that
/// go-git v5 gives them (`plumbing/format/gitignore`): the last one that matches decides, and unlike in git a file can
/// come back in below a folder that is out.
#[derive(Debug, Default)]
pub struct IgnoreRules {
    patterns: Vec<Pattern>,
    /// The patterns that can match nothing but paths with this part, ascending.
    by_part: FxHashMap<String, Vec<usize>>,
    /// All others, ascending.
    others: Vec<usize>,
    is_cut: bool,
}

/// Most patterns of one source.
const PATTERNS: usize = 10_000;

/// Most of them without a part that is a plain name: each path is compared with all of those.
const WILD: usize = 250;

/// Characters of the longest.
const LONGEST: usize = 4_096;

impl IgnoreRules {
    /// The rules of a Git source whose root is `folder` of `tree`. `spec_ignore` is `spec.ignore` of the source.
    #[must_use]
    pub fn for_git(tree: &Tree, folder: &str, spec_ignore: Option<&str>) -> Self {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let files = tree.files().filter_map(|file| Some((tree.path(file).strip_prefix(prefix.as_str())?, file)));
        Self::for_files(tree, files, spec_ignore)
    }

    /// The rules of a source that holds `files`, paths relative to its root.
    #[must_use]
    pub fn for_files<'a>(
        tree: &Tree,
        files: impl Iterator<Item = (&'a str, FileId)>,
        spec_ignore: Option<&str>,
    ) -> Self {
        let mut files: Vec<_> = files
            .filter_map(|(below, file)| {
                let scope = below.strip_suffix(IGNORE_FILE)?;
                (scope.is_empty() || scope.ends_with('/')).then(|| (segments(parent(below)), file))
            })
            .collect();
        // The order of a walk: a folder before what lies in it, siblings by name.
        files.sort_unstable();
        let mut patterns = Vec::new();
        let mut is_long = false;
        let mut add = |text: &str, scope: &[String]| {
            is_long |= text.lines().any(|line| line.len() > LONGEST);
            patterns.extend(read(text, scope).take((PATTERNS + 1).saturating_sub(patterns.len())));
        };
        for (scope, file) in files {
            add(tree.text(file).unwrap_or_default(), &scope);
        }
        add(spec_ignore.unwrap_or_default(), &[]);
        if !patterns.is_empty() {
            let version_control = VERSION_CONTROL.iter().filter_map(|line| Pattern::new(line, &[]));
            patterns.splice(0..0, version_control.collect::<Vec<_>>());
        }
        let rules = Self::indexed(patterns);
        Self { is_cut: rules.is_cut || is_long, ..rules }
    }

    /// Patterns, by the rarest of their plain parts. Those that are too many are left out.
    fn indexed(mut patterns: Vec<Pattern>) -> Self {
        let number = patterns.len();
        let mut wild = 0;
        patterns.truncate(PATTERNS);
        patterns.retain(|pattern| {
            wild += usize::from(pattern.parts().next().is_none());
            pattern.parts().next().is_some() || wild <= WILD
        });
        let mut rules = Self { is_cut: patterns.len() < number, ..Self::default() };
        let mut number_of: FxHashMap<&str, usize> = FxHashMap::default();
        patterns.iter().flat_map(Pattern::parts).for_each(|part| *number_of.entry(part).or_default() += 1);
        for (index, pattern) in patterns.iter().enumerate() {
            match pattern.parts().min_by_key(|part| number_of.get(part).copied()) {
                Some(part) => rules.by_part.entry(part.to_owned()).or_default().push(index),
                None => rules.others.push(index),
            }
        }
        Self { patterns, ..rules }
    }

    /// Whether there are more patterns than are followed, or longer ones.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether the file at `path`, relative to the root of the source, is in the artifact.
    #[must_use]
    pub fn keeps(&self, path: &str) -> bool {
        if self.patterns.is_empty() {
            return !left_out_by_default(path);
        }
        let path: Vec<&str> = path.split('/').collect();
        let mut decisive: Option<usize> = None;
        let by_part = path.iter().filter_map(|part| self.by_part.get(*part));
        for candidates in by_part.chain([&self.others]) {
            let later = candidates.iter().rev().take_while(|index| decisive.is_none_or(|known| **index > known));
            let found = later.copied().find(|index| self.patterns[*index].matches(&path));
            decisive = found.or(decisive);
        }
        decisive.is_none_or(|index| self.patterns[index].inclusion)
    }
}

/// What [`VERSION_CONTROL`] and the default lists mean as patterns, without the cost of patterns.
fn left_out_by_default(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let by_name = |name: &str| match name.as_bytes() {
        [b'.' | b'a' | b'c', ..] => NAMES.contains(&name) || VERSION_CONTROL.contains(&name),
        _ => false,
    };
    let out = |name: &str| by_name(name) || EXTENSIONS.iter().any(|ending| name.ends_with(ending));
    let folder_out = |name: &str| name == ".git" || FOLDERS.contains(&name) || out(name);
    out(name) || (!folders.is_empty() && folders.split('/').any(folder_out))
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

fn read<'t>(text: &'t str, scope: &'t [String]) -> impl Iterator<Item = Pattern> + use<'t> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty() && line.len() <= LONGEST);
    lines.filter_map(move |line| Pattern::new(line, scope))
}

/// One line of an ignore file.
#[derive(Debug)]
struct Pattern {
    /// The folder it holds for.
    scope: Vec<String>,
    segments: Vec<Segment>,
    /// Whether it takes in (`!`) what it matches.
    inclusion: bool,
    /// Whether it ends in `/`.
    folders_only: bool,
    /// Whether it has a `/` elsewhere, and so holds for a path rather than a name.
    path: bool,
}

#[derive(Debug)]
enum Segment {
    Empty,
    AnyFolders,
    Name(Glob),
    /// A `**` beside other characters, or a malformed pattern: nothing matches.
    Never,
}

impl Segment {
    fn new(text: &str) -> Self {
        match text {
            "" => Self::Empty,
            "**" => Self::AnyFolders,
            text if text.contains("**") => Self::Never,
            text => Glob::new(text).map_or(Self::Never, Self::Name),
        }
    }

    fn matches(&self, name: &str) -> bool {
        matches!(self, Self::Name(glob) if glob.matches(name))
    }
}

impl Pattern {
    /// Its plain parts. A path that it matches has all of them.
    fn parts(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Name(glob) => glob.literal(),
            _ => None,
        })
    }

    /// go-git v5 `ParsePattern`. `None` for a line that can match nothing.
    fn new(line: &str, scope: &[String]) -> Option<Self> {
        let (inclusion, line) = line.strip_prefix('!').map_or((false, line), |line| (true, line));
        let line = if line.ends_with("\\ ") { line } else { line.trim_end_matches(' ') };
        let (folders_only, line) = line.strip_suffix('/').map_or((false, line), |line| (true, line));
        let path = line.contains('/');
        let segments: Vec<_> =
            if path { line.split('/').map(Segment::new).collect() } else { vec![Segment::Name(Glob::new(line)?)] };
        Some(Self { scope: scope.to_vec(), segments, inclusion, folders_only, path })
    }

    /// Whether it decides over the file at `path`.
    fn matches(&self, path: &[&str]) -> bool {
        if path.len() <= self.scope.len() || self.scope.iter().zip(path).any(|(own, segment)| own != segment) {
            return false;
        }
        let path = &path[self.scope.len()..];
        if self.path { self.matches_path(path) } else { self.matches_name(path) }
    }

    /// go-git v5 `simpleNameMatch`, for files.
    fn matches_name(&self, path: &[&str]) -> bool {
        let found = self.segments.first().and_then(|name| path.iter().position(|segment| name.matches(segment)));
        found.is_some_and(|at| !self.folders_only || at + 1 < path.len())
    }

    /// go-git v5 `globMatch`, for files.
    fn matches_path(&self, mut path: &[&str]) -> bool {
        let mut matched = false;
        let mut anywhere = false;
        for (index, segment) in self.segments.iter().enumerate() {
            let is_last = index + 1 == self.segments.len();
            match segment {
                Segment::Empty => {
                    anywhere = false;
                    continue;
                }
                Segment::AnyFolders if is_last => break,
                Segment::AnyFolders => {
                    anywhere = true;
                    continue;
                }
                _ => {}
            }
            let Some((first, below)) = path.split_first() else { return false };
            if std::mem::take(&mut anywhere) {
                let found = path.iter().position(|name| segment.matches(name));
                matched = found.is_some();
                path = found.map_or(&[], |at| &path[at + 1..]);
            } else if segment.matches(first) {
                path = below;
                // A file where the pattern wants a folder.
                matched = is_last || !path.is_empty();
            } else {
                return false;
            }
        }
        matched && !(self.folders_only && path.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(files: &[(&str, &str)], spec_ignore: Option<&str>) -> IgnoreRules {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        IgnoreRules::for_git(&Tree::from_memory(files), "", spec_ignore)
    }

    fn check(rules: &IgnoreRules, kept: &[&str], out: &[&str]) {
        for path in kept {
            assert!(rules.keeps(path), "{path} is kept");
        }
        for path in out {
            assert!(!rules.keeps(path), "{path} is left out");
        }
    }

    const DEFAULTS: [&str; 9] = [
        "a/b.png",
        "x.tar.gz",
        ".github/workflows/a.yaml",
        "sub/.circleci/a",
        "cloudbuild.yaml",
        "deep/down/.sops.yaml",
        ".flux.yaml",
        "release.zip/a.yaml",
        "a/appveyor.yml/b.yaml",
    ];
    const VERSION_CONTROL_FILES: [&str; 5] =
        [".git/config", "sub/.git/a.yaml", "a/.gitignore", ".gitmodules", ".gitattributes"];
    const PLAIN: [&str; 6] = ["a.yaml", ".github", ".sourceignore", "apps/.hidden/x.yaml", "png", "sops.yaml"];

    #[test]
    fn without_patterns_the_defaults_hold() {
        for spec_ignore in [None, Some(""), Some("# nothing\n\n  \n")] {
            let rules = rules(&[("a.yaml", "")], spec_ignore);
            check(&rules, &PLAIN, &DEFAULTS);
            check(&rules, &[], &VERSION_CONTROL_FILES);
        }
    }

    #[test]
    fn one_pattern_drops_the_defaults_but_not_version_control() {
        for rules in [rules(&[("sub/.sourceignore", "x\n")], None), rules(&[], Some("sub/x"))] {
            check(&rules, &DEFAULTS, &["sub/x"]);
            check(&rules, &PLAIN, &VERSION_CONTROL_FILES);
        }
    }

    #[test]
    fn a_file_comes_back_below_a_folder_that_is_out() {
        let patterns = "/*\n!/deploy\n/deploy/**/*.md\n/deploy/**/*.txt\n";
        let kept = ["deploy/a.yaml", "deploy/x/y.yaml", "deploy/a.md.yaml"];
        check(&rules(&[], Some(patterns)), &kept, &["a.yaml", "src/a.yaml", "deploy/a.md", "deploy/x/y/z.txt"]);
        check(&rules(&[], Some("clusters/\n!clusters/a/x.yaml")), &["clusters/a/x.yaml"], &["clusters/a/y.yaml"]);
    }

    #[test]
    fn ignore_files_hold_below_their_folder_and_the_last_match_wins() {
        let files = [(".sourceignore", "*.md\n"), ("a/.sourceignore", "!keep.md\r\n/only\nb/c.yaml\n")];
        let kept = ["keep.yaml", "a/keep.md", "a/x/keep.md", "only/x", "b/c.yaml", "a/x/b/c.yaml", "a/x/only/y"];
        check(&rules(&files, None), &kept, &["keep.md", "a/x.md", "a/only/x", "a/only", "a/b/c.yaml"]);
        check(&rules(&files, Some("a/keep.md")), &["a/x/keep.md"], &["a/keep.md"]);
    }

    #[test]
    fn folder_patterns_and_odd_lines() {
        let rules = rules(&[], Some("docs/\n**/tmp/**\nx**y\n[\nfoo/*/bar\n a \n"));
        let kept = ["docs", "foo/bar", "a"];
        check(&rules, &kept, &["docs/a", "xAy", "x/docs/a", "tmp", "a/tmp/b", "foo/x/bar", "foo/x/bar/y", " a"]);
    }

    #[test]
    fn scopes_are_relative_to_the_root_of_the_source() {
        let files = [("repo/.sourceignore", "/x\n"), (".sourceignore", "y\n"), ("repository/.sourceignore", "z\n")];
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        let rules = IgnoreRules::for_git(&Tree::from_memory(files), "repo", None);
        check(&rules, &["y", "z", "a/x"], &["x/a"]);
    }

    /// Against the plain search from the last pattern on, on patterns whose parts are found in each other.
    #[test]
    fn the_index_finds_what_a_search_finds() {
        let parts = ["a", "b", "*", "**", "a*", "c"];
        let lines = parts.iter().flat_map(|one| parts.iter().map(move |other| (one, other)));
        let lines: Vec<String> = lines
            .flat_map(|(one, other)| {
                [format!("{one}/{other}"), format!("!/{one}/{other}/"), format!("!{one}"), format!("{other}/")]
            })
            .collect();
        for step in 1..lines.len() {
            let some: Vec<&str> = lines.iter().cycle().step_by(step).take(9).map(String::as_str).collect();
            let rules = rules(&[], Some(&some.join("\n")));
            for path in ["a", "b", "a/b", "b/a", "a/a", "a/b/c", "c/b/a", "ab", "ab/c", "x/y", "b/c/a/b"] {
                let split: Vec<&str> = path.split('/').collect();
                let plain = rules.patterns.iter().rev().find(|pattern| pattern.matches(&split));
                assert_eq!(rules.keeps(path), plain.is_none_or(|pattern| pattern.inclusion), "{path} by {some:?}");
            }
        }
    }

    #[test]
    fn what_is_too_much_is_cut() {
        let lines =
            |line: &str, number: usize| (0..number).map(|at| line.replace('N', &at.to_string())).collect::<String>();
        assert!(!rules(&[], Some(&lines("nameN\n", 9_000))).is_cut());
        assert!(rules(&[], Some(&lines("nameN\n", 11_000))).is_cut());
        assert!(rules(&[], Some(&lines("*xN\n", 1_100))).is_cut());
        assert!(rules(&[], Some(&"x".repeat(5_000))).is_cut());
    }

    #[test]
    fn many_files_take_no_time() {
        let paths: Vec<_> = (0..100_000).map(|n| format!("apps/team-{}/service-{n}/deployment.yaml", n % 50)).collect();
        let rules = rules(&[], None);
        let start = std::time::Instant::now();
        assert!(paths.iter().all(|path| rules.keeps(path)));
        // An unoptimised build takes several times as long as a release.
        assert!(start.elapsed().as_millis() < 1000, "{:?}", start.elapsed());
    }
}
