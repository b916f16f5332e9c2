//! Generated programs as trees: they print as CEL, and shrink.

/// The type of a generated part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ty {
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `string`
    Text,
    /// `timestamp`
    Time,
    /// `duration`
    Span,
    /// `net.IP`
    Ip,
    /// A list, or a map of which keys are taken.
    List,
}

/// Where the reference cannot say what the language means, a part has a second spelling for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Respelled {
    /// The reference takes an optional read that fails for one of nothing: `m[?k].orValue(d)` where `m[k]` errs.
    Optional,
    /// The reference errs at `has(m.k)` where reading `m.k` errs.
    Has,
    /// The reference has Unicode classes; ours are those of RE2.
    Regex,
    /// The reference has no value that errs where it is compared: one line of a header that is no text.
    NoText,
}

impl Respelled {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Optional, Self::Has, Self::Regex, Self::NoText];
}

/// Where the first to third operand stand in a form: characters of the private use area.
pub(super) const A: char = '\u{e000}';
pub(super) const B: char = '\u{e001}';
pub(super) const C: char = '\u{e002}';

/// The place of the `n`th operand.
pub(super) fn place(n: usize) -> char {
    u32::try_from(n).ok().and_then(|n| char::from_u32(0xe000 + n)).unwrap_or(A)
}

/// A part of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    ty: Ty,
    form: String,
    respelled: Option<(Respelled, String)>,
    children: Vec<Node>,
    /// What joins the operands of a chain.
    joint: Option<&'static str>,
}

impl Node {
    pub(super) fn new(ty: Ty, form: impl Into<String>, children: Vec<Self>) -> Self {
        Self { ty, form: form.into(), respelled: None, children, joint: None }
    }

    /// Operands with `&&` or `||` between them, or a list of them.
    pub(super) fn chain(joint: &'static str, children: Vec<Self>) -> Self {
        let form: Vec<String> = (0..children.len()).map(|n| place(n).to_string()).collect();
        let node = if joint == ", " {
            Self::new(Ty::List, format!("[{}]", form.join(joint)), children)
        } else {
            Self::bool(format!("({})", form.join(joint)), children)
        };
        Self { joint: Some(joint), ..node }
    }

    pub(super) fn bool(form: impl Into<String>, children: Vec<Self>) -> Self {
        Self::new(Ty::Bool, form, children)
    }

    /// The same with another spelling for the reference.
    pub(super) fn respelled(self, why: Respelled, form: impl Into<String>) -> Self {
        Self { respelled: Some((why, form.into())), ..self }
    }

    /// How many operands it has.
    pub(super) fn len(&self) -> usize {
        self.children.len()
    }

    pub(super) fn into_children(self) -> Vec<Self> {
        self.children
    }

    /// The source text.
    #[must_use]
    pub fn source(&self) -> String {
        self.spelled(&[])
    }

    /// The text with the second spelling of what `respelled` names.
    #[must_use]
    pub fn spelled(&self, respelled: &[Respelled]) -> String {
        let mut out = String::new();
        self.write(respelled, &mut out);
        out
    }

    fn write(&self, respelled: &[Respelled], out: &mut String) {
        let form = match &self.respelled {
            Some((why, form)) if respelled.contains(why) => form,
            _ => &self.form,
        };
        for char in form.chars() {
            let child = u32::from(char).checked_sub(0xe000).and_then(|n| usize::try_from(n).ok());
            match child.and_then(|n| self.children.get(n)) {
                Some(child) => child.write(respelled, out),
                None => out.push(char),
            }
        }
    }

    /// True if some part has this second spelling.
    #[must_use]
    pub fn has(&self, why: Respelled) -> bool {
        self.respelled.as_ref().is_some_and(|(own, _)| *own == why)
            || self.children.iter().any(|c| c.has(why))
    }

    /// How many parts it has.
    #[must_use]
    pub fn size(&self) -> usize {
        1 + self.children.iter().map(Self::size).sum::<usize>()
    }

    /// Smaller programs: this with one part replaced by a part of it of the same type, by a leaf, or with one operand
    /// of a chain left out.
    #[must_use]
    pub fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for child in &self.children {
            child.parts(self.ty, &mut all);
        }
        match self.ty {
            Ty::Bool => all.push(Self::bool("connection.mtls", Vec::new())),
            Ty::Text => all.push(Self::new(Ty::Text, "'a'", Vec::new())),
            _ => {}
        }
        if let Some(joint) = self.joint {
            for at in 0..self.children.len() {
                let mut fewer = self.children.clone();
                fewer.remove(at);
                all.push(Self::chain(joint, fewer));
            }
        }
        for (at, child) in self.children.iter().enumerate() {
            for less in child.smaller() {
                let mut whole = self.clone();
                if let Some(place) = whole.children.get_mut(at) {
                    *place = less;
                }
                all.push(whole);
            }
        }
        all
    }

    fn parts(&self, ty: Ty, into: &mut Vec<Self>) {
        if self.ty == ty {
            into.push(self.clone());
        }
        for child in &self.children {
            child.parts(ty, into);
        }
    }
}
