//! Bad input to a whole build: each one clear message with the way out, and nothing half-written.

use std::fs;
use std::path::PathBuf;

use image_tests::base::{Archive, write};
use image_tests::fixture::{Fixture, SPEC};
use ngforge_image::build::Base;
use ngforge_image::sets::Source;
use ngforge_image::spec::{Bytes, InterfaceUse, Spec};

/// Nothing came of a failed build, neither in the output folder nor in the cache.
fn assert_nothing_is_left(fixture: &Fixture) {
    assert_eq!(fixture.outputs(), [""; 0]);
    fixture.whole_layers();
}

#[test]
fn wrong_checksum() {
    let fixture = Fixture::small();
    let path = fixture.at("sets/base.txz");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let message = fixture.failure(&fixture.request());
    assert!(
        message.contains("base.txz: SHA-256 is ") && message.contains("but MANIFEST says"),
        "{message}"
    );
    assert_nothing_is_left(&fixture);
}

#[test]
fn truncated_archive_with_a_matching_checksum() {
    let fixture = Fixture::small();
    let kernel = fs::read(fixture.at("sets/kernel.txz")).unwrap();
    let base = fs::read(fixture.at("sets/base.txz")).unwrap();
    write(
        &fixture.at("sets"),
        &[("base.txz", &base[..base.len() - 40]), ("kernel.txz", &kernel)],
    );
    let message = fixture.failure(&fixture.request());
    assert!(
        message.contains("base.txz: entry `") && message.contains("breaks off"),
        "{message}"
    );
    assert_nothing_is_left(&fixture);
}

#[test]
fn manifest_without_the_set() {
    let fixture = Fixture::small();
    let base = fs::read(fixture.at("sets/base.txz")).unwrap();
    write(&fixture.at("sets"), &[("base.txz", &base)]);
    let message = fixture.failure(&fixture.request());
    assert!(
        message.contains("MANIFEST: does not list kernel.txz; it lists base.txz"),
        "{message}"
    );
}

#[test]
fn no_sets_at_all() {
    let fixture = Fixture::small();
    let mut request = fixture.request();
    request.base = Base::FreeBsd(Source::Folder("/nowhere/sets".into()));
    let message = fixture.failure(&request);
    assert!(
        message.starts_with("/nowhere/sets/MANIFEST: could not be read"),
        "{message}"
    );
}

#[test]
fn a_mirror_that_is_not_there() {
    let fixture = Fixture::small();
    let mut request = fixture.request();
    // A port that was free a moment ago.
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    request.base = Base::FreeBsd(Source::mirror(&format!("http://{address}"), "14.3"));
    let message = fixture.failure(&request);
    assert!(
        message.contains(&format!("http://{address}/14.3-RELEASE/MANIFEST: ")),
        "{message}"
    );
}

#[test]
fn a_base_without_a_loader() {
    let fixture = Fixture::small();
    let mut base = Archive::default();
    base.file("etc/motd", b"x");
    let kernel = fs::read(fixture.at("sets/kernel.txz")).unwrap();
    write(
        &fixture.at("sets"),
        &[("base.txz", &base.finish().0), ("kernel.txz", &kernel)],
    );
    let message = fixture.failure(&fixture.request());
    assert!(message.starts_with("/boot/loader.efi: is not in any set"), "{message}");
    assert_nothing_is_left(&fixture);
}

#[test]
fn an_image_larger_than_the_disk() {
    let fixture = Fixture::small();
    let mut request = fixture.request();
    request.spec.disk.size = Some(Bytes(36 << 20));
    let message = fixture.failure(&request);
    assert!(message.contains("but `disk: size` allows 37748736"), "{message}");
    assert_nothing_is_left(&fixture);
}

#[test]
fn a_graph_with_a_nic_that_is_not_there() {
    let fixture = Fixture::small();
    let mut request = fixture.request();
    request.spec.graph = Some("graph.yaml".into());
    request.interfaces = vec![InterfaceUse {
        node: "right".into(),
        interface: "vtnet3".into(),
        line: 12,
    }];
    let message = fixture.failure(&request);
    assert!(
        message.contains("graph.yaml:12: node `right` uses interface `vtnet3`"),
        "{message}"
    );
}

#[test]
fn an_ssh_key_that_is_not_there_or_private() {
    let fixture = Fixture::small();
    let mut request = fixture.request();
    request.spec.ssh.authorized_keys = vec!["keys/me.pub".into()];
    let message = fixture.failure(&request);
    assert!(
        message.contains("keys/me.pub: could not be read") && message.contains("authorized_keys"),
        "{message}"
    );
    fs::write(fixture.at("id"), "-----BEGIN OPENSSH PRIVATE KEY-----\n").unwrap();
    request.spec.ssh.authorized_keys = vec![PathBuf::from("id")];
    assert!(fixture.failure(&request).contains("is a private key"));
}

#[test]
fn a_module_that_is_not_there() {
    let fixture = Fixture::small();
    let mut request = fixture.request();
    request.module = Some("/nowhere/ng_socket.ko".into());
    let message = fixture.failure(&request);
    assert!(
        message.contains("/nowhere/ng_socket.ko: could not be read") && message.contains("--module"),
        "{message}"
    );
}

#[test]
fn an_overlay_that_puts_a_file_over_a_directory() {
    let fixture = Fixture::small();
    fs::write(fixture.at("rootfs/boot"), "x").unwrap();
    let message = fixture.failure(&fixture.request());
    assert!(
        message.starts_with("/boot: is a directory in kernel.txz, and rootfs/boot needs"),
        "{message}"
    );
    assert_nothing_is_left(&fixture);
}

#[test]
fn an_unknown_key() {
    let fixture = Fixture::small();
    let path = fixture.at("appliance.yaml");
    fs::write(&path, format!("{SPEC}hots: x\n")).unwrap();
    let message = Spec::load(&path).unwrap_err().to_string();
    assert!(message.contains("appliance.yaml:6:1: unknown key `hots`"), "{message}");
}
