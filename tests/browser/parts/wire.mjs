// The network between a browser and the server, which can be cut, frozen and mended: a TCP proxy on a
// port of its own. Blocking requests in the browser would not touch what its shared worker holds open.
import { connect, createServer } from "node:net";

export async function layWire(target) {
  const { hostname, port } = new URL(target);
  const pairs = new Set();
  let state = "whole";
  const server = createServer((near) => {
    if (state === "cut") return near.destroy();
    const far = connect(Number(port), hostname);
    const pair = { near, far };
    pairs.add(pair);
    const end = () => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
    near.pipe(far);
    far.pipe(near);
    if (state === "frozen") freeze(pair);
  });
  const freeze = ({ near, far }) => {
    near.unpipe(far);
    far.unpipe(near);
    near.pause();
    far.pause();
  };
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Connections break, and new ones are refused. */
    cut() {
      state = "cut";
      for (const { near, far } of [...pairs]) {
        near.destroy();
        far.destroy();
      }
    },
    /** Nothing comes through, and nobody says so: a pulled cable, or a computer that sleeps. */
    freeze() {
      state = "frozen";
      for (const pair of pairs) freeze(pair);
    },
    mend() {
      const before = state;
      state = "whole";
      // What was frozen is dead by now, as after a pulled cable.
      if (before === "frozen") for (const { near, far } of [...pairs]) {
        near.destroy();
        far.destroy();
      }
    },
    close() {
      this.cut();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
