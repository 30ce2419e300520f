//! Shapes: from well-known text (OGC 06-103r4, clause 7) and from GeoJSON (RFC 7946).

use geo::{Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};

/// The most places of one shape.
const MAX_PLACES: usize = 10_000;

/// The shape of GeoJSON: a geometry, or a feature with one.
pub(crate) fn from_geojson(json: &serde_json::Value) -> Option<Geometry<f64>> {
    let inner = json.get("geometry").unwrap_or(json);
    let shape: geojson::Geometry = serde_json::from_value(inner.clone()).ok()?;
    Geometry::try_from(shape).ok()
}

/// The shape of well-known text; a coordinate system in front, such as `SRID=4326;`, is read over.
pub(crate) fn from_wkt(text: &str) -> Result<Geometry<f64>, String> {
    let text = text.trim();
    let text = match text.split_once(';') {
        Some((srid, rest)) if srid.trim().to_ascii_uppercase().starts_with("SRID=") => rest,
        _ => text,
    };
    let open = text.find('(').ok_or("a shape has its places in brackets")?;
    let head = text[..open].trim().to_ascii_uppercase();
    let name = head.split_whitespace().next().unwrap_or_default().to_owned();
    let mut reader = Reader { rest: &text[open..], places: 0 };
    let shape = match name.as_str() {
        "POINT" => Geometry::Point(Point(reader.bracketed(Reader::place)?)),
        "LINESTRING" => Geometry::LineString(LineString(reader.list(Reader::place)?)),
        "POLYGON" => Geometry::Polygon(reader.polygon()?),
        "MULTIPOINT" => {
            let points = reader.list(|reader| {
                if reader.peek() == Some('(') {
                    reader.bracketed(Reader::place)
                } else {
                    reader.place()
                }
            })?;
            Geometry::MultiPoint(MultiPoint(points.into_iter().map(Point).collect()))
        }
        "MULTILINESTRING" => {
            let lines = reader.list(|reader| reader.list(Reader::place))?;
            Geometry::MultiLineString(MultiLineString(lines.into_iter().map(LineString).collect()))
        }
        "MULTIPOLYGON" => Geometry::MultiPolygon(MultiPolygon(reader.list(Reader::polygon)?)),
        _ => return Err(format!("there is no shape `{}`", crate::error::short(&name))),
    };
    match reader.peek() {
        None => Ok(shape),
        Some(other) => Err(format!("there is a `{other}` behind the shape")),
    }
}

struct Reader<'a> {
    rest: &'a str,
    places: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.peek() == Some(wanted) {
            self.rest = &self.rest[wanted.len_utf8()..];
            return Ok(());
        }
        Err(format!("a `{wanted}` is missing before `{}`", crate::error::short(self.rest)))
    }

    fn bracketed<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.expect('(')?;
        let item = read(self)?;
        self.expect(')')?;
        Ok(item)
    }

    fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        self.expect('(')?;
        let mut items = vec![read(self)?];
        while self.peek() == Some(',') {
            self.expect(',')?;
            items.push(read(self)?);
        }
        self.expect(')')?;
        Ok(items)
    }

    fn polygon(&mut self) -> Result<Polygon<f64>, String> {
        let mut rings = self.list(|reader| reader.list(Self::place))?.into_iter().map(LineString);
        let outer = rings.next().unwrap_or(LineString(Vec::new()));
        Ok(Polygon::new(outer, rings.collect()))
    }

    /// Two numbers, longitude and latitude; a height or a measure behind them is read over.
    fn place(&mut self) -> Result<Coord<f64>, String> {
        self.places += 1;
        if self.places > MAX_PLACES {
            return Err(format!("the shape has more than {MAX_PLACES} places"));
        }
        let mut numbers = Vec::with_capacity(2);
        while self.peek().is_some_and(|c| !"(),".contains(c)) {
            let end = self.rest.find(|c: char| c.is_whitespace() || "(),".contains(c));
            let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            let number: f64 = word
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .ok_or_else(|| format!("`{}` is no number", crate::error::short(word)))?;
            numbers.push(number);
            self.rest = rest;
        }
        match numbers[..] {
            [x, y] | [x, y, _] | [x, y, _, _] => Ok(Coord { x, y }),
            _ => Err("a place is two numbers, longitude and latitude".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_text_is_read() {
        let point = Geometry::Point(Point::new(30.0, 10.0));
        for text in ["POINT (30 10)", "point(30 10)", "SRID=4326;POINT Z (30 10 5)"] {
            assert_eq!(from_wkt(text), Ok(point.clone()), "{text}");
        }
        for text in [
            "POLYGON ((30 10, 40 40, 20 40, 10 20, 30 10))",
            "Polygon ((35 10, 45 45, 15 40, 10 20, 35 10),(20 30, 35 35, 30 20, 20 30))",
            "LINESTRING (30 10, 10 30, 40 40)",
            "MULTIPOINT ((10 40), (40 30))",
            "MULTIPOINT (10 40, 40 30)",
            "MULTIPOLYGON (((30 20, 45 40, 10 40, 30 20)),((15 5, 40 10, 10 20, 5 10, 15 5)))",
            "MULTILINESTRING ((10 10, 20 20), (40 40, 30 30))",
        ] {
            assert!(from_wkt(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "POINT",
            "POINT (30)",
            "POINT (30 10",
            "CIRCLE (1 1)",
            "POINT (a b)",
            "POINT (1 1) x",
            "POLYGON (1 1, 2 2)",
            "POINT (NaN 1)",
        ] {
            assert!(from_wkt(text).is_err(), "{text}");
        }
    }

    #[test]
    fn geojson_is_read_also_inside_a_feature() {
        let point = serde_json::json!({"type": "Point", "coordinates": [30.0, 10.0]});
        let feature = serde_json::json!({"type": "Feature", "geometry": point});
        for json in [point, feature] {
            assert_eq!(from_geojson(&json), Some(Geometry::Point(Point::new(30.0, 10.0))));
        }
        assert_eq!(from_geojson(&serde_json::json!({"type": "Nothing"})), None);
    }
}
