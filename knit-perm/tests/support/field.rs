//! A machine to attack: a project to work in, and around it what must not be reached.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

/// Files, and listeners that count who comes.
pub struct Field {
    /// Removed when this is dropped.
    _folder: tempfile::TempDir,
    pub root: PathBuf,
    pub tcp: u16,
    pub udp: UdpSocket,
    /// Connections that arrived, over TCP or UNIX sockets.
    pub arrived: Arc<AtomicUsize>,
    /// The secret, open, and handed on to every child that does not close it.
    _open: OwnedFd,
}

pub const SECRET: &str = "the secret of the host";

fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

impl Field {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        let files = [
            ("secret.txt", SECRET),
            ("secret.mjs", "export default 'the secret of the host'"),
            ("secret.json", "{\"secret\":1}"),
            ("outside/there.txt", "there"),
            ("outside/removed.txt", ""),
            ("outside/renamed.txt", ""),
            ("project-evil/file", SECRET),
            ("home/.ssh/id", SECRET),
            ("package/index.js", ""),
            ("project/package.json", "{\"type\":\"module\"}"),
            ("project/allowed.txt", "allowed"),
            ("project/.env", SECRET),
            ("project/.env.1", SECRET),
            ("project/.env.2", SECRET),
            ("project/.env.3", SECRET),
            ("project/.env.4", SECRET),
            ("project/allowed-too.txt", "allowed"),
            ("project/.git/config", SECRET),
            ("project/nested/.env", SECRET),
            ("project/nested/open", "open"),
            ("project/sub/file", "file"),
            ("project/sub/moved", ""),
            ("project/sub/child.mjs", "process.exit(0)"),
            (
                "project/node_modules/installed/package.json",
                "{\"type\":\"module\",\"main\":\"index.js\"}",
            ),
            (
                "project/node_modules/installed/index.js",
                "export default 'installed'",
            ),
        ];
        for (path, text) in files {
            put(&root.join(path), text);
        }
        for link in ["project/link", "project/sub/link"] {
            std::os::unix::fs::symlink(root.join("secret.txt"), root.join(link)).unwrap();
        }
        for entry in
            std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attack")).unwrap()
        {
            let path = entry.unwrap().path();
            std::fs::copy(&path, root.join("project").join(path.file_name().unwrap())).unwrap();
        }
        let addon = repository().join("knit-node/lib/knit-node.linux-x64.node");
        if addon.exists() {
            std::fs::copy(addon, root.join("project/addon.node")).unwrap();
        }
        // A copy of a descriptor without the mark to be closed on exec.
        let open = rustix::io::dup(std::fs::File::open(root.join("secret.txt")).unwrap()).unwrap();
        let arrived = Arc::new(AtomicUsize::new(0));
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        let six = TcpListener::bind(("::1", port)).ok();
        for listener in [Some(tcp), six].into_iter().flatten() {
            serve(Arc::clone(&arrived), move || {
                listener.accept().map(|(stream, _)| stream)
            });
        }
        let unix = UnixListener::bind(root.join("unix")).unwrap();
        serve(Arc::clone(&arrived), move || {
            unix.accept().map(|(stream, _)| stream)
        });
        let name = format!("knit-perm-{port}");
        let abstracted =
            UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        serve(Arc::clone(&arrived), move || {
            abstracted.accept().map(|(stream, _)| stream)
        });
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.set_nonblocking(true).unwrap();
        Self {
            _folder: folder,
            root,
            tcp: port,
            udp,
            arrived,
            _open: open,
        }
    }

    pub fn project(&self) -> PathBuf {
        self.root.join("project")
    }

    /// What the attacker is told.
    pub fn write_config(&self, spare: &[&str]) {
        let config = json!({
            "spare": spare, "secret": self.root.join("secret.txt"), "outside": self.root.join("outside"), "readable": self.root.join("package/index.js"),
            "parent": std::process::id(), "tcp": self.tcp, "udp": self.udp.local_addr().unwrap().port(), "unix": self.root.join("unix"),
            "abstract": format!("knit-perm-{}", self.tcp), "program": "/bin/true", "addon": self.root.join("project/addon.node"),
        });
        put(&self.root.join("project/config.json"), &config.to_string());
    }

    /// Every user may work here.
    pub fn give_to_everybody(&self) {
        use std::os::unix::fs::PermissionsExt;
        let mut left = vec![self.root.clone()];
        while let Some(path) = left.pop() {
            let kind = path.symlink_metadata().unwrap().file_type();
            if kind.is_dir() {
                left.extend(
                    std::fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            }
            if !kind.is_symlink() {
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
            }
        }
    }

    /// A database outside, made by a runtime that is not restricted.
    pub fn write_database(&self, node: &Path) {
        let script = "const db = new (require('node:sqlite').DatabaseSync)('secret.db'); db.exec(\"create table words(word); insert into words values('secret')\")";
        let made = Command::new(node)
            .args(["--no-warnings", "-e", script])
            .current_dir(&self.root)
            .status()
            .unwrap();
        assert!(made.success());
    }

    /// What must be as it was.
    pub fn assert_untouched(&self) {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let mut left: Vec<String> = std::fs::read_dir(self.root.join("outside"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(
            left,
            ["removed.txt", "renamed.txt", "there.txt"],
            "files outside"
        );
        let there = self.root.join("outside/there.txt");
        assert_eq!(std::fs::read_to_string(&there).unwrap(), "there");
        let meta = there.metadata().unwrap();
        assert!(meta.permissions().mode() & 0o777 != 0o777 && meta.mtime() > 1 && meta.uid() != 1);
        assert!(
            self.root
                .join("package/index.js")
                .metadata()
                .unwrap()
                .permissions()
                .mode()
                & 0o777
                != 0o777
        );
        assert_eq!(
            self.arrived.load(Ordering::Relaxed),
            0,
            "connections that arrived"
        );
        let mut buffer = [0; 64];
        assert!(
            self.udp.recv(&mut buffer).is_err(),
            "datagrams that arrived"
        );
    }
}

/// Answers everybody with a module, and counts.
fn serve<S: Read + Write + Send + 'static>(
    arrived: Arc<AtomicUsize>,
    accept: impl Fn() -> std::io::Result<S> + Send + 'static,
) {
    std::thread::spawn(move || {
        while let Ok(mut stream) = accept() {
            arrived.fetch_add(1, Ordering::Relaxed);
            std::thread::spawn(move || {
                let body = "export default 'remote'";
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/javascript\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all((head + body).as_bytes());
            });
        }
    });
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// A program of the development set-up; `None` with a printed reason if it is not installed.
pub fn installed(path: &str) -> Option<PathBuf> {
    let path = repository().join("node_modules").join(path);
    match std::fs::canonicalize(&path) {
        Ok(path) => Some(path),
        Err(error) => {
            report(&format!(
                "not run: {}: {error}; `cargo xtask setup` installs it",
                path.display()
            ));
            None
        }
    }
}

/// A line that is seen also when tests pass: the test's own capture is left out.
pub fn report(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs a command to its end, at most a minute; standard output and error.
pub fn finish(command: &mut Command) -> (Option<i32>, String, String) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let read = |mut from: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = from.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let out = read(Box::new(child.stdout.take().unwrap()));
    let err = read(Box::new(child.stderr.take().unwrap()));
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    (status.code(), out.join().unwrap(), err.join().unwrap())
}
