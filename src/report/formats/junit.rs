//! JUnit's XML as CI servers read it: a suite for each file, a case for each finding.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use quick_xml::{
    Writer,
    events::{BytesEnd, BytesStart, BytesText, Event},
};

use super::{Places, Spot, levels, story, xml};
use crate::{finding::Finding, report::Report};

const TOOL: &str = env!("CARGO_PKG_NAME");

/// Errors and warnings fail, advice does not. A clean run has one case, for some readers take none as a fault.
pub(super) fn write(report: &Report<'_>, places: &Places<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: BTreeMap<String, Vec<(Spot, &Finding)>> = BTreeMap::new();
    for finding in report.findings {
        let spot = places.primary_or_stand_in(finding);
        suites.entry(spot.path.clone()).or_default().push((spot, finding));
    }
    let mut writer = xml::writer(out)?;
    let all = report.findings.len().max(1);
    writer.write_event(Event::Start(counted("testsuites", TOOL, all, failures(report.findings.iter()))))?;
    if suites.is_empty() {
        writer.write_event(Event::Start(counted("testsuite", TOOL, 1, 0)))?;
        writer.write_event(Event::Empty(case("no findings", TOOL)))?;
        writer.write_event(Event::End(BytesEnd::new("testsuite")))?;
    }
    for (path, findings) in suites {
        let name = xml::line(&path);
        let failures = failures(findings.iter().map(|(_, finding)| *finding));
        writer.write_event(Event::Start(counted("testsuite", &name, findings.len(), failures)))?;
        let mut names = BTreeSet::new();
        for (spot, finding) in findings {
            let unique = unique(&spot, finding, &mut names);
            writer.write_event(Event::Start(case(&unique, &name)))?;
            outcome(places, finding, &mut writer)?;
            writer.write_event(Event::End(BytesEnd::new("testcase")))?;
        }
        writer.write_event(Event::End(BytesEnd::new("testsuite")))?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuites")))?;
    xml::finish(writer)
}

fn failures<'f>(findings: impl Iterator<Item = &'f Finding>) -> usize {
    findings.filter(|finding| levels(finding.severity).junit.is_some()).count()
}

fn counted<'n>(element: &'static str, name: &str, tests: usize, failures: usize) -> BytesStart<'n> {
    let (tests, failures) = (tests.to_string(), failures.to_string());
    BytesStart::new(element).with_attributes([
        ("name", name),
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", "0"),
    ])
}

fn case(name: &str, class: &str) -> BytesStart<'static> {
    BytesStart::new("testcase").with_attributes([("name", name), ("classname", class)])
}

/// The name of a case: servers take two of one name for the same one.
fn unique(spot: &Spot, finding: &Finding, names: &mut BTreeSet<String>) -> String {
    let name = format!("{} {} ({}:{})", finding.rule, finding.subject, spot.start.line, spot.start.column);
    let name = xml::line(&name).into_owned();
    let mut candidate = name.clone();
    let mut number = 1;
    while !names.insert(candidate.clone()) {
        number += 1;
        candidate = format!("{name} #{number}");
    }
    candidate
}

fn outcome(places: &Places<'_>, finding: &Finding, writer: &mut Writer<&mut dyn Write>) -> io::Result<()> {
    let message = xml::line(&finding.message);
    let Some(kind) = levels(finding.severity).junit else {
        let property = BytesStart::new("property")
            .with_attributes([("name", finding.severity.to_string().as_str()), ("value", message.as_ref())]);
        writer.write_event(Event::Start(BytesStart::new("properties")))?;
        writer.write_event(Event::Empty(property))?;
        return writer.write_event(Event::End(BytesEnd::new("properties")));
    };
    let failure = BytesStart::new("failure").with_attributes([("type", kind), ("message", message.as_ref())]);
    let first = format!("{}: {}", story::place(places, finding), finding.message);
    let lines: Vec<String> =
        [xml::line(&first).into_owned()].into_iter().chain(story::lines(places, finding)).collect();
    writer.write_event(Event::Start(failure))?;
    writer.write_event(Event::Text(BytesText::new(&xml::lines(&lines.join("\n")))))?;
    writer.write_event(Event::End(BytesEnd::new("failure")))
}
