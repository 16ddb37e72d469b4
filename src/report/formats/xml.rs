use std::{
    borrow::Cow,
    io::{self, Write},
};

use quick_xml::{
    Writer,
    events::{BytesDecl, Event},
};

use crate::report::{printable, printable_lines};

/// A writer of indented XML, behind the declaration.
pub(super) fn writer(out: &mut dyn Write) -> io::Result<Writer<&mut dyn Write>> {
    let mut writer = Writer::new_with_indent(out, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    Ok(writer)
}

/// Ends the document.
pub(super) fn finish(writer: Writer<&mut dyn Write>) -> io::Result<()> {
    writeln!(writer.into_inner())
}

/// `text` on one line, without what XML 1.0 cannot hold.
pub(super) fn line(text: &str) -> Cow<'_, str> {
    legal(printable(text))
}

/// `text`, without what XML 1.0 cannot hold.
pub(super) fn lines(text: &str) -> Cow<'_, str> {
    legal(printable_lines(text))
}

/// Control characters are gone already. Two code points are left that no document may have (XML 1.0, production `Char`).
fn legal(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains(['\u{fffe}', '\u{ffff}']) {
        return Cow::Owned(text.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}"));
    }
    text
}
