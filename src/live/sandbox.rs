//! Giving up what a watch does not need once its sockets and files are open.

use std::ffi::CString;
use std::path::PathBuf;

use nix::unistd::{Uid, User, initgroups, setgid, setuid};

/// Privileges could not be given up.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// There is no such user.
    #[error("there is no user `{0}`")]
    NoUser(String),
    /// The user is root.
    #[error("`{0}` is root: name a user that has no rights beyond its own files")]
    IsRoot(String),
    /// The system refused.
    #[error("cannot become user `{user}`: {source}")]
    Refused {
        /// The user.
        user: String,
        /// Why.
        source: nix::Error,
    },
    /// The system has not done what it said.
    #[error("still root after becoming user `{0}`")]
    StillRoot(String),
}

/// Whether this process is root.
pub fn is_root() -> bool {
    Uid::effective().is_root() || Uid::current().is_root()
}

/// Becomes another user, for good: with the user's groups and without any capability.
///
/// # Errors
/// When there is no such user, or it is root, or the system refuses.
pub fn become_user(name: &str) -> Result<(), PrivilegeError> {
    let refused = |source| PrivilegeError::Refused { user: name.to_owned(), source };
    let user = User::from_name(name).map_err(refused)?;
    let user = user.ok_or_else(|| PrivilegeError::NoUser(name.to_owned()))?;
    if user.uid.is_root() {
        return Err(PrivilegeError::IsRoot(name.to_owned()));
    }
    let no_user = |_| PrivilegeError::NoUser(name.to_owned());
    let login = CString::new(name).map_err(no_user)?;
    initgroups(&login, user.gid).map_err(refused)?;
    setgid(user.gid).map_err(refused)?;
    // From root, this takes all capabilities away (capabilities(7)).
    setuid(user.uid).map_err(refused)?;
    if is_root() || setuid(Uid::from_raw(0)).is_ok() {
        return Err(PrivilegeError::StillRoot(name.to_owned()));
    }
    Ok(())
}

/// Gives up every capability, for good. Before other threads begin: each has its own.
///
/// # Errors
/// When the system refuses.
#[cfg(target_os = "linux")]
pub fn drop_capabilities() -> Result<(), String> {
    use caps::CapSet::{Ambient, Effective, Inheritable, Permitted};
    // The permitted ones last: the others hang on them.
    let sets = [Ambient, Inheritable, Effective, Permitted];
    sets.into_iter()
        .try_for_each(|set| caps::clear(None, set))
        .map_err(|error| format!("cannot give up capabilities: {error}"))
}

/// Gives up nothing: this system has no capabilities.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn drop_capabilities() -> Result<(), String> {
    Ok(())
}

/// What a watch still needs of the file system.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// Files to be read again.
    pub read: Vec<PathBuf>,
    /// Folders in which files are written.
    pub write: Vec<PathBuf>,
}

/// How far the kernel keeps a process apart from files (Landlock).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confinement {
    /// As far as this program asks for.
    Whole,
    /// From files, but not from all that is done with them: an older kernel.
    Partial,
    /// Not at all: a kernel older than 5.13, or one that was started without it.
    Missing,
}

/// Takes away the right to open any other file, to run programs and to connect anywhere, for
/// good, so far as the kernel can (Landlock). Answers how far it can.
///
/// # Errors
/// When a path cannot be opened, or the kernel refuses.
#[cfg(target_os = "linux")]
pub fn confine(paths: &Paths) -> Result<Confinement, String> {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
        RulesetCreatedAttr, RulesetStatus, path_beneath_rules,
    };
    let abi = ABI::V5;
    let own = ["/proc/self", "/sys/class/net", "/proc/net"].map(PathBuf::from);
    let read = paths.read.iter().chain(&own);
    let confined = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(abi)))
        .and_then(|rules| rules.create())
        .and_then(|rules| rules.add_rules(path_beneath_rules(read, AccessFs::from_read(abi))))
        .and_then(|rules| {
            let all = AccessFs::from_all(abi) & !AccessFs::Execute;
            rules.add_rules(path_beneath_rules(&paths.write, all))
        })
        .and_then(|rules| rules.restrict_self());
    match confined {
        Ok(status) => Ok(match status.ruleset {
            RulesetStatus::FullyEnforced => Confinement::Whole,
            RulesetStatus::PartiallyEnforced => Confinement::Partial,
            RulesetStatus::NotEnforced => Confinement::Missing,
        }),
        Err(error) => Err(format!("cannot give up access to files: {error}")),
    }
}

/// Takes nothing away: this system has no Landlock.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn confine(_paths: &Paths) -> Result<Confinement, String> {
    Ok(Confinement::Missing)
}

/// Takes nothing away: this system has no filter for system calls, or none is known for its
/// processor.
///
/// # Errors
/// None.
#[cfg(not(all(target_os = "linux", any(target_arch = "aarch64", target_arch = "x86_64"))))]
pub fn restrict_calls(_connects: bool) -> Result<(), String> {
    Ok(())
}
