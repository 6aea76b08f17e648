// Replies that are not parsed: JSON that a device nests very deeply would exhaust the stack of code that parses, compares or
// writes it. Such a reply counts as too long to be read.
import { nestsDeeperThan, textNestsDeeperThan } from '../../../platform/values/json.ts';
import type { Reply } from '../drivers/driver.ts';
import type { SendResult } from './session.ts';

const deepest = 100;

/** The result itself, or the same with an empty, truncated reply. */
export function legible(sent: SendResult): SendResult {
  return !sent.ok || isLegible(sent.reply) ? sent : { ...sent, reply: emptied(sent.reply) };
}

export function isLegible(reply: Reply): boolean {
  switch (reply.kind) {
    case 'http':
      return !textNestsDeeperThan(reply.body, deepest);
    case 'exec':
      return !textNestsDeeperThan(reply.stdout, deepest);
    case 'cli':
      return !reply.outputs.some(({ output }) => textNestsDeeperThan(output, deepest));
    // The reader of XML has its own bound.
    case 'netconf':
      return true;
    case 'ovsdb':
      return !nestsDeeperThan(reply.result, deepest) && !nestsDeeperThan(reply.error, deepest);
  }
}

function emptied(reply: Reply): Reply {
  switch (reply.kind) {
    case 'http':
      return { ...reply, body: '', truncated: true };
    case 'exec':
      return { ...reply, stdout: '', truncated: true };
    case 'cli':
      return { ...reply, outputs: reply.outputs.map(({ line }) => ({ line, output: '' })), truncated: true };
    case 'netconf':
      return { ...reply, data: null, truncated: true };
    case 'ovsdb':
      return { ...reply, result: null, error: null, truncated: true };
  }
}
