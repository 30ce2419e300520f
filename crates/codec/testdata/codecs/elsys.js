// ELSYS: type, big-endian value, type, value...
// The loop's variable is never declared, as in files of that age.
var TYPES = {
  1: ['temperature', 2, true, 10], 2: ['humidity', 1, false, 1], 4: ['light', 2, false, 1],
  5: ['pir', 1, false, 1], 6: ['co2', 2, false, 1], 7: ['vdd', 2, false, 1],
  8: ['analog1', 2, false, 1], 10: ['pulse1', 2, false, 1],
  12: ['externalTemperature', 2, true, 10], 13: ['digital', 1, false, 1],
  20: ['pressure', 4, true, 1000], 28: ['tvoc', 2, false, 1]
};

function decodeUplink(input) {
  var data = {};
  for (i = 0; i < input.bytes.length; ) {
    var type = TYPES[input.bytes[i++]];
    if (!type) throw new Error('unknown type ' + input.bytes[i - 1]);
    var value = input.bytes.slice(i, i + type[1]).reduce(function (sum, b) { return sum * 256 + b; }, 0);
    if (type[2] && value >= Math.pow(2, 8 * type[1] - 1)) value -= Math.pow(2, 8 * type[1]);
    data[type[0]] = value / type[3];
    i += type[1];
  }
  return { data: data, warnings: [] };
}
