// Two tenants, an administrator, and one place: a tenant creates an object, a restart loses it, the administrator creates another one with
// the same key, and then both tenants make calls. The administrator's object must be unchanged.
import { decodeUuid } from '../../platform/values/ids.ts';
import type { CallShape } from '../../tests/subgraphs/relay/support/relay-system.ts';
import type { Random } from '../random.ts';
import { untilTrue } from '../until.ts';
import type { PlaceDevice } from './places.ts';

export interface PlaceMapping {
  readonly state: string;
  /** The result of the last verification. */
  readonly result: string | null;
  readonly verifiedAt: Date | null;
}

/** The functions of the trial that these rounds use. */
export interface PlaceTrial {
  readonly random: Random;
  call(which: 'relayCall' | 'delete', input: Record<string, unknown>): Promise<CallShape>;
  verify(mappingId: string): Promise<void>;
  forget(mappingId: string): Promise<void>;
  mapping(uuid: string): Promise<PlaceMapping | undefined>;
  count(what: string, made: CallShape): void;
  /** Findings. */
  foreign(what: string): void;
  wrong(what: string): void;
}

const slots = 3;
const tenants = [1, 2] as const;

export class PlaceRounds {
  readonly #trial: PlaceTrial;
  readonly #devices: readonly PlaceDevice[];
  #numbers = 0;

  constructor(trial: PlaceTrial, devices: readonly PlaceDevice[]) {
    this.#trial = trial;
    this.#devices = devices;
  }

  async round(): Promise<void> {
    await Promise.all(this.#devices.map((device) => this.#roundOn(device)));
  }

  async #roundOn(device: PlaceDevice): Promise<void> {
    const { random } = this.#trial;
    const places = device.kinds.flatMap((kind) => Array.from({ length: slots }, (_, slot) => ({ kind, slot })));
    const made = await Promise.all(
      places.map(async (place) => ({ ...place, mine: await this.#create(device, place, random.pick(tenants)) })),
    );
    await device.reboot();
    const used = await Promise.all(
      made.map(async (place) => {
        const { kind, slot } = place;
        if (random.next() < 0.25) return { ...place, text: undefined };
        this.#numbers += 1;
        await kind.put(slot, this.#numbers);
        return { ...place, text: await kind.state(slot) };
      }),
    );
    await Promise.all(used.map((place) => this.#use(device, place)));
    for (const { kind, slot } of places) await kind.clear(slot);
  }

  async #use(device: PlaceDevice, { kind, slot, mine, text }: UsedPlace): Promise<void> {
    const { random } = this.#trial;
    const where = `${device.name} ${kind.resource} ${slot}`;
    const judge = async (call: string) => {
      const state = await kind.state(slot);
      if (text !== undefined && state !== text)
        this.#trial.foreign(`${where}, ${call}: ${JSON.stringify(text)} is now ${JSON.stringify(state)}`);
    };
    if (mine !== undefined) {
      await this.#remove(device, mine, random.next() < 0.5);
      await judge('delete');
      const found = await this.#verified(mine);
      if (found?.state === 'ACTIVE' && found.result === 'MATCHES')
        this.#trial.wrong(`${where}: a verified mapping, though the device has ${JSON.stringify(text)}`);
      if (found?.state !== 'DELETED') await this.#trial.forget(mine);
    }
    if (text === undefined) return;
    // No mapping prevents the call now, so the device decides.
    await this.#create(device, { kind, slot }, random.pick(tenants));
    await judge('create');
  }

  /** The first attempt may lose the session with a device that has just restarted. */
  async #verified(mappingId: string): Promise<PlaceMapping | undefined> {
    const uuid = uuidOf(mappingId);
    const before = await this.#trial.mapping(uuid);
    let found = before;
    await untilTrue(30_000, async () => {
      await this.#trial.verify(mappingId);
      found = await this.#trial.mapping(uuid);
      return found?.state !== 'ACTIVE' || found.verifiedAt?.getTime() !== before?.verifiedAt?.getTime();
    });
    return found;
  }

  /** The mapping's id. */
  async #create(device: PlaceDevice, { kind, slot }: Place, tenant: number): Promise<string | undefined> {
    this.#numbers += 1;
    const cmpObject = { type: 'place', externalId: `place-${this.#numbers}` };
    const call = kind.create(slot, tenant);
    const made = await this.#trial.call('relayCall', { backend: { name: device.name }, cmpObject, ...call });
    this.#trial.count(call.operation, made);
    return made.operation?.state === 'SUCCEEDED' ? made.mapping?.id : undefined;
  }

  async #remove(device: PlaceDevice, mappingId: string, force: boolean): Promise<void> {
    this.#trial.count(`delete on ${device.name}`, await this.#trial.call('delete', { mappingId, force }));
  }
}

interface Place {
  readonly kind: PlaceDevice['kinds'][number];
  readonly slot: number;
}

interface UsedPlace extends Place {
  readonly mine: string | undefined;
  /** The object that the administrator created there. */
  readonly text: string | undefined;
}

const uuidOf = (mappingId: string): string => decodeUuid('Mapping', mappingId) ?? '';
