//! What is wrong with a policy, site or waiver file, and where: comes from the loaders, goes to
//! the person who wrote the file. All faults of all files are collected before a run is refused.
//! Doubts that do not stop a run are [`Lint`](super::model::Lint)s, not diagnostics.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)*) => {
        /// The kind of a fault, stable across versions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Code {
            /// Every kind of fault.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The code as written: kebab-case, never reused for something else.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $text,)*
                }
            }

            /// What the code means, in one sentence.
            pub fn description(self) -> &'static str {
                match self {
                    $(Code::$name => concat!($($doc),+).trim_ascii(),)*
                }
            }
        }
    };
}

codes! {
    /// The text is not TOML.
    TomlSyntax = "toml-syntax";
    /// A key that the format does not have.
    UnknownField = "unknown-field";
    /// A key that the format demands is missing.
    MissingField = "missing-field";
    /// A value of another type than the format demands.
    WrongType = "wrong-type";
    /// A word or number outside the choices that the format gives.
    InvalidValue = "invalid-value";
    /// A schema version that this build does not read.
    UnsupportedSchema = "unsupported-schema";
    /// A text that must not be empty.
    EmptyField = "empty-field";
    /// A list that must not be empty.
    EmptyList = "empty-list";
    /// A role that no pack defines.
    UnknownRole = "unknown-role";
    /// An attribute that no pack defines.
    UnknownAttribute = "unknown-attribute";
    /// A relation that no pack defines.
    UnknownRelation = "unknown-relation";
    /// A parameter that no pack defines.
    UnknownParameter = "unknown-parameter";
    /// A condition that no pack defines.
    UnknownCondition = "unknown-condition";
    /// An answer that the condition does not offer.
    UnknownAnswer = "unknown-answer";
    /// A service that no pack defines.
    UnknownService = "unknown-service";
    /// A protocol that nothing recognises.
    UnknownProtocol = "unknown-protocol";
    /// A reading that no pack defines.
    UnknownReading = "unknown-reading";
    /// A host that the site file does not list.
    UnknownHost = "unknown-host";
    /// The same identifier twice.
    DuplicateId = "duplicate-id";
    /// More roles or attributes than a set can hold.
    TooMany = "too-many";
    /// Roles that are one of themselves.
    RoleCycle = "role-cycle";
    /// A literal alternative without a reading that announces a change of verdict.
    UnexplainedLiteral = "unexplained-literal";
    /// An entry that packs of this kind do not have.
    MisplacedEntry = "misplaced-entry";
    /// An infrastructure match that names no traffic, or several kinds at once.
    InvalidMatch = "invalid-match";
    /// Text that is not a set of ports.
    InvalidPorts = "invalid-ports";
    /// Text that is not an IP address.
    InvalidAddress = "invalid-address";
    /// Text that is not a network prefix.
    InvalidPrefix = "invalid-prefix";
    /// Text that is not a date or time.
    InvalidTime = "invalid-time";
    /// An interval that ends before it begins.
    ReversedInterval = "reversed-interval";
    /// One address at two hosts at the same time.
    SharedAddress = "shared-address";
    /// One prefix at two hosts at the same time.
    SharedPrefix = "shared-prefix";
    /// A host with neither address nor prefix.
    HostWithoutAddress = "host-without-address";
    /// A site-wide parameter set for one host.
    MisplacedParameter = "misplaced-parameter";
    /// A relation written with the keys of the other kind.
    RelationShape = "relation-shape";
    /// A waiver that would cover everything.
    UnboundedWaiver = "unbounded-waiver";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One fault of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Kind of the fault.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// Name of the file as the caller gave it.
    pub file: String,
    /// Byte range in the text.
    pub span: Range<usize>,
    /// Line of the first byte, from 1.
    pub line: usize,
    /// Column of the first byte in characters, from 1.
    pub column: usize,
    /// What to do.
    pub help: String,
    /// The whole text, to show the line.
    text: Arc<str>,
}

/// Whether a rendered diagnostic carries terminal colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Plain,
    /// ANSI escape sequences.
    Coloured,
}

impl Diagnostic {
    /// Shows the fault with its line and what to do, as compilers do.
    pub fn render(&self, style: Style) -> String {
        let (line, span) = self.own_line();
        let snippet = Snippet::source(line)
            .line_start(self.line)
            .path(self.file.as_str())
            .annotation(AnnotationKind::Primary.span(span));
        let group = Level::ERROR
            .primary_title(self.message.as_str())
            .id(self.code.as_str())
            .element(snippet)
            .element(Level::HELP.message(self.help.as_str()));
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        };
        renderer.render(&[group])
    }

    /// The line of the fault and the range in it. The rest of a long file has no part in what is
    /// shown, and looking through it for each of many faults would take long.
    fn own_line(&self) -> (&str, Range<usize>) {
        let Range { start, end } = self.span;
        let before = self.text.get(..start).unwrap_or_default();
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let behind = self.text.get(end..).unwrap_or_default();
        let rest = behind.find('\n').unwrap_or(behind.len());
        let line = self.text.get(begin..end + rest).unwrap_or_default();
        (line, start - begin..end - begin)
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `site.toml:3:9: role "phones" is not defined [unknown-role]; ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { code, message, file, line, column, help, .. } = self;
        write!(f, "{file}:{line}:{column}: {message} [{code}]; {help}")
    }
}

/// Collects the faults of one file.
#[derive(Debug)]
pub(crate) struct Problems {
    file: String,
    text: Arc<str>,
    /// Offsets at which lines begin, ascending; the first is 0.
    line_starts: Vec<usize>,
    found: Vec<Diagnostic>,
}

impl Problems {
    /// No fault yet in the file called `file`.
    pub(crate) fn new(file: &str, text: &str) -> Self {
        let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(newlines).collect();
        Problems { file: file.to_owned(), text: text.into(), line_starts, found: Vec::new() }
    }

    /// Adds a fault at a byte range of the text.
    pub(crate) fn report(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let span = self.within_one_line(span);
        let (line, column) = self.position(span.start);
        self.found.push(Diagnostic {
            code,
            message: message.into(),
            file: self.file.clone(),
            span,
            line,
            column,
            help: help.into(),
            text: Arc::clone(&self.text),
        });
    }

    /// Where a byte stands, as `site.toml:3`.
    pub(crate) fn place(&self, offset: usize) -> String {
        format!("{}:{}", self.file, self.line(offset))
    }

    /// Line of a byte, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.position(offset).0
    }

    /// Drops the faults of which `keep` says no.
    pub(crate) fn retain(&mut self, keep: impl Fn(Code) -> bool) {
        self.found.retain(|diagnostic| keep(diagnostic.code));
    }

    /// The faults in the order of the text, each once.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.span.start, d.code, d.span.end);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        self.found.dedup();
        self.found
    }

    /// A range cut at the end of its first line and at the end of the text, so that a fault of a
    /// whole table points at its head.
    fn within_one_line(&self, span: Range<usize>) -> Range<usize> {
        let start = self.char_boundary(span.start);
        let end = self.char_boundary(span.end).max(start);
        let line = self.text.get(start..end).unwrap_or_default().lines().next().unwrap_or_default();
        start..start + line.len()
    }

    /// The last start of a letter at or before `offset`, within the text.
    fn char_boundary(&self, offset: usize) -> usize {
        let within = offset.min(self.text.len());
        (0..=within).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }

    /// Line and column of a byte, both from 1.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_shows_its_own_line_alone() {
        let text = "first\nthe \u{fc}mlaut\nlast";
        let lines =
            [(0..5, "first", 0..5), (10..13, "the \u{fc}mlaut", 4..7), (22..22, "last", 4..4)];
        for (span, line, inside) in lines {
            let mut problems = Problems::new("site.toml", text);
            problems.report(Code::InvalidValue, span, "wrong", "right");
            let fault = &problems.into_sorted()[0];
            assert_eq!(fault.own_line(), (line, inside));
            let place = format!("site.toml:{}:{}", fault.line, fault.column);
            assert!(fault.render(Style::Plain).contains(&place), "{}", fault.render(Style::Plain));
        }
    }
}
