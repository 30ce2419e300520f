// MClimate Vicki: a keep-alive of nine bytes.
function decodeUplink(input) {
  var b = input.bytes;
  var flag = function (byte, bit) { return ((b[byte] >> bit) & 1) === 1; };
  var position = ((b[6] >> 4) << 8) | b[4];
  var range = ((b[6] & 0x0f) << 8) | b[5];
  return { data: {
    reason: b[0],
    targetTemperature: b[1],
    sensorTemperature: Number(((b[2] * 165) / 256 - 40).toFixed(2)),
    relativeHumidity: Number(((b[3] * 100) / 256).toFixed(2)),
    motorRange: range,
    motorPosition: position,
    batteryVoltage: 2 + (b[7] >> 4) * 0.1,
    openWindow: flag(7, 3),
    highMotorConsumption: flag(7, 2),
    lowMotorConsumption: flag(7, 1),
    brokenSensor: flag(7, 0),
    childLock: flag(8, 7),
    calibrationFailed: flag(8, 6),
    attachedBackplate: flag(8, 5),
    perceiveAsOnline: flag(8, 4),
    antiFreezeProtection: flag(8, 3),
    valveOpenness: Math.round((1 - position / range) * 100),
    targetTemperatureFloat: b[1]
  } };
}
