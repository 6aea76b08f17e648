// The switch itself: its identity, and saving its configuration.

import type { Health, OperationSpec } from '../driver.ts';
import { argumentsSchema, plainRead } from '../json.ts';
import { read, readOutcome, type SwitchReply, shownIn, write, writeOutcome } from './commands.ts';

const show = 'show version';
const saveLines = ['configuration write'];

export const systemRead: OperationSpec<Record<string, never>, SwitchReply> = {
  name: 'system.read',
  summary: "Reads the switch's product name, version, serial number and uptime.",
  ...plainRead,
  render: (_args, context) => read(show, context),
  interpret: (reply) =>
    readOutcome(reply, (data) => {
      if (data['Product release'] === undefined) return undefined;
      return {
        product: data['Product name'] ?? null,
        version: data['Product release'],
        model: data['Product model'] ?? null,
        serial: data['System serial num'] ?? null,
        uptime: data.Uptime ?? null,
      };
    }),
};

export const configSave: OperationSpec<Record<string, never>, SwitchReply> = {
  name: 'config.save',
  summary: 'Saves the running configuration. Without it, a reload loses every change.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({}),
  example: {},
  object: () => ({ resource: 'configuration', scope: '', key: 'running' }),
  render: (_args, context) => write(saveLines, context),
  interpret: (reply) => writeOutcome(reply, saveLines, null),
};

export const health: Health<SwitchReply> = {
  render: (context) => read(show, context),
  interpret(reply) {
    const shown = shownIn(reply);
    if (shown.kind !== 'shown') return undefined;
    const { 'Product name': product, 'Product release': release, 'System serial num': serial } = shown.data;
    if (typeof release !== 'string') return undefined;
    return {
      softwareVersion: `${String(product ?? 'Onyx')} ${release}`.slice(0, 255),
      serial: typeof serial === 'string' ? serial.slice(0, 255) : null,
    };
  },
};
