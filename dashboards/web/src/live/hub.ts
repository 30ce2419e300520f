/** Shares one stream among the pages of a browser; runs in the shared worker. */
import type { StreamEvent, ToPage, ToWorker } from "./protocol";
import { Stream, browser, type Environment } from "./stream";

/** Pages in the background are slowed to one timer a minute, so this must be well above that. */
const PAGE_GONE_MS = 150_000;

export interface Port {
  postMessage(message: ToPage): void;
}

export class Hub {
  private readonly pages = new Map<Port, number>();
  private readonly stream: Stream;
  /** What a page that joins later must know at once. */
  private hello: StreamEvent | null = null;
  private system: StreamEvent | null = null;

  constructor(private readonly environment: Environment = browser) {
    this.stream = new Stream(
      {
        event: (event) => {
          if (event.name === "hello") this.hello = event;
          if (event.name === "system") this.system = event;
          this.broadcast({ type: "event", event });
        },
        link: (link) => this.broadcast({ type: "link", link }),
      },
      environment,
    );
  }

  join(port: Port): void {
    this.pages.set(port, this.environment.now());
    port.postMessage({ type: "link", link: this.stream.link });
    for (const event of [this.hello, this.system]) {
      if (event && this.stream.link.state === "live") port.postMessage({ type: "event", event });
    }
    this.stream.open();
  }

  hear(port: Port, message: ToWorker): void {
    if (message.type === "bye") {
      this.pages.delete(port);
    } else {
      this.pages.set(port, this.environment.now());
      if (message.type === "retry") this.stream.retry();
    }
    this.forgetGonePages();
  }

  private broadcast(message: ToPage): void {
    this.forgetGonePages();
    for (const port of this.pages.keys()) port.postMessage(message);
  }

  private forgetGonePages(): void {
    const oldest = this.environment.now() - PAGE_GONE_MS;
    for (const [port, seen] of this.pages) if (seen < oldest) this.pages.delete(port);
    if (this.pages.size === 0) this.stream.close();
  }
}
