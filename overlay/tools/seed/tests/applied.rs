//! Seeds that are right: what becomes of each key, on volumes as other programs make them, and on a machine in a folder.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use seed::network::Card;
use seed::system::Machine;
use seed::volume::Kind;
use seed::{Plan, Seed};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDZqcMsh0TKBYcKRTLI7n8k8oq3XHlYGkmtHWVOtGPpT me@home";
const GRAPH: &str = "version: 1\nnodes: { p: { interface: vtnet1 }, h: { type: hub } }\nedges: [ p.lower -- h.a ]\n";

fn cards() -> Vec<Card> {
    let card = |number: u8| Card {
        name: format!("vtnet{number}"),
        mac: Some(graph::Mac([0x52, 0x54, 0, 0x6e, 0x67, number + 1])),
    };
    (0..3).map(card).collect()
}

fn plan(kind: Kind, files: &[(&'static str, &str)]) -> Plan {
    let files = files.iter().map(|(name, text)| (*name, text.as_bytes().to_vec()));
    Plan::read(&Seed::of(kind, Path::new("x"), files), Some(&cards()), None).unwrap()
}

fn rc(plan: &Plan) -> Vec<String> {
    plan.rc.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

#[test]
fn version_2_becomes_rc_conf() {
    let network = "network:
  version: 2
  ethernets:
    lan:
      match: {macaddress: '52:54:00:6e:67:01'}
      addresses: [192.0.2.7/24, 192.0.2.8/24, '2001:db8::7/64']
      gateway4: 192.0.2.1
      mtu: 1400
      routes: [{to: 10.0.0.0/8, via: 192.0.2.2}, {to: default, via: 'fe80::1'}]
      nameservers: {addresses: [192.0.2.53], search: [example.net]}
      optional: true
  vlans:
    v: {id: 5, link: lan, dhcp4: true}
";
    let plan = plan(
        Kind::NoCloud,
        &[("meta-data", "instance-id: i\n"), ("network-config", network)],
    );
    assert_eq!(
        rc(&plan),
        [
            "defaultrouter=192.0.2.1",
            "ifconfig_vtnet0=inet 192.0.2.7/24 mtu 1400",
            "ifconfig_vtnet0_5=SYNCDHCP",
            "ifconfig_vtnet0_aliases=inet 192.0.2.8/24",
            "ifconfig_vtnet0_ipv6=inet6 2001:db8::7/64",
            "ipv6_defaultrouter=fe80::1",
            "route_seed1=-net 10.0.0.0/8 192.0.2.2",
            "static_routes=seed1",
            "vlans_vtnet0=5",
        ]
    );
    assert_eq!(plan.notes, ["network-config:11:7: `optional`"]);
    assert_eq!(plan.resolver.search, ["example.net"]);
}

#[test]
fn version_1_and_openstack_become_the_same() {
    let one = "version: 1
config:
  - type: physical
    name: eth0
    mac_address: '52:54:00:6e:67:01'
    subnets: [{type: static, address: 192.0.2.7, netmask: 255.255.255.0, gateway: 192.0.2.1, dns_nameservers: [192.0.2.53]}]
";
    let drive = r#"{"links": [{"id": "t", "type": "ovs", "ethernet_mac_address": "52:54:00:6e:67:01", "mtu": null}],
        "networks": [{"id": "n", "link": "t", "type": "ipv4", "ip_address": "192.0.2.7", "netmask": "255.255.255.0",
            "routes": [{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "192.0.2.1"}]}],
        "services": [{"type": "dns", "address": "192.0.2.53"}]}"#;
    let meta = r#"{"uuid": "i", "hostname": "box", "public_keys": {}}"#;
    let one = plan(
        Kind::NoCloud,
        &[("meta-data", "instance-id: i\n"), ("network-config", one)],
    );
    let drive = plan(
        Kind::ConfigDrive,
        &[("meta_data.json", meta), ("network_data.json", drive)],
    );
    assert_eq!(
        rc(&one),
        ["defaultrouter=192.0.2.1", "ifconfig_vtnet0=inet 192.0.2.7/24"]
    );
    let mut expected = rc(&one);
    expected.insert(1, "hostname=box".into());
    assert_eq!(rc(&drive), expected);
    assert_eq!(one.resolver, drive.resolver);
}

/// A machine with a few files.
fn machine() -> (tempfile::TempDir, Machine) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    fs::create_dir_all(path.join("etc/local/ngforge")).unwrap();
    fs::create_dir_all(path.join("usr/local")).unwrap();
    symlink("../../etc/local", path.join("usr/local/etc")).unwrap();
    fs::write(path.join("etc/rc.conf.local"), "mine=\"1\"\n").unwrap();
    fs::write(
        path.join("etc/master.passwd"),
        "root:*:0:0::0:0:Charlie:/root:/bin/sh\n",
    )
    .unwrap();
    fs::write(path.join("etc/group"), "wheel:*:0:root\n").unwrap();
    let machine = Machine::at(path);
    (root, machine)
}

fn whole() -> Plan {
    let hash = format!("$6$salt${}", "a".repeat(86));
    let user = format!(
        "#cloud-config
fqdn: box.example.net
users: [default, {{name: ops, groups: 'wheel, absent', ssh_authorized_keys: ['{KEY}']}}]
password: '{hash}'
write_files:
  - {{path: /etc/motd, content: hello, permissions: '0600'}}
  - {{path: /usr/local/etc/x/y, encoding: b64, content: aGk=}}
runcmd: ['touch /tmp/a', [echo, \"it's\"]]
ngforge: {{graph: \"{}\"}}
packages: [vim]
",
        GRAPH.replace('\n', "\\n")
    );
    let meta = format!("instance-id: i-1\npublic-keys: ['{KEY}']\n");
    plan(
        Kind::NoCloud,
        &[("meta-data", &meta), ("user-data", &user), ("vendor-data", "")],
    )
}

#[test]
fn a_seed_is_applied_as_a_whole() {
    let (root, machine) = machine();
    let read = |path: &str| fs::read_to_string(root.path().join(path)).unwrap();
    let plan = whole();
    assert_eq!(plan.notes, ["vendor-data", "user-data:10:1: `packages`"]);
    let done = machine.apply(&plan).unwrap();
    assert_eq!(done.notes, ["users: ops: there is no group absent"]);
    assert_eq!(machine.instance().as_deref(), Some("i-1"));
    assert_eq!(
        read("etc/rc.conf.local"),
        "mine=\"1\"\n# ng-seed: begin\nhostname=\"box.example.net\"\nngforge_enable=\"YES\"\n# ng-seed: end\n"
    );
    assert_eq!(read("usr/local/etc/ngforge/graph.yaml"), GRAPH);
    assert_eq!(read("etc/local/ngforge/seed/keys/ops"), format!("{KEY}\n"));
    assert_eq!(read("etc/local/ngforge/seed/keys/root"), format!("{KEY}\n"));
    assert_eq!(read("etc/local/x/y"), "hi");
    assert_eq!(
        read("etc/local/ngforge/seed/commands"),
        "touch /tmp/a\n'echo' 'it'\\''s'\n"
    );
    let passwords = read("etc/master.passwd");
    assert!(passwords.starts_with("root:$6$salt$aaa"), "{passwords}");
    assert!(
        passwords.contains("\nops:*:1001:1001::0:0::/home/ops:/bin/sh\n"),
        "{passwords}"
    );
    assert_eq!(read("etc/group"), "wheel:*:0:root,ops\nops:*:1001:\n");
    let mode = |path: &str| fs::metadata(root.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("etc/motd"), mode("etc/master.passwd")), (0o600, 0o600));
    machine.apply(&plan).unwrap();
    assert_eq!(
        read("etc/rc.conf.local").matches("hostname").count(),
        1,
        "a second time changes nothing"
    );
}

#[test]
fn what_fails_half_way_leaves_everything_as_it_was() {
    let (root, machine) = machine();
    // A folder where a file is to be: the last of all changes.
    fs::create_dir_all(root.path().join("etc/local/x")).unwrap();
    fs::create_dir_all(root.path().join("etc/local/ngforge/seed/instance")).unwrap();
    assert!(machine.apply(&whole()).is_err());
    assert_eq!(machine.instance(), None);
    assert_eq!(
        fs::read_to_string(root.path().join("etc/rc.conf.local")).unwrap(),
        "mine=\"1\"\n"
    );
    assert!(!root.path().join("etc/local/ngforge/graph.yaml").exists());
    assert!(!root.path().join("etc/local/ngforge/seed/keys/root").exists());
    let left = fs::read_dir(root.path().join("etc")).unwrap().flatten();
    let left: Vec<_> = left
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().contains("ng-seed"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_link_does_not_lead_out() {
    let (root, machine) = machine();
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), root.path().join("etc/out")).unwrap();
    let user = "#cloud-config\nwrite_files: [{path: /etc/out/x, content: x}]\n";
    let plan = plan(Kind::NoCloud, &[("meta-data", "instance-id: i\n"), ("user-data", user)]);
    let said = machine.apply(&plan).unwrap_err().to_string();
    assert!(said.contains("a link leads out of /etc"), "{said}");
    assert!(!outside.path().join("x").exists() && machine.instance().is_none());
}

#[test]
fn commands_are_given_once() {
    let (_root, machine) = machine();
    assert_eq!(machine.take_commands().unwrap(), None);
    machine.apply(&whole()).unwrap();
    assert!(machine.take_commands().unwrap().is_some_and(|path| path.is_file()));
    assert_eq!(machine.take_commands().unwrap(), None);
}
