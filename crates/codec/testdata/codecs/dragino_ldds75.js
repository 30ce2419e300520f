// Dragino LDDS75 for ChirpStack 3: Decode(fPort, bytes, variables).
function Decode(fPort, bytes, variables) {
  var value = (bytes[0] << 8 | bytes[1]) & 0x3fff;
  var distance = bytes[2] << 8 | bytes[3];
  var celsius = bytes[5] << 24 >> 16 | bytes[6];
  return {
    Bat: value / 1000,
    Distance: distance,
    Interrupt_flag: bytes[4],
    TempC_DS18B20: (celsius / 10).toFixed(2),
    Sensor_flag: bytes[7]
  };
}
