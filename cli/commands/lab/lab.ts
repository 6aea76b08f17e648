// `tidegate lab`: devices for trying drivers, and hosts for trying failures, with a running `npm start`.
import type { Noun } from '../../verb.ts';
import { kill, plug, unplug } from './acts.ts';
import { add } from './add.ts';
import { clean } from './clean.ts';
import { exec } from './exec.ts';
import { cut, fillDisk, freeze, freezeDisk, skew } from './faults.ts';
import { hosts } from './hosts.ts';
import { list } from './list.ts';
import { load } from './load.ts';
import { remove } from './remove.ts';
import { trouble } from './trouble.ts';

export const lab: Noun = {
  ...{ list, add, remove, trouble, hosts, unplug, plug, kill, exec, load, clean },
  ...{ freeze, cut, 'fill-disk': fillDisk, 'freeze-disk': freezeDisk, skew },
};
