// The port through which a feature looks at a device. The relay's own is DeviceReader (holding/device-reader.ts).
import type { WireCall } from '../drivers/driver.ts';
import type { Asked } from '../transports/wires.ts';
import type { BackendRow } from './backend.ts';

export interface Devices {
  /** A call that changes nothing. Refuses when the backend takes no calls now; never rejects for what the wire does. */
  ask(backend: BackendRow, wire: WireCall, deadlineMs: number): Promise<Asked>;
}
