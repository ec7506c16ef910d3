//! A squarified treemap (Bruls, Huizing, van Wijk 2000) of an image's areas as SVG: the larger the file, the larger its tile.

use ngforge_image::areas::Area;

use super::html::escaped;
use crate::image::size;

/// Size of the picture.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
/// Room for the name of an area above its tiles.
const HEAD: f64 = 18.0;
/// Width of a letter.
const LETTER: f64 = 6.8;

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// The whole picture.
pub fn svg(areas: &[Area]) -> String {
    let whole = Rect {
        x: 0.0,
        y: 0.0,
        width: WIDTH,
        height: HEIGHT,
    };
    let sizes: Vec<f64> = areas.iter().map(|area| area.bytes as f64).collect();
    let tiles = { areas.iter().zip(squarified(&sizes, whole)).enumerate() }
        .map(|(number, (area, rect))| area_tile(area, rect, number % 10))
        .collect::<String>();
    format!(
        "<svg class=\"treemap\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"What the space goes to; the table \
         below has the same in numbers\">\n{tiles}</svg>\n"
    )
}

fn area_tile(area: &Area, rect: Rect, class: usize) -> String {
    let named: u64 = area.largest.iter().map(|large| large.bytes).sum();
    let rest = area.bytes.saturating_sub(named);
    let mut parts: Vec<(String, u64)> = { area.largest.iter() }
        .map(|large| (large.path.clone(), large.bytes))
        .collect();
    if rest > 0 {
        parts.push((
            format!("{} others", area.files.saturating_sub(parts.len() as u64)),
            rest,
        ));
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.1));
    let title = format!("{} {}", area.name, size(area.bytes));
    let mut text = format!("<g class=\"a{class}\">\n{}", tile(rect, "area", &title));
    let is_roomy = rect.height > 2.0 * HEAD && rect.width > 40.0;
    if is_roomy {
        text += &label(rect.x + 5.0, rect.y + 13.0, "head", &title, rect.width - 10.0);
    }
    let inner = inside(rect, if is_roomy { HEAD } else { 0.0 });
    let sizes: Vec<f64> = parts.iter().map(|(_, bytes)| *bytes as f64).collect();
    for ((name, bytes), rect) in parts.iter().zip(squarified(&sizes, inner)) {
        let short = name.rsplit('/').next().unwrap_or(name);
        text += &tile(rect, "file", &format!("{name} {}", size(*bytes)));
        if rect.height > 15.0 {
            text += &label(rect.x + 4.0, rect.y + 13.0, "name", short, rect.width - 8.0);
        }
    }
    text + "</g>\n"
}

fn tile(rect: Rect, class: &str, title: &str) -> String {
    let Rect { x, y, width, height } = rect;
    format!(
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"><title>{}</title></rect>\n",
        escaped(title)
    )
}

/// Text that is as long as there is room; none if there is hardly any.
fn label(x: f64, y: f64, class: &str, text: &str, room: f64) -> String {
    let letters = (room / LETTER).max(0.0) as usize;
    let count = text.chars().count();
    let shown: String = match count {
        _ if letters < 3 => return String::new(),
        _ if count > letters => text.chars().take(letters - 1).chain(['…']).collect(),
        _ => text.into(),
    };
    format!(
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>\n",
        escaped(&shown)
    )
}

fn inside(rect: Rect, head: f64) -> Rect {
    let margin = 2.0_f64.min(rect.width / 4.0).min(rect.height / 4.0);
    Rect {
        x: rect.x + margin,
        y: rect.y + margin + head,
        width: rect.width - 2.0 * margin,
        height: rect.height - 2.0 * margin - head,
    }
}

/// Rectangles for some sizes, the largest first, that fill one together and are as square as can be.
pub fn squarified(sizes: &[f64], whole: Rect) -> Vec<Rect> {
    let total: f64 = sizes.iter().sum();
    if total <= 0.0 {
        return sizes
            .iter()
            .map(|_| Rect {
                width: 0.0,
                height: 0.0,
                ..whole
            })
            .collect();
    }
    let scale = whole.width * whole.height / total;
    let mut rest: Vec<f64> = sizes.iter().map(|size| size * scale).collect();
    let (mut free, mut all) = (whole, Vec::new());
    while !rest.is_empty() {
        let side = free.width.min(free.height);
        let better = |count: &usize| worst(&rest[..*count], side) <= worst(&rest[..count - 1], side);
        let count = 1 + (2..=rest.len()).take_while(better).count();
        free = place(&rest[..count], free, &mut all);
        rest.drain(..count);
    }
    all
}

/// How far from square the worst of a row is.
fn worst(row: &[f64], side: f64) -> f64 {
    let sum: f64 = row.iter().sum();
    let shape = |size: &f64| (side * side * size / (sum * sum)).max(sum * sum / (side * side * size));
    row.iter().map(shape).fold(0.0, f64::max)
}

/// Puts a row along the shorter side; what is left is given back.
fn place(row: &[f64], free: Rect, all: &mut Vec<Rect>) -> Rect {
    let sum: f64 = row.iter().sum();
    let is_wide = free.width >= free.height;
    let side = if is_wide { free.height } else { free.width };
    let thick = if side > 0.0 { sum / side } else { 0.0 };
    let mut along = 0.0;
    for size in row {
        let length = if thick > 0.0 { size / thick } else { 0.0 };
        let (x, y, width, height) = match is_wide {
            true => (free.x, free.y + along, thick, length),
            false => (free.x + along, free.y, length, thick),
        };
        all.push(Rect { x, y, width, height });
        along += length;
    }
    match is_wide {
        true => Rect {
            x: free.x + thick,
            width: (free.width - thick).max(0.0),
            ..free
        },
        false => Rect {
            y: free.y + thick,
            height: (free.height - thick).max(0.0),
            ..free
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Rect = Rect {
        x: 0.0,
        y: 0.0,
        width: 6.0,
        height: 4.0,
    };

    #[test]
    fn areas_are_as_sizes_and_fill_the_whole() {
        let sizes = [6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0];
        let tiles = squarified(&sizes, WHOLE);
        for (size, tile) in sizes.iter().zip(&tiles) {
            assert!((tile.width * tile.height - size).abs() < 1e-9, "{tile:?}");
            assert!(
                tile.x + tile.width <= 6.0 + 1e-9 && tile.y + tile.height <= 4.0 + 1e-9,
                "{tile:?}"
            );
        }
        // The example of the paper: the first two share the left column.
        assert_eq!((tiles[0].width, tiles[0].height, tiles[1].y), (3.0, 2.0, 2.0));
    }

    #[test]
    fn nothing_and_next_to_nothing_are_no_trouble() {
        assert!(squarified(&[], WHOLE).is_empty());
        let tiles = squarified(&[0.0, 0.0], WHOLE);
        assert!(tiles.iter().all(|tile| tile.width == 0.0));
        let tiles = squarified(&[1e12, 1.0, 0.0], WHOLE);
        assert!(
            tiles
                .iter()
                .all(|tile| tile.width.is_finite() && tile.height.is_finite()),
            "{tiles:?}"
        );
    }
}
