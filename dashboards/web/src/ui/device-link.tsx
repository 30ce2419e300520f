/** A device where only its id is known: by its name once that has come, its id kept beside or behind it. */
import { to } from "../router";
import { deviceName } from "../state/device-names";

/** Whoever shows it asks for the names of all that it shows: `useDeviceNames`. */
export function DeviceLink({ id }: { id: string }) {
  return <a href={to.device(id)} title={id}>{deviceName(id)}</a>;
}

/** The id, where the link does not say it already. */
export function DeviceId({ id }: { id: string }) {
  return deviceName(id) === id ? null : <span class="under device-id">{id}</span>;
}
