// How long each machine has given no new sign of life, counted while this process polled. Time without a database, or in which the
// process was suspended, does not count as silence of others.
import { Silence } from './silence.ts';

interface SignOfLife {
  readonly id: string;
  /** Changes with each sign of life. */
  readonly sign: string | number | undefined;
}

interface Known {
  readonly sign: SignOfLife['sign'];
  readonly silence: Silence;
}

/** A poll that is late by more than this follows a pause of the process. */
const lateMs = 250;

export class SilentMachines {
  readonly #lookMs: number;
  #known: ReadonlyMap<string, Known> = new Map();

  /** `lookMs`: the time between two polls. */
  constructor(lookMs: number) {
    this.#lookMs = lookMs;
  }

  /** Milliseconds of silence of each of these machines. All others are forgotten. */
  look(machines: readonly SignOfLife[]): ReadonlyMap<string, number> {
    this.#known = new Map(
      machines.map(({ id, sign }) => {
        const known = this.#known.get(id);
        const isSame = known !== undefined && known.sign === sign;
        return [id, isSame ? known : { sign, silence: new Silence(this.#lookMs + lateMs) }];
      }),
    );
    return new Map([...this.#known].map(([id, { silence }]) => [id, silence.look()]));
  }
}
