// The name server of the trial and of the benchmark, as a separate process.
import { randomBytes } from 'node:crypto';
import { Answerer } from '../dns/answerer/answerer.ts';
import type { ZoneChange, ZonePlan } from '../dns/policy/plan.ts';
import { Keyring } from '../platform/secrets/keyring.ts';
import { createSealer } from '../platform/secrets/seal.ts';
import { answerParent } from './child.ts';
import { madeUpPlaces } from './made-up-places.ts';

export type Order =
  /** `draw`: always this value. Default: random. `folder`: stores its plans there. */
  | { readonly start: ZonePlan; readonly draw?: number; readonly folder?: string }
  | { readonly change: ZoneChange }
  | { readonly stats: true };

const keyring = new Keyring({ active: 'k1', keys: { k1: randomBytes(32).toString('base64') } });
let server: Answerer | undefined;

answerParent(async (order: Order) => {
  if ('start' in order) {
    const { start, draw, folder } = order;
    server = await Answerer.start({
      ...{ listen: [{ address: '127.0.0.1', port: 0 }], name: 'trial', geo: madeUpPlaces },
      ...(draw === undefined ? {} : { draw: () => draw }),
      ...(folder === undefined ? {} : { disk: { path: folder, sealer: createSealer(keyring) } }),
      // All queries come from one network, without cookies. The size of answers is limited as usual.
      limit: { answersPerSecond: 1e9, totalPerSecond: 1e9 },
      tcp: { idleMs: 1_000 },
      failed: (what, error) => {
        throw new Error(what, { cause: error });
      },
    });
    server.put(start);
    return server.ports[0];
  }
  if ('change' in order) return server?.change(order.change);
  return server?.stats();
});
