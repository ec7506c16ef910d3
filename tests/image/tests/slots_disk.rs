//! A disk with two root slots, read back with independent programs.

use std::os::unix::fs::MetadataExt;

use image_tests::fixture::{Fixture, SPEC};
use image_tests::readers::{Volume, part, text};
use ngforge_image::build::boot::{COPY, STATE_AT};

/// First byte and bytes of a partition, as sgdisk has it.
fn partition(raw: &str, number: u32) -> (u64, u64) {
    let info = text("gdisk", "sgdisk", &[&format!("--info={number}"), raw]);
    let sector = |what: &str| {
        let line = info.lines().find(|line| line.starts_with(what));
        let line = line.unwrap_or_else(|| panic!("partition {number}: {info}"));
        line.split_whitespace().nth(2).unwrap().parse::<u64>().unwrap()
    };
    let (first, last) = (sector("First sector"), sector("Last sector"));
    (first * 512, (last + 1 - first) * 512)
}

fn contents(fixture: &Fixture, number: u32) -> Vec<u8> {
    let raw = fixture.out("test.raw");
    let (at, len) = partition(raw.to_str().unwrap(), number);
    part(&raw, at, len)
}

#[test]
fn partitions_are_in_their_order_and_both_firmwares_find_what_they_start() {
    let fixture = Fixture::slots("");
    fixture.build();
    let raw = fixture.out("test.raw");
    let name = raw.to_str().unwrap();
    let verdict = text("gdisk", "sgdisk", &["--verify", name]);
    assert!(verdict.contains("No problems found"), "{verdict}");
    let list = text("fdisk", "sfdisk", &["--dump", name]);
    let labels: Vec<_> = list.lines().filter_map(|line| line.split("name=\"").nth(1)).collect();
    let expected = [
        "efiboot0",
        "gptboot0",
        "ngforge-boot",
        "ngforge-state",
        "ngforge-a",
        "ngforge-b",
        "ngforge-cfg",
        "ngforge-data",
    ];
    assert_eq!(labels, expected.map(|label| format!("{label}\"")));
    assert!(list.contains("83BD6B9D-7F41-11DC-BE0B-001560B84F0F"), "{list}");
    assert!(part(&raw, 0, 440).starts_with(b"boot/pmbr"));
    assert!(contents(&fixture, 2).starts_with(b"boot/gptboot"));
    let boot = Volume::new(contents(&fixture, 3));
    for path in ["boot/loader", "boot/lua/core.lua", "boot/defaults/loader.conf"] {
        assert_eq!(boot.read(path), path.as_bytes());
    }
    assert!(boot.read("boot/lua/local.lua").ends_with(b"require(\"slots\").run()\n"));
    assert!(
        String::from_utf8(boot.read("boot/loader.conf"))
            .unwrap()
            .contains("ngforge.label=\"ngforge\"")
    );
}

#[test]
fn the_state_is_where_the_loader_and_the_appliance_look_for_it() {
    let fixture = Fixture::slots("");
    fixture.build();
    let partition = contents(&fixture, 4);
    let volume = Volume::new(partition.clone());
    for (at, name) in STATE_AT.into_iter().zip(["state.0", "state.1"]) {
        let sector = &partition[at as usize..at as usize + COPY];
        assert!(sector.starts_with(b"ngforge-state 1\nseq="));
        assert_eq!(volume.read(name), sector);
    }
}

#[test]
fn the_manifest_says_where_the_slot_is_and_nothing_in_it_says_which() {
    let fixture = Fixture::slots("");
    let built = fixture.build();
    let slot = built.manifest.slot.unwrap();
    let name = fixture.out("test.raw");
    assert_eq!((slot.at, slot.len), partition(name.to_str().unwrap(), 5));
    assert_eq!(slot.len, partition(name.to_str().unwrap(), 6).1);
    let a = contents(&fixture, 5);
    for trace in [&b"ngforge-a"[..], b"ngforge-b"] {
        assert!(!a.windows(trace.len()).any(|window| window == trace));
    }
    let volume = Volume::new(a);
    assert_eq!(volume.read("conf/base/etc/motd"), b"etc/motd");
    assert_eq!(volume.read("etc/local/local.conf"), b"usr/local/etc/local.conf");
    let fstab = String::from_utf8(volume.read("etc/fstab")).unwrap();
    assert!(
        !fstab.lines().any(|line| line.split('\t').nth(1) == Some("/")),
        "{fstab}"
    );
}

#[test]
fn an_empty_slot_takes_no_room_in_the_image_file() {
    let fixture = Fixture::slots("");
    fixture.build();
    assert!(contents(&fixture, 6).iter().all(|byte| *byte == 0));
    let metadata = std::fs::metadata(fixture.out("test.raw")).unwrap();
    assert!(
        metadata.blocks() * 512 < metadata.len() / 8,
        "{} of {}",
        metadata.blocks() * 512,
        metadata.len()
    );
}

#[test]
fn without_a_part_for_a_bios_the_numbers_of_partitions_stay() {
    let fixture = Fixture::slots("boot/gptboot");
    fixture.build();
    let name = fixture.out("test.raw");
    let list = text("fdisk", "sfdisk", &["--dump", name.to_str().unwrap()]);
    assert!(!list.contains("gptboot0"), "{list}");
    assert!(list.contains("test.raw3 : "), "{list}");
    assert_eq!(part(&name, 0, 440), vec![0; 440]);
}

#[test]
fn without_the_loaders_scripts_the_build_stops() {
    let fixture = Fixture::slots("boot/lua/loader.lua");
    let message = fixture.failure(&fixture.request());
    assert!(message.contains("/boot/lua/loader.lua"), "{message}");
}

#[test]
fn what_does_not_fit_is_refused_with_the_key_to_change() {
    let fixture = Fixture::slots("");
    let cases = [
        ("layout: slots, size: 128 MiB", "`disk: size` allows 134217728"),
        (
            "layout: slots, size: 400 MiB, data: 1 GiB",
            "`disk: size` allows 419430400",
        ),
    ];
    for (disk, expected) in cases {
        let spec = SPEC.replace("free: 32 MiB", disk);
        std::fs::write(fixture.at("appliance.yaml"), spec).unwrap();
        let message = fixture.failure(&fixture.request());
        assert!(message.contains(expected), "{message}");
        assert!(fixture.outputs().is_empty());
    }
    std::fs::write(fixture.at("rootfs/large"), vec![1; 20 << 20]).unwrap();
    let spec = SPEC.replace("free: 32 MiB", "layout: slots, slot: 16 MiB");
    std::fs::write(fixture.at("appliance.yaml"), spec).unwrap();
    let message = fixture.failure(&fixture.request());
    assert!(message.contains("raise `disk: slot`"), "{message}");
}
