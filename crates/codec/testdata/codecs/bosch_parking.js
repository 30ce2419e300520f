// Bosch parking lot sensor: one layout for each port; The Things Network's old form.
function Decoder(bytes, port) {
  var occupied = bytes[bytes.length - 1] === 1;
  switch (port) {
    case 1: return { type: 'parking status', occupied: bytes[0] === 1 };
    case 2: return { type: 'heartbeat', occupied: bytes[0] === 1, temperature: bytes[1] << 24 >> 24 };
    case 3: return {
      type: 'startup', occupied: occupied, resetCause: ['', 'Watchdog Reset', 'Power On Reset'][bytes[15]],
      firmwareVersion: bytes.slice(12, 15).reverse().join('.'),
      debugInfo: bytes.slice(0, 12).map(function (b) { return ('0' + b.toString(16)).slice(-2); }).join(' ')
    };
  }
}
