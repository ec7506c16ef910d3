//! The disk around the file systems: partition table, EFI partition, qcow2.

use image_tests::fixture::Fixture;
use image_tests::readers::{self, ESP_AT, ESP_SIZE, Volume, run, text};

#[test]
fn tables_partitions_and_formats_are_sound() {
    let fixture = Fixture::small();
    fixture.build();
    let raw = fixture.out("test.raw");
    let raw_name = raw.to_str().unwrap();
    let verdict = text("gdisk", "sgdisk", &["--verify", raw_name]);
    assert!(verdict.contains("No problems found"), "{verdict}");
    let list = text("fdisk", "sfdisk", &["--dump", raw_name]);
    assert!(
        list.contains("C12A7328-F81F-11D2-BA4B-00A0C93EC93B, ") && list.contains("name=\"efiboot0\""),
        "{list}"
    );
    assert!(
        list.contains("516E7CB6-6ECF-11D6-8FF8-00022D09712B, ") && list.contains("name=\"ngforge\""),
        "{list}"
    );

    let esp = fixture.at("esp");
    std::fs::write(&esp, readers::part(&raw, ESP_AT, ESP_SIZE)).unwrap();
    run("dosfstools", "fsck.fat", &["-n", esp.to_str().unwrap()]);
    let loader = run(
        "mtools",
        "mtype",
        &["-i", esp.to_str().unwrap(), "::/EFI/BOOT/BOOTX64.EFI"],
    );
    assert!(loader == fixture.expected.files["boot/loader.efi"]);

    let qcow2 = fixture.out("test.qcow2");
    run("qemu-utils", "qemu-img", &["check", qcow2.to_str().unwrap()]);
    let same = text(
        "qemu-utils",
        "qemu-img",
        &["compare", raw_name, qcow2.to_str().unwrap()],
    );
    assert!(same.contains("Images are identical"), "{same}");
}

#[test]
fn fstab_and_rc_conf_follow_from_the_spec() {
    let fixture = Fixture::small();
    fixture.build();
    let volume = Volume::of(&fixture.out("test.raw"));
    let read = |path| String::from_utf8(volume.read(path)).unwrap();
    assert!(read("etc/fstab").contains("/dev/gpt/ngforge\t/\tufs"));
    let rc = read("etc/rc.conf");
    for line in [
        "hostname=\"gate\"",
        "ifconfig_vtnet0=\"SYNCDHCP\"",
        "ifconfig_vtnet2=\"up\"",
        "sshd_enable=\"YES\"",
    ] {
        assert!(rc.contains(line), "{rc}");
    }
    assert_eq!(read("root/.ssh/authorized_keys"), "ssh-ed25519 AAAA test\n");
}
