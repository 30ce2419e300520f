/** The map's view as it stands in the address: `zoom/latitude/longitude`. */
import type { View } from "./city-map";

export function formatView(view: View): string {
  return `${view.zoom.toFixed(2)}/${view.lat.toFixed(4)}/${view.lon.toFixed(4)}`;
}

export function parseView(text: string | null): View | null {
  const parts = (text ?? "").split("/").map(Number);
  const [zoom, lat, lon] = parts;
  if (parts.length !== 3 || zoom === undefined || lat === undefined || lon === undefined) return null;
  if (![zoom, lat, lon].every(Number.isFinite) || Math.abs(lat) > 90 || Math.abs(lon) > 180 || zoom < 0 || zoom > 24) return null;
  return { zoom, lat, lon };
}
