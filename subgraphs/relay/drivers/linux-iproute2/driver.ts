// Linux as a router: the static routes of its kernel, by iproute2 over SSH.
import { defineDriver } from '../define-driver.ts';
import type { ExecReply, OperationSpec } from '../driver.ts';
import { plainRead } from '../json.ts';
import { systemIn } from './replies.ts';
import { readSystem } from './scripts.ts';
import { createCall, staticRoute, staticRouteOperations } from './static-routes.ts';
import { typedObjects } from './typed-objects.ts';

const systemGet: OperationSpec<Record<string, never>, ExecReply> = {
  name: 'system.get',
  summary: 'Reads the versions of iproute2 and of the kernel, and whether the router forwards packets.',
  ...plainRead,
  render: (_args, call) => readSystem(call),
  interpret(reply, _args, call) {
    const system = systemIn(reply, call);
    if (system === undefined)
      return { state: 'FAILED', code: 'UNREADABLE_REPLY', message: 'The machine did not say which iproute2 it has.' };
    const { version = null, kernel = null, forwarding4, forwarding6 } = system;
    const forwards = { ipv4: isOn(forwarding4), ipv6: isOn(forwarding6) };
    return { state: 'SUCCEEDED', result: { iproute2: version, kernel, forwards } };
  },
};

/** Null if the kernel does not have the setting, because it lacks this version of IP. */
function isOn(setting: string | undefined): boolean | null {
  return setting === undefined || setting === '' ? null : setting !== '0';
}

/** machine-id(5): 32 hexadecimal digits. Before the first start it is empty or `uninitialized`, as in copies of one image. */
function machineOf({ machine = '' }: Readonly<Record<string, string>>): string | null {
  return /^[0-9a-f]{32}$/.test(machine) ? machine : null;
}

export const linuxIproute2 = defineDriver({
  name: 'linux-iproute2',
  family: 'ROUTER',
  summary:
    'The routing tables of the Linux kernel by iproute2, over SSH. Routes last until a restart, or until their interface goes down.',
  versions: 'iproute2 6.1',
  triedAgainst: 'real iproute2 6.1.0 behind OpenSSH 9.2',
  ports: { ssh: 22 },
  credentialFields: ['username', 'password', 'privateKey', 'passphrase'],
  operations: [systemGet, ...staticRouteOperations],
  resources: { 'static-route': staticRoute },
  ownership: { 'static-route': { by: 'SETTINGS' } },
  health: {
    render: () => readSystem(),
    interpret: (reply) => {
      const system = reply.kind === 'exec' ? systemIn(reply) : undefined;
      return system?.version === undefined
        ? undefined
        : { softwareVersion: system.version.slice(0, 255), serial: machineOf(system) };
    },
  },
  typed: { routerStaticRouteCreate: createCall },
  objects: typedObjects,
});
