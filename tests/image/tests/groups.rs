//! Volumes of many small cylinder groups: contents run across their borders.

use std::fs::File;

use image_tests::base::noise;
use image_tests::readers::Volume;
use ngforge_image::layer::Writer;
use ngforge_image::piece::Blobs;
use ngforge_image::tree::{Body, Node, Tree};
use ngforge_image::ufs::inode::Attributes;
use ngforge_image::ufs::{self as writer, LayerFiles, Options};

const SIZE: u64 = 96 << 20;

#[test]
fn a_file_across_dozens_of_groups_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut layer = Writer::new(folder.path()).unwrap();
    let mut tree = Tree::new();
    let contents: Vec<Vec<u8>> = (0..5)
        .map(|seed| noise(12_000_000 + seed * 10_007, seed as u64))
        .collect();
    for (number, bytes) in contents.iter().enumerate() {
        let data = layer.store(&mut &bytes[..], bytes.len() as u64).unwrap();
        let node = Node {
            attributes: Attributes::default(),
            body: Body::File { layer: 0, data },
            origin: 0,
        };
        tree.insert(format!("dir{number}/file").as_bytes(), node).unwrap();
    }
    let layer = layer.finish().unwrap();
    let options = Options {
        size: SIZE,
        label: "many",
        time: 1_700_000_000,
        id: 1,
        max_group: Some(512),
    };
    let (pieces, report) = writer::lay_out(&tree, &[LayerFiles { blocks: 0, frags: 1 }], &options).unwrap();
    assert!(report.geometry.groups > 40, "{:?}", report.geometry);
    let copy = |file: &File| file.try_clone().unwrap();
    let blobs = Blobs(vec![copy(&layer.blocks), copy(&layer.frags)]);
    let volume = Volume::new(writer::to_bytes(&pieces, &blobs, SIZE).unwrap());
    for (number, bytes) in contents.iter().enumerate() {
        assert!(
            volume.read(&format!("dir{number}/file")) == *bytes,
            "file {number} differs"
        );
    }
}
