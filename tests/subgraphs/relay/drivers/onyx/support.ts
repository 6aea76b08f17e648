// The driver with a simulated switch, over either wire.
import type { OnyxSwitch } from '../../../../../simulators/onyx/switch.ts';
import { onyx } from '../../../../../subgraphs/relay/drivers/onyx/driver.ts';
import { DriverCaller, type DriverCallerOptions } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';

type Wire = 'ssh' | 'https';

interface SwitchCallerOptions extends DriverCallerOptions {
  readonly password?: string;
}

export function switchCaller(device: OnyxSwitch, wire: Wire, more: SwitchCallerOptions = {}): DriverCaller {
  const { password = 'secret', ...options } = more;
  const web = webEndpoint(device.https, { password });
  const { port, hostKeySha256 } = device.ssh;
  return new DriverCaller(onyx, wire === 'ssh' ? { ...web, port, hostKeySha256 } : web, {
    options: { transport: wire },
    ...options,
  });
}
