//! `ng --hosted` with network interfaces: the appliance's own graph carries frames from one to the other.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hostkern::netgraph::ether::Wire;
use hostkern::{Config, Kernel, Subject};
use hostkernd::{Card, Interfaces, Server, serve_with};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Says which test's child a process is.
const CHILD: &str = "NG_TEST_NAMESPACE";

/// Runs `work`, of the test called `test`, in a child that is root of a network of its own.
fn in_network_of_its_own(test: &str, work: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some_and(|child| child == test) {
        return work();
    }
    let child = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, test)
        .output()
        .expect("unshare runs: the package util-linux has it");
    let said = [&child.stdout[..], &child.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{}: {said}\nhint: this test needs user and network namespaces: `unshare --user --map-root-user --net true` \
         shows whether this machine has them",
        child.status
    );
}

/// Two interfaces, `name` and its other end, which is the test's.
fn make_pair(name: &str, end: &str) -> Card {
    let arguments = ["link", "add", name, "type", "veth", "peer", "name", end];
    let ip = Command::new("ip").args(arguments).output();
    let ip = ip.expect("ip runs: the package iproute2 has it");
    assert!(ip.status.success(), "ip {arguments:?}: {ip:?}");
    Card::open(end).unwrap()
}

/// Waits for a frame that is `wanted`; those before it are in the result as well.
fn frames_until(card: &Card, wanted: &[u8]) -> Vec<Vec<u8>> {
    let (deadline, mut frames, mut buffer) = (Instant::now() + PATIENCE, Vec::new(), vec![0; 1 << 16]);
    while frames.last().is_none_or(|frame| frame != wanted) {
        assert!(
            Instant::now() < deadline,
            "{wanted:02x?} did not come, but {frames:02x?}"
        );
        match card.receive(&mut buffer) {
            Ok(frame) => frames.extend(frame.map(<[u8]>::to_vec)),
            Err(_) => thread::sleep(Duration::from_millis(2)),
        }
    }
    frames
}

/// A frame of an experimental protocol, from a station with this number.
fn frame(to: [u8; 6], from: u8, payload: &[u8]) -> Vec<u8> {
    [&to[..], &[2, 0, 0, 0, 0, from, 0x88, 0xb5], payload].concat()
}

const BROADCAST: [u8; 6] = [0xff; 6];

fn command(socket: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ng"));
    command.arg("--hosted").arg(socket).args(arguments);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn ng(socket: &Path, arguments: &[&str]) -> String {
    let output: Output = command(socket, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A hosted kernel with these interfaces, in which `work` may use `ng` by the socket.
fn with_kernel(interfaces: &[&str], work: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let cards = interfaces.iter().map(|name| Card::open(name).unwrap()).collect();
    let server = Server::bind(&socket).unwrap();
    let stop = server.stopper();
    let config = Config {
        subject: Subject::Native,
        guard_pages: false,
        check_leaks: true,
    };
    let kernel = thread::spawn(move || {
        let kernel = Kernel::boot(config).unwrap();
        let interfaces = Interfaces::attach(cards).unwrap();
        serve_with(kernel, interfaces, &server);
    });
    work(&socket);
    stop.stop();
    kernel.join().unwrap();
}

/// Starts `ng hook`, which is connected when this returns.
fn tap(socket: &Path, hook: &str) -> Child {
    let mut tap = command(socket, &["hook", "--json", "-n", "-c", "1", "-t", "30", "tap0:", hook])
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !ng(socket, &["show", "tap0:"]).contains(hook) {
        assert!(Instant::now() < deadline, "{:?}", tap.kill());
        thread::sleep(Duration::from_millis(5));
    }
    tap
}

#[test]
fn the_appliances_graph_carries_frames() {
    in_network_of_its_own("the_appliances_graph_carries_frames", || {
        let (two, three) = (make_pair("vtnet1", "two"), make_pair("vtnet2", "three"));
        with_kernel(&["vtnet1", "vtnet2"], |socket| {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../graph.yaml");
            ng(socket, &["apply", file]);
            ng(socket, &["apply", "--dry-run", file]);
            let interfaces = ng(socket, &["validate", "--interfaces", file]);
            assert_eq!(interfaces, "vtnet1\nvtnet2\n");
            carry(socket, &two, &three);
            ng(socket, &["shutdown", "vtnet1:"]);
            assert!(ng(socket, &["show", "vtnet1:"]).contains("Num hooks: 0"));
            two.transmit(&frame(BROADCAST, 1, b"lost")).unwrap();
            ng(socket, &["apply", file]);
            carry(socket, &two, &three);
        });
    });
}

/// Frames go from each end to the other, as the bridge has learnt, and are seen by the tap.
fn carry(socket: &Path, two: &Card, three: &Card) {
    let tapped = tap(socket, "left2right");
    let first = frame(BROADCAST, 1, b"from two");
    two.transmit(&first).unwrap();
    frames_until(three, &first);
    let tapped = tapped.wait_with_output().unwrap();
    let bytes: String = first.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(String::from_utf8_lossy(&tapped.stdout).contains(&bytes), "{tapped:?}");
    let longest = frame([2, 0, 0, 0, 0, 1], 2, &[7; 1500]);
    three.transmit(&longest).unwrap();
    frames_until(two, &longest);
    // A tag that Linux takes off is put back.
    let mut tagged = first.clone();
    tagged.splice(12..12, [0x81, 0, 0x20, 5]);
    two.transmit(&tagged).unwrap();
    frames_until(three, &tagged);
    two.transmit(&frame([2, 0, 0, 0, 0, 1], 3, b"same side")).unwrap();
    let end = frame(BROADCAST, 1, b"the end");
    two.transmit(&end).unwrap();
    assert_eq!(frames_until(three, &end), [end]);
    let table = ng(socket, &["msg", "sw0:", "gettable"]);
    assert!(table.contains(r#"addr=02:00:00:00:00:01 hook="link0""#), "{table}");
    assert!(table.contains(r#"addr=02:00:00:00:00:02 hook="link1""#), "{table}");
    assert!(ng(socket, &["msg", "sw0:", "getstats", "0"]).contains("recvPackets="));
    assert!(ng(socket, &["msg", "tap0:", "getstats"]).contains("left={ inOctets="));
}

#[test]
fn messages_of_types_are_words() {
    in_network_of_its_own("messages_of_types_are_words", || {
        let _end = make_pair("em0", "end");
        with_kernel(&["em0"], |socket| {
            assert!(ng(socket, &["msg", "em0:", "getifname"]).contains(r#""em0""#));
            ng(socket, &["msg", "em0:", "setpromisc", "1"]);
            assert!(ng(socket, &["msg", "em0:", "getpromisc"]).ends_with("1\n"));
            ng(socket, &["msg", "em0:", "setenaddr", "02:00:00:00:00:0a"]);
            assert!(ng(socket, &["msg", "em0:", "getenaddr"]).contains("02:00:00:00:00:0a"));
            ng(socket, &["msg", "em0:", "addmulti", "01:00:5e:00:00:05"]);
            ng(socket, &["msg", "em0:", "delmulti", "01:00:5e:00:00:05"]);
            let script = socket.with_file_name("script");
            std::fs::write(
                &script,
                "mkpeer hole out in\nwrite out 1 2 3\nmsg .:out getstats \"in\"\n",
            )
            .unwrap();
            let counted = ng(socket, &["-f", script.to_str().unwrap()]);
            assert!(counted.contains("frames=1 octets=3"), "{counted}");
            let refused = command(socket, &["mkpeer", "ether", "out", "lower"]).output().unwrap();
            assert!(
                String::from_utf8_lossy(&refused.stderr).contains("EINVAL"),
                "{refused:?}"
            );
        });
    });
}
