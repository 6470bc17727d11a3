//! The system calls that a watch makes once it runs; all others are taken away (seccomp(2)).
//!
//! A call that is not on the list fails with `ENOSYS`, as one that the kernel does not have: so a C
//! library that tries a newer call takes the older one, and a watch of months does not end over a
//! call that it can do without. Which files may be opened is not decided here but by Landlock.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::SeccompCmpArgLen::Dword;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq};
use seccompiler::{BpfProgram, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule};

/// Calls that are made with any arguments.
const CALLS: &[libc::c_long] = &[
    // Memory, threads and signals of this process.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_membarrier,
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrusage,
    libc::SYS_getrandom,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Clocks.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    // Files.
    libc::SYS_openat,
    libc::SYS_close,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_mkdirat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_unlinkat,
    libc::SYS_linkat,
    libc::SYS_fchmod,
    libc::SYS_umask,
    libc::SYS_flock,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fadvise64,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_fcntl,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
    // Sockets that are open, and connections that come in.
    libc::SYS_ppoll,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_shutdown,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
];

/// Calls for which other processors have only the newer ones above.
#[cfg(target_arch = "x86_64")]
const OLDER_CALLS: &[libc::c_long] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_mkdir,
    libc::SYS_rename,
    libc::SYS_unlink,
    libc::SYS_link,
    libc::SYS_dup2,
    libc::SYS_poll,
    libc::SYS_time,
];
#[cfg(target_arch = "aarch64")]
const OLDER_CALLS: &[libc::c_long] = &[];

/// What may be done to a file or a terminal by `ioctl`: not to wait, and to ask whether it is a
/// terminal and how large. Typing into a terminal is not among it.
#[allow(clippy::unnecessary_cast, reason = "the width depends on the system")]
const REQUESTS: [u64; 3] = [libc::FIONBIO as u64, libc::TCGETS as u64, libc::TIOCGWINSZ as u64];

/// Takes all system calls away that a watch does not make, from all threads and for good: it can
/// start no process, trace none, open no socket but those of `netlink`, by which the state of
/// interfaces is asked for, and run no code that it writes. `connects` lets it connect to
/// sockets of this machine, because a system log that was started again wants that.
///
/// # Errors
/// When the kernel cannot do it or does not allow it.
pub fn restrict_calls(connects: bool) -> Result<(), String> {
    let fail = |error: &dyn std::fmt::Display| format!("cannot give up system calls: {error}");
    let program = program(connects).map_err(|error| fail(&error))?;
    seccompiler::apply_filter_all_threads(&program).map_err(|error| fail(&error))
}

/// The filter, as the kernel takes it.
fn program(connects: bool) -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in CALLS.iter().chain(OLDER_CALLS) {
        rules.insert(*call, Vec::new());
    }
    let mut allow = |call: libc::c_long, argument, comparison, value| {
        let condition = SeccompCondition::new(argument, Dword, comparison, value)?;
        rules.entry(call).or_default().push(SeccompRule::new(vec![condition])?);
        Ok::<(), seccompiler::BackendError>(())
    };
    // Threads, but no processes. Of `clone3` the flags cannot be seen; `clone` is taken instead.
    let thread = libc::CLONE_THREAD as u64;
    allow(libc::SYS_clone, 0, MaskedEq(thread), thread)?;
    // Memory out of which no code is run.
    let code = libc::PROT_EXEC as u64;
    allow(libc::SYS_mmap, 2, MaskedEq(code), 0)?;
    allow(libc::SYS_mprotect, 2, MaskedEq(code), 0)?;
    // The names of threads, and the end by a fault of our own.
    allow(libc::SYS_prctl, 0, Eq, libc::PR_SET_NAME as u64)?;
    allow(libc::SYS_tgkill, 0, Eq, u64::from(std::process::id()))?;
    // Asking for limits, not setting them.
    allow(libc::SYS_prlimit64, 2, Eq, 0)?;
    for request in REQUESTS {
        allow(libc::SYS_ioctl, 1, Eq, request)?;
    }
    allow(libc::SYS_socket, 0, Eq, libc::AF_NETLINK as u64)?;
    if connects {
        allow(libc::SYS_socket, 0, Eq, libc::AF_UNIX as u64)?;
        rules.insert(libc::SYS_connect, Vec::new());
    }
    rules.insert(libc::SYS_getpriority, Vec::new());
    // The priority of the calling thread alone; to raise it takes a right that was given up.
    let of_thread = [0, 1].map(|argument| SeccompCondition::new(argument, Dword, Eq, 0));
    let of_thread = of_thread.into_iter().collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_setpriority, vec![SeccompRule::new(of_thread)?]);
    let processor = std::env::consts::ARCH.try_into()?;
    let refused = SeccompAction::Errno(libc::ENOSYS as u32);
    SeccompFilter::new(rules, refused, SeccompAction::Allow, processor)?.try_into()
}
