// Policies: the ordered rules of a FortiGate. A policy is identified by the number that the device assigns; its name can change.
// FortiOS CLI reference, firewall policy.

import type { JsonObject } from '../driver.ts';
import { argumentsSchema, given } from '../json.ts';
import { type Kind, namingOf, numberOf, objectOf, placeOf, policyId, tableOf } from './kind.ts';
import { fromMembers, sorted, toMembers } from './members.ts';
import { guardOf, recognisedBy, refusedByGuard } from './object-guard.ts';
import { entriesIn, get, keyIn, put, type RestOperation, readAnswer, writeOutcome } from './rest.ts';
import { nameOf, namesOf } from './schema.ts';

const lists = [
  ['sourceInterfaces', 'srcintf'],
  ['destinationInterfaces', 'dstintf'],
  ['sourceAddresses', 'srcaddr'],
  ['destinationAddresses', 'dstaddr'],
  ['services', 'service'],
] as const;

const logWords: Readonly<Record<string, string>> = { ALL: 'all', SECURITY: 'utm', NONE: 'disable' };

function settle(args: JsonObject): JsonObject {
  const { schedule, action, nat, enabled, log } = args;
  const names = lists.map(([name]) => {
    const value = args[name];
    return [name, Array.isArray(value) ? sorted(value.map(String)) : undefined] as const;
  });
  return given({ ...Object.fromEntries(names), schedule, action, nat, enabled, log });
}

function toDevice({ schedule, action, nat, enabled, log, ...args }: JsonObject): JsonObject {
  const isOn = (value: unknown) => (value === undefined ? undefined : value === true ? 'enable' : 'disable');
  const members = lists.map(([name, attribute]) => [attribute, toMembers(args[name])] as const);
  return given({
    ...Object.fromEntries(members),
    schedule,
    action: action === undefined ? undefined : String(action).toLowerCase(),
    nat: isOn(nat),
    status: isOn(enabled),
    logtraffic: log === undefined ? undefined : logWords[String(log)],
  });
}

function values(entry: JsonObject): JsonObject {
  const names = lists.map(([name, attribute]) => [name, fromMembers(entry[attribute])] as const);
  const [log] = Object.entries(logWords).find(([, word]) => word === entry.logtraffic) ?? [];
  return {
    ...Object.fromEntries(names),
    schedule: entry.schedule ?? null,
    action: String(entry.action).toUpperCase(),
    nat: entry.nat === 'enable',
    enabled: entry.status === 'enable',
    log: log ?? null,
  };
}

export const policy: Kind = {
  resource: 'policy',
  prefix: 'policy',
  one: 'a policy',
  many: 'policies',
  listKey: 'policies',
  table: 'firewall/policy',
  nameMax: 35,
  comment: 'comments',
  numbered: true,
  properties: {
    sourceInterfaces: namesOf('The name of an interface or zone, or any.'),
    destinationInterfaces: namesOf('The name of an interface or zone, or any.'),
    sourceAddresses: namesOf('The name of an address or address group, or all.'),
    destinationAddresses: namesOf('The name of an address, address group, virtual IP or virtual IP group, or all.'),
    services: namesOf('The name of a service, or ALL.'),
    schedule: nameOf(35, 'The name of the schedule when it applies, for example always.'),
    action: { type: 'string', enum: ['ACCEPT', 'DENY'] },
    nat: { type: 'boolean', description: 'Whether source addresses are translated.' },
    enabled: { type: 'boolean' },
    log: { type: 'string', enum: Object.keys(logWords), description: 'The traffic to log.' },
  },
  lists: Object.fromEntries(lists.map(([name]) => [name, 'SET' as const])),
  own: ['policyId', 'nat', 'enabled', 'log'],
  required: [...lists.map(([name]) => name), 'schedule', 'action'],
  example: {
    name: 'web',
    sourceInterfaces: ['any'],
    destinationInterfaces: ['any'],
    sourceAddresses: ['all'],
    destinationAddresses: ['all'],
    services: ['HTTPS'],
    schedule: 'always',
    action: 'ACCEPT',
  },
  reads: ['uuid', ...lists.map(([, attribute]) => attribute), 'schedule', 'action', 'nat', 'status', 'logtraffic'],
  settle,
  toDevice,
  values,
};

const naming = namingOf(policy, true);

/** FortiOS REST API reference, `action=move` with `after` or `before`. */
export const policyMove: RestOperation = {
  name: 'policy.move',
  summary: 'Moves a policy directly before or after another policy.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ ...naming.properties, before: policyId, after: policyId }, naming.required),
  example: { name: 'web', policyId: 2, before: 1 },
  refine(args) {
    const other = args.before ?? args.after;
    if ((args.before === undefined) === (args.after === undefined)) {
      return [{ path: ['before'], message: 'give exactly one of before and after' }];
    }
    const path = [args.before === undefined ? 'after' : 'before'];
    return other === args.policyId ? [{ path, message: 'must be another policy' }] : [];
  },
  object: objectOf(policy),
  recognised: (object) => recognisedBy(policy, object),
  render(args) {
    const where = args.before === undefined ? { after: Number(args.after) } : { before: Number(args.before) };
    return guardOf(policy, args, put(placeOf(policy, args), {}, { action: 'move', ...where }));
  },
  interpret: (reply, args) =>
    refusedByGuard(policy, args, reply) ??
    writeOutcome(reply, placeOf(policy, args), (object) => {
      const { vdom, name, policyId: number, before, after } = args;
      // Some releases do not name the moved policy.
      if (![undefined, String(number)].includes(keyIn(object))) return undefined;
      return { state: 'SUCCEEDED', result: given({ vdom, name, policyId: number, before, after }) };
    }),
  probe: {
    render: (args) => get(tableOf(policy, args), { format: 'policyid' }),
    interpret(reply, args) {
      const answer = readAnswer(reply, tableOf(policy, args));
      const entries = answer.kind === 'done' ? entriesIn(answer.object) : undefined;
      if (!entries)
        return {
          finding: 'UNREADABLE',
          message: 'message' in answer ? answer.message : 'The device did not return a list of policies.',
        };
      const order = entries.map(numberOf);
      const at = order.indexOf(Number(args.policyId));
      const neighbour = args.before === undefined ? order[at - 1] : order[at + 1];
      return { finding: at >= 0 && neighbour === (args.before ?? args.after) ? 'PRESENT' : 'ABSENT' };
    },
  },
};
