/** Entry of the shared worker: HTTP/1.1 allows six connections per server, so tabs share one. */
import { Hub } from "./hub";
import type { ToWorker } from "./protocol";

const hub = new Hub();

addEventListener("connect", (event) => {
  const port = (event as MessageEvent).ports[0];
  if (!port) return;
  port.addEventListener("message", (message: MessageEvent<ToWorker>) => hub.hear(port, message.data));
  port.start();
  hub.join(port);
});
