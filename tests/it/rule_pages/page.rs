//! Reads a rule page: its title, summary and sections, and the repositories its fences make up.

/// A page of `rules/`.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The first heading.
    pub title: String,
    /// The paragraph below it.
    pub summary: String,
    /// The table of facts, name and value.
    pub facts: Vec<(String, String)>,
    /// The second-level headings, in order.
    pub sections: Vec<String>,
    /// The repositories under `## Bad`.
    pub bad: Vec<Case>,
    /// The repositories under `## Good`.
    pub good: Vec<Case>,
}

/// One small repository: the fences of a section, or of one `###` part of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Case {
    /// The `###` heading; empty where there is none.
    pub name: String,
    /// Path and text of each file.
    pub files: Vec<(String, String)>,
}

/// A finding that a comment `# finding: <words>` demands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Demand {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: u32,
    /// What the message must contain.
    pub words: String,
}

impl Page {
    /// Reads the text of a page. The error says what keeps it from being one.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut page = Self::default();
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            if let Some(info) = line.strip_prefix("```") {
                let mut body = String::new();
                loop {
                    match lines.next() {
                        Some(("```", _)) => break,
                        Some((line, _)) => body.extend([line, "\n"]),
                        None => return Err(format!("line {number}: the fence is never closed")),
                    }
                }
                page.fence(info, body).map_err(|error| format!("line {number}: {error}"))?;
            } else {
                page.prose(line);
            }
        }
        page.facts.retain(|(_, value)| !value.is_empty());
        for case in page.bad.iter().chain(&page.good) {
            if case.files.is_empty() {
                return Err(format!("the case `{}` has no file", case.name));
            }
        }
        Ok(page)
    }

    /// The value of a fact.
    pub(super) fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(fact, _)| fact == name).map(|(_, value)| value.as_str())
    }

    fn prose(&mut self, line: &str) {
        if let Some(title) = line.strip_prefix("# ") {
            self.title = title.to_owned();
        } else if let Some(section) = line.strip_prefix("## ") {
            self.sections.push(section.to_owned());
        } else if let Some(name) = line.strip_prefix("### ") {
            let case = Case { name: name.to_owned(), files: Vec::new() };
            if let Some(cases) = self.cases() {
                cases.push(case);
            }
        } else if self.sections.is_empty() {
            self.front(line);
        }
    }

    /// What stands before the first section: the summary, then the table.
    fn front(&mut self, line: &str) {
        let Some(row) = line.strip_prefix("| ") else {
            if self.summary.is_empty() && !line.starts_with('|') {
                self.summary = line.to_owned();
            }
            return;
        };
        let cells = row.trim_end_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned());
        if self.facts.is_empty() {
            self.facts = cells.map(|name| (name, String::new())).collect();
        } else {
            self.facts.iter_mut().zip(cells).for_each(|((_, value), cell)| *value = cell);
        }
    }

    fn fence(&mut self, info: &str, body: String) -> Result<(), String> {
        let Some(cases) = self.cases() else { return Ok(()) };
        let path = info.strip_prefix("yaml title=").ok_or("a fence of an example without `yaml title=<path>`")?;
        if cases.is_empty() {
            cases.push(Case::default());
        }
        let files = &mut cases.last_mut().expect("just filled").files;
        let is_with = |other: &str| state(other).is_none() || state(&body).is_none() || state(other) == state(&body);
        if files.iter().any(|(other, text)| other == path && is_with(text)) {
            return Err(format!("{path} is there twice"));
        }
        files.push((path.to_owned(), body));
        Ok(())
    }

    /// The cases of the section that is being read, where it has examples.
    fn cases(&mut self) -> Option<&mut Vec<Case>> {
        match self.sections.last()?.as_str() {
            "Bad" => Some(&mut self.bad),
            "Good" => Some(&mut self.good),
            _ => None,
        }
    }
}

/// Which of two revisions a file is in, where it is not in both: its first line says so.
fn state(text: &str) -> Option<&'static str> {
    ["before", "after"].into_iter().find(|state| text.lines().next() == Some(&format!("# {state}")))
}

impl Case {
    /// Whether it is about the step from one revision to the next.
    pub(super) fn is_change(&self) -> bool {
        self.files.iter().any(|(_, text)| state(text).is_some())
    }

    /// The files without those that are in the revision `other` alone.
    pub(super) fn without<'a>(&'a self, other: &'a str) -> impl Iterator<Item = &'a (String, String)> {
        self.files.iter().filter(move |(_, text)| state(text) != Some(other))
    }

    /// The findings its comments demand.
    pub(super) fn demands(&self) -> Vec<Demand> {
        let mut demands = Vec::new();
        for (path, text) in self.without("before") {
            for (line, number) in text.lines().zip(1..) {
                if let Some((_, words)) = line.split_once("# finding: ") {
                    demands.push(Demand { path: path.clone(), line: number, words: words.trim().to_owned() });
                }
            }
        }
        demands
    }
}

#[test]
fn a_page_is_taken_apart() {
    let text = "# some-rule\n\nWhat is wrong.\n\n| severity | since |\n|---|---|\n| error | `0.1.0` |\n\n## Why\n\n```text\n## no\n```\n\n\
                ## Bad\n\n```yaml title=a.yaml\na: 1\nb: 2 # finding: two words\n```\n\n### Second\n\n```yaml title=b/c.yaml\nc: 3\n```\n\n\
                ## Good\n\n```yaml title=a.yaml\na: 1\n```\n";
    let page = Page::parse(text).expect("well formed");
    assert_eq!((page.title.as_str(), page.summary.as_str()), ("some-rule", "What is wrong."));
    assert_eq!((page.fact("severity"), page.fact("since"), page.fact("x")), (Some("error"), Some("0.1.0"), None));
    assert_eq!(page.sections, ["Why", "Bad", "Good"]);
    let names: Vec<_> = page.bad.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["", "Second"]);
    assert_eq!(page.good, [Case { name: String::new(), files: vec![("a.yaml".to_owned(), "a: 1\n".to_owned())] }]);
    let demand = Demand { path: "a.yaml".to_owned(), line: 2, words: "two words".to_owned() };
    assert_eq!(page.bad[0].demands(), [demand]);
    assert_eq!(page.good[0].demands(), []);
}

#[test]
fn an_example_may_be_of_two_revisions() {
    let text = "# a\n\n## Bad\n\n```yaml title=a.yaml\n# before\na: 1 # finding: x\n```\n```yaml title=a.yaml\n# after\na: 2 # finding: y\n```\n\
                ```yaml title=b.yaml\nb: 1\n```\n";
    let page = Page::parse(text).expect("well formed");
    let case = &page.bad[0];
    assert!(case.is_change());
    let paths = |other: &'static str| case.without(other).map(|(path, _)| path.as_str()).collect::<Vec<_>>();
    assert_eq!((paths("after"), paths("before")), (vec!["a.yaml", "b.yaml"], vec!["a.yaml", "b.yaml"]));
    assert_eq!(case.demands(), [Demand { path: "a.yaml".to_owned(), line: 2, words: "y".to_owned() }]);
}

#[test]
fn a_page_that_cannot_be_run_is_refused() {
    for (text, reason) in [
        ("# a\n\n## Bad\n\n```yaml title=a.yaml\na: 1\n", "never closed"),
        ("# a\n\n## Bad\n\n```yaml\na: 1\n```\n", "title="),
        ("# a\n\n## Bad\n\n```yaml title=a\n```\n```yaml title=a\n```\n", "twice"),
        ("# a\n\n## Bad\n\n### Empty\n\n## Good\n", "no file"),
    ] {
        let error = Page::parse(text).expect_err(reason);
        assert!(error.contains(reason), "{error}");
    }
}
