use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

use super::{
    ExpressionError,
    parse::{Parsed, children},
};

/// Functions of CEL's standard library, and of the libraries that fluxcd/pkg `runtime/cel` (`NewExpression`) adds:
/// optional types, strings, sets and encoders. The Kubernetes libraries are not among them.
const FUNCTIONS: &[&str] = &[
    "base64.decode",
    "base64.encode",
    "bool",
    "bytes",
    "charAt",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "first",
    "format",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "has",
    "hasValue",
    "indexOf",
    "int",
    "join",
    "last",
    "lastIndexOf",
    "lowerAscii",
    "matches",
    "optFlatMap",
    "optMap",
    "optional.none",
    "optional.of",
    "optional.ofNonZeroValue",
    "optional.unwrap",
    "or",
    "orValue",
    "quote",
    "replace",
    "reverse",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
    "size",
    "split",
    "startsWith",
    "string",
    "strings.quote",
    "substring",
    "timestamp",
    "trim",
    "type",
    "uint",
    "unwrap",
    "unwrapOpt",
    "upperAscii",
    "value",
];

/// Names that stand for types and packages, which are no variables.
const TYPES: &[&str] = &[
    "base64",
    "bool",
    "bytes",
    "double",
    "dyn",
    "google",
    "int",
    "list",
    "map",
    "null_type",
    "optional",
    "optional_type",
    "sets",
    "string",
    "strings",
    "type",
    "uint",
];

/// Every variable is one of `known`.
pub(super) fn variables(parsed: &Parsed, known: &[&str]) -> Result<(), ExpressionError> {
    let unknown = free(&parsed.root, &mut Vec::new(), &|name| !known.contains(&name) && !TYPES.contains(&name));
    unknown.map_or(Ok(()), |name| Err(ExpressionError::Variable(name.to_owned())))
}

/// No variable is one of `wrong`.
pub(super) fn no_variables(parsed: &Parsed, wrong: &[&str]) -> Result<(), ExpressionError> {
    let found = free(&parsed.root, &mut Vec::new(), &|name| wrong.contains(&name));
    found.map_or(Ok(()), |name| Err(ExpressionError::Variable(name.to_owned())))
}

/// The first variable that is bound by no macro and is `wanted`.
fn free<'e>(expr: &'e IdedExpr, bound: &mut Vec<&'e str>, wanted: &dyn Fn(&str) -> bool) -> Option<&'e str> {
    match &expr.expr {
        Expr::Ident(name) => (!bound.contains(&name.as_str()) && wanted(name)).then_some(name),
        Expr::Comprehension(loops) => {
            let outer = free(&loops.iter_range, bound, wanted).or_else(|| free(&loops.accu_init, bound, wanted));
            if outer.is_some() {
                return outer;
            }
            let depth = bound.len();
            bound.extend([loops.iter_var.as_str(), loops.accu_var.as_str()]);
            bound.extend(loops.iter_var2.as_deref());
            let inner = [&loops.loop_cond, &loops.loop_step, &loops.result];
            let found = inner.into_iter().find_map(|expr| free(expr, bound, wanted));
            bound.truncate(depth);
            found
        }
        // Macros of optional types, which the parser leaves as calls: the first argument is the variable.
        Expr::Call(CallExpr { func_name, target: Some(target), args }) if is_binding(func_name) => {
            let [variable, body] = args.as_slice() else { return None };
            let Expr::Ident(name) = &variable.expr else { return None };
            free(target, bound, wanted).or_else(|| {
                bound.push(name);
                let found = free(body, bound, wanted);
                bound.pop();
                found
            })
        }
        _ => children(expr).into_iter().find_map(|child| free(child, bound, wanted)),
    }
}

fn is_binding(function: &str) -> bool {
    matches!(function, "optMap" | "optFlatMap")
}

/// Every function that is called exists.
pub(super) fn functions(parsed: &Parsed) -> Result<(), ExpressionError> {
    unknown_function(&parsed.root).map_or(Ok(()), |name| Err(ExpressionError::Function(name)))
}

fn unknown_function(expr: &IdedExpr) -> Option<String> {
    if let Expr::Call(call) = &expr.expr {
        let package = call.target.as_deref().and_then(|target| match &target.expr {
            Expr::Ident(name) if TYPES.contains(&name.as_str()) => Some(name),
            _ => None,
        });
        let name = package.map_or_else(|| call.func_name.clone(), |package| format!("{package}.{}", call.func_name));
        // Operators carry marks that no name has.
        let is_operator = name.contains(['_', '@', '!', '?']) && !name.chars().next().is_some_and(char::is_alphabetic);
        if !is_operator && !FUNCTIONS.contains(&name.as_str()) {
            return Some(name);
        }
    }
    children(expr).into_iter().find_map(unknown_function)
}

/// The static type is `bool`, or may be.
pub(super) fn is_bool(parsed: &Parsed) -> Result<(), ExpressionError> {
    let found = match &parsed.root.expr {
        // A field of an object has no static type, whatever it holds.
        Expr::Select(select) if !select.test && !has_call(&parsed.root) => "dyn",
        Expr::Call(call) if call.func_name == operators::INDEX && !has_call_in(&call.args) => "dyn",
        Expr::Ident(name) if matches!(name.as_str(), "self" | "dep") => "map(string, dyn)",
        Expr::Literal(literal) => match literal {
            LiteralValue::Boolean(_) => return Ok(()),
            LiteralValue::Bytes(_) => "bytes",
            LiteralValue::Double(_) => "double",
            LiteralValue::Int(_) => "int",
            LiteralValue::Null => "null_type",
            LiteralValue::String(_) => "string",
            LiteralValue::UInt(_) => "uint",
        },
        Expr::List(_) => "list",
        Expr::Map(_) => "map",
        // `filter` and `map` collect into a list, the other macros count or decide.
        Expr::Comprehension(loops) if matches!(loops.accu_init.expr, Expr::List(_)) => "list",
        Expr::Call(call) => match call.func_name.as_str() {
            "size" | "int" | "indexOf" | "lastIndexOf" => "int",
            "string" | "lowerAscii" | "upperAscii" | "trim" | "replace" | "substring" | "join" | "format" => "string",
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    Err(ExpressionError::NotBool(found))
}

/// Whether a chain of fields begins with anything but fields and indices.
fn has_call(expr: &IdedExpr) -> bool {
    match &expr.expr {
        Expr::Select(select) => has_call(&select.operand),
        Expr::Call(call) if call.func_name == operators::INDEX => has_call_in(&call.args),
        Expr::Ident(_) | Expr::Literal(_) => false,
        _ => true,
    }
}

fn has_call_in(args: &[IdedExpr]) -> bool {
    args.iter().any(has_call)
}

/// Whether `variable.field` is read anywhere.
pub(super) fn reads_field(parsed: &Parsed, variable: &str, field: &str) -> bool {
    fn reads(expr: &IdedExpr, variable: &str, field: &str) -> bool {
        let is_variable = |expr: &IdedExpr| matches!(&expr.expr, Expr::Ident(name) if name == variable);
        let is_text =
            |expr: &IdedExpr| matches!(&expr.expr, Expr::Literal(LiteralValue::String(text)) if text.inner() == field);
        let here = match &expr.expr {
            Expr::Select(select) => select.field == field && is_variable(&select.operand),
            Expr::Call(call) => matches!(call.args.as_slice(), [of, key] if is_variable(of) && is_text(key)),
            _ => false,
        };
        here || children(expr).into_iter().any(|child| reads(child, variable, field))
    }
    reads(&parsed.root, variable, field)
}
