//! The checks that need no FreeBSD.

use std::io::Write;
use std::net::TcpListener;
use std::thread;

use super::*;

#[test]
fn where_sshd_listens_is_what_it_says() {
    let settings = "port 22\nlistenaddress [::]:22\nlistenaddress 0.0.0.0:2222\nlistenaddress 10.0.0.1:22\n";
    let found: Vec<String> = listening(settings).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["127.0.0.1:2222", "10.0.0.1:22", "[::1]:22"]);
    assert!(listening("").is_empty());
}

/// Who greets with those words.
fn server(words: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.accept().unwrap().0.write_all(words).unwrap());
    address
}

#[test]
fn only_a_server_that_speaks_ssh_is_one() {
    assert_eq!(
        greeting(server(b"SSH-2.0-OpenSSH_9.7\r\n")).unwrap(),
        "SSH-2.0-OpenSSH_9.7"
    );
    let other = greeting(server(b"HTTP/1.1 400\x1b[2J\r\n")).unwrap_err();
    assert_eq!(other, "it is no SSH server: it says `HTTP/1.1 400[2J`");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(greeting(nobody).is_err());
}

#[test]
fn a_program_that_fails_says_why() {
    assert_eq!(succeed(&mut Command::new("true")), Ok(()));
    let said = succeed(Command::new("sh").args(["-c", "echo no >&2; exit 3"]));
    assert_eq!(said, Err("no".into()));
    assert!(
        succeed(Command::new("sh").args(["-c", "exit 3"]))
            .unwrap_err()
            .contains('3')
    );
    assert!(succeed(&mut Command::new("/no/such/program")).is_err());
}
