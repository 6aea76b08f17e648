// Calls that are relayed to a backend, as forms have them. No DOM here.
import type { JsonObject } from '../../../platform/values/json.ts';
import type { Action, Kind } from '../../../schema/kinds/kind.ts';
import { titleOf } from '../../../schema/kinds/words.ts';
import type { Deed } from './text/shown.ts';

/** In the place of a kind: nobody creates or changes an operation, it is the record of a call. */
const callKind: Kind = {
  ...{ type: 'RelayOperation', noun: 'call', singular: 'call', short: [], description: '' },
  ...{ scope: 'project', key: [], node: true, output: [], columns: [], actions: {} },
};

/** `Firewall address create`. */
export function titleOfCall({ mutation }: Pick<Action, 'mutation'>): string {
  return titleOf(mutation);
}

/** The whole input of a call, but for its key. */
export function callInput(backendId: string, input: JsonObject): JsonObject {
  return { backend: { id: backendId }, ...input };
}

/** The source of the form's texts. */
export function callDeed(
  action: Action,
  { input, missing, ...given }: Pick<Deed, 'input' | 'idempotencyKey' | 'url'> & Required<Pick<Deed, 'missing'>>,
): Deed {
  return { kind: callKind, verb: 'call', action, input, missing, ...given };
}
