/** PMTiles files, read by ranges from this server. Its own chunk: most cities have none. */
import { addProtocol } from "maplibre-gl";
import { PMTiles, Protocol } from "pmtiles";

let protocol: Protocol | null = null;

/** Makes an archive known to the map, and says which layers are inside of it. */
export async function addArchive(url: string): Promise<readonly string[]> {
  if (protocol === null) {
    protocol = new Protocol();
    addProtocol("pmtiles", protocol.tile);
  }
  const archive = new PMTiles(url);
  protocol.add(archive);
  const described = (await archive.getMetadata()) as { vector_layers?: { id: string }[] };
  return (described.vector_layers ?? []).map((layer) => layer.id);
}
