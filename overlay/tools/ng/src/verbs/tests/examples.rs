//! What the example scripts that come with FreeBSD say to ngctl(8), line by line.

use netgraph::fake::Fake;

use super::{Output, failure_of, run_line};
use crate::failure::Failure;
use crate::program::Program;
use crate::session::Session;
use crate::session::tests::session;

fn open(fake: &Fake, output: &Output) -> Session<Fake> {
    let mut session = session(fake.clone(), false, Box::new(output.clone()));
    session.program = Program::Ngctl;
    session
}

/// Runs one line as a call of `ngctl`; returns what it printed.
fn call(fake: &Fake, line: &str) -> Result<String, Failure> {
    let output = Output::default();
    run_line(&mut open(fake, &output), line)?;
    Ok(output.text())
}

/// The same with several, none of which is to fail.
fn ngctl(fake: &Fake, lines: &[&str]) -> Vec<String> {
    let run = |line: &&str| call(fake, line).unwrap_or_else(|failure| panic!("{line}: {failure}"));
    lines.iter().map(run).collect()
}

/// The second word of the last line in which a word is found, as the scripts take it from a list.
fn second_word<'a>(text: &'a str, word: &str) -> &'a str {
    let line = text.lines().rfind(|line| line.contains(word)).unwrap_or_default();
    line.split_whitespace().nth(1).unwrap_or_default()
}

#[test]
fn ether_bridge() {
    let fake = Fake::with_interfaces(&["de0", "fxp0", "fxp1"]);
    assert!(call(&fake, "info bnet0:").is_err());
    let start = [
        "info de0:",
        "mkpeer de0: bridge lower link0",
        "name de0:lower bnet0",
        "connect fxp0: bnet0: lower link1",
        "connect fxp1: bnet0: lower link2",
        "connect fxp0: bnet0: upper link3",
        "connect fxp1: bnet0: upper link4",
        "msg de0: setpromisc 1",
        "msg de0: setautosrc 0",
        "info bnet0:",
    ];
    let said = ngctl(&fake, &start);
    assert!(said[9].contains("Num hooks: 5"), "{}", said[9]);
    assert!(said[1..9].iter().all(String::is_empty), "{said:?}");
    ngctl(&fake, &["kill bnet0:", "kill de0:", "kill fxp0:", "info fxp0:"]);
    assert_eq!(failure_of(call(&fake, "kill bnet0:")).status(), 71);
}

#[test]
fn virtual_lan_and_chain() {
    let fake = Fake::with_interfaces(&["em0"]);
    let lan = [
        "mkpeer em0: bridge lower link0",
        "name em0:lower bridge0",
        "connect em0: bridge0: upper link1",
        "mkpeer eiface ether ether",
        "mkpeer eiface ether ether",
        "l",
    ];
    let said = ngctl(&fake, &lan);
    assert_eq!(second_word(&said[5], "ngeth"), "ngeth1");
    assert_eq!(said[5].lines().filter(|line| line.contains("bridge")).count(), 1);
    let more = [
        "connect ngeth0: bridge0: ether link2",
        "connect ngeth1: bridge0: ether link3",
        "shutdown bridge0:",
        "connect ngeth0: ngeth1: ether ether",
        "shutdown ngeth0:",
    ];
    ngctl(&fake, &more);
}

#[test]
fn raw_and_frame_relay() {
    let fake = Fake::with_interfaces(&["em0"]);
    ngctl(&fake, &["mkpeer em0: hub lower card", "name em0:lower sr0"]);
    let relay = [
        "mkpeer sr0: frame_relay rawdata downstream",
        "mkpeer sr0:rawdata lmi dlci0 auto0",
        "connect sr0:rawdata sr0:rawdata.dlci0 dlci1023 auto1023",
        "mkpeer sr0:rawdata rfc1490 dlci16 downstream",
        "mkpeer sr0:rawdata.dlci16 iface inet inet",
        "show ng0:",
    ];
    let said = ngctl(&fake, &relay);
    assert!(said[5].contains("rfc1490"), "{}", said[5]);
    ngctl(
        &fake,
        &[
            "shutdown ng0:inet",
            "shutdown sr0:rawdata",
            "connect sr0: ng0: rawdata inet",
        ],
    );
}

#[test]
fn udp_tunnel() {
    let fake = Fake::default();
    let tunnel = [
        "mkpeer iface dummy inet",
        "mkpeer ng0: ksocket inet inet/dgram/udp",
        "msg ng0:inet bind inet/1.1.1.1:4028",
        "msg ng0:inet connect inet/2.2.2.2:4028",
        "shutdown ng0:",
    ];
    assert!(ngctl(&fake, &tunnel).iter().all(String::is_empty));
}

#[test]
fn the_transcript_of_a_session() {
    let output = Output::default();
    let mut session = open(&Fake::default(), &output);
    let lines = [
        "mkpeer ksocket foo divert/raw/0",
        "name foo fred",
        "msg fred: bind inet/192.168.1.1",
        "msg fred: bind { family=2 len=16 data=[ 2=192 168 1 1 ] }",
        "msg fred: getname",
        "mkpeer ksocket bar inet/stream/tcp",
        "msg bar connect inet/192.168.1.33:13",
        r#"msg bar bind local/"/tmp/bar.socket""#,
    ];
    for line in lines {
        run_line(&mut session, line).unwrap_or_else(|failure| panic!("{line}: {failure}"));
    }
    let said = output.text();
    assert!(said.starts_with("Rec'd response \"getname\" (1) from \"["), "{said}");
}
