//! What programs reach of the machine, for real: files, arguments and environment through the binary, `fetch` against a server
//! that the test starts on this machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_kernel::output::{Output as Shown, OutputSink};
use ag_kernel::session::Session;
use ag_kernel::session::options::{HomeChoice, SessionOptions};
use ag_kernel::session::request::{CellRequest, CellStatus};
use ag_runtime::world::outside::Reach;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

fn ag(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ag"))
        .args(arguments)
        .current_dir(folder)
        .env("AG_HOME", folder.join("home"))
        .env("AG_TEST_WORD", "from outside")
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap()
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    std::fs::write(folder.join("program.ag"), program).unwrap();
    let mut all = vec!["run", "program.ag"];
    all.extend(arguments);
    ag(folder, &all)
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_program_gets_its_arguments_and_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let program = "print(args())\nprint(env(\"AG_TEST_WORD\"))\nprint(env(\"AG_TEST_NOTHING\"))";
    let output = run(folder.path(), program, &["--ephemeral", "--", "a", "--json", "b c"]);
    assert_eq!(
        out(&output),
        "[\"a\", \"--json\", \"b c\"]\nSome(\"from outside\")\nNone\n",
        "{}",
        err(&output)
    );
}

#[test]
fn paths_start_in_the_folder_of_the_file_and_writing_elsewhere_takes_permission() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("book");
    std::fs::create_dir(&folder).unwrap();
    let program = "write_text(\"in.txt\", \"1\")\nwrite_text(\"../out.txt\", \"2\")\nprint(list_files(\".\"))";
    std::fs::write(folder.join("program.ag"), program).unwrap();
    let refused = ag(outer.path(), &["run", "book/program.ag", "--ephemeral"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        err(&refused).contains("R0702") && err(&refused).contains("--allow fs"),
        "{}",
        err(&refused)
    );
    assert!(folder.join("in.txt").exists() && !outer.path().join("out.txt").exists());
    let allowed = ag(outer.path(), &["run", "book/program.ag", "--ephemeral", "--allow", "fs"]);
    assert_eq!(out(&allowed), "[\"in.txt\", \"program.ag\"]\n", "{}", err(&allowed));
    assert_eq!(std::fs::read_to_string(outer.path().join("out.txt")).unwrap(), "2");
}

/// A server for so many connections: gives each the answer that `answer` makes of its request, and tells the requests.
fn serve(connections: usize, answer: fn(&str) -> Vec<u8>) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let mut stream = stream.unwrap();
            let request = request_of(&mut stream);
            let _ = stream.write_all(&answer(&request));
            let _ = tell.send(request);
        }
    });
    (address, told)
}

/// Head and body, as long as its length says.
fn request_of(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        seen.extend(byte);
    }
    let head = String::from_utf8_lossy(&seen).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8_lossy(&body)
}

fn page(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

#[test]
fn fetch_sends_what_it_is_told_and_a_bad_status_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let (address, requests) = serve(2, |request| match request.starts_with("post /orders?x=1 ") {
        true => page("201 Created", "x-a: 1\r\nx-a: 2\r\n", "größer"),
        false => page("404 Not Found", "", "nothing here"),
    });
    let program = format!(
        "let made := fetch(\"http://{address}/orders?x=1\", method: \"POST\", headers: {{ \"X-Key\": \"k\" }}, body: \"{{}}\")\n\
         print(made.status)\nprint(made.headers[\"x-a\"])\nprint(made.body)\n\
         let missing := fetch(\"http://{address}/missing\")\nprint(missing.status)\nprint(missing.body)\n"
    );
    let output = run(folder.path(), &program, &["--ephemeral", "--allow", "net"]);
    assert_eq!(out(&output), "201\n1, 2\ngrößer\n404\nnothing here\n", "{}", err(&output));
    let post = requests.recv().unwrap();
    assert!(post.contains("\r\nx-key: k\r\n") && post.ends_with("\r\n\r\n{}"), "{post}");
    assert!(requests.recv().unwrap().starts_with("get /missing http/1.1\r\n"));
}

#[test]
fn what_is_no_text_or_comes_too_late_is_a_fault_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _requests) = serve(1, |_| page("200 OK", "content-type: image/png\r\n", ""));
    let (bytes, _requests) = serve(1, |_| {
        b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 3\r\n\r\na\xff\xfe".to_vec()
    });
    // Takes the connection and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let program = format!(
        "function told(url : Text) -> Text {{\n\
           return match try fetch(url, timeout: 200ms) {{ Ok(r) => \"ok\", Err(f) => f.code + \" \" + f.message }}\n}}\n\
         print(told(\"http://{address}/\"))\n\
         print(told(\"http://{bytes}/a?key=secret\"))\n\
         print(told(\"http://{}/\"))\n",
        silent.local_addr().unwrap()
    );
    let output = run(folder.path(), &program, &["--ephemeral", "--allow", "net"]);
    let shown = out(&output);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "ok", "{shown}{}", err(&output));
    assert_eq!(
        lines[1],
        format!(
            "R0608 the body of http://{bytes}/a is not valid UTF-8 (byte 1); its type is image/png"
        )
    );
    assert!(lines[2].starts_with("R0608 no answer from http://127.0.0.1:"), "{}", lines[2]);
    assert!(lines[2].ends_with("within 0.2 s"), "{}", lines[2]);
}

#[test]
fn without_permission_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (address, requests) = serve(1, |_| page("200 OK", "", ""));
    let program = format!("fetch(\"http://{address}/\")");
    let output = run(folder.path(), &program, &["--ephemeral"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains("R0702") && err(&output).contains(":set net allow"),
        "{}",
        err(&output)
    );
    assert!(requests.try_recv().is_err());
}

struct Ignored;

impl OutputSink for Ignored {
    fn emit(&self, _: Shown) {}
}

#[test]
fn an_interrupt_cuts_the_connection() {
    let options = SessionOptions {
        home: HomeChoice::Ephemeral,
        allowed: vec![Reach::Net],
        ..SessionOptions::default()
    };
    let mut session = Session::open(options).unwrap();
    let interrupter = session.interrupter();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        request_of(&mut stream);
        interrupter.interrupt();
        // Ends when the other side closes: the program no longer listens.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    });
    let sink: Arc<dyn OutputSink> = Arc::new(Ignored);
    let cell = format!("fetch(\"http://{address}/\", timeout: 1h)");
    let reply = session.evaluate(CellRequest::new(cell), &sink);
    assert_eq!(reply.status, CellStatus::Faulted);
    server.join().unwrap();
    let after = session.evaluate(CellRequest::new("1 + 1"), &sink);
    assert_eq!(after.status, CellStatus::Ok);
}
