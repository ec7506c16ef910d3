//! What the layout of the disk means for the files that configure the appliance.

use std::collections::BTreeMap;

use crate::spec::{Layout, Spec};

/// Runs before `/etc/rc` on a disk with slots, and before anything has read `/etc`.
const EARLY: &str = "/usr/local/libexec/ngforge/early";

/// `/etc/fstab`. Both slots have the same one, so that of a disk with slots does not say where the root is.
pub fn fstab(spec: &Spec) -> String {
    let label = &spec.label;
    let mut text = String::from("# Device\tMountpoint\tFStype\tOptions\tDump\tPass\n");
    text.push_str(&match spec.disk.layout {
        Layout::Single => format!("/dev/gpt/{label}\t/\tufs\trw\t1\t1\n"),
        // /cfg is mounted when the first script of rc(8) unmounts what is listed here.
        Layout::Slots => format!("/dev/gpt/{label}-data\t/data\tufs\trw,noatime,noauto\t0\t0\n"),
    });
    text
}

/// Settings for rc.conf(5).
pub fn rc_conf(layout: Layout) -> BTreeMap<String, String> {
    let pairs: &[(&str, &str)] = match layout {
        Layout::Single => &[],
        Layout::Slots => &[
            ("root_rw_mount", "NO"),
            ("tmpmfs", "NO"),
            ("varmfs", "NO"),
            // Both are new at every boot.
            ("cleanvar_enable", "NO"),
            ("clear_tmp_X", "NO"),
            ("entropy_dir", "/data/entropy"),
            ("entropy_file", "/data/entropy/file"),
            ("entropy_boot_file", "NO"),
        ],
    };
    owned(pairs.iter().copied())
}

/// Settings for loader.conf(5).
pub fn loader_conf(spec: &Spec) -> BTreeMap<String, String> {
    match spec.disk.layout {
        Layout::Single => owned([("vfs.root.mountfrom", &*format!("ufs:/dev/gpt/{}", spec.label))]),
        Layout::Slots => owned([("ngforge.label", &*spec.label), ("init_script", EARLY)]),
    }
}

/// What a login shows, where it is not the base's own.
pub fn motd(layout: Layout) -> Option<String> {
    let text = "\n\
        What is changed in /etc (and /usr/local/etc, which is a part of it) is in memory until it is saved:\n\
        \x20   ng-update cfg save\n\
        /data outlives restarts and updates; /var, /root and /tmp are in memory, logs as well. The rest is only read.\n\n";
    (layout == Layout::Slots).then(|| text.into())
}

fn owned<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    let pairs = pairs.into_iter();
    pairs.map(|(key, value)| (key.into(), value.into())).collect()
}
