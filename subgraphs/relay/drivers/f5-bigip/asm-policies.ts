// ASM policies: found by name, addressed by their id. iControl REST ASM Reference 13.1, /mgmt/tm/asm/policies. A change takes
// effect only when the policy is applied, which is a separate call (asm-tasks.ts).

import type { HttpReply, JsonObject, JsonValue, Outcome, ResourceReader } from '../driver.ts';
import { argumentsSchema, isObject } from '../json.ts';
import { fullPathOf } from './names.ts';
import { get, itemsOf, patch, type RestOperation, readAnswer, readOutcome, remove, writeOutcome } from './rest.ts';
import { name, partition, policyId, reference } from './schema.ts';

export const policiesPath = '/mgmt/tm/asm/policies';
const fields = [
  ...['id', 'name', 'partition', 'fullPath', 'description', 'active', 'enforcementMode', 'isModified'],
  ...['type', 'virtualServers'],
].join(',');

/** Arguments that identify the policy. */
export const policyArguments = {
  policy: policyId,
  name: {
    ...name,
    description: 'Its name. Calls with the same name are made one at a time, with or without the id.',
  },
  partition,
} as const;

export function policyObject(args: JsonObject) {
  return { resource: 'asm-policy', scope: String(args.partition), key: String(args.name ?? args.policy) };
}

export function policyPath(id: string): string {
  return `${policiesPath}/${encodeURIComponent(id)}`;
}

/**
 * Finds at least the policies with these in name and partition; uses `contains`, like f5-ansible. If a name has characters other
 * than letters, digits, dots, hyphens and underscores, only its beginning is searched, because no character may end the filter's
 * text.
 */
function search(inName: JsonValue | undefined, inPartition: JsonValue | undefined): string {
  const tests = Object.entries({ name: inName, partition: inPartition }).filter(([, value]) => value !== undefined);
  const plain = (value: JsonValue | undefined): string => /^[A-Za-z0-9._-]*/.exec(String(value))?.[0] ?? '';
  const filter = tests.map(([field, value]) => `contains(${field},'${plain(value)}')`).join(' and ');
  const query = filter === '' ? '' : `$filter=${encodeURIComponent(filter)}&`;
  return `${policiesPath}?${query}$select=${encodeURIComponent(fields)}`;
}

/** A policy in the relay's terms. */
export function describePolicy(policy: JsonObject): JsonObject {
  const servers = Array.isArray(policy.virtualServers) ? policy.virtualServers.map(String).sort() : [];
  return {
    policy: policy.id ?? null,
    name: policy.name ?? null,
    partition: policy.partition ?? null,
    mode: policy.enforcementMode ?? null,
    active: policy.active === true,
    /** Whether it has changed since it was last applied. */
    modified: policy.isModified === true,
    virtualServers: servers,
    comment: policy.description ?? '',
  };
}

const isPolicy = (object: JsonObject, id: JsonValue | undefined): boolean =>
  object.kind === 'tm:asm:policies:policystate' && object.id === id;

export const policyList: RestOperation = {
  name: 'asmPolicy.list',
  summary: 'Lists the security policies whose names contain the given text.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ name, partition: name }),
  example: { name: 'shop' },
  render: (args) => get(search(args.name, args.partition)),
  interpret: (reply) =>
    readOutcome(reply, (object) => {
      const policies = itemsOf(object);
      return policies && { policies: policies.map(describePolicy) };
    }),
};

export const policyGet: RestOperation = {
  name: 'asmPolicy.get',
  summary: 'Reads a security policy.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ policy: policyId }, ['policy']),
  example: { policy: 'Xnm5-sgcAnOxSsK2uDZTkQ' },
  render: (args) => get(policyPath(String(args.policy))),
  interpret: (reply, args) =>
    readOutcome(reply, (object) => (isPolicy(object, args.policy) ? describePolicy(object) : undefined)),
};

interface Setting {
  readonly name: string;
  readonly summary: string;
  /** The argument that it sets. */
  readonly argument: string;
  readonly schema: JsonObject;
  readonly example: JsonValue;
  readonly property: string;
  settle(value: JsonValue): JsonValue;
}

/** An operation that changes one setting. Its effect is visible, and it is idempotent. */
function settingOf({ argument, property, settle, ...setting }: Setting): RestOperation {
  const wanted = (args: JsonObject): JsonValue => settle(args[argument] ?? null);
  const isThere = (policy: JsonObject, args: JsonObject): boolean =>
    JSON.stringify(settle(describePolicy(policy)[argument] ?? null)) === JSON.stringify(wanted(args));
  return {
    name: setting.name,
    summary: setting.summary,
    category: 'USER',
    effect: 'IDEMPOTENT',
    argumentsSchema: argumentsSchema({ ...policyArguments, [argument]: setting.schema }, ['policy', argument]),
    example: { policy: 'Xnm5-sgcAnOxSsK2uDZTkQ', [argument]: setting.example },
    object: policyObject,
    render: (args) => patch(policyPath(String(args.policy)), { [property]: wanted(args) }),
    interpret: (reply, args) =>
      writeOutcome(reply, (object): Outcome | undefined =>
        isPolicy(object, args.policy) ? { state: 'SUCCEEDED', result: describePolicy(object) } : undefined,
      ),
    probe: {
      render: (args) => get(policyPath(String(args.policy))),
      interpret(reply, args) {
        const answer = readAnswer(reply);
        if (answer.kind !== 'object') return { finding: 'UNREADABLE', message: answer.message };
        if (!isPolicy(answer.object, args.policy)) {
          return { finding: 'UNREADABLE', message: "The device's answer does not fit the request." };
        }
        return isThere(answer.object, args) ? { finding: 'PRESENT' } : { finding: 'ABSENT' };
      },
    },
  };
}

export const policySetMode = settingOf({
  name: 'asmPolicy.setMode',
  summary:
    'Sets whether a policy blocks attacks or only reports them. The change takes effect when the policy is applied.',
  argument: 'mode',
  schema: { type: 'string', enum: ['blocking', 'transparent'] },
  example: 'blocking',
  property: 'enforcementMode',
  settle: (mode) => mode,
});

export const policySetVirtualServers = settingOf({
  name: 'asmPolicy.setVirtualServers',
  summary: 'Sets all virtual servers that a policy protects. The change takes effect when the policy is applied.',
  argument: 'virtualServers',
  schema: {
    type: 'array',
    items: { ...reference, pattern: '^/[A-Za-z0-9._-]{1,63}/[A-Za-z0-9._-]{1,63}$' },
    maxItems: 100,
    uniqueItems: true,
  },
  example: ['/Common/shop'],
  property: 'virtualServers',
  settle: (paths) => (Array.isArray(paths) ? paths.map(String).sort() : []),
});

export const policyDelete: RestOperation = {
  name: 'asmPolicy.delete',
  summary: 'Deletes a security policy. The device refuses while the policy protects a virtual server.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(policyArguments, ['policy']),
  example: { policy: 'Xnm5-sgcAnOxSsK2uDZTkQ', name: 'shop' },
  object: policyObject,
  mapping: 'deletes',
  render: (args) => remove(policyPath(String(args.policy))),
  interpret(reply, args) {
    const answer = readAnswer(reply);
    if (answer.kind === 'refused' && isUnknownPolicy(answer, String(args.policy))) {
      return { state: 'FAILED', code: answer.code, message: answer.message, absent: true };
    }
    // ASM answers with the previous policy.
    return writeOutcome(reply, (object): Outcome | undefined =>
      Object.keys(object).length === 0 || isPolicy(object, args.policy)
        ? { state: 'SUCCEEDED', result: { policy: args.policy ?? null } }
        : undefined,
    );
  },
};

/** ASM's own 404, which names the missing object. Any other 404 may come from a device that restarts. */
function isUnknownPolicy({ code, message }: { code: string; message: string }, id: string): boolean {
  return code === 'NOT_FOUND' && message.includes(id);
}

/** An adopted policy's id may have any form; an invalid one is not used. */
const idIn = (uuid: string | null): string | null =>
  uuid !== null && new RegExp(policyId.pattern).test(uuid) ? uuid : null;

/** By its id if the mapping has it, else by its name. */
export const policyReader: ResourceReader<HttpReply> = {
  lists: { virtualServers: 'SET' },
  // They come with the imported file, or from calls of their own.
  own: ['mode', 'active', 'modified', 'virtualServers', 'comment'],
  render: ({ scope, key, uuid }) => get(idIn(uuid) === null ? search(key, scope) : policyPath(String(uuid))),
  interpret(reply, { scope, key, uuid: given }) {
    const uuid = idIn(given);
    const answer = readAnswer(reply);
    if (answer.kind === 'refused' && uuid !== null && isUnknownPolicy(answer, uuid)) return { finding: 'ABSENT' };
    if (answer.kind !== 'object') return { finding: 'UNREADABLE', message: answer.message };
    const candidates = uuid === null ? itemsOf(answer.object) : [answer.object];
    const known = (each: JsonObject): boolean =>
      uuid === null ? each.fullPath === fullPathOf(scope, key) : isPolicy(each, uuid);
    const policy = candidates?.find(known);
    if (policy) {
      const { policy: id, ...values } = describePolicy(policy);
      return { finding: 'PRESENT', ...(typeof id === 'string' ? { uuid: id } : {}), values };
    }
    if (candidates && uuid === null) return { finding: 'ABSENT' };
    return { finding: 'UNREADABLE', message: "The device's answer does not fit the request." };
  },
  remove: ({ scope, key, uuid }) =>
    idIn(uuid) === null
      ? undefined
      : { operation: 'asmPolicy.delete', arguments: { policy: uuid, name: key, partition: scope } },
};

/** The id in a reference such as `https://localhost/mgmt/tm/asm/policies/<id>?ver=13.1.1`. */
export function policyIn(value: JsonValue | undefined): string | undefined {
  const link = isObject(value) ? String(value.link) : '';
  return /\/mgmt\/tm\/asm\/policies\/([A-Za-z0-9_-]{22})(?:[?/]|$)/.exec(link)?.[1];
}
