//! The dialect of regular expressions: RE2's, where `.`, classes and case folding are about code points, and `\d`, `\w`,
//! `\s` and `\b` about ASCII (github.com/google/re2/wiki/Syntax).

use std::ops::Range;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{
    Assertion, AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSetItem, Flag, Flags, FlagsItemKind, Span,
    Visitor, visit,
};

/// Bound on the nesting of an expression; the recursion of the library is linear in it.
const NEST: u32 = 100;

/// Rewrites an expression with its ASCII classes written out, for a library whose own are Unicode's. The result is at
/// most one level deeper.
///
/// # Errors
/// The reason in words, for an expression that is not of the dialect.
pub(crate) fn written_out(text: &str) -> Result<String, String> {
    let ast = ParserBuilder::new().nest_limit(NEST).build().parse(text).map_err(|e| e.kind().to_string())?;
    let parts = visit(&ast, Parts::default())?;
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, instead) in parts {
        out.push_str(text.get(at..range.start).unwrap_or_default());
        match instead {
            Instead::Class(class) => out.push_str(class),
            Instead::Ascii => {
                out.push_str("(?-u:");
                out.push_str(text.get(range.clone()).unwrap_or_default());
                out.push(')');
            }
        }
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Ok(out)
}

enum Instead {
    Class(&'static str),
    /// The original text in a group of ASCII semantics, `(?-u:…)`.
    Ascii,
}

/// Parts of an expression to replace, in the order of the text.
#[derive(Default)]
struct Parts(Vec<(Range<usize>, Instead)>);

impl Parts {
    fn replace(&mut self, span: &Span, instead: Instead) {
        self.0.push((span.start.offset..span.end.offset, instead));
    }

    fn class(&mut self, class: &ClassPerl) {
        let written = match (&class.kind, class.negated) {
            (ClassPerlKind::Digit, false) => "[0-9]",
            (ClassPerlKind::Digit, true) => "[^0-9]",
            (ClassPerlKind::Space, false) => r"[\t\n\f\r ]",
            (ClassPerlKind::Space, true) => r"[^\t\n\f\r ]",
            (ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
            (ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
        };
        self.replace(&class.span, Instead::Class(written));
    }

    fn assertion(&mut self, assertion: &Assertion) {
        match assertion.kind {
            AssertionKind::StartLine
            | AssertionKind::EndLine
            | AssertionKind::StartText
            | AssertionKind::EndText => {}
            _ => self.replace(&assertion.span, Instead::Ascii),
        }
    }
}

/// The dialect has no flag for Unicode: what it would switch are tables that not every build has.
fn flags(flags: &Flags) -> Result<(), String> {
    let unicode = |kind: &FlagsItemKind| matches!(kind, FlagsItemKind::Flag(Flag::Unicode));
    if flags.items.iter().any(|item| unicode(&item.kind)) {
        return Err("the flag `u` is not of the dialect".to_owned());
    }
    Ok(())
}

const NO_TABLES: &str = r"classes of Unicode (`\p`) are not of the dialect";

impl Visitor for Parts {
    type Output = Vec<(Range<usize>, Instead)>;
    type Err = String;

    fn finish(mut self) -> Result<Self::Output, String> {
        self.0.sort_by_key(|(range, _)| range.start);
        Ok(self.0)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), String> {
        match ast {
            Ast::ClassPerl(class) => self.class(class),
            Ast::Assertion(assertion) => self.assertion(assertion),
            Ast::ClassUnicode(_) => return Err(NO_TABLES.to_owned()),
            Ast::Flags(set) => flags(&set.flags)?,
            Ast::Group(group) => group.flags().map_or(Ok(()), flags)?,
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), String> {
        match item {
            ClassSetItem::Perl(class) => self.class(class),
            ClassSetItem::Unicode(_) => return Err(NO_TABLES.to_owned()),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_classes_are_written_out() {
        let written = |text| written_out(text).unwrap();
        assert_eq!(written(r"^\d+é\b[\w-]$"), r"^[0-9]+é(?-u:\b)[[0-9A-Za-z_]-]$");
        assert_eq!(written(r"\\d[^\D]"), r"\\d[^[^0-9]]");
        assert_eq!(written("a.b"), "a.b");
        for bad in ["(?u)a", "(?-u:a)", r"\pL", r"[\p{Greek}]", "(", r"\1"] {
            assert!(written_out(bad).is_err(), "{bad}");
        }
    }
}
