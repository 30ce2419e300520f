/** InfluxDB's own server, as `cargo xtask influxd` builds it, with readings in it as citybrain writes them. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createSocket } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const ORG = "city";
const TOKEN = "a-token-of-this-test-only";
const CITY_TOKEN = "c2s-of-this-test-only";
const UP_WITHIN_MS = 60_000;

/** Where the server is; null if it was never built here. */
export function findInfluxd(): string | null {
  const named = process.env["CITYBRAIN_INFLUXD"];
  if (named) return named;
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "citybrain");
  const built = existsSync(cache) ? readdirSync(cache).filter((name) => name.startsWith("influxd-")) : [];
  return built.map((name) => join(cache, name, "influxd")).find(existsSync) ?? null;
}

async function freePort(): Promise<number> {
  const socket = createSocket();
  await new Promise<void>((done) => socket.listen(0, "127.0.0.1", done));
  const { port } = socket.address() as AddressInfo;
  await new Promise((done) => socket.close(done));
  return port;
}

export class Influxd {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly url: string,
    private readonly city: Server,
    /** Where what citybrain answers about devices and zones is. */
    readonly cityUrl: string,
  ) {}

  static async start(path: string): Promise<Influxd> {
    const folder = mkdtempSync(join(tmpdir(), "citybrain-influxd-"));
    const port = await freePort();
    const process = spawn(path, ["run", `--http-bind-address=127.0.0.1:${port}`, `--bolt-path=${join(folder, "bolt")}`, `--sqlite-path=${join(folder, "sqlite")}`, `--engine-path=${join(folder, "engine")}`, "--reporting-disabled", "--log-level=error"], { stdio: "ignore" });
    const city = createServer(answerAsCity);
    await new Promise<void>((done) => city.listen(0, "127.0.0.1", done));
    const made = new Influxd(process, folder, `http://127.0.0.1:${port}`, city, `http://127.0.0.1:${(city.address() as AddressInfo).port}`);
    try {
      await made.isUp();
      await made.setUp();
    } catch (error) {
      await made.stop();
      throw error;
    }
    return made;
  }

  async stop(): Promise<void> {
    this.city.close();
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill();
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What a query gives; throws the server's words if it takes it not. */
  async ask(flux: string): Promise<{ rows: number; columns: string[] }> {
    const csv = await this.call("POST", `/api/v2/query?org=${ORG}`, JSON.stringify({ query: flux, type: "flux", dialect: { header: true, annotations: [] } }), { Accept: "application/csv" });
    const lines = csv.split(/\r?\n/).filter((line) => line !== "");
    if (lines.some((line) => line.startsWith("error,"))) throw new Error(lines.slice(0, 4).join("\n"));
    const heads = lines.filter((line) => line.startsWith(",result,"));
    return { rows: lines.filter((line) => line.startsWith(",")).length - heads.length, columns: heads[0]?.split(",").slice(3) ?? [] };
  }

  private async isUp(): Promise<void> {
    for (const end = Date.now() + UP_WITHIN_MS; ; await new Promise((done) => setTimeout(done, 100))) {
      if ((await fetch(`${this.url}/health`).catch(() => null))?.ok) return;
      if (Date.now() > end || this.process.exitCode !== null) throw new Error("influxd does not come up");
    }
  }

  private async setUp(): Promise<void> {
    await this.call("POST", "/api/v2/setup", JSON.stringify({ username: "test", password: "of this test only", org: ORG, bucket: "city", token: TOKEN }));
    const { orgs } = JSON.parse(await this.call("GET", `/api/v2/orgs?org=${ORG}`)) as { orgs: { id: string }[] };
    const orgID = orgs[0]?.id;
    for (const name of ["city_15m", "city_1h"]) await this.call("POST", "/api/v2/buckets", JSON.stringify({ orgID, name, retentionRules: [] }));
    await this.call("PATCH", `/api/v2/orgs/${orgID}/secrets`, JSON.stringify({ citybrain_token: CITY_TOKEN }));
    const now = Math.floor(Date.now() / 60_000) * 60_000;
    for (const [bucket, lines] of [["city", readings(now)], ["city_15m", steps(now, 15)], ["city_1h", steps(now, 60)]] as const) {
      await this.call("POST", `/api/v2/write?org=${ORG}&bucket=${bucket}&precision=ms`, lines.join("\n"));
    }
  }

  private async call(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<string> {
    const answer = await fetch(this.url + path, { method, headers: { Authorization: `Token ${TOKEN}`, "Content-Type": "application/json", ...headers }, ...(body !== undefined && { body }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status}: ${text}`);
    return text;
  }
}

export const METRICS = ["pm25", "noise_laeq", "temperature", "traffic_speed", "water_level", "fill_level"];
export const DEVICES = ["gauge-1", "gauge-2", "elsewhere-1"];

/** Three hours, every minute; some refused, some silent for the last hour and more, as line protocol. */
function readings(now: number): string[] {
  const lines: string[] = [];
  for (const metric of METRICS) {
    for (const [at, device] of DEVICES.entries()) {
      for (let minute = 180; minute > 0; minute -= 1) {
        if (device === "gauge-2" && minute < 75) continue;
        const field = minute % 50 === 7 ? "rejected=-999,quality=4i" : `value=${20 + at + (minute % 10)},quality=${minute % 20 === 3 ? 3 : 1}i`;
        lines.push(`${metric},device=${device} ${field} ${now - minute * 60_000}`);
      }
    }
  }
  for (let minute = 180; minute > 0; minute -= 10) lines.push(`lamp_on,device=gauge-1 state=${minute % 20 === 0},quality=2i ${now - minute * 60_000}`);
  return lines;
}

function steps(now: number, minutes: number): string[] {
  const lines: string[] = [];
  const step = minutes * 60_000;
  for (const metric of METRICS) {
    for (const device of DEVICES) {
      for (let back = 4; back > 0; back -= 1) lines.push(`${metric},device=${device} count=${minutes}i,sum=${minutes * 20},min=18,max=25,mean=20,last=21,flagged=1i ${Math.floor(now / step) * step - back * step}`);
    }
  }
  return lines;
}

/** As `GET /api/v1/devices` and `/api/v1/zones` answer, to whoever shows the token. */
const answerAsCity: Parameters<typeof createServer>[1] = (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://city");
  if (request.headers.authorization !== `Bearer ${CITY_TOKEN}`) return void response.writeHead(401).end();
  if (pathname === "/api/v1/devices" && searchParams.get("format") === "csv" && searchParams.get("fields") === "id" && searchParams.get("zone") === "riverside") {
    return void response.writeHead(200, { "Content-Type": "text/csv; charset=utf-8" }).end("id\r\ngauge-1\r\ngauge-2\r\n");
  }
  if (pathname === "/api/v1/zones") {
    const zone = (id: string, en: string, zh: string) => ({ type: "Feature", properties: { id, name: { en, zh } }, geometry: { type: "MultiPolygon", coordinates: [[[[0, 0], [1, 0], [1, 1], [0, 0]]]] } });
    return void response.writeHead(200, { "Content-Type": "application/geo+json" }).end(JSON.stringify({ type: "FeatureCollection", features: [zone("riverside", "Riverside", "河滨"), zone("hill", "Hill | Top", "山顶")] }));
  }
  return void response.writeHead(404).end();
};
