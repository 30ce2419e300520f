/** Devices and zones, loaded together when somebody first looks at one of them. */
import "../../styles/places.css";

export { DeviceScreen } from "../device";
export { DevicesScreen } from "../devices";
export { ZoneScreen } from "../zone";
export { ZonesScreen } from "../zones";
