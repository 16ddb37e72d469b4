use std::{cell::RefCell, rc::Rc, thread};

use cel::{
    common::ast::{EntryExpr, Expr, IdedEntryExpr, IdedExpr},
    parser::Parser,
};
use rustc_hash::FxHashMap;

use super::ExpressionError;

/// Longest expression that is read, in bytes. Real ones have a few hundred.
const LONGEST: usize = 4096;

/// Most brackets open at once. The generated parser calls itself several times for each before it counts them.
const NESTED: usize = 24;

/// Deepest tree, so that what walks it may call itself.
const DEEPEST: usize = 200;

/// Stack of the thread that parses: what the limits above allow fits with room to spare.
const STACK: usize = 32 << 20;

/// Expressions that a thread remembers. A repository uses a few of them again and again, and parsing one takes longer than
/// all else that is done with it.
const REMEMBERED: usize = 256;

thread_local! {
    static KNOWN: RefCell<FxHashMap<String, Result<Rc<Parsed>, ExpressionError>>> = RefCell::default();
}

/// An expression as a tree of limited depth, macros expanded.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) root: IdedExpr,
}

impl Parsed {
    /// Parses `text`.
    pub(super) fn read(text: &str) -> Result<Rc<Self>, ExpressionError> {
        if text.len() > LONGEST || nesting(text) > NESTED {
            return Err(ExpressionError::TooLarge);
        }
        if let Some(known) = KNOWN.with_borrow(|known| known.get(text).cloned()) {
            return known;
        }
        let read = Self::parse(text).map(Rc::new);
        KNOWN.with_borrow_mut(|known| {
            if known.len() < REMEMBERED {
                known.insert(text.to_owned(), read.clone());
            }
        });
        read
    }

    fn parse(text: &str) -> Result<Self, ExpressionError> {
        let text = text.to_owned();
        let parser = thread::Builder::new().stack_size(STACK).spawn(move || parse(&text));
        // A parser that gave up, and a thread that could not be had, tell nothing about the expression.
        parser.ok().and_then(|parser| parser.join().ok()).unwrap_or(Err(ExpressionError::TooLarge))
    }
}

fn parse(text: &str) -> Result<Parsed, ExpressionError> {
    let parser = Parser::new().max_recursion_depth(64).error_recovery_limit(4).enable_optional_syntax(true);
    match parser.parse(text) {
        Ok(root) if depth(&root, DEEPEST + 1) > DEEPEST => Err(ExpressionError::TooLarge),
        Ok(root) => Ok(Parsed { root }),
        Err(errors) => {
            let Some(first) = errors.errors.first() else { return Err(ExpressionError::TooLarge) };
            if first.msg.contains("Recursion limit") {
                return Err(ExpressionError::TooLarge);
            }
            let position = |at: isize| usize::try_from(at).unwrap_or_default();
            let message = first.msg.trim_start_matches("Syntax error: ");
            // What would have been expected is a list of all there is.
            let message = message.split(" expecting ").next().unwrap_or(message).to_owned();
            Err(ExpressionError::Syntax { message, line: position(first.pos.0), column: position(first.pos.1) })
        }
    }
}

/// Most brackets open at once; those in text literals count as well, which errs on the safe side.
fn nesting(text: &str) -> usize {
    let mut open: usize = 0;
    let mut most = 0;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                open += 1;
                most = most.max(open);
            }
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// How deep the tree is, looked at no deeper than `most`.
fn depth(expr: &IdedExpr, most: usize) -> usize {
    if most == 0 {
        return 0;
    }
    let deepest = children(expr).into_iter().map(|child| depth(child, most - 1)).max();
    1 + deepest.unwrap_or_default()
}

/// The expressions right below one, in the order of the text.
pub(super) fn children(expr: &IdedExpr) -> Vec<&IdedExpr> {
    match &expr.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(parts).collect(),
        Expr::Struct(made) => made.entries.iter().flat_map(parts).collect(),
        Expr::Comprehension(loops) => {
            vec![&loops.iter_range, &loops.accu_init, &loops.loop_cond, &loops.loop_step, &loops.result]
        }
    }
}

fn parts(entry: &IdedEntryExpr) -> Vec<&IdedExpr> {
    match &entry.expr {
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
        EntryExpr::StructField(entry) => vec![&entry.value],
    }
}
