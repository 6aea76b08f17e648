// The device as a whole: its identity, and saving its configuration, without which a restart loses every change. iControl REST
// Reference 13.1: /mgmt/tm/cm/device, /mgmt/tm/sys/config.

import type { Health, HttpReply, JsonObject } from '../driver.ts';
import { argumentsSchema, plainRead } from '../json.ts';
import { get, itemsOf, post, type RestOperation, readAnswer, readOutcome, writeOutcome } from './rest.ts';

const devicePath = '/mgmt/tm/cm/device';

/** Finds the queried device among the devices of its group. */
function selfIn(object: JsonObject): JsonObject | undefined {
  return itemsOf(object)?.find((device) => String(device.selfDevice) === 'true');
}

/** Version and serial number (chassisId) are in one read. */
export const health: Health<HttpReply> = {
  render: () => get(devicePath),
  interpret(reply) {
    const answer = readAnswer(reply);
    const self = answer.kind === 'object' ? selfIn(answer.object) : undefined;
    if (typeof self?.version !== 'string') return undefined;
    const serial = typeof self.chassisId === 'string' && self.chassisId !== '' ? self.chassisId.slice(0, 255) : null;
    return { softwareVersion: `BIG-IP ${self.version}`.slice(0, 255), serial };
  },
};

export const systemInfo: RestOperation = {
  name: 'system.info',
  summary: "Reads the device's version, serial number and name, and whether it is the active unit.",
  ...plainRead,
  render: () => get(devicePath),
  interpret: (reply) =>
    readOutcome(reply, (object) => {
      const self = selfIn(object);
      return (
        self && {
          hostname: self.hostname ?? null,
          version: self.version ?? null,
          build: self.build ?? null,
          edition: self.edition ?? null,
          serial: self.chassisId ?? null,
          platform: self.platformId ?? null,
          failoverState: self.failoverState ?? null,
        }
      );
    }),
};

export const configSave: RestOperation = {
  name: 'config.save',
  summary: 'Saves the running configuration, so that it survives a restart.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({}),
  example: {},
  object: () => ({ resource: 'configuration', scope: '', key: 'running' }),
  render: () => post('/mgmt/tm/sys/config', { command: 'save' }),
  interpret: (reply) =>
    writeOutcome(reply, ({ kind, command }) =>
      kind === 'tm:sys:config:savestate' && command === 'save'
        ? { state: 'SUCCEEDED', result: { saved: true } }
        : undefined,
    ),
};
