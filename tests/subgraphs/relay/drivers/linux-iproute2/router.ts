// A Linux router of the lab with two interfaces, and a driver that calls it.
// needs: iproute2, root
import { fileURLToPath } from 'node:url';
import { inNamespace } from '../../../../../lab/exec.ts';
import { linuxIproute2 } from '../../../../../subgraphs/relay/drivers/linux-iproute2/driver.ts';
import { RunningDevice } from '../../../../support/machine/running-device.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { sshEndpoint } from '../../support/endpoints.ts';

const what = fileURLToPath(new URL('../../../../../lab/device/iproute2.sh', import.meta.url));

export class Router {
  readonly device: RunningDevice;
  readonly caller: DriverCaller;

  private constructor(device: RunningDevice, caller: DriverCaller) {
    this.device = device;
    this.caller = caller;
  }

  /** `lan0` has 198.18.0.1/24 and 2001:db8:a::1/64, `wan0` 198.18.1.1/24 and 2001:db8:b::1/64. */
  static async start(): Promise<Router> {
    const device = await RunningDevice.start(what, 'netops');
    const router = new Router(device, new DriverCaller(linuxIproute2, await sshEndpoint(device.place)));
    await router.ip('link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'wan0');
    for (const [at, name, letter] of [
      [0, 'lan0', 'a'],
      [1, 'wan0', 'b'],
    ] as const) {
      await router.ip('addr', 'add', `198.18.${at}.1/24`, 'dev', name);
      await router.ip('addr', 'add', `2001:db8:${letter}::1/64`, 'dev', name, 'nodad');
      await router.ip('link', 'set', name, 'up');
    }
    return router;
  }

  /** Runs another program's command on the router, without the relay. */
  async ip(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await inNamespace(this.device.namespace, 'ip', args);
    if (exitCode !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Removes routes of protocol static, and faults. */
  async clear(): Promise<void> {
    await this.device.faults.clear();
    for (const version of ['-4', '-6']) await this.ip(version, 'route', 'flush', 'table', 'all', 'proto', 'static');
  }

  async stop(): Promise<void> {
    await this.caller.stop();
    await this.device.stop();
  }
}
