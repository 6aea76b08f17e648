// Names of the lab's parts and troubles on the command line.
import { isPartName, isTrouble, type PartName, partNames, type Trouble, troubles } from '../../lab/part.ts';
import { UsageError } from './failures.ts';
import { one } from './option.ts';

export const labOption = one('NAMES', 'Parts of the lab from now on, such as firewall,fortigate, or all.', readParts);

export function readPart(name: string): PartName {
  if (isPartName(name)) return name;
  throw new UsageError(`'${name}' is not a part of the lab: one of ${partNames.join(', ')}`);
}

export function readTrouble(name: string): Trouble {
  if (isTrouble(name)) return name;
  throw new UsageError(`'${name}' is not a trouble: one of ${troubles.join(', ')}`);
}

function readParts(given: string, option: string): readonly PartName[] {
  if (given === 'all') return partNames;
  const names = given.split(',');
  const wrong = names.find((name) => !isPartName(name));
  if (wrong !== undefined)
    throw new UsageError(`${option}: '${wrong}' is not a part of the lab: all, or some of ${partNames.join(',')}`);
  return names.filter(isPartName);
}
