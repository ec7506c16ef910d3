use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{FileExt, symlink};

use ngforge_image::progress::Silent;
use tempfile::TempDir;

use super::*;
use linux::System;

/// sysfs and proc of a machine with a root disk, sda, and a USB stick, sdb.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        machine.disk("sda", "pci0/ata1", "8:0", 0);
        machine.partition("sda", "pci0/ata1", 1, "8:1");
        machine.disk("sdb", "pci0/usb2/2-1", "8:16", 1);
        machine.partition("sdb", "pci0/usb2/2-1", 1, "8:17");
        machine.put(
            "proc/self/mountinfo",
            "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 1 0:5 / /proc rw - proc proc rw\n",
        );
        machine.put("proc/swaps", "Filename Type Size Used Priority\n");
        machine
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn disk(&self, name: &str, bus: &str, number: &str, removable: u8) {
        let at = format!("sys/devices/{bus}/block/{name}");
        for (file, text) in [
            ("size", "15728640\n"),
            ("ro", "0\n"),
            ("removable", &format!("{removable}\n")),
            ("dev", &format!("{number}\n")),
            ("queue/logical_block_size", "512\n"),
            ("device/vendor", "ACME    \n"),
            ("device/model", "Stick 9\n"),
        ] {
            self.put(&format!("{at}/{file}"), text);
        }
        self.link(name, &at);
    }

    fn partition(&self, disk: &str, bus: &str, index: u8, number: &str) {
        let name = format!("{disk}{index}");
        let at = format!("sys/devices/{bus}/block/{disk}/{name}");
        for (file, text) in [
            ("partition", "1\n"),
            ("size", "2097152\n"),
            ("ro", "0\n"),
            ("dev", &format!("{number}\n")),
            ("uevent", "PARTNAME=photos\n"),
        ] {
            self.put(&format!("{at}/{file}"), text);
        }
        self.link(&name, &at);
    }

    fn link(&self, name: &str, at: &str) {
        let links = self.folder.path().join("sys/class/block");
        fs::create_dir_all(&links).unwrap();
        symlink(self.folder.path().join(at), links.join(name)).unwrap();
    }

    fn drive(&self, name: &str) -> Drive {
        let system = System {
            sys: self.folder.path().join("sys"),
            proc: self.folder.path().join("proc"),
        };
        system.drive(&Path::new("/dev").join(name)).unwrap()
    }

    fn refusal(&self, name: &str) -> String {
        let refusal = self.drive(name).refusal(1 << 30, Allowed::default());
        let refusal = refusal.unwrap_or_default();
        assert!(refusal.contains("\nhint: "), "{name}: {refusal:?}");
        refusal
    }
}

#[test]
fn a_stick_that_nobody_uses_is_taken_and_shown() {
    let drive = Machine::new().drive("sdb");
    assert_eq!(drive.refusal(1 << 30, Allowed::default()), None);
    assert_eq!(
        drive.to_string(),
        "/dev/sdb: a removable disk, ACME Stick 9, 8.1 GB\n  sdb1 `photos`: 1.1 GB\n"
    );
}

#[test]
fn a_disk_in_use_is_refused_whatever_the_use() {
    let machine = Machine::new();
    assert!(machine.refusal("sda").contains("/dev/sda1 is mounted on /"));
    assert!(machine.refusal("sda1").contains("mounted on /"));
    machine.put(
        "proc/swaps",
        "Filename Type Size Used Priority\n/dev/sdb1 partition 9 0 -2\n",
    );
    assert!(machine.refusal("sdb").contains("/dev/sdb1 is used for swap"));
    machine.put("proc/swaps", "");
    // btrfs has numbers of its own: the source tells.
    machine.put(
        "proc/self/mountinfo",
        "9 1 0:40 /sub /mnt/my\\040data rw shared:1 - btrfs /dev/sdb1 rw\n",
    );
    assert!(machine.refusal("sdb").contains("mounted on /mnt/my data"));
    machine.put(
        "proc/self/mountinfo",
        "9 1 8:16 / /whole rw - vfat /dev/disk/by-label/X rw\n",
    );
    assert!(machine.refusal("sdb").contains("/dev/sdb is mounted on /whole"));
    machine.put("proc/self/mountinfo", "");
    machine.put("sys/devices/pci0/usb2/2-1/block/sdb/sdb1/holders/dm-0", "");
    machine.put("sys/class/block/dm-0/dm/name", "vg-root\n");
    assert!(machine.refusal("sdb").contains("part of dm-0 (vg-root)"));
    fs::remove_dir_all(
        machine
            .folder
            .path()
            .join("sys/devices/pci0/usb2/2-1/block/sdb/sdb1/holders"),
    )
    .unwrap();
    machine.put("sys/devices/pci0/usb2/2-1/block/sdb/holders/md127", "");
    assert!(machine.refusal("sdb").contains("/dev/sdb is part of md127"));
}

#[test]
fn partitions_fixed_small_and_read_only_disks_are_refused() {
    let machine = Machine::new();
    assert!(machine.refusal("sdb1").contains("is a partition"));
    let partition = Allowed {
        partition: true,
        fixed: false,
    };
    assert_eq!(machine.drive("sdb1").refusal(1 << 20, partition), None);
    machine.put("proc/self/mountinfo", "");
    let message = machine.refusal("sda");
    assert!(
        message.contains("does not look removable") && message.contains("--fixed-disk /dev/sda"),
        "{message}"
    );
    let fixed = Allowed {
        partition: false,
        fixed: true,
    };
    assert_eq!(machine.drive("sda").refusal(1 << 30, fixed), None);
    let message = machine.drive("sdb").refusal(8 << 30, Allowed::default()).unwrap();
    assert!(
        message.contains("has 8053063680 bytes, and the image needs 8589934592"),
        "{message}"
    );
    machine.put("sys/devices/pci0/usb2/2-1/block/sdb/queue/logical_block_size", "4096");
    assert!(machine.refusal("sdb").contains("sectors of 4096 bytes"));
    machine.put("sys/devices/pci0/usb2/2-1/block/sdb/ro", "1");
    assert!(machine.refusal("sdb").contains("is read-only"));
}

#[test]
fn freebsd_s_geoms_tell_the_same() {
    let drive = |name: &str| freebsd::drive(include_str!("confxml.xml"), &Path::new("/dev").join(name)).unwrap();
    let free = drive("da0");
    assert_eq!((free.size, free.model.as_str()), (8_053_063_680, "ACME Stick 9"));
    assert_eq!(free.parts, ["da0p1 efi `efiboot0`: 0.3 GB"]);
    assert!(free.uses.is_empty());
    let fixed = Allowed {
        fixed: true,
        partition: false,
    };
    assert_eq!(free.refusal(1 << 30, fixed), None);
    assert!(
        free.refusal(1 << 30, Allowed::default())
            .unwrap()
            .contains("does not look removable")
    );
    let used = drive("ada0").refusal(1, fixed).unwrap();
    assert!(used.contains("open (r1w1e2) for PART ada0, VFS ffs.ada0p2"), "{used}");
    assert!(drive("da0p1").refusal(1, fixed).unwrap().contains("is a partition"));
    let error = freebsd::drive("<mesh/>", Path::new("/dev/da9"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("knows no disk da9"), "{error}");
    let error = freebsd::drive("<mesh", Path::new("/dev/da9")).unwrap_err().to_string();
    assert!(error.contains("kern.geom.confxml"), "{error}");
}

/// An image with a partition table, built by QEMU's and our own hands alike: what counts is that it is one.
fn image(folder: &Path) -> PathBuf {
    let size = 9 << 20;
    let partition = ngforge_image::gpt::Partition {
        kind: ngforge_image::gpt::TYPE_UFS,
        id: [7; 16],
        at: 1 << 20,
        len: 7 << 20,
        label: "x",
    };
    let path = folder.join("edge.raw");
    let file = fs::File::create(&path).unwrap();
    file.set_len(size).unwrap();
    for piece in ngforge_image::gpt::lay_out(size, [9; 16], &[partition], &[]) {
        let ngforge_image::piece::Source::Bytes(bytes) = &piece.source else {
            panic!()
        };
        file.write_all_at(bytes, piece.at).unwrap();
    }
    file.write_all_at(&[5; 3000], (4 << 20) + 123).unwrap();
    path
}

fn target(folder: &Path, size: u64) -> PathBuf {
    let path = folder.join("disk");
    let file = fs::File::create(&path).unwrap();
    // What was there before must not shine through.
    for at in (0..size).step_by(1 << 16) {
        file.write_all_at(&[0xaa; 1 << 16], at).unwrap();
    }
    file.set_len(size).unwrap();
    path
}

fn write_to(disk: &Path, image: &Path) -> Result<()> {
    put(&Source::of_file(image)?, &inspect(disk)?)
}

#[test]
fn a_larger_disk_holds_the_image_and_a_sound_table() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(folder.path());
    let packed = folder.path().join("edge.raw.zst");
    let mut encoder = zstd::stream::write::Encoder::new(fs::File::create(&packed).unwrap(), 1).unwrap();
    encoder.include_contentsize(true).unwrap();
    encoder.set_pledged_src_size(Some(9 << 20)).unwrap();
    encoder.write_all(&fs::read(&image).unwrap()).unwrap();
    encoder.finish().unwrap();
    for source in [&image, &packed] {
        let disk = target(folder.path(), 24 << 20);
        write_to(&disk, source).unwrap();
        let (written, expected) = (fs::read(&disk).unwrap(), fs::read(&image).unwrap());
        assert!(written[1 << 20..8 << 20] == expected[1 << 20..8 << 20]);
        let verdict = std::process::Command::new("/usr/sbin/sgdisk")
            .arg("--verify")
            .arg(&disk)
            .output();
        let verdict = verdict.expect("could not run sgdisk\nhint: apt-get install gdisk");
        let said = String::from_utf8_lossy(&verdict.stdout).into_owned();
        assert!(said.contains("No problems found"), "{said}");
    }
}

#[test]
fn a_disk_of_the_image_s_size_becomes_the_image() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(folder.path());
    let disk = target(folder.path(), 9 << 20);
    write_to(&disk, &image).unwrap();
    assert!(fs::read(&disk).unwrap() == fs::read(&image).unwrap());
}

#[test]
fn a_disk_that_forgets_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(folder.path());
    let disk = target(folder.path(), 9 << 20);
    let source = Source::of_file(&image).unwrap();
    let file = copy::claim(&disk, false).unwrap();
    let sums = copy::write(&source, &file, &disk, &Silent).unwrap();
    copy::verify(&disk, source.size, &sums, &Silent).unwrap();
    file.write_all_at(b"x", 5 << 20).unwrap();
    file.sync_all().unwrap();
    let error = copy::verify(&disk, source.size, &sums, &Silent)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("between byte 4194304 and 8388608") && error.contains("hint:"),
        "{error}"
    );
}

#[test]
fn only_the_name_is_a_yes() {
    assert!(copy::ask("sdb", &mut &b"sdb\n"[..]).is_ok());
    for wrong in [&b"yes\n"[..], b"sda\n", b"\n", b""] {
        let error = copy::ask("sdb", &mut &wrong[..]).unwrap_err().to_string();
        assert!(error.contains("nothing was written"), "{error}");
    }
}

#[test]
fn images_that_are_none_are_refused_before_the_disk_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let disk = target(folder.path(), 9 << 20);
    let at = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    for (path, cause) in [
        (at("empty.raw", b""), "is empty"),
        (at("none.raw.zst", b"hello, this is no zstd"), "is not zstd"),
        (folder.path().join("absent.raw"), "could not be read"),
    ] {
        let error = format!("{:#}", write_to(&disk, &path).unwrap_err());
        assert!(error.contains(cause) && error.contains("hint:"), "{error}");
    }
    assert!(fs::read(&disk).unwrap().iter().all(|byte| *byte == 0xaa));
    let manifest = serde_json::json!({
        "name": "edge", "base": "freebsd", "release": "14.3", "hostname": "edge", "nics": 1, "identity": null, "inputs": {},
        "files": [{"path": "edge.raw", "format": "raw", "size": 9 << 20, "sha256": "00"}],
    });
    image(folder.path());
    let changed = Source::of_manifest(&at("edge.json", manifest.to_string().as_bytes())).unwrap();
    assert!(
        changed
            .check()
            .unwrap_err()
            .to_string()
            .contains("the manifest says 00")
    );
    let none = at(
        "none.json",
        manifest.to_string().replace("\"raw\"", "\"qcow2\"").as_bytes(),
    );
    assert!(
        Source::of_manifest(&none)
            .unwrap_err()
            .to_string()
            .contains("no image of format raw")
    );
}

#[test]
fn a_compressed_image_that_breaks_off_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let disk = target(folder.path(), 9 << 20);
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_contentsize(true).unwrap();
    encoder.set_pledged_src_size(Some(9 << 20)).unwrap();
    let noise: Vec<u8> = (0..9u32 << 20)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    encoder.write_all(&noise).unwrap();
    let bytes = encoder.finish().unwrap();
    let cut = folder.path().join("cut.raw.zst");
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let error = write_to(&disk, &cut).unwrap_err().to_string();
    assert!(
        error.contains("breaks off or is damaged") && error.contains("half-written"),
        "{error}"
    );
}
