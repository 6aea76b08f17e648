// The lab's load balancer hosts leave the graph when their part is removed, as an administrator removes hosts that are gone for good.
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeUuid, encodeId } from '../../../platform/ids.ts';
import { administrator, askGraph, changeGraph, type GraphCaller, GraphRefusal } from './graph.ts';

/** Until the end of a host's connection is recorded, and the last of its nodes is. */
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

  /** With the administrator's password in the data folder. Throws when it is not that any more, or when nodes are on the hosts. */
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

  /** They must have ended. */
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

function hostOf(machine: string): string[] {
  const uuid = decodeUuid('Machine', machine);
  return uuid === undefined ? [] : [encodeId('LoadBalancerHost', uuid)];
}
