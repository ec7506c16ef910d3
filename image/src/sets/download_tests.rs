//! A server of a few lines, in this process, that behaves as badly as asked.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;
use crate::progress::Silent;

/// What the server does with one connection, given the offset that was asked for.
type Behaviour = Box<dyn Fn(&mut TcpStream, u64) + Send>;

/// Serves one connection after the other, each with the next behaviour, and returns the address.
fn serve(behaviours: Vec<Behaviour>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for behaviour in behaviours {
            let (mut stream, _) = listener.accept().unwrap();
            let offset = read_request(&stream);
            behaviour(&mut stream, offset);
        }
    });
    format!("http://{address}/14.3-RELEASE/base.txz")
}

fn read_request(stream: &TcpStream) -> u64 {
    let mut offset = 0;
    for line in BufReader::new(stream).lines().map_while(std::result::Result::ok) {
        if line.is_empty() {
            break;
        }
        let lower = line.to_lowercase();
        if let Some(range) = lower.strip_prefix("range: bytes=") {
            offset = range.trim_end_matches('-').parse().unwrap();
        }
    }
    offset
}

const CONTENTS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

fn answer(sent: usize) -> Behaviour {
    Box::new(move |stream, offset| {
        let rest = &CONTENTS[offset as usize..];
        let status = if offset > 0 { "206 Partial Content" } else { "200 OK" };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            rest.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&rest[..sent.min(rest.len())]).unwrap();
    })
}

fn status_only(status: &'static str) -> Behaviour {
    Box::new(move |stream, _| {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
    })
}

fn hang() -> Behaviour {
    Box::new(|_, _| thread::sleep(Duration::from_secs(5)))
}

fn get(behaviours: Vec<Behaviour>, before: &[u8]) -> (Result<String>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("part");
    if !before.is_empty() {
        std::fs::write(&part, before).unwrap();
    }
    let patience = Patience {
        connect: Duration::from_millis(500),
        silence: Duration::from_millis(150),
        pause: Duration::from_millis(1),
    };
    let result = fetch(&serve(behaviours), &part, &patience, &Silent);
    (result, std::fs::read(&part).unwrap_or_default())
}

#[test]
fn a_whole_file() {
    let (hash, bytes) = get(vec![answer(100)], b"");
    assert_eq!(bytes, CONTENTS);
    assert_eq!(hash.unwrap(), crate::hash::of_bytes(CONTENTS));
}

#[test]
fn a_broken_connection_is_resumed_where_it_broke() {
    let (hash, bytes) = get(vec![answer(10), answer(3), answer(100)], b"");
    assert_eq!(bytes, CONTENTS);
    assert_eq!(hash.unwrap(), crate::hash::of_bytes(CONTENTS));
}

#[test]
fn a_part_from_an_earlier_run_is_continued() {
    let (hash, bytes) = get(vec![answer(100)], &CONTENTS[..20]);
    assert_eq!(bytes, CONTENTS);
    assert_eq!(hash.unwrap(), crate::hash::of_bytes(CONTENTS));
}

#[test]
fn a_part_that_is_too_long_is_fetched_anew() {
    let behaviours = vec![status_only("416 Range Not Satisfiable"), answer(100)];
    let (hash, bytes) = get(behaviours, &[b'x'; 100]);
    assert_eq!(bytes, CONTENTS);
    assert!(hash.is_ok());
}

#[test]
fn absence_is_said_once_and_for_all() {
    let (result, _) = get(vec![status_only("404 Not Found")], b"");
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("base.txz: the mirror has no such file (HTTP 404)"),
        "{error}"
    );
    assert!(error.contains("hint: "), "{error}");
}

#[test]
fn a_silent_server_is_not_waited_for() {
    let (result, _) = get((0..4).map(|_| hang()).collect(), b"");
    let error = result.unwrap_err().to_string();
    assert!(error.contains("timeout") && error.contains("tried 4 times"), "{error}");
}

#[test]
fn trouble_of_the_server_passes() {
    let (hash, _) = get(vec![status_only("503 Service Unavailable"), answer(100)], b"");
    assert!(hash.is_ok());
}
