//! Application of the header edits of rules.

use mesh_bundle::defaulted::Defaulted;
use mesh_bundle::message::{self, Reserved};
use mesh_bundle::program::{HeaderEdits, Respond};

use crate::head::HeaderLines;

/// Applies a rule's edits: removed first, then set, then added.
pub fn apply(edits: &HeaderEdits, headers: &mut impl HeaderLines) {
    for name in &edits.remove {
        headers.remove(name);
    }
    for (name, value) in &edits.set {
        headers.remove(name);
        headers.add(name, value);
    }
    for (name, value) in &edits.add {
        headers.add(name, value);
    }
}

/// The edits without those of reserved fields. An offer has none; a bundle that was accepted before they were refused may
/// ([`mesh_bundle::verify::reserved`]).
pub(crate) fn permitted(edits: &Defaulted<HeaderEdits>) -> Defaulted<HeaderEdits> {
    let reserved = |name: &String| Reserved::of(name).is_some();
    let Some(given) = edits
        .get()
        .filter(|edits| edits.set.keys().chain(edits.add.keys()).chain(&edits.remove).any(reserved))
    else {
        return edits.clone();
    };
    let mut edits = given.clone();
    edits.set.retain(|name, _| !reserved(name));
    edits.add.retain(|name, _| !reserved(name));
    edits.remove.retain(|name| !reserved(name));
    edits.into()
}

/// A fixed response without reserved fields, and without content where its status has none.
pub(crate) fn permitted_response(respond: &Respond) -> Respond {
    let mut respond = respond.clone();
    respond.headers.retain(|name, _| Reserved::of(name).is_none());
    if !message::has_content(respond.status) {
        respond.body.clear();
    }
    respond
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_remove_then_set_then_add() {
        let mut headers = vec![("a".to_owned(), b"1".to_vec()), ("b".to_owned(), b"2".to_vec())];
        let edits = HeaderEdits {
            remove: vec!["a".into()],
            set: [("b".to_owned(), "3".to_owned())].into(),
            add: [("a".to_owned(), "4".to_owned())].into(),
        };
        apply(&edits, &mut headers);
        assert_eq!(headers, [("b".to_owned(), b"3".to_vec()), ("a".to_owned(), b"4".to_vec())]);
    }

    #[test]
    fn reserved_fields_are_left_out_and_the_others_stay() {
        let edits = HeaderEdits {
            remove: vec!["te".into(), "x-a".into()],
            set: [("host".to_owned(), "b".to_owned()), ("x-b".to_owned(), "1".to_owned())].into(),
            add: [("x-mesh-c".to_owned(), "1".to_owned())].into(),
        };
        let left = HeaderEdits {
            remove: vec!["x-a".into()],
            set: [("x-b".to_owned(), "1".to_owned())].into(),
            add: [].into(),
        };
        assert_eq!(*permitted(&edits.into()), left);
        assert_eq!(*permitted(&left.clone().into()), left);
        let headers = [("content-length".to_owned(), "9".to_owned()), ("x-b".to_owned(), "1".to_owned())];
        let respond = Respond { status: 205, body: "text".into(), headers: headers.into() };
        let left = Respond { status: 205, body: String::new(), headers: left.set };
        assert_eq!(permitted_response(&respond), left);
        let respond = Respond { status: 200, body: "text".into(), ..left };
        assert_eq!(permitted_response(&respond), respond);
    }
}
