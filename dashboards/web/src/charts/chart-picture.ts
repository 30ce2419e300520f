/** A chart as a picture: its title, unit and range stand on it, and it can be read without the page. */
import { dateTime, zoneOffset } from "../format/time";
import { local, t } from "../i18n";
import { system } from "../state/city";
import { serverNow } from "../state/clock";
import { token } from "../state/theme";
import { pictureName, saveCanvas } from "../ui/save-picture";

/** Heights of the title, and of each line below it. */
const TITLE = 34;
const LINE = 17;
const PAD = 14;

export interface ChartWords {
  title: string;
  symbol: string;
  from: number;
  to: number;
  /** Whether lowest and highest are drawn beside the mean. */
  hasBand: boolean;
  /** What is said of ranges that go on beyond the chart; their marks are in the plot. */
  cut: readonly string[];
}

export function saveChart(plot: HTMLCanvasElement, words: ChartWords): Promise<void> {
  return saveCanvas(compose(plot, devicePixelRatio, words), pictureName(["citybrain", words.title], serverNow()));
}

export function compose(plot: HTMLCanvasElement, ratio: number, { title, symbol, from, to, hasBand, cut }: ChartWords): HTMLCanvasElement {
  const about = system.peek();
  const lines = [
    [`${dateTime(from)} – ${dateTime(to)} ${zoneOffset(to)}`],
    [local(about?.city.name), hasBand ? `${t("chart.mean")}, ${t("chart.band")}` : "", about?.simulated ? t("app.simulated") : ""],
    ...(cut.length > 0 ? [cut] : []),
  ];
  const head = TITLE + lines.length * LINE;
  const [width, height] = [plot.width / ratio, plot.height / ratio];
  const paper = document.createElement("canvas");
  paper.width = plot.width + 2 * PAD * ratio;
  paper.height = Math.round((height + head + PAD) * ratio);
  const c = paper.getContext("2d");
  if (!c) throw new Error("this browser gives no 2D canvas");
  c.scale(ratio, ratio);
  c.fillStyle = token("panel");
  c.fillRect(0, 0, width + 2 * PAD, height + head + PAD);
  c.drawImage(plot, PAD, head, width, height);
  c.textBaseline = "middle";
  c.fillStyle = token("text");
  c.font = `650 15px ${token("font")}`;
  c.fillText(symbol === "" ? title : `${title} (${symbol})`, PAD, 18);
  c.fillStyle = token("text-muted");
  c.font = `12px ${token("font")}`;
  lines.forEach((parts, at) => c.fillText(parts.filter((part) => part !== "").join(" · "), PAD, TITLE + 3 + at * LINE, width));
  return paper;
}
