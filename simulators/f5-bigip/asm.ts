// Application Security Manager 13.1: policies, which are identified by a hash and not by their name, and the tasks that import
// and apply them. iControl REST ASM Reference 13.1; task fields as in f5-common-python's tests (status NEW, STARTED, COMPLETED or
// FAILURE); a task takes effect at its end. What public clients met on real devices is at its place.

import { createHash, randomBytes } from 'node:crypto';
import type { DeviceAnswer, DeviceRequest } from '../support/tls-server.ts';
import { readFilter } from './asm-filter.ts';
import { AsmTasks, type TaskType } from './asm-tasks.ts';
import { type Config, mostObjects } from './config.ts';
import { checkName, objectName } from './names.ts';
import { isObject, type JsonObject, type JsonValue, json, mcpRefusal, readBody } from './rest.ts';

interface Policy {
  readonly id: string;
  readonly name: string;
  readonly partition: string;
  values: JsonObject;
  /** When `isModified` becomes false: it lags behind the end of the application. Undefined if changed since. */
  cleanFromMs?: number | undefined;
}

interface AsmKnobs {
  /** How long `isModified` stays true after an application. */
  modifiedLagMs: number;
}

export class Asm {
  readonly knobs: AsmKnobs = { modifiedLagMs: 0 };
  readonly tasks: AsmTasks;
  readonly #now: () => number;
  #policies = new Map<string, Policy>();
  readonly #config: Config;

  constructor(config: Config, now: () => number) {
    this.#config = config;
    this.#now = now;
    this.tasks = new AsmTasks({ import: (body) => this.#import(body), apply: (body) => this.#apply(body) }, now);
  }

  get state(): unknown {
    return { policies: this.#policies, tasks: this.tasks.state };
  }

  restore(state: unknown): void {
    const { policies, tasks } = state as { policies: Map<string, Policy>; tasks: unknown };
    this.#policies = policies;
    this.tasks.restore(tasks);
  }

  /** By full path, for tests: the policy on the device. */
  find(fullPath: string): JsonObject | undefined {
    const policy = this.#byPath(fullPath);
    return policy && this.#view(policy);
  }

  /** `segments` follow /mgmt/tm/asm/, percent-decoded. */
  serve(request: DeviceRequest, segments: readonly string[]): DeviceAnswer | undefined {
    this.tasks.advance();
    const [collection, second, id] = segments;
    if (collection === 'policies' && segments.length <= 2) return this.#servePolicies(request, second || undefined);
    if (collection === 'tasks' && (second === 'import-policy' || second === 'apply-policy') && segments.length <= 3) {
      return this.#serveTasks(request, second, id || undefined);
    }
    return undefined;
  }

  #servePolicies(request: DeviceRequest, id: string | undefined): DeviceAnswer | undefined {
    if (id === undefined) {
      if (request.method === 'POST') return json(201, this.#view(this.#create(readBody(request.body))));
      return request.method === 'GET' ? this.#list(request.query) : undefined;
    }
    const policy = this.#policies.get(id);
    if (!policy) throw notFound(`Could not find the Policy with id '${id}'`);
    if (request.method === 'PATCH') this.#change(policy, readBody(request.body));
    if (request.method === 'DELETE') this.#policies.delete(id);
    return json(200, this.#view(policy));
  }

  #serveTasks(request: DeviceRequest, type: TaskType, id: string | undefined): DeviceAnswer | undefined {
    if (id === undefined) {
      if (request.method === 'GET') return json(200, this.tasks.list(type));
      if (request.method !== 'POST') return undefined;
      const body = readBody(request.body);
      if (type === 'apply-policy') this.#referenced(body);
      return json(201, this.tasks.add(type, body));
    }
    const task = this.tasks.get(type, id);
    if (!task) throw notFound(`Could not find the Task with id '${id}'`);
    if (request.method === 'DELETE') this.tasks.remove(id);
    return json(200, task);
  }

  #list(query: URLSearchParams): DeviceAnswer {
    const matches = readFilter(query.get('$filter') ?? '');
    const fields = query.get('$select')?.split(',');
    const items = [...this.#policies.values()].map((policy) => this.#view(policy)).filter(matches);
    const chosen = items.map((item) =>
      fields
        ? Object.fromEntries(Object.entries(item).filter(([name]) => [...fields, 'kind', 'selfLink'].includes(name)))
        : item,
    );
    return json(200, {
      kind: 'tm:asm:policies:policycollectionstate',
      selfLink: 'https://localhost/mgmt/tm/asm/policies?ver=13.1.1',
      totalItems: chosen.length,
      items: chosen,
    });
  }

  #create(body: JsonObject): Policy {
    const { name, partition, fullPath, ...values } = body;
    const path = typeof fullPath === 'string' ? fullPath : `/${String(partition ?? 'Common')}/${String(name)}`;
    const [, inPartition = '', policyName = ''] = path.split('/');
    checkName(objectName(inPartition, policyName), false);
    if (this.#byPath(path)) throw mcpRefusal(409, `The policy '${path}' already exists.`, 26_345_473);
    if (this.#policies.size >= mostObjects) throw mcpRefusal(400, 'There is no memory for more policies.', 26_345_475);
    const id = createHash('md5').update(path).update(randomBytes(8)).digest('base64url');
    const policy = { id, name: policyName, partition: inPartition, values: { ...newPolicy, ...values } };
    this.#policies.set(id, policy);
    return policy;
  }

  /** An edit takes effect only when the policy is applied. */
  #change(policy: Policy, { kind: _kind, ...changes }: JsonObject): void {
    const virtualServers = changes.virtualServers as readonly string[] | undefined;
    for (const path of virtualServers ?? []) this.#config.get('ltm/virtual', path, 'Virtual Server');
    policy.values = { ...policy.values, ...changes };
    policy.cleanFromMs = undefined;
  }

  /** The end of an import task: the new policy, or the reason for its failure. */
  #import(body: JsonObject): JsonObject {
    const file =
      body.isBase64 === true ? Buffer.from(String(body.file), 'base64').toString('utf8') : String(body.file ?? '');
    const described = readPolicyFile(file);
    if (!described) throw new Error('The policy file is malformed or of an unknown format.');
    const policy = this.#target(body, described);
    policy.values = { ...policy.values, ...described };
    policy.cleanFromMs = undefined;
    return {
      policyReference: { link: linkOf(policy) },
      message: `The operation was completed successfully. The security policy name is '${pathOf(policy)}'.`,
    };
  }

  #target(body: JsonObject, described: JsonObject): Policy {
    if (isObject(body.policyReference) && !named(body)) return this.#referenced(body);
    const wanted = String(body.fullPath ?? `/Common/${String(body.name ?? described.name ?? 'imported')}`);
    // BIG-IP 14.1.4 reports nothing about a name in use and makes a copy (F5Networks/f5-ansible#2067). It does the same for a name together
    // with a reference.
    let fullPath = wanted;
    for (let copy = 1; this.#byPath(fullPath); copy += 1) fullPath = `${wanted}_${copy}`;
    return this.#create({ fullPath });
  }

  #apply(body: JsonObject): JsonObject {
    const policy = this.#referenced(body);
    policy.values = { ...policy.values, active: true };
    policy.cleanFromMs = this.#now() + this.knobs.modifiedLagMs;
    return { message: 'The operation was completed successfully.' };
  }

  #referenced(body: JsonObject): Policy {
    const link = isObject(body.policyReference) ? String(body.policyReference.link) : '';
    const id = /\/policies\/([\w-]+)/.exec(link)?.[1] ?? '';
    const policy = this.#policies.get(id);
    if (!policy) throw notFound(`Could not parse/validate the Apply Policy. Could not find the Policy with id '${id}'`);
    return policy;
  }

  #view(policy: Policy): JsonObject {
    return {
      kind: 'tm:asm:policies:policystate',
      selfLink: linkOf(policy),
      id: policy.id,
      name: policy.name,
      partition: policy.partition,
      fullPath: pathOf(policy),
      ...policy.values,
      isModified: policy.cleanFromMs === undefined || this.#now() < policy.cleanFromMs,
    };
  }

  #byPath(fullPath: string): Policy | undefined {
    return [...this.#policies.values()].find((policy) => pathOf(policy) === fullPath);
  }
}

const newPolicy: JsonObject = {
  active: false,
  applicationLanguage: 'utf-8',
  description: '',
  enforcementMode: 'transparent',
  hasParent: false,
  type: 'security',
  virtualServers: [],
};

const named = ({ fullPath, name }: JsonObject): boolean => fullPath !== undefined || name !== undefined;
const notFound = (message: string) => mcpRefusal(404, message, 26_345_474);
const pathOf = ({ partition, name }: Policy): string => `/${partition}/${name}`;
const linkOf = ({ id }: Policy): string => `https://localhost/mgmt/tm/asm/policies/${id}?ver=13.1.1`;

/** XML in the format of 13.1's export, or JSON with a `policy`; returns the part that the policy list shows. */
function readPolicyFile(text: string): JsonObject | undefined {
  if (/^\s*(<\?xml[^>]*>\s*)?<policy\b[\s\S]*<\/policy>\s*$/.test(text)) {
    const mode = /<enforcement_mode>(\w+)<\/enforcement_mode>/.exec(text)?.[1];
    const description = /<policy\b[^>]*\bdescription="([^"]*)"/.exec(text)?.[1];
    return { ...(mode ? { enforcementMode: mode } : {}), ...(description === undefined ? {} : { description }) };
  }
  try {
    const parsed = JSON.parse(text) as JsonValue;
    if (!isObject(parsed) || !isObject(parsed.policy)) return undefined;
    const { enforcementMode, description } = parsed.policy;
    return {
      ...(typeof enforcementMode === 'string' ? { enforcementMode } : {}),
      ...(typeof description === 'string' ? { description } : {}),
    };
  } catch {
    return undefined;
  }
}
