//! Loading policy packs: texts go in, one valid [`Policy`] comes out, or every fault of every
//! text. Reading files is the caller's business.

use super::infrastructure::add_infrastructure;
use super::lint;
use super::raw::{RawPackKind, RawPolicy};
use super::rows::add_sections;
use super::vocabulary::{Vocabulary, close_roles, define, demand_text, refuse_cycles, resolve};
use crate::judge::diagnostic::{Code, Diagnostic, Problems};
use crate::judge::document::{self, Document};
use crate::judge::model::{Pack, PackId, PackKind, Policy, Set64};

/// The text of a policy pack.
#[derive(Clone, Copy, Debug)]
pub struct PolicySource<'a> {
    /// Name of the file, for messages.
    pub name: &'a str,
    /// The text.
    pub text: &'a str,
}

/// Loads policy packs into one policy.
///
/// Identifiers are one namespace over all packs: a pack may use the roles of another, and none
/// may define what another defines.
///
/// # Errors
///
/// All faults of all packs, in the order of the packs and of their lines.
pub fn load_policy(sources: &[PolicySource<'_>]) -> Result<Policy, Vec<Diagnostic>> {
    let mut documents: Vec<Document<RawPolicy>> =
        sources.iter().map(|source| document::read(source.name, source.text)).collect();
    let mut policy = Policy::default();
    let mut names = Vocabulary::default();

    for (document, source) in documents.iter_mut().zip(sources) {
        document::demand_version(document, |raw| raw.schema.as_ref());
        let Document { raw: Some(raw), problems, .. } = document else { continue };
        add_pack(raw, source, &mut names, &mut policy, problems);
        define(raw, &mut names, &mut policy, problems);
    }
    for Document { raw, problems, .. } in &mut documents {
        if let Some(raw) = raw {
            resolve(raw, &names, &mut policy, problems);
        }
    }
    close_roles(&mut policy);
    for (index, Document { raw, problems, .. }) in documents.iter_mut().enumerate() {
        if let Some(raw) = raw {
            refuse_cycles(raw, &names, &policy, problems);
            add_scope(raw, &names, &mut policy, problems);
            add_sections(raw, PackId(index), &mut names, &mut policy, problems);
            add_infrastructure(raw, PackId(index), &mut names, &mut policy, problems);
        }
    }
    document::finish(documents)?;
    policy.lints = lint::lints(&policy);
    Ok(policy)
}

fn add_pack(
    raw: &RawPolicy,
    source: &PolicySource<'_>,
    names: &mut Vocabulary,
    policy: &mut Policy,
    problems: &mut Problems,
) {
    names.packs.define(&raw.pack.id, problems);
    demand_text(&raw.pack.title, "title", problems);
    let kind = match raw.pack.kind {
        RawPackKind::Document => PackKind::Document,
        RawPackKind::Infrastructure => PackKind::Infrastructure,
    };
    refuse_other_kind(raw, kind, problems);
    policy.packs.push(Pack {
        id: raw.pack.id.value.clone(),
        kind,
        title: raw.pack.title.value.clone(),
        publisher: raw.pack.publisher.clone(),
        release: raw.pack.release.clone(),
        revision: raw.pack.revision.clone(),
        document: raw.pack.document.clone(),
        source_sha256: raw.pack.source_sha256.clone(),
        sha256: document::sha256(source.text),
    });
}

fn refuse_other_kind(raw: &RawPolicy, kind: PackKind, problems: &mut Problems) {
    let (spans, message): (Vec<_>, _) = match kind {
        PackKind::Document => (
            raw.infrastructure.iter().map(|row| row.id.span.clone()).collect(),
            "a pack of the kind `document` has no infrastructure rows",
        ),
        PackKind::Infrastructure => (
            raw.section.iter().map(|section| section.id.span.clone()).collect(),
            "a pack of the kind `infrastructure` has no sections",
        ),
    };
    for span in spans {
        let help = "move it to a pack of the other kind";
        problems.report(Code::MisplacedEntry, span, message, help);
    }
}

/// Adds the subject roles of a pack, with every role that is one of them.
fn add_scope(raw: &RawPolicy, names: &Vocabulary, policy: &mut Policy, problems: &mut Problems) {
    let Some(scope) = &raw.scope else { return };
    let subjects = names.role_set(&scope.subject_roles, problems);
    let governed: Set64 = policy
        .roles
        .iter()
        .zip(0_u8..)
        .filter(|(role, _)| role.closure.meets(subjects))
        .map(|(_, number)| number)
        .collect();
    policy.subject_roles.insert_all(governed);
}
