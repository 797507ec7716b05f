//! What command lines become.

use super::*;

fn parsed(args: &[&str]) -> Result<Command> {
    parse(
        std::iter::once("xtask")
            .chain(args.iter().copied())
            .map(OsString::from),
    )
}

#[test]
fn every_command_of_the_help_is_one() {
    let names = HELP.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?;
        name.starts_with(char::is_alphabetic)
            .then(|| name.split(' ').next())?
    });
    assert_eq!(names.clone().count(), 15);
    for name in names {
        assert!(parsed(&[name]).is_ok(), "{name}");
    }
}

#[test]
fn every_step_of_the_help_is_one() {
    for (_, name) in Step::ALL {
        assert!(HELP.contains(name), "{name}");
    }
    assert_eq!(
        parsed(&["test", "--only", "rust,js", "--on", "node22"]).unwrap(),
        Command::Test(Test {
            only: vec![Step::Rust, Step::Js],
            on: vec![Runtime::Node22],
            all_in_processes: false,
        })
    );
}

#[test]
fn what_nothing_understands_is_named() {
    for (args, named) in [
        (&["tset"][..], "tset"),
        (&["setup", "--force"], "--force"),
        (&["test", "--on", "node20"], "node20"),
        (&["demo", "a", "b"], "b"),
        (&["demo", "--threads", "many"], "many"),
        (&["fuzz", "--seconds", "0"], "--seconds"),
        (&["stress", "--seconds", "0"], "--seconds"),
        (&["stress", "--seed", "x"], "x"),
        (&["stress", "--on", "node20"], "node20"),
        (&["faults", "--seconds", "0"], "--seconds"),
        (&["faults", "--pools", "1"], "--pools"),
        (&["soak", "--pools", "-1"], "-1"),
        (&["soak", "--ends"], "--ends"),
    ] {
        let error = parsed(args).unwrap_err().to_string();
        assert!(error.contains(named), "{args:?}: {error}");
    }
}

#[test]
fn a_soak_makes_500_pools_and_100_processes_unless_told_otherwise() {
    let soak = |pools, ends, on: &[Runtime]| {
        let on = on.to_vec();
        Command::Soak(Soak { pools, ends, on })
    };
    assert_eq!(parsed(&["soak"]).unwrap(), soak(500, 100, &Runtime::ALL));
    assert_eq!(
        parsed(&["soak", "--pools", "9", "--ends", "0", "--on", "bun"]).unwrap(),
        soak(9, 0, &[Runtime::Bun])
    );
}

#[test]
fn a_stress_run_lasts_a_minute_on_every_runtime_unless_told_otherwise() {
    let Command::Stress(flags) = parsed(&["stress", "--seed", "7"]).unwrap() else {
        panic!("another command")
    };
    assert_eq!((flags.seconds, flags.seed), (60, 7));
    assert_eq!(flags.on, Runtime::ALL);
    assert_eq!(
        parsed(&[
            "stress",
            "--seed",
            "7",
            "--seconds",
            "4",
            "--on",
            "bun,deno"
        ])
        .unwrap(),
        Command::Stress(Stress {
            seconds: 4,
            seed: 7,
            on: vec![Runtime::Bun, Runtime::Deno],
        })
    );
}

#[test]
fn faults_last_a_minute_on_every_runtime_unless_told_otherwise() {
    let on = Runtime::ALL.to_vec();
    assert_eq!(
        parsed(&["faults", "--seed", "9"]).unwrap(),
        Command::Faults(Faults {
            seconds: 60,
            seed: 9,
            on
        })
    );
    let Command::Faults(flags) = parsed(&["faults", "--seconds", "4", "--on", "bun"]).unwrap()
    else {
        panic!("another command")
    };
    assert_eq!((flags.seconds, flags.on), (4, vec![Runtime::Bun]));
}

#[test]
fn the_bench_program_gets_what_follows_the_dashes() {
    let Command::Bench(flags) = parsed(&["bench", "--quick", "--", "--only", "idle"]).unwrap()
    else {
        panic!("another command")
    };
    assert!(flags.quick && !flags.criterion);
    assert_eq!(flags.on, [Runtime::Node24, Runtime::Deno, Runtime::Bun]);
    assert_eq!(flags.rest, ["--only", "idle"]);
}
