//! The result report of Checkstyle, which many review tools read.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use quick_xml::events::{BytesEnd, BytesStart, Event};

use super::{Places, Spot, levels, story, xml};
use crate::{finding::Finding, report::Report};

/// The version of Checkstyle whose form this is. Readers want one and go by the elements.
const VERSION: &str = "4.3";

/// An element for each file, an element in it for each finding.
pub(super) fn write(report: &Report<'_>, places: &Places<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut files: BTreeMap<String, Vec<(Spot, &Finding)>> = BTreeMap::new();
    for finding in report.findings {
        let spot = places.primary_or_stand_in(finding);
        files.entry(spot.path.clone()).or_default().push((spot, finding));
    }
    let mut writer = xml::writer(out)?;
    let root = BytesStart::new("checkstyle").with_attributes([("version", VERSION)]);
    if files.is_empty() {
        writer.write_event(Event::Empty(root))?;
        return xml::finish(writer);
    }
    writer.write_event(Event::Start(root))?;
    for (path, findings) in files {
        let name = xml::line(&path);
        writer.write_event(Event::Start(BytesStart::new("file").with_attributes([("name", name.as_ref())])))?;
        for (spot, finding) in findings {
            writer.write_event(Event::Empty(element(places, &spot, finding)))?;
        }
        writer.write_event(Event::End(BytesEnd::new("file")))?;
    }
    writer.write_event(Event::End(BytesEnd::new("checkstyle")))?;
    xml::finish(writer)
}

fn element(places: &Places<'_>, spot: &Spot, finding: &Finding) -> BytesStart<'static> {
    let mut text = finding.message.clone();
    if places.primary(finding).is_none() {
        text = format!("{text} {}", story::place(places, finding));
    }
    if !finding.help.is_empty() {
        text = format!("{text}; help: {}", finding.help);
    }
    let (line, column) = (spot.start.line.to_string(), spot.start.column.to_string());
    let source = format!("fluxdag.{}", finding.rule);
    BytesStart::new("error").with_attributes([
        ("line", line.as_str()),
        ("column", column.as_str()),
        ("severity", levels(finding.severity).checkstyle),
        ("message", xml::line(&text).as_ref()),
        ("source", source.as_str()),
    ])
}
