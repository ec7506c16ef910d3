//! The SSH half of the harness against a real OpenSSH server.

use super::exec::{Exit, KEPT};
use super::testserver::{Relay, Server, Well, free_port};
use super::*;

fn seconds(count: u64) -> Deadline {
    Deadline::after(Duration::from_secs(count))
}

fn connection(server: &Server) -> Connection {
    Connection::open(&server.login(), seconds(30), &mut Well).unwrap()
}

#[test]
fn a_command_gives_its_output_and_status() {
    let server = Server::start();
    let connection = connection(&server);
    let command = "cat; echo out; echo err >&2; exit 7";
    let output = connection
        .run(command, b"in\n".to_vec(), seconds(20), &mut Well)
        .unwrap();
    assert_eq!(output.exit, Exit::Status(7));
    assert_eq!(output.stdout.text(), "in\nout\n");
    assert_eq!(output.stderr.text(), "err\n");
    let output = connection.run("kill -TERM $$", vec![], seconds(20), &mut Well).unwrap();
    assert_eq!(output.exit, Exit::Signal("TERM".into()));
}

#[test]
fn a_command_that_hangs_ends_at_its_deadline_and_the_server_can_be_reached_again() {
    let server = Server::start();
    let hanging = connection(&server);
    let start = Instant::now();
    let error = hanging.run("exec sleep 30", vec![], seconds(1), &mut Well).unwrap_err();
    assert!(matches!(error, Failure::Deadline { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
    drop(hanging);
    let output = connection(&server).run("echo again", vec![], seconds(20), &mut Well);
    assert_eq!(output.unwrap().stdout.text(), "again\n");
}

#[test]
fn a_connection_that_hangs_ends_at_its_deadline_whatever_it_is_about() {
    let server = Server::start();
    let relay = Relay::to(server.login().port);
    let login = Login {
        port: relay.port(),
        ..server.login()
    };
    let connection = Connection::open(&login, seconds(30), &mut Well).unwrap();
    relay.hold();
    let start = Instant::now();
    let error = connection.run("true", vec![], seconds(1), &mut Well).unwrap_err();
    assert!(matches!(error, Failure::Deadline { .. }), "{error}");
    let relay = Relay::to(server.login().port);
    relay.hold();
    let login = Login {
        port: relay.port(),
        ..server.login()
    };
    let error = Connection::open(&login, seconds(1), &mut Well).err().unwrap();
    assert!(matches!(error, Failure::NeverOpened { .. }), "{error}");
    drop(connection);
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_flood_is_counted_but_not_kept() {
    let server = Server::start();
    let connection = connection(&server);
    let output = connection
        .run("head -c 10485760 /dev/zero", vec![], seconds(60), &mut Well)
        .unwrap();
    assert_eq!(output.stdout.total, 10 << 20);
    assert_eq!(output.stdout.bytes.len(), KEPT);
    assert!(output.stdout.is_cut());
}

#[test]
fn an_endless_flood_ends_at_its_deadline() {
    let server = Server::start();
    let connection = connection(&server);
    let start = Instant::now();
    let error = connection.run("exec yes", vec![], seconds(1), &mut Well).err().unwrap();
    assert!(matches!(error, Failure::Deadline { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn much_input_reaches_the_command() {
    let server = Server::start();
    let connection = connection(&server);
    let input = vec![b'x'; 3 << 20];
    let output = connection.run("wc -c", input, seconds(60), &mut Well).unwrap();
    assert_eq!(output.stdout.text().trim(), (3 << 20).to_string());
}

#[test]
fn a_key_that_is_not_known_is_refused_at_once() {
    let server = Server::start();
    let login = Login {
        identity: server.stranger(),
        ..server.login()
    };
    let error = Connection::open(&login, seconds(60), &mut Well).err().unwrap();
    assert!(matches!(error, Failure::Refused { .. }), "{error}");
    assert!(error.to_string().contains("stranger"), "{error}");
}

#[test]
fn nobody_there_is_reported_at_the_deadline() {
    let login = Login {
        port: free_port(),
        user: "root".into(),
        identity: "/nonexistent".into(),
    };
    let start = Instant::now();
    let error = Connection::open(&login, seconds(1), &mut Well).err().unwrap();
    assert!(error.to_string().contains("did not open SSH within 1 s"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn somebody_who_accepts_and_says_nothing_is_reported_at_the_deadline() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let login = Login {
        port: listener.local_addr().unwrap().port(),
        user: "root".into(),
        identity: "/nonexistent".into(),
    };
    let error = Connection::open(&login, seconds(1), &mut Well).err().unwrap();
    assert!(error.to_string().contains("the server's greeting"), "{error}");
}

/// A guest that fails after some checks.
struct Doomed(u32);

impl Watch for Doomed {
    fn check(&mut self) -> Result<(), Demise> {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { Err(Demise::Interrupted) } else { Ok(()) }
    }

    fn console(&self, _mark: u64) -> Vec<String> {
        Vec::new()
    }

    fn mark(&self) -> u64 {
        0
    }
}

#[test]
fn a_guest_that_fails_ends_every_wait() {
    let server = Server::start();
    let connection = connection(&server);
    let start = Instant::now();
    let error = connection
        .run("exec sleep 30", vec![], seconds(30), &mut Doomed(5))
        .unwrap_err();
    assert!(matches!(error, Failure::Guest(_)), "{error}");
    let nobody = Login {
        port: free_port(),
        ..server.login()
    };
    let error = Connection::open(&nobody, seconds(30), &mut Doomed(5)).err().unwrap();
    assert!(matches!(error, Failure::Guest(_)), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
}
