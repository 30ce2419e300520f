/* Decentlab's self-describing frames: protocol version, device id, a bit for each group of sensors
 * that follows, and their 16-bit words. Which groups a model has, it says in `variables.model`. */

function total(x) { return x[0] + x[1] * 65536; }
function ratio(x) { return total(x) / 8388608 - 1; }
function signed(x) { return x - 32768; }

function value(name, displayName, unit, convert) {
  return { name: name, displayName: displayName, unit: unit, convert: convert };
}

function group(length, values) {
  return { length: length, values: values };
}

var battery = group(1, [value('battery_voltage', 'Battery voltage', 'V', function (x) { return x[0] / 1000; })]);
var pressure = group(1, [value('barometric_pressure', 'Barometric pressure', 'Pa', function (x) { return x[0] * 2; })]);
var sht2x = group(2, [
  value('air_temperature', 'Air temperature', '°C', function (x) { return 175.72 * x[0] / 65536 - 46.85; }),
  value('air_humidity', 'Air humidity', '%', function (x) { return 125 * x[1] / 65536 - 6; })
]);

function sht3x(suffix, title) {
  return group(2, [
    value('air_temperature' + suffix, 'Air temperature' + title, '°C', function (x) { return 175 * x[0] / 65535 - 45; }),
    value('air_humidity' + suffix, 'Air humidity' + title, '%', function (x) { return 100 * x[1] / 65535; })
  ]);
}

function pulses(prefix, title) {
  return group(4, [
    value(prefix + 'pulse_count', title + 'ulse count', undefined, function (x) { return x[0]; }),
    value(prefix + 'pulse_interval', title + 'ulse interval', 's', function (x) { return x[1]; }),
    value(prefix + 'cumulative_pulse_count', 'Cumulative pulse count', undefined, function (x) { return x[2] + x[3] * 65536; })
  ]);
}

function levels(count, name, unit, from, convert) {
  var values = [];
  for (var i = 0; i < count; i++) {
    values.push(value(name + i, name + i, unit, (function (at) {
      return function (x) { return convert(x[at]); };
    })(from + i)));
  }
  return values;
}

function words(list) {
  return group(list.length, list.map(function (entry, index) {
    return value(entry[0], entry[0], entry[1], function (x) { return entry[2] ? entry[2](x[index]) : x[index]; });
  }));
}

function by(divisor) { return function (x) { return x / divisor; }; }
function times(factor) { return function (x) { return x * factor; }; }
function centred(divisor) { return function (x) { return (x - 32768) / divisor; }; }

var models = {
  'dl-5tm': [group(2, [
    value('dielectric_permittivity', 'Dielectric permittivity', undefined, function (x) { return x[0] / 50; }),
    value('volumetric_water_content', 'Volumetric water content', 'm³⋅m⁻³', function (x) {
      var e = x[0] / 50;
      return 0.0000043 * Math.pow(e, 3) - 0.00055 * Math.pow(e, 2) + 0.0292 * e - 0.053;
    }),
    value('soil_temperature', 'Soil temperature', '°C', function (x) { return (x[1] - 400) / 10; })
  ]), battery],
  'dl-blg': [group(2, [
    value('voltage_ratio', 'Voltage ratio', undefined, function (x) { return ratio(x) / 2; }),
    value('thermistor_resistance', 'Thermistor resistance', 'Ω', function (x) { return 1000 / (ratio(x) / 2) - 41000; }),
    value('temperature', 'Temperature', '°C', function (x) {
      var ln = Math.log(1000 / (ratio(x) / 2) - 41000);
      return 1 / (0.0008271111 + 0.000208802 * ln + 0.000000080592 * Math.pow(ln, 3)) - 273.15;
    })
  ]), battery],
  'dl-ctd10b': [words([['water_depth', 'mm', signed], ['temperature', '°C', centred(10)],
    ['electrical_conductivity', 'µS⋅cm⁻¹', times(2)], ['freezing_flag']]), battery],
  'dl-cws2': [sht3x('_radiation_shield', ' (radiation shield)'), words([['surface_temperature', '°C', centred(100)],
    ['air_temperature', '°C', centred(100)], ['air_humidity', '%', centred(100)], ['dew_point', '°C', centred(100)],
    ['angle', '°', signed], ['sensor_temperature', '°C', centred(100)]]), battery],
  'dl-dlr2-002': [pulses('', 'P'), battery],
  'dl-dlr2-005': [group(2, [value('voltage', 'Voltage', 'V', function (x) { return ratio(x) * 3; })]), battery],
  'dl-dlr2-009': [group(2, []), battery],
  'dl-dlr2-010': [pulses('ch0_', 'CH0: P'), pulses('ch1_', 'CH1: P'), battery],
  'dl-ds18': [words([['temperature', '°C', centred(16)]]), battery],
  'dl-iam': [battery, sht3x('', ''), pressure, group(2, [
    value('ambient_light_visible_infrared', 'Ambient light (visible + infrared)', undefined, function (x) { return x[0]; }),
    value('ambient_light_infrared', 'Ambient light (infrared)', undefined, function (x) { return x[1]; }),
    value('illuminance', 'Illuminance', 'lx', function (x) {
      return Math.max(Math.max(x[0] - 1.64 * x[1], 0.59 * x[0] - 0.86 * x[1]), 0) * 1.5504;
    })
  ]), words([['co2_concentration', 'ppm', signed], ['co2_sensor_status'], ['raw_ir_reading']]),
  words([['activity_counter']]), words([['total_voc', 'ppb']])],
  'dl-ifd': [words([['fruit_size', 'mm', by(100)]]), battery],
  'dl-isd': [words([['stem_size', 'mm', by(1000)]]), battery],
  'dl-isf': [(function () {
    var rates = words([['sap_flow', 'l⋅h⁻¹', function (x) { return (x * 16 - 50000) / 1000; }],
      ['heat_velocity_outer', 'cm⋅h⁻¹', function (x) { return (x * 16 - 50000) / 1000; }],
      ['heat_velocity_inner', 'cm⋅h⁻¹', function (x) { return (x * 16 - 50000) / 1000; }],
      ['alpha_outer', undefined, function (x) { return (x * 32 - 1000000) / 100000; }],
      ['alpha_inner', undefined, function (x) { return (x * 32 - 1000000) / 100000; }],
      ['beta_outer', undefined, function (x) { return (x * 32 - 1000000) / 100000; }],
      ['beta_inner', undefined, function (x) { return (x * 32 - 1000000) / 100000; }],
      ['tmax_outer', 's', function (x) { return x * 2 / 1000; }], ['tmax_inner', 's', function (x) { return x * 2 / 1000; }],
      ['temperature_outer', '°C', centred(100)], ['max_voltage', 'V', centred(1000)], ['min_voltage', 'V', centred(1000)]]).values;
    rates.push(value('diagnostic', 'Diagnostic', undefined, function (x) { return x[12] + x[13] * 65536; }));
    rates.push(value('upstream_tmax_outer', 'Upstream Tmax (outer)', 's', function (x) { return x[14] * 2 / 1000; }));
    rates.push(value('upstream_tmax_inner', 'Upstream Tmax (inner)', 's', function (x) { return x[15] * 2 / 1000; }));
    return group(16, rates);
  })(), battery],
  'dl-lid': [words([['distance_average', 'mm'], ['distance_minimum', 'mm'], ['distance_maximum', 'mm'], ['distance_median', 'mm'],
    ['distance_10th_percentile', 'mm'], ['distance_25th_percentile', 'mm'], ['distance_75th_percentile', 'mm'],
    ['distance_90th_percentile', 'mm'], ['distance_most_frequent_value', 'mm'], ['number_of_samples'],
    ['total_acquisition_time', 'ms', by(1.024)]]), battery],
  'dl-lp8p': [sht2x, words([['barometer_temperature', '°C', function (x) { return (x - 5000) / 100; }],
    ['barometric_pressure', 'Pa', times(2)]]), words([['co2_concentration', 'ppm', signed], ['co2_concentration_lpf', 'ppm', signed],
    ['co2_sensor_temperature', '°C', centred(100)], ['capacitor_voltage_1', 'V', by(1000)], ['capacitor_voltage_2', 'V', by(1000)],
    ['co2_sensor_status'], ['raw_ir_reading'], ['raw_ir_reading_lpf']]), battery],
  'dl-lpw': [group(2, [value('potentiometer_position', 'Potentiometer position', '%', function (x) { return ratio(x) * 100; })]), battery],
  'dl-lws': [group(2, [value('leaf_wetness_index', 'Leaf wetness index', undefined, ratio)]), battery],
  'dl-mbx': [words([['distance', 'mm'], ['number_of_valid_samples']]), battery],
  'dl-par': [words([['photosynthetically_active_radiation', 'µmol⋅m⁻²⋅s⁻¹', function (x) { return (x / 32768 - 1) * 15000; }]]), battery],
  'dl-pheht': [words([['status'], ['temperature', '°C', centred(100)], ['ph', undefined, centred(100)],
    ['redox', 'mV', centred(10)], ['ph_mv', 'mV', centred(10)]]), battery],
  'dl-pm': [battery, words([['pm1_0_mass_concentration', 'µg⋅m⁻³', by(10)], ['pm2_5_mass_concentration', 'µg⋅m⁻³', by(10)],
    ['pm4_mass_concentration', 'µg⋅m⁻³', by(10)], ['pm10_mass_concentration', 'µg⋅m⁻³', by(10)], ['typical_particle_size', 'nm'],
    ['pm0_5_number_concentration', '1⋅cm⁻³', by(10)], ['pm1_0_number_concentration', '1⋅cm⁻³', by(10)],
    ['pm2_5_number_concentration', '1⋅cm⁻³', by(10)], ['pm4_number_concentration', '1⋅cm⁻³', by(10)],
    ['pm10_number_concentration', '1⋅cm⁻³', by(10)]]), sht2x, pressure],
  'dl-pr36': [words([['pressure', 'bar', centred(8192)], ['temperature', '°C', centred(256)]]), battery],
  'dl-pyr': [words([['total_solar_radiation', 'W⋅m⁻²', function (x) { return (x / 32768 - 1) * 15000; }]]), battery],
  'dl-rad': [words([['distance', 'mm'], ['temperature', '°C', centred(100)], ['reliability', 'dB', centred(100)], ['status']]), battery],
  'dl-rhc': [group(4, [value('sensor_id', 'Sensor ID', undefined, total),
    value('air_humidity', 'Air humidity', '%', function (x) { return x[2] / 100; }),
    value('air_temperature', 'Air temperature', '°C', function (x) { return signed(x[3]) / 100; })]), battery],
  'dl-sdd': [group(18, levels(6, 'moisture_at_level_', '%', 0, centred(100))
    .concat(levels(6, 'temperature_at_level_', '°C', 6, centred(100)))
    .concat(levels(6, 'salinity_at_level_', undefined, 12, function (x) { return x - 100; }))), group(18, []), battery],
  'dl-sht35-001': [sht3x('', ''), battery],
  'dl-sht35-002': [sht3x('', ''), battery],
  'dl-tbrg': [group(4, [value('precipitation', 'Precipitation', 'mm', function (x) { return x[0] * 0.1; }),
    value('precipitation_interval', 'Precipitation interval', 's', function (x) { return x[1]; }),
    value('cumulative_precipitation', 'Cumulative precipitation', 'mm', function (x) { return (x[2] + x[3] * 65536) * 0.1; })]), battery],
  'dl-tp': [group(16, levels(16, 'temperature_at_level_', '°C', 0, centred(100))), battery],
  'dl-trs11': [group(2, [value('dielectric_permittivity', 'Dielectric permittivity', undefined, function (x) {
    var r = x[0] / 10;
    return Math.pow(0.000000002887 * Math.pow(r, 3) - 0.0000208 * Math.pow(r, 2) + 0.05276 * r - 43.39, 2);
  }), value('volumetric_water_content', 'Volumetric water content', 'm³⋅m⁻³', function (x) { return x[0] / 10 * 0.0003879 - 0.6956; }),
  value('soil_temperature', 'Soil temperature', '°C', function (x) { return signed(x[1]) / 10; })]), battery],
  'dl-zn1': [group(2, [value('dendrometer_position', 'Dendrometer position', 'µm', function (x) { return ratio(x) * 20000; })]), battery],
  'dl-zn2': [group(4, [value('dendrometer_a_position', 'Dendrometer A position', 'µm', function (x) { return ratio(x) * 20000; }),
    value('dendrometer_b_position', 'Dendrometer B position', 'µm', function (x) { return (ratio(x) - ratio(x.slice(2))) * 20000; })]), battery]
};

function decodeUplink(input) {
  var groups = models[input.variables.model];
  if (!groups) return { errors: ['unknown model ' + input.variables.model] };
  var bytes = input.bytes;
  if (bytes[0] !== 2) return { errors: ["protocol version " + bytes[0] + " doesn't match v2"] };
  var data = { protocol_version: bytes[0], device_id: (bytes[1] << 8) + bytes[2] };
  var flags = (bytes[3] << 8) + bytes[4];
  var at = 5;
  groups.forEach(function (group, bit) {
    if (!(flags & (1 << bit))) return;
    var x = [];
    for (var i = 0; i < group.length; i++, at += 2) x.push((bytes[at] << 8) + bytes[at + 1]);
    group.values.forEach(function (value) {
      data[value.name] = { displayName: value.displayName, value: value.convert(x) };
      if (value.unit) data[value.name].unit = value.unit;
    });
  });
  return { data: data };
}
