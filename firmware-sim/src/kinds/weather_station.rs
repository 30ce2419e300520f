//! Weather stations: the city's weather with small differences from place to place.

use super::{Kind, Moment, Sample, called, departments, integer, number};
use crate::LocalText;

/// A compact weather station.
pub(super) struct WeatherStation;

impl Kind for WeatherStation {
    fn id(&self) -> &'static str {
        "weather_station"
    }

    fn name(&self) -> LocalText {
        LocalText::new("Weather station", "气象站")
    }

    fn department(&self) -> (&'static str, LocalText) {
        departments::environment()
    }

    fn prefix(&self) -> &'static str {
        "weather"
    }

    fn measure(&self, moment: &Moment<'_>, out: &mut Vec<Sample>) {
        let weather = &moment.now.weather;
        let temperature = weather.temperature
            + moment.constant(1, -0.9, 0.9)
            + 0.4 * moment.drift(2, 1_800.0)
            + 0.05 * moment.noise(3);
        let humidity = (weather.humidity + moment.constant(4, -3.0, 3.0) + 0.4 * moment.noise(5))
            .clamp(10.0, 100.0);
        let pressure = weather.pressure + moment.constant(6, -0.8, 0.8) + 0.05 * moment.noise(7);
        let gusts = 0.75 + 0.25 * moment.drift(8, 60.0) + 0.1 * moment.noise(9);
        let wind = weather.wind * gusts.max(0.1) * moment.constant(10, 0.7, 1.2);
        let rain =
            if weather.rain > 0.05 { weather.rain * moment.constant(11, 0.7, 1.3) } else { 0.0 };
        out.extend([
            called("temp", number("temperature", temperature, 1, "Cel")),
            called("rh", number("humidity", humidity, 1, "%RH")),
            // Weather heads send pascals, the primary unit of SenML.
            integer("pressure", pressure * 100.0, "Pa"),
            called("wind", number("wind_speed", wind, 1, "m/s")),
            number("rain", rain, 1, "mm"),
        ]);
    }
}
