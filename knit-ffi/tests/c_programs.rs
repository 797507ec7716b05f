//! The examples in C: compiled without a warning, linked both ways, and run, under valgrind too where it is there.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use knit_codec::{Value, from_bytes, to_bytes};
use knit_sched::{CallError, Pool};

/// Where cargo has put the libraries: beside the folder of this test's own program.
fn libraries() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().to_owned()
}

fn compile(example: &str, link: &[&str], folder: &Path) -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = folder.join(example);
    let mut cc = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    cc.args([
        "-std=c11",
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Werror",
        "-g",
        "-pthread",
    ])
    .arg("-I")
    .arg(manifest.join("include"))
    .arg(manifest.join(format!("examples/{example}.c")))
    .arg("-L")
    .arg(libraries())
    .args(link)
    // As RPATH, which comes before LD_LIBRARY_PATH: cargo names folders there that may hold an older library.
    .arg(format!(
        "-Wl,--disable-new-dtags,-rpath,{}",
        libraries().display()
    ))
    .arg("-o")
    .arg(&program);
    let output = cc.output().expect("a C compiler is needed: cc, or $CC");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    program
}

const SHARED: &[&str] = &["-lknit_ffi"];
const STATIC: &[&str] = &["-l:libknit_ffi.a", "-ldl", "-lm"];

fn number(value: f64) -> Vec<u8> {
    to_bytes(&Value::Number(value)).unwrap()
}

/// Uses a pool of two C workers in every way that they know.
fn use_pool(command: Command) {
    let pool = Pool::builder()
        .workers(2)
        .grace(Duration::from_secs(60))
        .processes(command)
        .unwrap();
    let calls: Vec<_> = (0..500)
        .map(|n| pool.call(0, number(f64::from(n))))
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        let result = from_bytes(&call.wait().unwrap()).unwrap();
        assert_eq!(result, Value::Number(2.0 * n as f64));
    }
    // In a frame, in a block to be copied, in a block to be kept.
    for bytes in [0, 100, 100_000, 1_000_000] {
        let result = pool.call(1, vec![7; bytes]).wait().unwrap();
        assert_eq!(from_bytes(&result).unwrap(), Value::Number(bytes as f64));
    }
    for (function, why) in [(0, "takes a number"), (9, "no such function")] {
        match pool.call(function, vec![1, 2, 3]).wait() {
            Err(CallError::Failed(message)) => assert!(message.contains(why), "{message}"),
            other => panic!("{other:?}"),
        }
    }
    pool.close();
}

#[test]
fn a_worker_in_c_serves_a_pool_of_rust() {
    let folder = tempfile::tempdir().unwrap();
    use_pool(Command::new(compile("worker", SHARED, folder.path())));
}

#[test]
fn the_static_library_links_and_serves_too() {
    let folder = tempfile::tempdir().unwrap();
    use_pool(Command::new(compile("worker", STATIC, folder.path())));
}

#[test]
fn a_worker_without_a_host_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut alone = Command::new(compile("worker", SHARED, folder.path()));
    let output = alone.stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.starts_with("worker: KNT_NOT_INHERITED: "),
        "{stderr}"
    );
}

#[test]
fn a_host_in_c_has_its_calls_run_by_threads() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(compile("host", SHARED, folder.path()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    // 0² + 1² + ... + 999²
    assert_eq!(String::from_utf8_lossy(&output.stdout), "332833500\n");
}

#[test]
fn valgrind_finds_nothing_in_either() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: no valgrind");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("%p.log");
    let under_valgrind = |program: PathBuf| {
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args(["--quiet", "--leak-check=full", "--fair-sched=yes"])
            .args([
                "--errors-for-leak-kinds=definite",
                "--show-leak-kinds=definite",
            ])
            .arg(format!("--log-file={}", logs.display()))
            .arg(program);
        valgrind
    };
    use_pool(under_valgrind(compile("worker", STATIC, folder.path())));
    let mut host = under_valgrind(compile("host", STATIC, folder.path()));
    assert!(host.output().unwrap().status.success());

    let mut seen = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "log") {
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
            seen += 1;
        }
    }
    // Two workers and a host.
    assert!(seen >= 3, "{seen}");
}
