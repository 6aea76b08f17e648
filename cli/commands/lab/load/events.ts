// The status subscription of a CMP. After a lost connection it continues after the last cursor, at the next host of its list.
import type { Credential } from '../../../graph-client.ts';
import { followStatus } from '../../../status-stream.ts';
import type { HostList } from './line.ts';
import type { Acknowledged } from './tally.ts';

const kinds = ['relayOperation.state', 'mapping.changed'];

export class SeenEvents {
  readonly #seen = new Set<string>();
  repeated = 0;
  lost = 0;

  /** Runs until the signal aborts. */
  async follow(hosts: HostList, credential: Credential, signal: AbortSignal): Promise<void> {
    const client = {
      credential,
      get url() {
        return new URL(hosts.url);
      },
    };
    const filter = { kinds, subjectId: undefined, projectId: undefined };
    const onLost = () => {
      this.lost += 1;
      hosts.next();
    };
    // It will be missing from the verdict.
    const onMissed = () => undefined;
    for await (const { kind, change } of followStatus({ client, after: undefined, filter, signal, onLost, onMissed })) {
      if (kind === 'CHECKPOINT' || change === null) continue;
      const isCall = change.kind === 'relayOperation.state';
      if (isCall && change.to !== 'SUCCEEDED') continue;
      const name = isCall ? change.subjectId : `${change.subjectId} ${change.subjectVersion}`;
      if (this.#seen.has(name)) this.repeated += 1;
      this.#seen.add(name);
    }
  }

  has(write: Acknowledged): boolean {
    return this.#seen.has(write.kind === 'call' ? write.operationId : `${write.mappingId} ${write.version}`);
  }
}
