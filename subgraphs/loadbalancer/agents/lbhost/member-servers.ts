// A member with a host name has a server for each of its addresses. It is up while one of them is. Without any address, or without one for
// its `monitorHost`, it has no server, and HAProxy has nothing to report about it.
import { isIP } from 'node:net';
import type { HaproxyModel } from '../../rules/haproxy/model.ts';
import { backendName, isEnabled, serverName } from '../../rules/haproxy/tree.ts';
import type { WantedPart } from '../../wire/wanted-node.ts';
import { isMemberRow, type StatRow, textOf } from './haproxy/show-stat.ts';

type Status = 'UP' | 'DOWN';

const uuidLength = 36;
/** A new name is resolved within this time. */
const namelessMs = 5_000;

/** The member of a server. Undefined if it is not a server of a member. */
export function memberOf(server: string): string | undefined {
  const [, member] = /^m_([0-9a-f-]{36})/.exec(server) ?? [];
  return member;
}

export class MemberServers {
  /** Their last known states, by member and server. */
  #states = new Map<string, Map<string, Status>>();
  /** Since when members have had no server, by UUID. */
  readonly #namelessSince = new Map<string, number>();

  /** From HAProxy's table, of which the rows of checked servers count. */
  take(rows: readonly StatRow[]): void {
    this.#states = new Map();
    for (const row of rows.filter(isMemberRow)) {
      const [server, status] = [textOf(row, 'svname'), textOf(row, 'status')];
      if (textOf(row, 'pxname').startsWith('p_') && /^(UP|DOWN)/.test(status))
        this.#note(server, status.startsWith('UP') ? 'UP' : 'DOWN');
    }
  }

  /** The state of the member after one of its servers has changed. */
  after(server: string, status: Status): Status {
    return [...this.#note(server, status).values()].includes('UP') ? 'UP' : 'DOWN';
  }

  /** UUIDs of the members that should be checked and have had no server for some time. */
  nameless(parts: readonly WantedPart[], { backends }: HaproxyModel, nowMs = performance.now()): string[] {
    const checked = new Set(
      parts.filter((part) => part.kind === 'PoolHealthMonitor' && isEnabled(part)).map(({ parentId }) => parentId),
    );
    const names = new Set([...backends.values()].flatMap(({ servers }) => [...servers.keys()].map(memberOf)));
    const missing = new Set(
      parts
        .filter((part) => part.kind === 'PoolMember' && isEnabled(part) && isNamed(part))
        .filter(({ id, parentId }) => checked.has(parentId) && backends.has(backendName(parentId)) && !names.has(id))
        .map(({ id }) => id),
    );
    for (const id of this.#namelessSince.keys()) if (!missing.has(id)) this.#namelessSince.delete(id);
    return [...missing].filter((id) => {
      const since = this.#namelessSince.get(id) ?? nowMs;
      this.#namelessSince.set(id, since);
      return nowMs - since >= namelessMs;
    });
  }

  /** Returns the states of all servers of the member. */
  #note(server: string, status: Status): ReadonlyMap<string, Status> {
    const member = memberOf(server) ?? server;
    // A server with the member's own name is its only one.
    const isOnly = server.length === serverName('', '', false).length + uuidLength;
    const states = isOnly ? new Map<string, Status>() : (this.#states.get(member) ?? new Map<string, Status>());
    states.set(server, status);
    this.#states.set(member, states);
    return states;
  }
}

/** Whether it may have no server for want of an address. */
function isNamed({ spec: { host, monitorHost } }: WantedPart): boolean {
  return [host, monitorHost].some((each) => typeof each === 'string' && isIP(each) === 0);
}
