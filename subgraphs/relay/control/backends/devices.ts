// The port for reading a device. The relay's implementation is DeviceReader (holding/device-reader.ts).
import type { WireCall } from '../../drivers/driver.ts';
import type { Asked } from '../../transports/wires.ts';
import type { BackendRow } from './backend.ts';

export interface Devices {
  /** A call that changes nothing. Refuses when the backend accepts no calls now; never rejects for failures on the wire. */
  ask(backend: BackendRow, wire: WireCall, deadlineMs: number): Promise<Asked>;
}
