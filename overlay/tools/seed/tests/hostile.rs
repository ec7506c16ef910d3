//! Seeds that are wrong: each is refused with its place, its cause and a hint, and nothing is changed.

use std::path::Path;

use seed::network::Card;
use seed::volume::Kind;
use seed::{Plan, Seed};

const META: &str = "instance-id: a\n";

fn cards() -> Vec<Card> {
    let card = |number: u8| Card {
        name: format!("vtnet{number}"),
        mac: Some(graph::Mac([0x52, 0x54, 0, 0x6e, 0x67, number + 1])),
    };
    (0..3).map(card).collect()
}

fn refused(files: &[(&'static str, &[u8])]) -> String {
    let files = files.iter().map(|(name, bytes)| (*name, bytes.to_vec()));
    let seed = Seed::of(Kind::NoCloud, Path::new("cidata"), files);
    let present = "version: 1\nnodes:\n  p1: { interface: vtnet1 }\n  h: { type: hub }\nedges: [ p1.lower -- h.a ]\n";
    let error = Plan::read(&seed, Some(&cards()), Some(present)).map(|plan| format!("{plan:?}"));
    error.unwrap_err().to_string()
}

#[track_caller]
fn user(text: &str, expected: &str) {
    let text = format!("#cloud-config\n{text}");
    let said = refused(&[("meta-data", META.as_bytes()), ("user-data", text.as_bytes())]);
    assert!(said.starts_with(expected) && said.contains("\nhint: "), "{said}");
}

#[track_caller]
fn net(text: &str, expected: &str) {
    let said = refused(&[("meta-data", META.as_bytes()), ("network-config", text.as_bytes())]);
    assert!(said.starts_with(expected) && said.contains("\nhint: "), "{said}");
}

#[test]
fn an_instance_has_to_be_told_apart() {
    for (meta, expected) in [
        ("", "meta-data:1:1: there is no `instance-id`"),
        ("local-hostname: x\n", "meta-data:1:1: there is no `instance-id`"),
        ("instance-id: ''\n", "meta-data:1:1: `instance-id` is empty"),
        (
            "instance-id: [a]\n",
            "meta-data:1:1: `instance-id` is a list, not a text",
        ),
        (
            "instance-id: \"a\\nb\"\n",
            "meta-data:1:1: `instance-id`: \"a\\nb\" has control characters",
        ),
        (
            "instance-id: a\ninstance-id: b\n",
            "meta-data:2:1: the key \"instance-id\" is there twice",
        ),
    ] {
        let said = refused(&[("meta-data", meta.as_bytes())]);
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn what_blows_up_is_refused() {
    user(
        "a: &a [x, x]\nb: [*a, *a]\n",
        "user-data:3:5: aliases are not taken in a seed",
    );
    user(
        &format!("a: {}", "[".repeat(200)),
        "user-data:2:27: there are more than 24 lists",
    );
    user(&format!("a: [{}]", "x, ".repeat(60_000)), "user-data:2:");
    user("a: !!python/object:os.system x\n", "user-data:2:1: tags");
    user("a: 'x\n", "user-data:");
}

#[test]
fn what_is_no_text_is_refused() {
    let with = |user: &[u8]| refused(&[("meta-data", META.as_bytes()), ("user-data", user)]);
    assert!(with(b"\x1f\x8b\x08\0").starts_with("user-data: is compressed"));
    assert!(with(b"#cloud-config\n\0").starts_with("user-data: is binary"));
    assert!(with(b"#cloud-config\n\xff").starts_with("user-data: is no UTF-8 at byte 14"));
    assert!(with(b"#!/bin/sh\nreboot\n").starts_with("user-data:1:1: is a script"));
    assert!(with(b"## template: jinja\n").starts_with("user-data:1:1: is a template"));
    assert!(with(b"Content-Type: multipart/mixed\n").starts_with("user-data:1:1: has several parts"));
    assert!(with(b"hostname: x\n").starts_with("user-data:1:1: does not begin with"));
}

#[test]
fn names_that_would_leave_their_line_are_refused() {
    user(
        "hostname: \"a\\nsshd_enable=NO\"\n",
        "user-data:2:1: `hostname`: \"a\\nsshd_enable=NO\" is no host name",
    );
    user(
        "hostname: 'a$(reboot)'\n",
        "user-data:2:1: `hostname`: \"a$(reboot)\" is no host name",
    );
    user("hostname: a..b\n", "user-data:2:1: `hostname`");
    user(
        "hostname: {a: b}\n",
        "user-data:2:1: `hostname` is a mapping, not a text",
    );
    user(
        "users: [{name: 'a:b'}]\n",
        "user-data:2:10: `name`: \"a:b\" is no name of an account",
    );
    user(
        "users: [{name: a, gecos: 'x:y'}]\n",
        "user-data:2:19: `gecos` has a colon",
    );
    user("users: [{name: a, shell: '/bin/sh\t'}]\n", "user-data:2:19: `shell`");
    user("users: [{name: a, groups: '../x'}]\n", "user-data:2:19: `groups`");
}

#[test]
fn keys_and_passwords_have_to_be_some() {
    user(
        "ssh_authorized_keys: [not a key]\n",
        "user-data:2:23: `ssh_authorized_keys`: \"not a key\" is no public key",
    );
    user(
        "ssh_authorized_keys: ['ssh-ed25519 AAAA']\n",
        "user-data:2:23: `ssh_authorized_keys`",
    );
    user(
        "password: secret\n",
        "user-data:2:1: `password` is no SHA-256, SHA-512 or bcrypt hash",
    );
    user(
        "users: [{name: a, plain_text_passwd: x}]\n",
        "user-data:2:19: `plain_text_passwd` is no",
    );
    user(
        "chpasswd: {users: [{name: root, password: '$1$a$b'}]}\n",
        "user-data:2:33: `password` is no",
    );
    user("chpasswd: {list: 'root:RANDOM'}\n", "user-data:2:12: `list` is no");
    let split = format!("password: \"$6$a$x\\n{}\"\n", "a".repeat(84));
    user(&split, "user-data:2:1: `password` is no");
}

#[test]
fn files_stay_below_etc() {
    for (path, cause) in [
        ("/etc/../boot/loader.conf", "goes by `.`, `..` or nothing"),
        ("/etc//x", "goes by"),
        ("/boot/loader.conf", "is outside of /etc and /usr/local/etc"),
        ("etc/x", "is outside"),
        ("/etc/master.passwd", "is written from other keys"),
        ("/usr/local/etc/ngforge/seed/instance", "is written from other keys"),
    ] {
        user(
            &format!("write_files: [{{path: {path}, content: x}}]\n"),
            &format!("user-data:2:16: `path`: {path:?} {cause}"),
        );
    }
    user(
        "write_files: [{content: x}]\n",
        "user-data:2:15: a file of `write_files` has no `path`",
    );
    user(
        "write_files: [{path: /etc/x, encoding: gz, content: x}]\n",
        "user-data:2:44: `encoding`: \"gz\"",
    );
    user(
        "write_files: [{path: /etc/x, encoding: b64, content: '*'}]\n",
        "user-data:2:45: `content` is no base64",
    );
    user(
        "write_files: [{path: /etc/x, permissions: '4755'}]\n",
        "user-data:2:30: `permissions`: \"4755\"",
    );
    user(
        "write_files: [{path: /etc/x, owner: 'daemon'}]\n",
        "user-data:2:30: `owner`",
    );
    user(
        "write_files: {path: /etc/x}\n",
        "user-data:2:1: `write_files` is a mapping, not a list",
    );
}

#[test]
fn networks_that_cannot_be_are_refused() {
    net("ethernets: {}\n", "network-config:1:1: there is no `version`");
    net("version: 3\n", "network-config:1:1: version \"3\" is not known");
    net(
        "version: 2\nethernets: {eth0: {dhcp4: true}}\n",
        "network-config:2:13: \"eth0\" is no network card",
    );
    net(
        "version: 2\nethernets: {vtnet1: {dhcp4: true}}\n",
        "network-config:2:13: \"vtnet1\" is vtnet1, which belongs to the graph",
    );
    net(
        "version: 2\nethernets: {vtnet0: {addresses: [1.2.3.4/33]}}\n",
        "network-config:2:34: `addresses`: \"1.2.3.4/33\"",
    );
    net(
        "version: 2\nethernets: {vtnet0: {addresses: ['1.2.3.4/24\" ; reboot']}}\n",
        "network-config:2:34:",
    );
    net(
        "version: 2\nethernets: {vtnet0: {mtu: 10}}\n",
        "network-config:2:22: `mtu`: 10 is too small",
    );
    net(
        "version: 2\nethernets: {a: {match: {driver: virtio}}}\n",
        "network-config:2:25: cards cannot be matched by `driver`",
    );
    net(
        "version: 2\nbonds: {b: {}}\n",
        "network-config:2:1: `bonds` cannot be made from a seed",
    );
    net(
        "version: 2\nvlans: {v: {id: 5000, link: vtnet0}}\n",
        "network-config:2:13: `id`: 5000 is no VLAN",
    );
    net(
        "version: 2\nvlans: {v: {id: 5, link: vtnet0}}\n",
        "network-config:2:9: there is no link \"vtnet0\"",
    );
    net(
        "version: 2\nethernets: {vtnet0: {routes: [{to: '::/0', via: x}]}}\n",
        "network-config:2:44: `gateway`: \"x\" is not an address",
    );
    net(
        "version: 1\nconfig: [{type: physical, name: vtnet0, subnets: [{type: static, address: 1.2.3.4, netmask: 255.0.255.0}]}]\n",
        "network-config:2:66: `address`: \"1.2.3.4/255.0.255.0\"",
    );
}

#[test]
fn a_wrong_graph_says_where() {
    let graph = "version: 1\nnodes:\n  a: { typ: hub }\n";
    let said = refused(&[("meta-data", META.as_bytes()), ("graph.yaml", graph.as_bytes())]);
    assert!(said.starts_with("graph.yaml:3:8: unknown key `typ`"), "{said}");
    let graph = "version: 1\nnodes:\n  a: { interface: vtnet9 }\n";
    let said = refused(&[("meta-data", META.as_bytes()), ("graph.yaml", graph.as_bytes())]);
    assert!(said.contains("graph.yaml:3:3: there is no interface vtnet9"), "{said}");
    assert!(said.contains("the appliance keeps the graph that it has"), "{said}");
}

#[test]
fn two_seeds_and_huge_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a", "b"].map(|name| folder.path().join(name));
    for path in &paths {
        std::fs::create_dir(path).unwrap();
        std::fs::write(path.join("meta-data"), META).unwrap();
    }
    let said = Seed::find(&paths).unwrap_err().to_string();
    assert!(
        said.contains("is a seed, and ") && said.contains("hint: detach one of them"),
        "{said}"
    );
    std::fs::write(paths[0].join("user-data"), vec![b'x'; (1 << 20) + 1]).unwrap();
    let said = Seed::open(&paths[0]).unwrap_err().to_string();
    assert!(said.contains("user-data has more than 1048576 bytes"), "{said}");
}
