'use strict';
// Browan: a layout for each port, given as CommonJS.
var layouts = {
  103: function (b) {
    return { fPort: 103, battery_volt: (25 + (b[1] & 0x0f)) / 10, temperature: (b[2] & 0x7f) - 32,
      humidity: b[3] & 0x7f, thh_type: b[0] >> 4,
      CO2: b[4] === 255 ? 0 : b[4] + (b[5] << 8), VOC: b[6] === 255 ? 0 : b[6] + (b[7] << 8) };
  },
  127: function (b) {
    return { battery_volt: (21 + (b[1] & 0x0f)) / 10, temperature: b[2] & 0x7f, humidity: b[3] & 0x7f,
      trigger: b[0] & 1, button: (b[0] >> 1) & 1, co2threshold: (b[0] >> 4) & 1,
      co2calibration: (b[0] >> 5) & 1, co2_ppm: b[4] + b[5] * 256 };
  }
};
module.exports = {
  decodeUplink: function (input) {
    var layout = layouts[input.fPort];
    return layout ? { data: layout(input.bytes) } : { errors: ['unknown FPort'] };
  }
};
