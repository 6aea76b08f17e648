// The option `--faults` of a trial.
import { ArgumentError } from '../arguments.ts';

type Faults<Fault> = Readonly<Record<string, Fault>>;

export const faultsOption = { faults: 'their names, separated by commas (default all)' } as const;

/** In the order in which they were given. Throws ArgumentError. */
export function chosenFaults<Fault>(all: Faults<Fault>, given: string | undefined): Faults<Fault> {
  if (given === undefined) return all;
  return Object.fromEntries(
    given.split(',').map((name) => {
      const fault = all[name];
      if (fault === undefined) throw new ArgumentError(`--faults: there is no '${name}'`);
      return [name, fault] as const;
    }),
  );
}
