"""Reads Rust sources for the checks of this folder: tokens, modules and the paths that they name. No check of its own.

Comments are left out, and so is what only tests compile: items behind `#[cfg(test)]`, and the files of modules that are
declared behind it, wherever they lie.
"""

import collections
import dataclasses
import pathlib
import re

# kind: ident, string, mark (punctuation), other (numbers, characters, lifetimes).
Token = collections.namedtuple("Token", "kind text line")

TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<comment>/\*)
    |(?P<raw>[bc]?r(?P<hashes>\#*)"(?:.*?)"(?P=hashes))
    |(?P<string>[bc]?"(?:\\.|[^"\\])*")
    |(?P<other>b?'(?:\\[^\n][^'\n]{0,9}|[^'\\\n])'|'\w+|\d[\w.]*)
    |(?P<ident>(?:r\#)?[^\W\d]\w*)
    |(?P<mark>::|->|=>|.)""",
    re.S | re.X,
)
OPEN, CLOSE = set("([{"), set(")]}")
# Items whose end is a semicolon, though braces may stand before it.
TO_SEMICOLON = {"use", "let", "static", "const", "type", "extern"}
NAMED = {"struct", "enum", "union", "trait", "type", "fn", "static", "const"}
# What a word of a macro call never is the name of.
NO_ITEMS = {"std", "core", "alloc", "crate", "self", "super", "Self", "Some", "None", "Ok", "Err"}
QUALIFIERS = {"unsafe", "async", "const", "default", "extern", "safe"}


def tokens(text):
    """The tokens of a text without its comments."""
    out, at, line = [], 0, 1
    while at < len(text):
        found = TOKEN.match(text, at)
        end = found.end()
        if found["comment"]:
            end = comment_end(text, at)
        elif not found["space"]:
            if found["raw"]:
                whole = found["raw"]
                out.append(Token("string", whole[whole.index('"') + 1 : whole.rindex('"')], line))
            elif found["string"]:
                whole = found["string"]
                out.append(Token("string", whole[whole.index('"') + 1 : -1], line))
            else:
                kind = found.lastgroup
                out.append(Token(kind, found[kind].removeprefix("r#"), line))
        line += text.count("\n", at, end)
        at = end
    return out


def comment_end(text, at):
    """The end of a block comment; they nest."""
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text[at:]):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return at + mark.end()
    return len(text)


def closing(code, at):
    """The index after the bracket that closes the one at `at`."""
    depth = 0
    for index in range(at, len(code)):
        if code[index].kind == "mark":
            depth += (code[index].text in OPEN) - (code[index].text in CLOSE)
            if depth == 0:
                return index + 1
    return len(code)


def after_visibility(code, at):
    """The index after `pub` and `pub(...)`."""
    if at < len(code) and code[at].text == "pub" and code[at].kind == "ident":
        at += 1
        if at < len(code) and code[at].text == "(":
            at = closing(code, at)
    return at


def item_end(code, at):
    """The index after the item, statement, field or arm that begins at `at`, attributes not included."""
    first = after_visibility(code, at)
    word = code[first].text if first < len(code) else ""
    if word in QUALIFIERS and any(t.text == "fn" for t in code[first : first + 5]):
        word = "fn"
    listed = word not in NAMED | TO_SEMICOLON | {"fn", "impl", "mod", "macro_rules"}
    index = at
    while index < len(code):
        text = code[index].text if code[index].kind == "mark" else ""
        if text in OPEN:
            index = closing(code, index)
            if text == "{" and word not in TO_SEMICOLON:
                return index
            continue
        if text in CLOSE:
            return index
        index += 1
        if text == ";" or (text == "," and listed):
            return index
    return index


def attribute(code, at):
    """The attribute at `at` as (tokens in its brackets, whether it is an inner one, index after it), or nothing."""
    if at + 1 >= len(code) or code[at].text != "#" or code[at].kind != "mark":
        return None
    inner = code[at + 1].text == "!"
    begin = at + 1 + inner
    if begin >= len(code) or code[begin].text != "[":
        return None
    end = closing(code, begin)
    return code[begin + 1 : end - 1], inner, end


def only_tests(content):
    """Whether an attribute is `cfg(test)` or `cfg(all(.., test, ..))`."""
    words = [t.text for t in content]
    if words[:2] != ["cfg", "("]:
        return False
    if words == ["cfg", "(", "test", ")"]:
        return True
    if words[2:4] != ["all", "("]:
        return False
    depth = 0
    for word in words[4:-2]:
        depth += (word in OPEN) - (word in CLOSE)
        if word == "test" and depth == 0:
            return True
    return False


def without_tests(code):
    """The tokens without items that only tests compile; `None` for a file that is all tests."""
    out, at = [], 0
    while at < len(code):
        found = attribute(code, at)
        if not found:
            out.append(code[at])
            at += 1
            continue
        begin, tests = at, False
        while found:
            content, inner, at = found
            if only_tests(content):
                if inner:
                    return None
                tests = True
            found = attribute(code, at)
        if tests:
            at = item_end(code, at)
        else:
            out += code[begin:at]
    return out


# A name that a `use` brings: its line, the path, the name here (`_` for none, `*` for all), whether others see it.
Use = collections.namedtuple("Use", "line path alias shared")


def use_tree(code, at, prefix, shared):
    """The names of the tree at `at`, and the index after it."""
    path, out = list(prefix), []
    if at < len(code) and code[at].text == "::":
        at += 1
        path.append("::")
    while at < len(code):
        token = code[at]
        if token.text == "{":
            at += 1
            while code[at].text != "}":
                more, at = use_tree(code, at, path, shared)
                out += more
                if code[at].text == ",":
                    at += 1
            return out, at + 1
        if token.text == "*":
            return [Use(token.line, tuple(path), "*", shared)], at + 1
        dollar = token.text == "$"
        path.append(code[at + dollar].text)
        at += 1 + dollar
        if at < len(code) and code[at].text == "::":
            at += 1
            continue
        if path[-1] == "self" and len(path) > 1:
            path.pop()
        alias = path[-1]
        if at < len(code) and code[at].text == "as":
            alias = code[at + 1].text
            at += 2
        return [Use(token.line, tuple(path), alias, shared)], at
    return out, at


@dataclasses.dataclass(eq=False)
class Module:
    """One module without its tests: a file, or a part of one between the braces of `mod`."""

    path: tuple
    file: pathlib.Path
    parent: "Module | None"
    children: dict = dataclasses.field(default_factory=dict)
    items: set = dataclasses.field(default_factory=set)
    # Words inside macro calls beside functions: each may be an item that the macro makes.
    perhaps: set = dataclasses.field(default_factory=set)
    macros: set = dataclasses.field(default_factory=set)
    uses: list = dataclasses.field(default_factory=list)
    # What is left: code without `mod` and `use`.
    body: list = dataclasses.field(default_factory=list)

    @property
    def root(self):
        return self.parent.root if self.parent else self

    def all(self):
        yield self
        for child in self.children.values():
            yield from child.all()

    def paths(self):
        """(line, path) of every path that the module names, in `use` and in code; words alone are none."""
        for use in self.uses:
            yield use.line, use.path
        code, at = self.body, 0
        while at < len(code):
            before = code[at - 1].text if at else ""
            # `::std::fs` begins a path, what follows `a::` and `Vec::<u8>::` does not.
            leading = before == "::" and at > 1 and code[at - 2].kind != "ident" and code[at - 2].text != ">"
            if code[at].kind != "ident" or before == "." or (before == "::" and not leading):
                at += 1
                continue
            path, line = ["::"] * leading + [code[at].text], code[at].line
            while at + 2 < len(code) and code[at + 1].text == "::" and code[at + 2].kind == "ident":
                at += 2
                path.append(code[at].text)
            if len(path) > 1:
                yield line, tuple(path)
            at += 1
        # serde names functions in texts: `#[serde(with = "a::b")]`.
        for at, token in enumerate(code):
            if token.text == "#" and (found := attribute(code, at)):
                for word in found[0]:
                    if word.kind == "string" and re.fullmatch(r"\w+(::\w+)+", word.text):
                        yield word.line, tuple(word.text.split("::"))


def read(file, path=(), parent=None, owns_folder=True):
    """The module of a file with all below it, or nothing when only tests compile it."""
    code = without_tests(tokens(file.read_text()))
    if code is None:
        return None
    module = Module(path, file, parent)
    folder = file.parent if owns_folder else file.parent / file.stem
    items(module, code, folder, file.parent)
    return module


def items(module, code, folder, beside):
    """Reads the items of `module`. Files of its modules lie in `folder`; `#[path]` begins in `beside`."""
    at = 0
    while at < len(code):
        begin, given = at, None
        while found := attribute(code, at):
            content, _, at = found
            if [t.text for t in content[:2]] == ["path", "="]:
                given = content[2].text
        module.body += code[begin:at]
        if at >= len(code):
            break
        start = after_visibility(code, at)
        end = max(item_end(code, at), at + 1)
        word = code[start].text if start < len(code) else ""
        if word == "mod" and start + 2 < len(code):
            child(module, code[start + 1].text, code[start + 2 : end], folder, beside, given)
        elif word == "use":
            module.uses += use_tree(code, start + 1, (), start > at)[0]
        else:
            other(module, code[start:end])
        at = end


def child(module, name, rest, folder, beside, given):
    path = (*module.path, name)
    if rest[0].text == "{":
        inline = Module(path, module.file, module)
        module.children[name] = inline
        items(inline, rest[1:-1], folder / name, folder / name)
        return
    if given:
        places = [(beside / given, True)]
    else:
        places = [(folder / f"{name}.rs", False), (folder / name / "mod.rs", True)]
    for file, owns_folder in places:
        if file.exists():
            if below := read(file.resolve(), path, module, owns_folder):
                module.children[name] = below
            return
    raise FileNotFoundError(f"{module.file}: `mod {name}` has no file")


def other(module, code):
    """Takes in an item that is neither a module nor a `use`."""
    at = 0
    while at + 1 < len(code) and code[at].text in QUALIFIERS and code[at + 1].text != ":":
        if code[at].text == "const" and code[at + 1].text not in QUALIFIERS | {"fn"}:
            break
        at += 1 + (code[at + 1].kind == "string")
    words = code[at:]
    if len(words) > 2 and words[0].text == "macro_rules":
        module.macros.add(words[2].text)
    elif len(words) > 1 and words[0].text in NAMED and words[1].kind == "ident":
        module.items.add(words[1].text)
    elif any(word.text == "!" for word in words[1:8]) and words[0].text != "impl":
        for before, word in zip(words, words[1:]):
            if word.kind == "ident" and word.text not in NO_ITEMS:
                module.perhaps.add(word.text)
                if before.text in NAMED:
                    module.items.add(word.text)
    # `use` inside functions counts for the whole module.
    at = 0
    while at < len(code):
        if code[at].kind == "ident" and code[at].text == "use" and code[at - 1].text in ("{", "}", ";", "]"):
            more, at = use_tree(code, at + 1, (), False)
            module.uses += more
            continue
        module.body.append(code[at])
        at += 1


def roots(source):
    """The root modules of a crate's `src`: library, program, further programs; the library first."""
    files = [source / "lib.rs", source / "main.rs", *sorted((source / "bin").glob("*.rs"))]
    return [module for file in files if file.exists() and (module := read(file.resolve()))]
