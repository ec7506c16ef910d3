use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::*;
use crate::vm::accel::Accelerator;
use crate::vm::disk::{Disk, Fate, Format};
use crate::vm::{Console, Machine, Nic};

fn manifest(dir: &Path, formats: &[&str], nics: u8) -> PathBuf {
    let files: Vec<_> = { formats.iter() }
        .map(|format| serde_json::json!({"path": format!("edge.{format}"), "format": format, "size": 0, "sha256": ""}))
        .collect();
    let manifest = serde_json::json!({
        "name": "edge", "base": "freebsd", "release": "14.3", "hostname": "edge", "nics": nics, "files": files,
        "identity": null, "inputs": {},
    });
    let path = dir.join("edge.json");
    fs::write(&path, manifest.to_string()).unwrap();
    path
}

fn wishes() -> Wishes {
    Wishes {
        image_path: Some("/images/edge 1,2.img".into()),
        cpus: 2,
        ..Wishes::default()
    }
}

fn attempt(target: Target, formats: &[&str], nics: u8, wishes: Wishes) -> Result<String> {
    let dir = tempfile::tempdir().unwrap();
    let definition = Definition::load(&manifest(dir.path(), formats, nics), target, wishes)?;
    Ok(target.script(&definition))
}

fn script(target: Target, wishes: Wishes) -> String {
    attempt(target, &["raw", "qcow2"], 3, wishes).unwrap()
}

fn refusal(target: Target, formats: &[&str], nics: u8, wishes: Wishes) -> String {
    format!("{:#}", attempt(target, formats, nics, wishes).unwrap_err())
}

/// Every script that there is.
fn all() -> Vec<(Target, Wishes)> {
    let plain = { Target::value_variants().iter() }.map(|target| (*target, wishes()));
    let netgraph = [Target::Bhyve, Target::VmBhyve].map(|target| {
        let wishes = Wishes {
            netgraph: true,
            networks: vec!["lan:link7".into()],
            ..wishes()
        };
        (target, wishes)
    });
    let named = { Target::value_variants().iter() }.map(|target| {
        let networks = ["one", "two", "three"].map(String::from).into();
        (*target, Wishes { networks, ..wishes() })
    });
    plain.chain(netgraph).chain(named).collect()
}

/// The MAC addresses in the order in which a script has them.
fn macs(text: &str) -> Vec<String> {
    let pattern = regex::Regex::new("52:54:00(:[0-9a-f]{2}){3}").unwrap();
    pattern.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

#[test]
fn scripts_are_as_they_were_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/host/expected");
    for (target, wishes) in all() {
        let netgraph = if wishes.netgraph { "-netgraph" } else { "" };
        let networks = if wishes.networks.len() > 1 { "-networks" } else { "" };
        let name = format!(
            "{}{netgraph}{networks}.sh",
            target.to_possible_value().unwrap().get_name()
        );
        let text = script(target, wishes);
        let place = folder.join(&name);
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&place, &text).unwrap();
        }
        let expected = fs::read_to_string(&place).unwrap_or_default();
        assert_eq!(text, expected, "{name} differs; UPDATE_EXPECTED=1 writes it anew");
    }
}

#[test]
fn the_shell_understands_every_script() {
    for (target, wishes) in all() {
        let text = script(target, wishes);
        let mut shell = Command::new("sh").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut shell.stdin.take().unwrap(), text.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success(), "{target:?}:\n{text}");
        assert!(text.contains("image='/images/edge 1,2.img'"), "{text}");
    }
}

#[test]
fn cards_come_in_order_on_rising_slots() {
    for (target, wishes) in all() {
        let text = script(target, wishes);
        let macs = macs(&text);
        assert_eq!(macs.len(), 3, "{target:?}:\n{text}");
        for (mac, end) in macs.iter().zip(["01", "02", "03"]) {
            assert!(mac.ends_with(end), "{target:?}: {macs:?}");
        }
    }
    let slots = |text: &str, pattern: &str| -> Vec<String> {
        let pattern = regex::Regex::new(pattern).unwrap();
        pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
    };
    let qemu = script(Target::Qemu, wishes());
    assert_eq!(slots(&qemu, r"virtio-net-pci.*addr=0x(\w+)"), ["4", "5", "6"]);
    let bhyve = script(Target::Bhyve, wishes());
    assert_eq!(slots(&bhyve, r"-s (\d+),virtio-net"), ["4", "5", "6"]);
    assert_eq!(
        slots(&script(Target::Proxmox, wishes()), r"--net(\d) "),
        ["0", "1", "2"]
    );
}

#[test]
fn ids_follow_from_the_name_alone() {
    let named = |name: &str, memory| {
        let wishes = Wishes {
            name: Some(name.into()),
            memory: Some(memory),
            ..wishes()
        };
        let text = script(Target::Libvirt, wishes);
        let document = text.split("<< 'END'\n").last().unwrap().split("END\n").next().unwrap();
        let document = roxmltree::Document::parse(document).unwrap();
        let uuid = document.descendants().find(|node| node.has_tag_name("uuid")).unwrap();
        (uuid.text().unwrap().to_owned(), macs(&text))
    };
    assert_eq!(named("a", 512), named("a", 1024));
    let (one, other) = (named("a", 512), named("b", 512));
    assert_ne!(one.0, other.0);
    assert_ne!(one.1, other.1);
    let form = regex::Regex::new("^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$").unwrap();
    assert!(form.is_match(&one.0), "{}", one.0);
}

#[test]
fn the_domain_is_sound_xml_whatever_the_path() {
    let wishes = Wishes {
        image_path: Some("/a'<&>.img".into()),
        ..wishes()
    };
    let text = script(Target::Libvirt, wishes);
    let document = text.split("virsh define /dev/stdin << 'END'\n").nth(1).unwrap();
    let document = roxmltree::Document::parse(document.split("END\n").next().unwrap()).unwrap();
    let value = |tag: &str, name: &str| -> Vec<String> {
        let found = document.descendants().filter(|node| node.has_tag_name(tag));
        found
            .filter_map(|node| node.attribute(name))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(value("source", "file"), ["/a'<&>.img"]);
    assert_eq!(value("source", "network"), ["default", "edge-net1", "edge-net2"]);
    assert_eq!(value("address", "slot"), ["0x03", "0x04", "0x05", "0x06"]);
}

/// The machine that `smoke` boots and the one that is printed differ in nothing that the appliance sees, but for the
/// watchdog and the PCI addresses, which keep the order.
#[test]
fn qemu_s_machine_is_the_one_that_smoke_proves() {
    let mut nics = vec![Nic::User { ssh_port: 2222 }];
    nics.extend([2, 3].map(|number| Nic::alone(Path::new("/d"), number)));
    let machine = Machine {
        qemu: "qemu".into(),
        accelerator: Accelerator::Tcg,
        firmware: "CODE".into(),
        variables: Some("VARS".into()),
        disk: Disk {
            path: "IMAGE".into(),
            format: Format::Qcow2,
            fate: Fate::Kept,
        },
        memory: 1024,
        cpus: 2,
        nics,
        seed: None,
        console: Console::Terminal,
        control: "/d/qmp".into(),
    };
    let words: Vec<_> = { machine.arguments().into_iter() }
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let of_smoke = words.join(" ").replace("hostfwd=tcp:127.0.0.1:2222-:22", "FWD");
    let printed = script(Target::Qemu, wishes());
    let flat = printed.replace(" \\\n    ", " ");
    for option in [
        "-machine q35",
        "-m 1024 ",
        "-smp 2",
        "-nodefaults",
        "-device virtio-rng-pci",
        "-serial mon:stdio",
    ] {
        assert!(of_smoke.contains(option) && flat.contains(option), "{option}\n{flat}");
    }
    let devices = |text: &str| -> Vec<String> {
        let pattern = regex::Regex::new(r"-device (virtio-(?:blk|net)-pci\S*)").unwrap();
        let addresses = regex::Regex::new(r",addr=0x\w+|,mac=[0-9a-f:]+").unwrap();
        { pattern.captures_iter(text) }
            .map(|found| addresses.replace_all(&found[1], "").into_owned())
            .collect()
    };
    assert_eq!(devices(&flat), devices(&of_smoke));
    let drive = "-drive if=none,id=disk,format=qcow2,cache=writeback,discard=unmap,file=";
    assert!(of_smoke.contains(drive) && flat.contains(drive), "{flat}");
}

#[test]
fn netgraph_is_bhyve_s_own_backend() {
    let wishes = Wishes {
        netgraph: true,
        networks: vec!["lan:link7".into(), "wan".into()],
        ..wishes()
    };
    let text = script(Target::Bhyve, wishes.clone());
    for expected in [
        "-s 4,virtio-net,netgraph,path=lan:,peerhook=link7,socket=edge-vtnet0,mac=",
        "-s 5,virtio-net,netgraph,path=wan:,peerhook=link1,",
        "-s 6,virtio-net,netgraph,path=edge-net2:,peerhook=link1,",
        "msg edge-net2: setpersistent",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert!(!text.contains("tap"), "{text}");
    let long = Wishes {
        name: Some("n".repeat(60)),
        ..wishes
    };
    let text = script(Target::Bhyve, long);
    let socket = text.split("socket=").nth(1).unwrap().split(',').next().unwrap();
    assert_eq!(socket.len(), 31, "{socket}");
}

#[test]
fn what_a_host_cannot_do_is_refused_with_the_way_out() {
    let message = refusal(Target::Bhyve, &["qcow2", "vmdk"], 3, wishes());
    assert!(
        message.contains("this host takes: raw") && message.contains("hint: add one"),
        "{message}"
    );
    let netgraph = Wishes {
        netgraph: true,
        ..wishes()
    };
    let message = refusal(Target::Proxmox, &["raw"], 3, netgraph);
    assert!(message.contains("hosts that run FreeBSD"), "{message}");
    let networks = |names: &[&str]| Wishes {
        networks: names.iter().map(|name| (*name).to_owned()).collect(),
        ..wishes()
    };
    let message = refusal(Target::Qemu, &["raw"], 1, networks(&["a", "b"]));
    assert!(
        message.contains("given 2 times") && message.contains("hint:"),
        "{message}"
    );
    for bad in ["a b", "", "x;reboot", "$(id)", "a'b", "<x>"] {
        let message = refusal(Target::Libvirt, &["raw"], 1, networks(&[bad]));
        assert!(message.contains("is not the name of a network"), "{message}");
    }
    let message = refusal(Target::Qemu, &["raw"], 200, wishes());
    assert!(message.contains("200 network cards have no room"), "{message}");
}

#[test]
fn names_become_harmless() {
    let wishes = Wishes {
        name: Some("a b;$(reboot)'\n<x>".into()),
        ..wishes()
    };
    for target in Target::value_variants() {
        let text = script(*target, wishes.clone());
        assert!(text.contains("a-b---reboot----x-"), "{text}");
        assert!(!text.contains("reboot)"), "{text}");
    }
}
