/* Milesight's IPSO-like frames: channel, type, little-endian value. */
function decodeUplink(input) {
  return { data: decode(input.bytes) };
}
/* The forms of older network servers, as such files have them. */
function Decode(fPort, bytes) {
  return decode(bytes);
}
function Decoder(bytes, port) {
  return decode(bytes);
}

function decode(bytes) {
  var decoded = {};
  for (var i = 0; i < bytes.length; ) {
    var channel = bytes[i++];
    var type = bytes[i++];
    if (channel === 0x01 && type === 0x75) {
      decoded.battery = bytes[i];
      i += 1;
    } else if (channel === 0x03 && type === 0x67) {
      decoded.temperature = int16(bytes.slice(i, i + 2)) / 10;
      i += 2;
    } else if (channel === 0x04 && type === 0x68) {
      decoded.humidity = bytes[i] / 2;
      i += 1;
    } else if (channel === 0x05 && type === 0x00) {
      decoded.leakage_status = status(bytes[i]);
      i += 1;
    } else if (channel === 0x05 && type === 0x6a) {
      decoded.activity = uint16(bytes.slice(i, i + 2));
      i += 2;
    } else if (channel === 0x06 && type === 0x65) {
      decoded.illumination = uint16(bytes.slice(i, i + 2));
      decoded.infrared_and_visible = uint16(bytes.slice(i + 2, i + 4));
      decoded.infrared = uint16(bytes.slice(i + 4, i + 6));
      i += 6;
    } else if (channel === 0x07 && type === 0x7d) {
      decoded.co2 = uint16(bytes.slice(i, i + 2));
      i += 2;
    } else if (channel === 0x20 && type === 0xce) {
      i = history(bytes, i, decoded);
    } else if (channel === 0xff && type === 0x03) {
      decoded.report_interval = uint16(bytes.slice(i, i + 2));
      i += 2;
    } else {
      break;
    }
  }
  return decoded;
}

function history(bytes, i, decoded) {
  var entry = {
    timestamp: uint16(bytes.slice(i, i + 2)) + uint16(bytes.slice(i + 2, i + 4)) * 65536,
    temperature: int16(bytes.slice(i + 4, i + 6)) / 10,
    humidity: bytes[i + 6] / 2
  };
  i += 7;
  var left = bytes.length - i;
  if (left === 1) {
    entry.leakage_status = status(bytes[i]);
    i += 1;
  } else if (left === 2) {
    entry.co2 = uint16(bytes.slice(i, i + 2));
    i += 2;
  }
  decoded.history = (decoded.history || []).concat([entry]);
  return i;
}

function status(value) {
  return { 0: 'normal', 1: 'leak' }[value] || 'unknown';
}
function uint16(bytes) {
  return (bytes[1] << 8) + bytes[0];
}
function int16(bytes) {
  var value = uint16(bytes);
  return value > 0x7fff ? value - 0x10000 : value;
}
