// Passes texts to the operations of a driver as the relay does. Each is validated, and either refused with the name of the argument, or
// rendered to one call that makes the device do exactly what was requested.
import { validateArguments } from '../../subgraphs/relay/drivers/arguments.ts';
import type { DriverOperation, JsonObject, WireCall } from '../../subgraphs/relay/drivers/driver.ts';
import type { Random } from '../random.ts';
import { isNamed, type Place, placesOf } from './places.ts';
import { isSame, type Subject } from './subject.ts';
import type { Text } from './texts.ts';

export interface Figures {
  /** Texts that were put into arguments. */
  offered: number;
  refused: number;
  /** Refusals that do not name the faulty argument. */
  refusedUnnamed: number;
  rendered: number;
  /** The accepted calls whose texts look like attacks. */
  renderedAttacks: number;
  /** Calls that became several commands, or another command than requested. */
  wrong: number;
}

export interface Finding {
  readonly driver: string;
  readonly operation: string;
  readonly place: string;
  readonly text: string;
  readonly what: string;
}

/** An accepted call. */
export interface Rendering {
  readonly operation: DriverOperation;
  readonly place: string;
  readonly text: string;
  readonly args: JsonObject;
  readonly call: WireCall;
}

export interface Offers {
  readonly figures: Figures;
  /** Tries the text with every operation, in one argument of each. Accepted calls are passed to `keep`. */
  offer(text: Text, random: Random, keep: (rendering: Rendering) => void): Promise<void>;
}

/** Arguments that allow only numbers or a few words need fewer texts. */
const shareOfFree = 0.8;

export function offersTo(subject: Subject, found: (finding: Finding) => void): Offers {
  const figures: Figures = { offered: 0, refused: 0, refusedUnnamed: 0, rendered: 0, renderedAttacks: 0, wrong: 0 };
  const operations = subject.operations.map((operation) => {
    const places = placesOf(operation);
    return { operation, free: places.filter(({ isFree }) => isFree), closed: places.filter(({ isFree }) => !isFree) };
  });
  let serial = 0;
  const one = async (
    operation: DriverOperation,
    place: Place,
    { kind, text }: Text,
  ): Promise<Rendering | undefined> => {
    serial += 1;
    figures.offered += 1;
    const blame = (what: string) =>
      found({ driver: subject.driver.name, operation: operation.name, place: place.name, text, what });
    const given = place.put(subject.base(operation.name, serial), text);
    const wrong = (what: string) => {
      figures.wrong += 1;
      blame(what);
      return undefined;
    };
    try {
      const checked = validateArguments(operation, given);
      if (!checked.ok) {
        figures.refused += 1;
        if (!isNamed(checked.faults, place, text)) {
          figures.refusedUnnamed += 1;
          blame(`refused without its name: ${JSON.stringify(checked.faults).slice(0, 200)}`);
        }
        return undefined;
      }
      figures.rendered += 1;
      if (kind === 'attack') figures.renderedAttacks += 1;
      const { args } = checked;
      const changed = Object.keys(given).filter((name) => !isSame(args[name], given[name]));
      if (changed.length > 0) return wrong(`changed by validation: ${changed.join(', ')}`);
      const call = operation.render(args, subject.context);
      const misread = await subject.misread(operation.name, args, call);
      if (misread !== undefined) return wrong(misread);
      return { operation, place: place.name, text, args, call };
    } catch (error) {
      return wrong(error instanceof Error ? error.message : String(error));
    }
  };
  return {
    figures,
    async offer(text, random, keep) {
      for (const { operation, free, closed } of operations) {
        const isFree = free.length > 0 && random.next() < shareOfFree;
        const rendering = await one(operation, random.pick(isFree ? free : closed), text);
        if (rendering !== undefined) keep(rendering);
      }
    },
  };
}
