// The lab's load balancer hosts in the graph: they get their records and are admitted, like by an administrator. When their device is removed, they
// are deleted as lost hosts.
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeUuid, encodeId } from '../../platform/values/ids.ts';
import { administrator, askGraph, changeGraph, type GraphCaller, GraphRefusal } from './graph.ts';

/** Time until a new host has connected. */
const connectMs = 30_000;
/** Time until the end of a host's connection, and of its last node, is recorded. */
const leaveMs = 20_000;
const pauseMs = 250;

export class LeavingHosts {
  readonly #admin: GraphCaller;
  /** Global ids of their machines; one that is no host's is only revoked. */
  readonly #machines: readonly string[];

  private constructor(admin: GraphCaller, machines: readonly string[]) {
    this.#admin = admin;
    this.#machines = machines;
  }

  /** Logs in with the administrator's password from the data folder. Throws if the password has changed, or if nodes are on the hosts. */
  static async of(caller: GraphCaller, dataPath: string, machines: readonly string[]): Promise<LeavingHosts> {
    const admin = await administrator(caller, dataPath);
    for (const id of machines.flatMap(hostOf)) {
      const query = 'query ($id: ID!) { loadBalancerHost(id: $id) { name nodeCount } }';
      const { loadBalancerHost: host } = await askGraph<Answer>(admin, query, { id });
      if (host !== null && host.nodeCount > 0)
        throw new Error(
          `${host.name} has ${host.nodeCount} nodes: delete the load balancers first, or give --orphan-mappings, and the hosts stay in the graph`,
        );
    }
    return new LeavingHosts(admin, machines);
  }

  /** Call it after the hosts have ended. */
  async remove(): Promise<void> {
    for (const machine of this.#machines) {
      for (const id of hostOf(machine)) await this.#delete(id);
      await changeGraph(this.#admin, 'machineRevoke', { id: machine });
    }
    await changeGraph(this.#admin, 'logout', {});
  }

  async #delete(id: string): Promise<void> {
    for (const until = performance.now() + leaveMs; ; ) {
      try {
        await changeGraph(this.#admin, 'loadBalancerHostDelete', { id });
        return;
      } catch (error) {
        if (!(error instanceof GraphRefusal)) throw error;
        if (error.code === 'NOT_FOUND') return;
        if (error.code !== 'WRONG_STATE' || performance.now() > until) throw error;
        await sleep(pauseMs, undefined, { signal: this.#admin.signal });
      }
    }
  }
}

interface Answer {
  readonly loadBalancerHost: { readonly name: string; readonly nodeCount: number } | null;
}

interface LabHost {
  /** Global id. */
  readonly machine: string;
  /** All fields of LoadBalancerHostUpdateInput. */
  readonly record: Readonly<Record<string, string | number>>;
}

interface Recorded {
  readonly loadBalancerHost: { readonly record: Readonly<Record<string, string | number | null>> | null } | null;
}

/** Gives each its record; a host without one is released first, and one that somebody has cordoned since stays so. */
export async function letHostsIn(admin: GraphCaller, hosts: readonly LabHost[]): Promise<void> {
  const until = performance.now() + connectMs;
  for (const { machine, record } of hosts)
    for (const id of hostOf(machine)) {
      const known = await connected(admin, id, Object.keys(record), until);
      if (known === null) await changeGraph(admin, 'loadBalancerHostCordonLift', { id });
      if (Object.entries(record).some(([name, value]) => known?.[name] !== value))
        await changeGraph(admin, 'loadBalancerHostUpdate', { id, ...record });
    }
}

/** The host's record, after it has connected. Throws when that takes too long. */
async function connected(admin: GraphCaller, id: string, fields: readonly string[], until: number) {
  const query = `query ($id: ID!) { loadBalancerHost(id: $id) { record { ${fields.join(' ')} } } }`;
  while (performance.now() < until) {
    const { loadBalancerHost: host } = await askGraph<Recorded>(admin, query, { id });
    if (host !== null) return host.record;
    await sleep(pauseMs, undefined, { signal: admin.signal });
  }
  throw new Error('its hosts did not connect to the control plane');
}

function hostOf(machine: string): string[] {
  const uuid = decodeUuid('Machine', machine);
  return uuid === undefined ? [] : [encodeId('LoadBalancerHost', uuid)];
}
