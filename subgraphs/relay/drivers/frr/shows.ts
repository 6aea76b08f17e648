// The router's state, read in its own JSON, and saving the configuration.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import { writeFailure } from '../answer.ts';
import { type ExecReply, type Health, type JsonObject, maxMessageLength, type OperationSpec } from '../driver.ts';
import { argumentsSchema, plainRead } from '../json.ts';
import type { Call } from '../script-input.ts';
import { readAnswer, showOutcome, withoutPasswords } from './replies.ts';
import { address, destination, versionWord, vrf, vrfOf } from './schema.ts';
import { run } from './scripts.ts';

function inVrf(name: string | undefined): string {
  const given = vrfOf(name);
  return given === undefined ? '' : ` vrf ${given}`;
}

export const sessionList: OperationSpec<{ vrf?: string }, ExecReply> = {
  name: 'bgpSession.list',
  summary: 'Shows the BGP sessions of an instance: show bgp summary json.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ vrf }),
  example: {},
  render: (args, call) => run('show', { lines: [`show bgp${inVrf(args.vrf)} summary json`] }, call),
  interpret: showOutcome,
};

export const sessionGet: OperationSpec<{ vrf?: string; address: string }, ExecReply> = {
  name: 'bgpSession.get',
  summary: 'Shows the BGP session with a neighbour: show bgp neighbors json. bgpState is Established while it is up.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ vrf, address: { ...address, description: "The neighbour's address" } }, [
    'address',
  ]),
  example: { address: '198.51.100.2' },
  render: (args, call) => {
    const neighbor = canonicalText(args.address);
    return run('show', { lines: [`show bgp${inVrf(args.vrf)} neighbors ${neighbor} json`] }, call);
  },
  interpret: showOutcome,
};

export const routeList: OperationSpec<{ vrf?: string; ipVersion: 4 | 6; protocol?: string }, ExecReply> = {
  name: 'route.list',
  summary: 'Shows the routes that the router uses, of one IP version: show ip route json.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({
    vrf,
    ipVersion: { type: 'integer', enum: [4, 6], default: 4 },
    protocol: { type: 'string', enum: ['static', 'bgp', 'connected', 'kernel'], description: 'Default: all' },
  }),
  example: {},
  render: ({ vrf: name, ipVersion, protocol }, call) => {
    const words = protocol === undefined ? '' : ` ${protocol}`;
    return run('show', { lines: [`show ${ipVersion === 6 ? 'ipv6' : 'ip'} route${inVrf(name)}${words} json`] }, call);
  },
  interpret: showOutcome,
};

export const routeGet: OperationSpec<{ vrf?: string; destination: string }, ExecReply> = {
  name: 'route.get',
  summary: 'Shows the routes to one destination, or the one to an address: show ip route DESTINATION json.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ vrf, destination }, ['destination']),
  example: { destination: '203.0.113.0/24' },
  render: (args, call) => {
    const to = canonicalText(args.destination);
    return run('show', { lines: [`show ${versionWord(to)} route${inVrf(args.vrf)} ${to} json`] }, call);
  },
  interpret: showOutcome,
};

export const configSave: OperationSpec<JsonObject, ExecReply> = {
  name: 'config.save',
  summary: 'Saves the running configuration, so that it is there after a restart: write memory.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({}),
  example: {},
  object: () => ({ resource: 'configuration', scope: '', key: 'startup' }),
  render: (_args, call) => run('show', { lines: ['write memory'] }, call),
  interpret(reply, _args, call) {
    const answer = readAnswer(reply, call);
    if (answer.kind !== 'done') return writeFailure(answer);
    const said = withoutPasswords(answer.rest.trim());
    // Several files, or one (service integrated-vtysh-config): OK is the last line.
    if (/(?:^|\n)\[OK\]$/.test(said) && !/Can't|[Ee]rror|failed/.test(said))
      return { state: 'SUCCEEDED', result: null };
    const message = `the router did not say that all is saved: ${said}`.slice(0, maxMessageLength);
    return { state: 'UNKNOWN', code: 'NOT_SAVED', message, ended: true };
  },
};

export const systemInfo: OperationSpec<JsonObject, ExecReply> = {
  name: 'system.info',
  summary: 'Shows the version of FRR and the name of the router.',
  ...plainRead,
  render: (_args, call) => run('show', { lines: ['show version'] }, call),
  interpret(reply, _args, call) {
    const found = versionIn(reply, call);
    if (found === undefined)
      return { state: 'FAILED', code: 'UNREADABLE_REPLY', message: 'The router did not show its version.' };
    return { state: 'SUCCEEDED', result: { version: found.version, host: found.host } };
  },
};

function versionIn(reply: ExecReply, call?: Call): { readonly version: string; readonly host: string } | undefined {
  const answer = readAnswer(reply, call);
  const found = answer.kind === 'done' ? /^FRRouting (\S+) \(([^)]*)\)/m.exec(answer.rest) : null;
  return found === null ? undefined : { version: found[1] ?? '', host: found[2] ?? '' };
}

export const health: Health<ExecReply> = {
  render: () => run('show', { lines: ['show version'] }),
  interpret(reply) {
    const found = versionIn(reply);
    return found === undefined ? undefined : { softwareVersion: `FRR ${found.version}`.slice(0, 255), serial: null };
  },
};
