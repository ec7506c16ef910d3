//! Pictures, checked with a ruler.

use proptest::prelude::*;

use super::*;
use crate::picture::svg;
use crate::picture::tests::{drawing, drawings};

const BOTH: [Direction; 2] = [Direction::Right, Direction::Down];

/// Whether two rectangles have more than their edges in common.
fn overlap(one: Rect, other: Rect) -> bool {
    let apart = one.x + one.width <= other.x + 0.1
        || other.x + other.width <= one.x + 0.1
        || one.y + one.height <= other.y + 0.1
        || other.y + other.height <= one.y + 0.1;
    !apart
}

fn is_within(point: Point, rect: Rect) -> bool {
    let x = rect.x + 0.1..rect.x + rect.width - 0.1;
    let y = rect.y + 0.1..rect.y + rect.height - 0.1;
    x.contains(&point.x) && y.contains(&point.y)
}

/// Points along a line, at most 1/32 of a stroke apart.
fn points(path: &[Stroke]) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for stroke in path {
        let from = points.last().copied();
        let (one, other, to) = match *stroke {
            Stroke::Move(to) => {
                points.push(to);
                continue;
            }
            Stroke::Line(to) => (from.unwrap(), to, to),
            Stroke::Curve(one, other, to) => (one, other, to),
        };
        let from = from.unwrap();
        points.extend((1..=32).map(|step| {
            let t = f64::from(step) / 32.0;
            let bezier = |a: f64, b: f64, c: f64, d: f64| {
                let u = 1.0 - t;
                a * u.powi(3) + 3.0 * b * u.powi(2) * t + 3.0 * c * u * t.powi(2) + d * t.powi(3)
            };
            Point {
                x: bezier(from.x, one.x, other.x, to.x),
                y: bezier(from.y, one.y, other.y, to.y),
            }
        }));
    }
    points
}

/// What is wrong with a picture.
fn faults(drawing: &Drawing, picture: &Picture) -> Vec<String> {
    let mut faults = Vec::new();
    let labels: Vec<Rect> = picture
        .wires
        .iter()
        .flat_map(|wire| wire.labels.map(|label| label.rect))
        .collect();
    let whole = Rect {
        x: 0.0,
        y: 0.0,
        width: picture.width,
        height: picture.height,
    };
    let rects: Vec<Rect> = picture.boxes.iter().chain(&labels).copied().collect();
    for (index, one) in rects.iter().enumerate() {
        let corner = Point {
            x: one.x + one.width,
            y: one.y + one.height,
        };
        if one.x < 0.0 || one.y < 0.0 || corner.x > whole.width || corner.y > whole.height {
            faults.push(format!("{one:?} is outside of {whole:?}"));
        }
        let others = rects[index + 1..].iter().filter(|other| overlap(*one, **other));
        faults.extend(others.map(|other| format!("{one:?} overlaps {other:?}")));
    }
    for (edge, wire) in drawing.edges.iter().zip(&picture.wires) {
        faults.extend(wire_faults(edge, wire, picture, &labels));
    }
    faults
}

fn wire_faults(edge: &crate::picture::Edge, wire: &Wire, picture: &Picture, labels: &[Rect]) -> Vec<String> {
    let mut faults = Vec::new();
    let points = points(&wire.path);
    let ends = [&edge.left, &edge.right].map(|end| picture.boxes[end.node]);
    let (first, last) = (points[0], points[points.len() - 1]);
    let joins = |one: Rect, other: Rect| is_within(first, one) && is_within(last, other);
    if !joins(ends[0], ends[1]) && !joins(ends[1], ends[0]) {
        faults.push(format!("{edge:?} does not join its nodes"));
    }
    for point in points {
        let covered = picture.boxes.iter().filter(|rect| !ends.contains(rect)).chain(labels);
        let covered = covered.filter(|rect| is_within(point, **rect));
        faults.extend(covered.map(|rect| format!("{edge:?} crosses {rect:?}")));
    }
    faults
}

fn check(drawing: &Drawing) -> Result<(), TestCaseError> {
    for direction in BOTH {
        let picture = picture(drawing, Some(direction)).unwrap();
        let faults = faults(drawing, &picture);
        prop_assert!(faults.is_empty(), "{direction:?}: {:#?}\n{drawing:?}", faults);
    }
    Ok(())
}

/// Nodes and links that are drawn, and all that is written.
fn read(svg: &str) -> (usize, usize, Vec<String>) {
    let document = roxmltree::Document::parse(svg).unwrap();
    let count = |class: &str| {
        let groups = document.descendants().filter(|node| node.has_tag_name("g"));
        let classes = groups.filter_map(|group| group.attribute("class"));
        classes
            .filter(|classes| classes.split(' ').any(|one| one == class))
            .count()
    };
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    let texts = texts.map(|text| text.text().unwrap_or_default().to_owned());
    (count("node"), count("link"), texts.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_covers_anything_else(drawing in drawings(24, 40)) {
        check(&drawing)?;
    }

    #[test]
    fn an_svg_has_every_node_and_hook_once(drawing in drawings(12, 20)) {
        let svg = svg::text(&drawing, "<&>", None).unwrap();
        prop_assert_eq!(&svg, &svg::text(&drawing, "<&>", None).unwrap());
        let (nodes, links, mut texts) = read(&svg);
        prop_assert_eq!((nodes, links), (drawing.nodes.len(), drawing.edges.len()));
        let mut names: Vec<String> = drawing.nodes.iter().flat_map(|node| [node.label(), node.detail()]).collect();
        names.extend(drawing.edges.iter().flat_map(|edge| [edge.left.hook.clone(), edge.right.hook.clone()]));
        if drawing.nodes.is_empty() {
            names.push("no nodes".to_owned());
        }
        texts.sort();
        names.sort();
        prop_assert_eq!(texts, names);
    }
}

fn middles(picture: &Picture) -> Vec<(i64, i64)> {
    #[expect(clippy::cast_possible_truncation, reason = "pictures are small")]
    let round = |value: f64| value.round() as i64;
    let middle = |rect: &Rect| (round(rect.x + rect.width / 2.0), round(rect.y + rect.height / 2.0));
    picture.boxes.iter().map(middle).collect()
}

#[test]
fn a_chain_is_a_straight_row_from_its_first_end() {
    let chain = drawing(&["ether", "bridge", "tee", "ether"], &[(0, 2), (2, 1), (3, 1)]);
    let right = middles(&picture(&chain, Some(Direction::Right)).unwrap());
    assert!(right.iter().all(|place| place.1 == right[0].1), "{right:?}");
    assert!(right[0].0 < right[2].0 && right[2].0 < right[1].0 && right[1].0 < right[3].0);
    let down = middles(&picture(&chain, Some(Direction::Down)).unwrap());
    assert!(down.iter().all(|place| place.0 == down[0].0), "{down:?}");
}

#[test]
fn a_crowd_stands_on_both_sides() {
    let links: Vec<(usize, usize)> = (1..=12).map(|leaf| (0, leaf)).collect();
    let types: Vec<&str> = std::iter::once("bridge").chain([("ether"); 12]).collect();
    let places = middles(&picture(&drawing(&types, &links), Some(Direction::Right)).unwrap());
    let left = places[1..].iter().filter(|place| place.0 < places[0].0).count();
    assert_eq!(left, 6, "{places:?}");
}

#[test]
fn parallel_links_do_not_cross() {
    let links = [(0, 1), (1, 0), (0, 1), (0, 1)];
    let picture = picture(&drawing(&["hub", "hub"], &links), Some(Direction::Right)).unwrap();
    for wire in &picture.wires {
        let points = points(&wire.path);
        assert!(
            points.iter().all(|point| (point.y - points[0].y).abs() < 0.1),
            "{points:?}"
        );
    }
}

#[test]
fn long_pictures_go_the_way_that_suits_them() {
    let types = vec!["tee"; 20];
    let links: Vec<(usize, usize)> = (1..20).map(|index| (index - 1, index)).collect();
    let chain = picture(&drawing(&types, &links), None).unwrap();
    assert!(chain.height > chain.width);
    let short = picture(&drawing(&types[..3], &links[..2]), None).unwrap();
    assert!(short.width > short.height);
}

#[test]
fn nodes_without_links_stand_in_rows() {
    let lonely = picture(&drawing(&["ether"; 16], &[]), None).unwrap();
    assert!(
        lonely.width < 800.0 && lonely.height < 800.0,
        "{} {}",
        lonely.width,
        lonely.height
    );
}

#[test]
fn pictures_of_large_graphs_are_whole() {
    let types: Vec<&str> = ["ether", "bridge", "tee"].into_iter().cycle().take(300).collect();
    let tree = (1..300_usize).map(|index| (index, index * 7 / 11));
    let others = (0..301_usize).map(|index| (index * 131 % 300, index * index % 300));
    let graph = drawing(&types, &tree.chain(others).collect::<Vec<_>>());
    let svg = svg::text(&graph, "large", None).unwrap();
    let (nodes, links, _) = read(&svg);
    assert_eq!((nodes, links), (300, 600));
}
