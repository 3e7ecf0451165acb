//! A Jupyter client as thin as can be: it measures kernels, ours and the peers', from outside and over the same sockets.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ag_kernel::jupyter::wire::Signer;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zeromq::{DealerSocket, Socket, SocketRecv, SocketSend, SubSocket, ZmqMessage};

/// Longer than any answer takes; an answer that does not come is an error, not a hang.
const PATIENCE: Duration = Duration::from_secs(30);
const KEY: &str = "benchmark";

/// How a kernel is started: the words of its kernelspec.
#[derive(Debug, Clone)]
pub struct Spec {
    pub name: String,
    pub argv: Vec<String>,
    /// A program in its language that never ends.
    pub endless: &'static str,
}

/// A running kernel with its sockets. Dropping it ends the process.
pub struct Kernel {
    process: Child,
    runtime: Runtime,
    signer: Signer,
    shell: DealerSocket,
    control: DealerSocket,
    iopub: SubSocket,
    /// What `kernel_info_reply` says.
    pub version: String,
    /// From the start of the process to that reply.
    pub start: Duration,
    _folder: TempDir,
}

/// Our own kernel, built beside this program.
pub fn ours() -> Result<Spec, String> {
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    let built = here.ancestors().map(|folder| folder.join("ag")).find(|path| path.is_file());
    let program =
        std::env::var_os("AG_BIN").map(PathBuf::from).or(built).ok_or("ag is not built")?;
    let words =
        [&program.to_string_lossy(), "kernel", "start", "--ephemeral", "-f", "{connection_file}"];
    let argv = words.map(str::to_owned).to_vec();
    Ok(Spec { name: "ag".to_owned(), argv, endless: "var i := 0\nwhile true { i += 1 }" })
}

/// A peer that `make bench-setup` installed.
pub fn peer(kernel: &str) -> Option<Spec> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache =
        cache.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))?;
    let environment = cache.join("ag/peers");
    let spec = environment.join("share/jupyter/kernels").join(kernel).join("kernel.json");
    let spec: Value = serde_json::from_slice(&std::fs::read(spec).ok()?).ok()?;
    let mut argv: Vec<String> = serde_json::from_value(spec.get("argv")?.clone()).ok()?;
    if let Some(first) = argv.first_mut()
        && first.starts_with("python")
    {
        *first = environment.join("bin/python").to_string_lossy().into_owned();
    }
    Some(Spec { name: kernel.to_owned(), argv, endless: "while True: pass" })
}

impl Kernel {
    pub fn start(spec: &Spec) -> Result<Kernel, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let file = folder.path().join("connection.json");
        let ports = free_ports()?;
        let [shell, iopub, stdin, control, heartbeat] = ports;
        let connection = json!({
            "transport": "tcp", "ip": "127.0.0.1", "key": KEY, "signature_scheme": "hmac-sha256",
            "shell_port": shell, "iopub_port": iopub, "stdin_port": stdin, "control_port": control, "hb_port": heartbeat,
        });
        std::fs::write(&file, connection.to_string()).map_err(|error| error.to_string())?;
        let words: Vec<String> = spec
            .argv
            .iter()
            .map(|word| word.replace("{connection_file}", &file.to_string_lossy()))
            .collect();
        let (program, arguments) = words.split_first().ok_or("an empty kernelspec")?;
        let began = Instant::now();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.spawn().map_err(|error| format!("{}: {error}", spec.name))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let sockets = runtime.block_on(async {
            let iopub_socket: SubSocket = connect(iopub, began).await?;
            Ok::<_, String>((
                connect(shell, began).await?,
                connect(control, began).await?,
                iopub_socket,
            ))
        });
        let (shell, control, mut iopub) = sockets?;
        runtime.block_on(iopub.subscribe("")).map_err(|error| error.to_string())?;
        let version = String::new();
        let signer = Signer::new(KEY);
        let start = Duration::ZERO;
        let mut kernel = Kernel {
            process,
            runtime,
            signer,
            shell,
            control,
            iopub,
            version,
            start,
            _folder: folder,
        };
        let info = kernel.ask("kernel_info_request", &json!({}))?;
        kernel.start = began.elapsed();
        kernel.version =
            info.get("implementation_version").and_then(Value::as_str).unwrap_or("?").to_owned();
        Ok(kernel)
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends a request on shell and waits for the reply's content.
    pub fn ask(&mut self, kind: &str, content: &Value) -> Result<Value, String> {
        let request = self.signer.request(kind, content);
        let reply = self.runtime.block_on(async {
            self.shell.send(request).await.map_err(|error| error.to_string())?;
            receive(&mut self.shell).await
        })?;
        self.drain();
        content_of(&reply)
    }

    /// The time from sending an execute request to its reply, over the bare socket.
    pub fn execute(&mut self, code: &str) -> Result<Duration, String> {
        let request = self.signer.request("execute_request", &execute_content(code));
        let began = Instant::now();
        self.runtime.block_on(async {
            self.shell.send(request).await.map_err(|error| error.to_string())?;
            receive(&mut self.shell).await
        })?;
        let spent = began.elapsed();
        self.drain();
        Ok(spent)
    }

    /// Starts a program that never ends, interrupts it, and gives the time from the interrupt to the reply.
    pub fn interrupt(&mut self, endless: &str) -> Result<Duration, String> {
        let request = self.signer.request("execute_request", &execute_content(endless));
        let interrupt = self.signer.request("interrupt_request", &json!({}));
        let pause = Duration::from_millis(50);
        let (reply, spent) = self.runtime.block_on(async {
            self.shell.send(request).await.map_err(|error| error.to_string())?;
            tokio::time::sleep(pause).await;
            let began = Instant::now();
            self.control.send(interrupt).await.map_err(|error| error.to_string())?;
            let reply = receive(&mut self.shell).await?;
            Ok::<_, String>((reply, began.elapsed()))
        })?;
        self.drain();
        let content = content_of(&reply)?;
        let status = content.get("status").and_then(Value::as_str).unwrap_or_default();
        let is_stopped = status == "error" && spent > Duration::ZERO;
        if is_stopped { Ok(spent) } else { Err(format!("the loop ended with {status}")) }
    }

    /// Forgets what iopub sent so far, so that its queue does not grow while something else is measured.
    fn drain(&mut self) {
        self.runtime.block_on(async {
            while let Ok(Ok(_)) =
                tokio::time::timeout(Duration::from_micros(50), self.iopub.recv()).await
            {
            }
        });
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn execute_content(code: &str) -> Value {
    json!({
        "code": code, "silent": false, "store_history": false, "user_expressions": {}, "allow_stdin": false,
        "stop_on_error": false,
    })
}

/// Ports that are free now. Kernels are started one at a time, so nobody else takes them soon.
fn free_ports() -> Result<[u16; 5], String> {
    let mut held = Vec::new();
    let mut ports = [0; 5];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        *port = listener.local_addr().map_err(|error| error.to_string())?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// Tries until the kernel listens.
async fn connect<S: Socket>(port: u16, began: Instant) -> Result<S, String> {
    loop {
        // The first attempts find nobody; asking the port before zeromq does keeps its own slow retry out of it.
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            let mut socket = S::new();
            let connected = socket.connect(&format!("tcp://127.0.0.1:{port}")).await;
            return connected.map(|()| socket).map_err(|error| error.to_string());
        }
        if began.elapsed() > PATIENCE {
            return Err("the kernel does not listen".to_owned());
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

async fn receive(socket: &mut DealerSocket) -> Result<ZmqMessage, String> {
    let received = tokio::time::timeout(PATIENCE, socket.recv()).await;
    received.map_err(|_| "no reply".to_owned())?.map_err(|error| error.to_string())
}

/// The last of the frames before buffers is the content; peers send none with the replies used here.
fn content_of(message: &ZmqMessage) -> Result<Value, String> {
    let frames: Vec<_> = message.iter().collect();
    let at =
        frames.iter().position(|frame| frame.as_ref() == b"<IDS|MSG>").ok_or("no delimiter")?;
    let content = frames.get(at + 5).ok_or("too few frames")?;
    serde_json::from_slice(content).map_err(|error| error.to_string())
}
