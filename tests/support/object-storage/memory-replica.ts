// A replica in memory, with the product's rules, limits and gates. The product's own replica is in a database, and is
// tested against the same rules.
import * as rules from '../../../platform/registers/rules.ts';
import { noVersion } from '../../../platform/registers/version.ts';
import { compareNames } from '../../../subgraphs/object-storage/engine/namespace/names.ts';
import type {
  ListAnswer,
  ListRequest,
  RegisterKey,
  Replica,
  ReplicaAnswer,
  ReplicaRequest,
  StoredValue,
} from '../../../subgraphs/object-storage/engine/store/register.ts';
import { checkListRequest, checkRequest } from '../../../subgraphs/object-storage/engine/store/request-checks.ts';

export class MemoryReplica implements Replica {
  readonly rows = new Map<string, rules.Row<StoredValue>>();
  epoch = 1;
  asked = 0;
  readonly #looksAtGates: boolean;

  constructor(looksAtGates = true) {
    this.#looksAtGates = looksAtGates;
  }

  #known({ ring, scope, name }: RegisterKey): rules.Known<StoredValue> {
    return { row: this.rows.get(`${ring}/${scope}/${name}`), floor: noVersion };
  }

  #gate({ ring, scope }: Pick<RegisterKey, 'ring' | 'scope'>): { state: string; version: string } {
    const { row } = this.#known({ ring, scope, name: '' });
    const state =
      ring === 0 || row?.value === undefined ? 'OPEN' : (JSON.parse(row.value.head) as { state: string }).state;
    return { state, version: row?.version ?? noVersion };
  }

  async ask(request: ReplicaRequest): Promise<ReplicaAnswer> {
    checkRequest(request);
    const { key, epoch } = request;
    this.asked += 1;
    if (epoch < this.epoch) return { refused: 'STALE', epoch: this.epoch };
    const known = this.#known(key);
    const { state } = this.#gate(key);
    const isObject = key.name !== '';
    if (request.op === 'read')
      return isObject && state === 'DELETED' ? { refused: 'CLOSED' } : { ...known, done: true };
    if (request.op === 'accept' && isObject && state !== 'OPEN' && this.#looksAtGates) return { refused: 'CLOSED' };
    const row = request.op === 'promise' ? rules.promise(known, request.ballot) : rules.accept(known, request.written);
    if (row !== undefined) this.rows.set(`${key.ring}/${key.scope}/${key.name}`, row);
    return { ...this.#known(key), done: row !== undefined };
  }

  async list(request: ListRequest): Promise<ListAnswer> {
    checkListRequest(request);
    const { ring, scope, after, prefix, limit, sealed } = request;
    const { state, version } = this.#gate({ ring, scope });
    if (state === 'DELETED' || (sealed !== undefined && (state !== 'SEALED' || version !== sealed)))
      return { refused: 'CLOSED' };
    const start = `${ring}/${scope}/`;
    const all = [...this.rows]
      .filter(([key]) => key.startsWith(start))
      .map(([key, row]) => ({
        name: key.slice(start.length),
        version: row.version,
        promised: row.promised,
        head: row.value?.head,
      }))
      .filter(({ name }) => name.startsWith(prefix) && name !== '' && compareNames(name, after) > 0)
      .toSorted((a, b) => compareNames(a.name, b.name));
    return { rows: all.slice(0, limit), isWhole: all.length <= limit, floor: noVersion };
  }
}
