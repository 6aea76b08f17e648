// `tidegate zones`.
import type { Noun } from '../../verb.ts';
import { list } from './list.ts';
import { rollKey } from './roll-key.ts';
import { show } from './show.ts';

export const zones: Noun = { list, show, 'roll-key': rollKey };
