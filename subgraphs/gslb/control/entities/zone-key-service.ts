// The rollover of a zone's entry key. Only a person knows which key the parent names, so a person starts the rollover and
// confirms the new key. The other steps depend on time (control/stores/zone-keys.ts).

import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { databaseNow } from '../stores/checker-store.ts';
import { nameableAtMs, namedByParent, withNextEntry, withoutNextEntry, type ZoneKey } from '../stores/zone-keys.ts';
import { lockZone, openZoneKeys, storeZoneKeys } from '../stores/zone-store.ts';
import type { EntityService, NamedInput } from './entity-service.ts';
import { keyRule } from './zone-key-rollover.ts';

interface ZoneKeyDependencies {
  readonly wake: Wake;
  readonly sealer: Sealer;
}

/** Computes the keys that a zone should have at a time of the database's clock. */
type Change = (keys: readonly ZoneKey[], nowMs: number, zone: string) => readonly ZoneKey[];

export class ZoneKeyService {
  readonly #dependencies: ZoneKeyDependencies;
  readonly #zones: EntityService<'DnsZone'>;

  constructor(dependencies: ZoneKeyDependencies, zones: EntityService<'DnsZone'>) {
    this.#dependencies = dependencies;
    this.#zones = zones;
  }

  begin(context: RequestContext, input: NamedInput) {
    return this.#change('KeyRollBegin', context, input, (keys, nowMs, zone) => {
      const next = withNextEntry(keys, nowMs);
      if (next === keys)
        refuse('WRONG_STATE', `a roll of the entry key of ${zone} is in progress: confirm which key its parent names`, {
          field: ['input', 'id'],
        });
      return next;
    });
  }

  confirm(context: RequestContext, input: NamedInput & { readonly keyTag: number }) {
    const { keyTag } = input;
    const field = { field: ['input', 'keyTag'] };
    return this.#change('KeyRollConfirm', context, input, (keys, nowMs, zone) => {
      const key = entriesOf(keys).find((each) => each.keyTag === keyTag);
      if (key === undefined) refuse('NOT_FOUND', `the zone ${zone} has no entry key ${keyTag}`, field);
      const next = namedByParent(keys, keyTag, nowMs, keyRule);
      if (next === undefined) {
        const from = new Date(nameableAtMs(key, keyRule)).toISOString();
        return refuse(
          'WRONG_STATE',
          `before ${from} not every resolver can have the key ${keyTag}: the parent must not name it yet`,
          field,
        );
      }
      return next;
    });
  }

  cancel(context: RequestContext, input: NamedInput) {
    return this.#change('KeyRollCancel', context, input, (keys, nowMs, zone) => {
      const next = withoutNextEntry(keys, nowMs, keyRule);
      if (next !== undefined) return next;
      const why =
        entriesOf(keys).length < 2
          ? 'is not under way'
          : 'can only be completed: the parent may name the new key already';
      return refuse('WRONG_STATE', `the roll of the entry key of ${zone} ${why}`, { field: ['input', 'id'] });
    });
  }

  #change(verb: string, context: RequestContext, input: NamedInput, change: Change) {
    const { wake, sealer } = this.#dependencies;
    return this.#zones.run(verb, context, input, async (attempt) => {
      await this.#zones.find(attempt, context, input.id);
      attempt.check.throwIfAny();
      return async (tx) => {
        const { id, name: zone } = await this.#zones.lock(tx, input);
        const row = await lockZone(tx, zone);
        const keys = row === undefined ? [] : openZoneKeys(row, sealer);
        if (keys.length === 0)
          refuse('WRONG_STATE', `the zone ${zone} has no keys: our own name servers do not sign it`, {
            field: ['input', 'id'],
          });
        await storeZoneKeys(tx, wake, { zone, keys: change(keys, await databaseNow(tx), zone), sealer });
        return id;
      };
    });
  }
}

function entriesOf(keys: readonly ZoneKey[]): readonly ZoneKey[] {
  return keys.filter(({ flags }) => flags === 257);
}
