/** The map as a picture that speaks for itself: city, moment, legend, scale and where the map is from. */
import { SEVERITIES } from "../api/codes";
import { dateTime, zoneOffset } from "../format/time";
import { local, t } from "../i18n";
import { system } from "../state/city";
import { token } from "../state/theme";
import { pictureName, saveCanvas } from "../ui/save-picture";
import { attributions, baseMap, NO_BASE_MAP } from "./base-map";
import type { CityMap } from "./city-map";
import { drawIcon, type DrawnName } from "./icons";
import { readPalette, type Palette } from "./palette";

const HEAD = 54;
const FOOT = 58;
const PAD = 14;

export interface PictureWords {
  city: string;
  moment: string;
  /** What sets it apart from the present or from real data. */
  marks: string[];
  attribution: string;
  /** Of the past, in which no device is shown as silent. */
  past: boolean;
}

export async function saveMap(map: CityMap, at: number, replayed: boolean): Promise<void> {
  const shown = await map.picture();
  const about = system.peek();
  const city = local(about?.city.name);
  const marks = [...(replayed ? [t("replay.title")] : []), ...(about?.simulated ? [t("app.simulated")] : [])];
  const words: PictureWords = { city, moment: `${dateTime(at)} ${zoneOffset(at)}`, marks, attribution: attributions(baseMap.peek() ?? NO_BASE_MAP).map(local).join(" · "), past: replayed };
  await saveCanvas(compose(shown, devicePixelRatio, words, map.metresPerPixel(), readPalette()), pictureName(["citybrain", "map", city], at));
}

export function compose(shown: HTMLCanvasElement, ratio: number, words: PictureWords, metresPerPixel: number, palette: Palette): HTMLCanvasElement {
  const [width, height] = [shown.width / ratio, shown.height / ratio];
  const paper = document.createElement("canvas");
  paper.width = shown.width;
  paper.height = Math.round((height + HEAD + FOOT) * ratio);
  const c = paper.getContext("2d");
  if (!c) throw new Error("this browser gives no 2D canvas");
  c.scale(ratio, ratio);
  c.fillStyle = token("panel");
  c.fillRect(0, 0, width, height + HEAD + FOOT);
  c.drawImage(shown, 0, HEAD, width, height);
  c.textBaseline = "middle";
  const write = (text: string, x: number, y: number, size: number, weight: number, colour: string, align: CanvasTextAlign = "left") => {
    c.font = `${weight} ${size}px ${token("font")}`;
    c.fillStyle = token(colour);
    c.textAlign = align;
    c.fillText(text, x, y);
    return c.measureText(text).width;
  };
  let x = PAD + write(words.city, PAD, HEAD / 2, 19, 700, "text") + 16;
  for (const mark of words.marks) x += write(mark, x, HEAD / 2, 14, 700, "replay") + 16;
  write(words.moment, width - PAD, HEAD / 2, 15, 600, "text", "right");
  x = PAD;
  const top = HEAD + height;
  for (const [icon, word] of legend(words.past)) {
    c.drawImage(iconCanvas(icon, palette), x, top + 8, 18, 18);
    x += 23 + write(word, x + 23, top + 18, 12.5, 400, "text") + 16;
  }
  drawScale(c, width - PAD, top + 18, metresPerPixel, write);
  write([...(words.past ? [t("replay.no_silence")] : []), words.attribution].join(" · "), PAD, top + 43, 11.5, 400, "text-muted");
  return paper;
}

function legend(past: boolean): [DrawnName, string][] {
  const severities = SEVERITIES.map((severity): [DrawnName, string] => [severity, t(`severity.${severity}`)]);
  return past ? severities : [...severities, ["offline", t("status.offline")], ["never_seen", t("status.never_seen")]];
}

function iconCanvas(name: DrawnName, palette: Palette): HTMLCanvasElement {
  const data = drawIcon(name, palette);
  const canvas = document.createElement("canvas");
  canvas.width = data.width;
  canvas.height = data.height;
  canvas.getContext("2d")?.putImageData(data, 0, 0);
  return canvas;
}

/** A round length of 60 to 150 pixels. */
export function scaleLength(metresPerPixel: number): { metres: number; pixels: number } {
  const most = metresPerPixel * 150;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((each) => each * power).find((each) => each <= most) ?? power;
  return { metres, pixels: metres / metresPerPixel };
}

type Write = (text: string, x: number, y: number, size: number, weight: number, colour: string, align?: CanvasTextAlign) => number;

function drawScale(c: CanvasRenderingContext2D, right: number, y: number, metresPerPixel: number, write: Write): void {
  const { metres, pixels } = scaleLength(metresPerPixel);
  c.strokeStyle = token("text-muted");
  c.lineWidth = 1.5;
  c.beginPath();
  c.moveTo(right - pixels, y - 4);
  c.lineTo(right - pixels, y + 4);
  c.lineTo(right, y + 4);
  c.lineTo(right, y - 4);
  c.stroke();
  write(metres >= 1000 ? `${metres / 1000} km` : `${metres} m`, right - pixels - 8, y, 12, 400, "text-muted", "right");
}

