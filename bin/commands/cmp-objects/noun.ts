// `tidegate cmp-objects`: what a CMP object became in each subgraph.
import type { Noun } from '../../cli/verb.ts';
import { show } from './show.ts';

export const cmpObjects: Noun = { show };
