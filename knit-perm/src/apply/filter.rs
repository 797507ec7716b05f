//! One filter of system calls from the plan's rules.
//!
//! The compiler used here (`seccompiler`) knows one answer per filter, a plan has three. So each answer is compiled alone, and the programs are put
//! one behind the other: where one would allow, it goes on with the next.
//!
//! ```text
//!  newer than known? -> ENOSYS | rules answered EPERM | rules answered ENOSYS | rules answered 0 | allow
//! ```
//!
//! One filter rather than three: the kernel runs every filter of a thread for every call. It remembers which calls are allowed whatever their
//! arguments (from Linux 5.11 on), so those cost nothing.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use super::{ApplyError, names, sys};
use crate::plan::{Answer, SyscallRule, Test};

const LOAD_WORD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JUMP_IF_GREATER: u16 = 0x25;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const ERRNO: u32 = 0x0005_0000;

/// Whether filters can be used here.
pub(super) fn available() -> bool {
    architecture().is_ok() && sys::filter_action_available(ERRNO)
}

fn architecture() -> Result<seccompiler::TargetArch, ApplyError> {
    std::env::consts::ARCH
        .try_into()
        .map_err(|error| ApplyError::Filter(format!("{error:?}")))
}

fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

/// The whole program.
pub(super) fn compile(rules: &[SyscallRule]) -> Result<Vec<libc::sock_filter>, ApplyError> {
    let mut program = vec![
        // The call's number. On x86-64 the calls of x32 have large ones, and end here too.
        instruction(LOAD_WORD, 0, 0, 0),
        instruction(JUMP_IF_GREATER, 0, 1, names::LAST_KNOWN),
        instruction(RETURN, 0, 0, ERRNO | libc::ENOSYS as u32),
    ];
    for (answer, errno) in [
        (Answer::Denied, libc::EPERM),
        (Answer::Absent, libc::ENOSYS),
        (Answer::Ignored, 0),
    ] {
        let rules: Vec<&SyscallRule> = rules.iter().filter(|rule| rule.answer == answer).collect();
        if rules.is_empty() {
            continue;
        }
        let part = answered(&rules, errno as u32)?;
        let length = part.len();
        program.extend(part.into_iter().enumerate().map(|(index, step)| {
            if step.code == RETURN && step.k == ALLOW {
                // On to the next part, which begins right behind this one.
                let distance =
                    u32::try_from(length - index - 1).expect("a filter has at most 4096 steps");
                instruction(JUMP, 0, 0, distance)
            } else {
                instruction(step.code, step.jt, step.jf, step.k)
            }
        }));
    }
    program.push(instruction(RETURN, 0, 0, ALLOW));
    if program.len() > 4096 {
        return Err(ApplyError::Filter(format!(
            "{} steps, the kernel takes 4096",
            program.len()
        )));
    }
    Ok(program)
}

fn answered(rules: &[&SyscallRule], errno: u32) -> Result<BpfProgram, ApplyError> {
    let failed = |error: seccompiler::BackendError| ApplyError::Filter(error.to_string());
    let mut calls: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let mut always = Vec::new();
    for rule in rules {
        for name in &rule.calls {
            if !names::is_known(name) {
                return Err(ApplyError::Filter(format!(
                    "there is no system call {name:?}"
                )));
            }
            let Some(number) = names::number(name) else {
                continue;
            };
            let chain = calls.entry(number).or_default();
            if rule.when.is_empty() {
                always.push(number);
            } else {
                let conditions = rule
                    .when
                    .iter()
                    .map(condition)
                    .collect::<Result<_, _>>()
                    .map_err(failed)?;
                chain.push(SeccompRule::new(conditions).map_err(failed)?);
            }
        }
    }
    // To the compiler, no condition at all means always.
    for number in always {
        calls.insert(number, Vec::new());
    }
    let filter = SeccompFilter::new(
        calls,
        SeccompAction::Allow,
        SeccompAction::Errno(errno),
        architecture()?,
    )
    .map_err(failed)?;
    filter.try_into().map_err(failed)
}

fn condition(test: &Test) -> Result<SeccompCondition, seccompiler::BackendError> {
    let (argument, operator, value) = match *test {
        Test::Is(argument, value) => (argument, SeccompCmpOp::Eq, value),
        Test::Not(argument, value) => (argument, SeccompCmpOp::Ne, value),
        Test::Bits(argument, mask, value) => (argument, SeccompCmpOp::MaskedEq(mask.into()), value),
    };
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value.into())
}
